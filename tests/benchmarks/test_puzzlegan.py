"""The benchmark of Puzzle-GAN: its split, its budget and its features."""

import io
import json
import zipfile

import numpy as np
from PIL import Image

from benchmarks.puzzlegan import blocks, large_shapes, mirrored_twemoji, twemoji


def archive(path):
    """An archive of 40 kinds of emoji in two skin tones; each kind has a different shade; corners are transparent."""
    rows, kinds = [], range(40)
    with zipfile.ZipFile(path, "w") as file:
        for kind in kinds:
            for tone in ("light", "dark"):
                picture = np.zeros((8, 8, 4), np.uint8)
                picture[2:6, 2:6] = (5 * kind, 10, 20, 255)
                picture[2:6, 2] = (250, 250, 250, 255)
                stream, name = io.BytesIO(), f"72x72/{kind}{tone}.png"
                Image.fromarray(picture).save(stream, "PNG")
                file.writestr(name, stream.getvalue())
                rows.append(json.dumps({"file": name, "label": f"hand {kind}: {tone} skin tone"}))
        file.writestr("captions.jsonl", "\n".join(rows))
    return path


def test_no_kind_of_emoji_is_in_both_splits(tmp_path):
    train, test = twemoji(8, archive(tmp_path / "emoji.zip"))
    assert len(train) == 70 and len(test) == 10  # every eighth of 40 kinds, with two tones each
    shades = [set(np.rint(images[:, 4, 4, 0] * 255).astype(int)) for images in (train, test)]
    assert len(shades[0]) == 35 and len(shades[1]) == 5 and not shades[0] & shades[1]
    assert (train[:, 0, 0] == 1).all()  # transparent is white


def test_only_training_images_are_mirrored(tmp_path):
    train, test = twemoji(8, archive(tmp_path / "emoji.zip"))
    doubled, same = mirrored_twemoji(8, tmp_path / "emoji.zip")
    np.testing.assert_array_equal(same, test)
    np.testing.assert_array_equal(doubled[70:], train[:, :, ::-1])
    assert np.abs(doubled[70:] - train).max() > 0.1


def test_shapes_are_large_and_centered():
    _, test = large_shapes(16, "")
    assert test.shape == (500, 16, 16, 3) and test.min() >= 0 and test.max() <= 1
    border = np.concatenate([test[:, 0], test[:, -1], test[:, :, 0], test[:, :, -1]], axis=1)
    # only background: gray and constant
    assert border.std(axis=1).max() < 0.02


def test_block_means_by_hand():
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(blocks(image, grid_size=2), [[2.5, 4.5, 10.5, 12.5]])
