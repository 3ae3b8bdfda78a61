"""The decision whether images are nearly binary."""

import numpy as np
import pytest
from PIL import Image

from keras_gen import data
from keras_gen.data.pixels import MAX_NOISE_SHARE, Pixels, measure_pixels, noise_share


def test_noise_share_by_hand():
    # one of four pixels has Bernoulli variance 1/4; the mean is 3/8
    assert noise_share(np.array([0.0, 0.0, 0.5, 1.0])) == pytest.approx((0.25 / 4) / (3 / 8 * 5 / 8))
    assert noise_share(np.array([0.0, 1.0])) == 0 and noise_share(np.zeros(4)) == 0
    assert noise_share(np.full(4, 0.3)) == pytest.approx(1)


def strokes(random) -> np.ndarray:
    """Returns a bright stroke with soft edges on black, like a digit's."""
    rows, columns = np.mgrid[:28, :28]
    distance = abs((rows - 14) * np.cos(angle := random.uniform(0, 3)) + (columns - 14) * np.sin(angle))
    inside = np.hypot(rows - 14, columns - 14) < 10
    return np.clip(3.0 - distance, 0, 1) * inside


def photograph(random) -> np.ndarray:
    """Returns a gray textured object on black."""
    rows, columns = np.mgrid[:28, :28]
    texture = random.uniform(0.3, 0.8) + 0.1 * np.sin(rows * random.uniform(0.2, 2)) + random.normal(0, 0.05, (28, 28))
    return np.clip(texture, 0, 1) * (np.hypot(rows - 14, columns - 14) < random.uniform(8, 12))


def lights(random) -> np.ndarray:
    """Returns small soft lights on black: most pixels are black, and the visible ones are gray."""
    rows, columns = np.mgrid[:28, :28]
    centers = random.uniform(0, 28, (6, 2, 1, 1))
    return np.clip(0.5 * np.exp(-((rows - centers[:, 0]) ** 2 + (columns - centers[:, 1]) ** 2) / 4).sum(0), 0, 1)


@pytest.mark.parametrize(("draw", "chosen"), [(strokes, "dynamic"), (photograph, None), (lights, None)])
def test_auto_binarizes_nearly_binary_images(tmp_path, caplog, draw, chosen):
    random = np.random.default_rng(0)
    images = np.stack([draw(random) for _ in range(40)]).astype(np.float32)
    np.save(tmp_path / "set.npy", images)
    loaded = data.load(tmp_path / "set.npy", image_shape=(28, 28, 1), batch_size=8, binarize="auto")
    assert loaded.info.binarize == chosen
    assert (noise_share(images) <= MAX_NOISE_SHARE) == (chosen is not None)
    levels = np.unique(next(iter(loaded))["image"])
    assert (set(levels) == {0.0, 1.0}) == (chosen is not None)
    share, message = f"{noise_share(images):.0%}", caplog.messages[0]
    if chosen:
        assert f"nearly black and white and are binarized (dynamic; binarization makes {share}" in message
    else:
        assert f"gray values, not black and white, and are not binarized (binarization would make {share}" in message
    assert "--binarize" in caplog.messages[0] and len(caplog.messages) == 1


def test_auto_gives_the_same_result_for_cached_and_streamed_data(tfds_dir):
    options = {"image_shape": (6, 6, 1), "batch_size": 8, "binarize": "auto", "data_dir": tfds_dir}
    cached, streamed = (data.load("data_test_set", cache=cache, **options).info for cache in ("memory", None))
    assert cached.binarize == streamed.binarize is None


def color(random) -> np.ndarray:
    """Returns bright objects in natural colors on white, as of an emoji."""
    inside = strokes(random)[..., None] > 0
    return np.where(inside, random.uniform(0.1, 0.95, 3), 1.0)


def stacked_strokes(random) -> np.ndarray:
    """Returns strokes as the channels of an image: nearly binary, but binarized edges would have random colors."""
    return np.stack([strokes(random) for _ in range(3)], -1)


@pytest.mark.parametrize(
    ("draw", "channels", "expected"),
    [
        (strokes, 1, "dynamic"),
        (lambda random: strokes(random) > 0.5, 1, "dynamic"),  # 1 bit
        (photograph, 1, None),
        (color, 3, None),
        (stacked_strokes, 3, None),
        (lambda random: stacked_strokes(random) > 0.5, 3, "dynamic"),  # eight colors
        (lambda random: np.repeat((strokes(random) > 0.5)[..., None], 3, -1), 3, "dynamic"),  # black and white as RGB
    ],
)
def test_a_folder_is_measured_as_it_is_loaded(tmp_path, draw, channels, expected):
    random = np.random.default_rng(0)
    for index in range(12):
        image = np.round(255 * np.asarray(draw(random), float)).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    options = {"image_shape": (28, 28, channels)}
    pixels = measure_pixels(tmp_path, "train", **options)
    assert pixels is not None and pixels.channels == channels and pixels.binarization == expected
    loaded = data.load(tmp_path, "train", batch_size=12, binarize="auto", report=False, **options)
    assert loaded.info.binarize == expected
    raw = data.load(tmp_path, "train", batch_size=12, shuffle=False, report=False, **options)
    images = next(iter(raw))["image"].numpy()
    assert pixels.noise_share == pytest.approx(noise_share(images), rel=1e-5)  # float32 sums in another order


def test_shapes_are_measured_without_building_the_dataset(tmp_path):
    pixels = measure_pixels("shapes", "train", image_shape=(32, 32, 3), data_dir=tmp_path)
    assert pixels is not None and pixels.binarization is None and not list(tmp_path.iterdir())


def test_two_sources_are_not_measured(tmp_path):
    assert measure_pixels("mnist,usps", "train", image_shape=(8, 8, 1), data_dir=tmp_path) is None


def test_the_decision_as_a_sentence():
    assert Pixels(1, 0.62).describe() == (
        "The pixels are gray values, not black and white, and are not binarized (binarization would make 62% of their "
        "variance noise)"
    )
    assert Pixels(3, 0.0).describe() == (
        "The pixels are nearly of two levels and are binarized (dynamic; binarization makes 0% of their variance noise)"
    )
