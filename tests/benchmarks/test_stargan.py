"""The metrics of the StarGAN benchmark on known translations, its reading of emoji, and its drawn expressions."""

import argparse
import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from benchmarks import skin_tones, stargan
from benchmarks.drawn_faces import draw_expressions, draw_faces

RED, BLUE = (0.8, 0.2, 0.2), (0.2, 0.2, 0.8)


def squares(num: int, seed: int) -> np.ndarray:
    """Returns a red and a blue square at the same random position on white, [num, 2, 8, 8, 3]."""
    images = np.ones((num, 2, 8, 8, 3), np.float32)
    for image, (top, left) in zip(images, np.random.default_rng(seed).integers(0, 5, (num, 2)), strict=True):
        image[0, top : top + 4, left : left + 4] = RED
        image[1, top : top + 4, left : left + 4] = BLUE
    return images


@pytest.fixture(scope="module")
def domains() -> stargan.Domains:
    train = squares(40, seed=0).reshape(-1, 8, 8, 3)
    return stargan.Domains(("red", "blue"), (train, np.tile([0, 1], 40)), squares(6, seed=1))


class Model:
    """A translator that changes the color of squares by a fraction of the difference, and white by -1/255."""

    def __init__(self, fraction: float):
        self.fraction = fraction

    def translate(self, images, vectors):
        inside = images.min(-1, keepdims=True) < 0.5
        color = np.asarray(vectors) @ np.array([RED, BLUE])
        colored = images + self.fraction * (color[:, None, None] - images)
        return np.where(inside, colored, images - 1 / 255).astype(np.float32)


@pytest.mark.parametrize("fraction", [1.0, 0.0])
def test_metrics_by_hand(domains, fraction):
    it = dataclasses.replace(stargan.CONFIGURATIONS["skin_tones"], classifier_epochs=30, size=8)
    result = stargan.measure(Model(fraction), domains, it)
    assert result["translations"] == 12 and result["held_out"] == 6
    # 16 of 64 pixels are in the square, and two of three channels differ by 0.6
    identity = 16 / 64 * 0.6 * 2 / 3
    assert result["counterfactual_error_identity"] == pytest.approx(identity, rel=1e-5)
    white = 48 / 64 / 255
    assert result["counterfactual_error"] == pytest.approx((1 - fraction) * identity + white, rel=1e-4)
    assert result["counterfactual_ratio"] == pytest.approx(1 - fraction + white / identity, rel=1e-4)
    assert result["change_of_shared_pixels"] == pytest.approx(1 / 255, rel=1e-4)
    assert result["shared_pixels"] == 48 / 64
    assert result["classification_error_real"] == 0 and result["classification_error_translated"] == 1 - fraction
    assert result["classification_error_identity"] == 1


def test_picture_has_inputs_translations_and_counterfactuals(domains):
    picture = stargan.picture(Model(1.0), domains, rows=2)
    assert picture.shape == (2 * 10 + 2, 6 * 10 + 2, 3)  # the input, two translations, a gap, two counterfactuals


def test_emoji_with_all_skin_tones_are_read_on_white(tmp_path):
    def png(color) -> bytes:
        file = io.BytesIO()
        Image.new("RGBA", (4, 4), color).save(file, "PNG")
        return file.getvalue()

    rows = []
    with zipfile.ZipFile(tmp_path / "emoji.zip", "w") as archive:
        for name, tones in (("hand", range(1, 6)), ("foot", range(1, 5))):
            for tone in tones:
                archive.writestr(f"{name}{tone}.png", png((10 * tone, 0, 0, 255)))
                label = f"{name}: {skin_tones.TONES[tone - 1]} skin tone"
                rows.append({"file": f"{name}{tone}.png", "label": label, "tone": tone})
        archive.writestr("two.png", png("black"))
        rows.append({"file": "two.png", "label": "two people", "tone": [1, 2]})
        archive.writestr("none.png", png((0, 0, 0, 0)))
        rows[4] |= {"file": "none.png"}  # the fifth hand is transparent, so white
        archive.writestr("captions.jsonl", "\n".join(map(json.dumps, rows)))
    images, names = skin_tones.read(tmp_path / "emoji.zip", 2)
    assert images.shape == (1, 5, 2, 2, 3) and names == ["hand: tone"]
    np.testing.assert_allclose(images[0, :4, 0, 0, 0] * 255, [10, 20, 30, 40], rtol=1e-6)
    assert (images[0, 4] == 1).all()


def test_emoji_are_split_by_kind():
    train, held_out = skin_tones.split(323)
    assert len(held_out) == skin_tones.HELD_OUT and not set(train) & set(held_out)
    assert sorted([*train, *held_out]) == list(range(323))


@pytest.fixture
def change():
    """Returns black images and translations that differ in two pixels."""
    images, translated = np.zeros((2, 2, 2, 3)), np.zeros((2, 2, 2, 3))
    translated[0, 0, 0] = 0.5, 0.25, 0.0
    translated[1, 1] = 1.0
    return translated, images


def test_only_shared_pixels_are_compared(change):
    translated, images = change
    unchanged = np.zeros((2, 2, 2), bool)
    unchanged[0, 0], unchanged[1, 1, 0] = True, True
    # three pixels with changes 0.25, 0 and 1 on average over their channels
    assert stargan.unchanged_error(translated, images, unchanged) == pytest.approx(1.25 / 3)


def test_arrays_of_different_shapes_are_refused(change):
    translated, images = change
    with pytest.raises(ValueError, match="of one shape"):
        stargan.unchanged_error(translated, images[:1], np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="with 0"):
        stargan.unchanged_error(translated, images, np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"\[2, 2, 2\]"):
        stargan.unchanged_error(translated, images, np.ones((2, 2)))


def test_expressions_differ_in_the_mouth_only():
    frown, neutral, smile = (draw_expressions(np.full(20, label), seed=1).astype(int) for label in range(3))
    assert frown.shape == draw_faces(20, seed=1).shape
    for other in (frown, smile):
        changed = np.abs(neutral - other)[..., 0] > 10
        assert 2 <= changed.sum((1, 2)).mean() < 20  # of 1,024 pixels
        assert not changed[:, :14].any()  # eyes and nose
    np.testing.assert_array_equal(draw_expressions(np.arange(20) % 3, seed=1)[::3], frown[::3])


def test_nearly_half_of_the_training_faces_smile_and_validation_has_other_faces():
    chosen, final = (
        stargan.expressions(argparse.Namespace(), 32, validation, held_out=5) for validation in (True, False)
    )
    assert chosen.names == ("frown", "neutral", "smile")
    np.testing.assert_allclose(np.bincount(chosen.train[1]) / 6000, [0.2, 0.33, 0.47], atol=0.02)
    assert chosen.counterfactuals.shape == (5, 3, 32, 32, 1)
    np.testing.assert_array_equal(chosen.train[0], final.train[0])
    assert (chosen.counterfactuals != final.counterfactuals).mean() > 0.9
