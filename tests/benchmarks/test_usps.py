"""`keras_gen.data.load` reads the converted USPS digits."""

import numpy as np
import pytest
import scipy.io

from benchmarks.usps import convert
from keras_gen import data


def test_pixels_and_classes_equal_those_of_the_file(tmp_path):
    generator = np.random.default_rng(0)
    content = {}
    for end, num in (("tr", 5), ("tst", 3)):
        content[f"X{end}"] = generator.uniform(-1, 1, (num, 256))
        content[f"y{end}"] = generator.integers(0, 10, (num, 1)).astype(np.uint8)
    content["Xtr"][0, :2] = -1, 1
    scipy.io.savemat(tmp_path / "usps.mat", content)
    assert convert(tmp_path / "usps.mat", tmp_path / "out" / "usps.npz")["x_test"] == (3, 16, 16, 1)
    loaded = data.load(tmp_path / "out" / "usps.npz", "train", image_shape=(16, 16, 1), batch_size=5, shuffle=False)
    batch = next(loaded.as_numpy_iterator())
    assert batch["image"][0, 0, :2, 0].tolist() == [0, 1] and batch["label"].tolist() == content["ytr"].ravel().tolist()
    # rows of 16 pixels, rounded to 8 bits
    expected = (content["Xtr"].reshape(5, 16, 16, 1) + 1) / 2
    np.testing.assert_allclose(batch["image"], expected, atol=0.5 / 255 + 1e-6)
    large = data.load(tmp_path / "out" / "usps.npz", "test", image_shape=(28, 28, 1), batch_size=3)
    assert next(large.as_numpy_iterator())["image"].shape == (3, 28, 28, 1)


def test_a_file_without_the_arrays_is_refused(tmp_path):
    scipy.io.savemat(tmp_path / "other.mat", {"x": np.zeros((2, 2))})
    with pytest.raises(ValueError, match=r"Expected Xtr \[num, 256\] and ytr"):
        convert(tmp_path / "other.mat", tmp_path / "usps.npz")
