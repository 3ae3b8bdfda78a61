import numpy as np
import pytest
import tensorflow as tf

from keras_gen import data
from keras_gen.data.pipeline.binarize import MAX_NOISE_SHARE, binarize, noise_share
from keras_gen.data.pipeline.counter_rng import mix, seed_word


def random_keys(purpose):
    return mix(seed_word(0, purpose), tf.range(4000))


def test_dynamic_draws_each_pixel_with_its_value_as_probability():
    values = np.float32([0, 1 / 255, 0.25, 0.5, 0.9, 1]).reshape(1, 2, 3, 1)
    out = binarize(tf.constant(np.repeat(values, 4000, 0)), "dynamic", random_keys).numpy()
    assert set(np.unique(out)) == {0.0, 1.0}
    error = np.sqrt(values[0] * (1 - values[0]) / 4000)
    assert (abs(out.mean(0) - values[0]) <= 5 * error).all()  # 0 and 1 are exact
    assert abs(np.corrcoef(out[:, 0, 2, 0], out[:, 1, 0, 0])[0, 1]) < 5 / np.sqrt(4000)


def test_threshold():
    image = tf.constant(np.float32([0, 0.4999, 0.5, 1]).reshape(1, 2, 2, 1))
    np.testing.assert_array_equal(binarize(image, "threshold", random_keys).numpy().ravel(), [0, 0, 1, 1])
    assert binarize(image, None, random_keys) is image


def test_unknown_mode():
    with pytest.raises(ValueError, match="Expected binarize as one of None, 'dynamic', .*; received 'static'"):
        binarize(tf.zeros((1, 2, 2, 1)), "static", random_keys)


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
    how = "binarized (dynamic)" if chosen else "not binarized"
    assert f"gray values are {how}: noise would be {noise_share(images):.0%}" in caplog.messages[0]
    assert "--binarize" in caplog.messages[0] and len(caplog.messages) == 1


def test_auto_gives_the_same_result_for_cached_and_streamed_data(tfds_dir):
    options = {"image_shape": (6, 6, 1), "batch_size": 8, "binarize": "auto", "data_dir": tfds_dir}
    cached, streamed = (data.load("data_test_set", cache=cache, **options).info for cache in ("memory", None))
    assert cached.binarize == streamed.binarize is None
