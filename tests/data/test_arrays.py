import numpy as np
import pytest

from keras_gen.data.arrays import describe_arrays, read_arrays
from keras_gen.data.fit import Fit

FIT = Fit((6, 6, 1))
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 1), np.uint8)


def save(folder, **arrays):
    np.savez(folder / "set.npz", **arrays)
    return folder / "set.npz"


def read_all(table):
    images = table.images["image"]
    return np.stack([images.read(i) for i in range(images.count)])


def test_rows_in_order_with_everything_carried_along(tmp_path):
    file = save(
        tmp_path,
        images=PIXELS[..., 0],
        labels=np.arange(20)[:, None],
        caption=np.array([f"number {i}" for i in range(20)]),
        attributes=np.eye(20),
        weight=np.linspace(0, 1, 20),
        label_names=np.array([f"n{i}" for i in range(20)]),
    )
    table = read_arrays(file, "train[5:15]", FIT)
    np.testing.assert_array_equal(read_all(table), PIXELS[5:15])
    assert table.columns["label"].dtype == np.int32 and table.columns["label"].tolist() == list(range(5, 15))
    assert table.columns["caption"].tolist()[0] == b"number 5"
    assert table.columns["attributes"].dtype == np.float32 and table.columns["attributes"].shape == (10, 20)
    assert table.columns["weight"].dtype == np.float32
    assert table.names["label"][3] == "n3"


def test_splits_by_the_end_of_the_key(tmp_path):
    file = save(tmp_path, x_train=PIXELS, y_train=np.arange(20), x_test=PIXELS[:5], y_test=np.arange(5))
    assert describe_arrays(file)["splits"] == {"train": 20, "test": 5}
    table = read_arrays(file, "test+train[:2]", FIT)
    assert table.columns["label"].tolist() == [0, 1, 2, 3, 4, 0, 1]
    with pytest.raises(ValueError, match=r"no split 'valid'. Known splits: train \(20\), test \(5\)"):
        read_arrays(file, "valid", FIT)


@pytest.mark.parametrize(
    "pixels, want",
    [
        (PIXELS, PIXELS),
        (PIXELS.astype(np.int64), PIXELS),
        (PIXELS > 127, (PIXELS > 127) * 255),
        ((PIXELS > 127).astype(np.uint8), (PIXELS > 127) * 255),
        (PIXELS / np.float64(255), (PIXELS / 255).astype(np.float32)),
    ],
)
def test_kinds_of_pixels(tmp_path, pixels, want):
    np.save(tmp_path / "set.npy", pixels)
    np.testing.assert_array_equal(read_all(read_arrays(tmp_path / "set.npy", "train", FIT)), want)


def spoiled(value, dtype=np.float32):
    pixels = np.zeros((2000, 2, 2, 1), dtype)
    pixels[1500, 0, 0] = value
    return pixels


@pytest.mark.parametrize(
    "pixels, says",
    [
        (spoiled(np.nan), "1 values that are NaN or infinite, the first in image 1500"),
        (spoiled(np.inf), "NaN or infinite"),
        (spoiled(255), "floats from 0 to 255. Divide by 255"),
        (spoiled(-1), r"floats from -1 to 0. Rescale with \(x \+ 1\) / 2"),
        (spoiled(300, np.int32), "integers from 0 to 300"),
        (spoiled(-1, np.int32), "integers from -1 to 0"),
        (np.zeros((4, 2, 2, 1), np.complex64), "type complex64"),
    ],
)
def test_values_that_are_no_pixels(tmp_path, pixels, says):
    np.save(tmp_path / "set.npy", pixels)
    with pytest.raises(ValueError, match=f"integers from 0 to 255 or floats from 0 to 1. Found .*{says}"):
        read_arrays(tmp_path / "set.npy", "train", FIT)


@pytest.mark.parametrize(
    "arrays, says",
    [
        ({"label": np.arange(3)}, "under one of image, images, x"),
        ({"image": PIXELS[0, :, 0, 0]}, r"\[n, height, width\]"),
        ({"image": PIXELS, "label": np.arange(19)}, "'label' has the shape .19., but there are 20 images"),
        ({"image": PIXELS, "label": np.linspace(0, 1, 20)}, "one integer per image"),
        ({"image": PIXELS, "weight": np.full(20, np.nan)}, "'weight' has values that are NaN"),
        ({"a": PIXELS, "b": PIXELS}, "2 of them. Found: a uint8"),
        ({"image": PIXELS[:0]}, r"selects no example. Known splits: train \(0\)"),
    ],
)
def test_files_that_do_not_fit(tmp_path, arrays, says):
    with pytest.raises(ValueError, match=says):
        read_arrays(save(tmp_path, **arrays), "train", FIT)


def test_damaged_pickled_and_missing_files(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match="cannot be read as a .npz array file"):
        read_arrays(tmp_path / "bad.npz", "train", FIT)
    np.save(tmp_path / "objects.npy", np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read as a .npy array file"):
        read_arrays(tmp_path / "objects.npy", "train", FIT)
    with pytest.raises(ValueError, match="There is no file"):
        read_arrays(tmp_path / "none.npz", "train", FIT)


def test_the_fingerprint_tells_contents_apart(tmp_path):
    first = read_arrays(save(tmp_path, image=PIXELS), "train", FIT).fingerprint
    assert read_arrays(save(tmp_path, image=PIXELS.copy()), "train", FIT).fingerprint == first
    changed = PIXELS.copy()
    changed[3, 3, 3] ^= 1
    assert read_arrays(save(tmp_path, image=changed), "train", FIT).fingerprint != first
    assert read_arrays(save(tmp_path, image=PIXELS), "train[:9]", FIT).fingerprint != first
