import re

import numpy as np
import pytest

from keras_gen.data.resize import Resize
from keras_gen.data.sources.arrays import describe_arrays, read_arrays

RESIZE = Resize((6, 6, 1))
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 1), np.uint8)


def save(folder, **arrays):
    np.savez(folder / "set.npz", **arrays)
    return folder / "set.npz"


def read_all(table):
    images = table.images["image"]
    return np.stack([images.read(i) for i in range(images.count)])


def test_rows_keep_their_order_and_columns(tmp_path):
    file = save(
        tmp_path,
        images=PIXELS[..., 0],
        labels=np.arange(20)[:, None],
        caption=np.array([f"number {i}" for i in range(20)]),
        attributes=np.eye(20),
        weight=np.linspace(0, 1, 20),
        label_names=np.array([f"n{i}" for i in range(20)]),
    )
    table = read_arrays(file, "train[5:15]", RESIZE, slices="file")
    np.testing.assert_array_equal(read_all(table), PIXELS[5:15])
    assert table.columns["label"].dtype == np.int32 and table.columns["label"].tolist() == list(range(5, 15))
    assert table.columns["caption"].tolist()[0] == b"number 5"
    assert table.columns["attributes"].dtype == np.float32 and table.columns["attributes"].shape == (10, 20)
    assert table.columns["weight"].dtype == np.float32
    assert table.names["label"][3] == "n3"


def test_splits_are_named_by_the_suffix_of_the_key(tmp_path):
    file = save(tmp_path, x_train=PIXELS, y_train=np.arange(20), x_test=PIXELS[:5], y_test=np.arange(5))
    assert describe_arrays(file)["splits"] == {"train": 20, "test": 5}
    table = read_arrays(file, "test+train[:2]", RESIZE, slices="file")
    assert table.columns["label"].tolist() == [0, 1, 2, 3, 4, 0, 1]
    np.testing.assert_array_equal(read_all(table), [*PIXELS[:5], *PIXELS[:2]])
    with pytest.raises(ValueError, match=r"no split 'valid'. Known splits: train \(20\), test \(5\)"):
        read_arrays(file, "valid", RESIZE)


def test_slices_of_a_sorted_file_contain_every_class(tmp_path):
    label = np.repeat(np.arange(10), 100)
    file = save(tmp_path, x=np.zeros((1000, 6, 6), np.uint8), y=label, row=np.arange(1000))
    parts = [read_arrays(file, split, RESIZE).columns for split in ("train[:-100]", "train[-100:]")]
    for part in parts:
        assert set(part["label"]) == set(range(10))
        assert (np.diff(part["row"]) > 0).all()  # in the order of the file
    assert sorted(np.concatenate([part["row"] for part in parts])) == list(range(1000))
    # the same choice on every run and machine
    assert parts[1]["row"][:8].tolist() == [3, 44, 49, 64, 65, 76, 80, 83]
    assert read_arrays(file, "train", RESIZE).columns["row"].tolist() == list(range(1000))
    in_order = read_arrays(file, "train[-100:]", RESIZE, slices="file").columns
    assert in_order["row"].tolist() == list(range(900, 1000))


def test_npy_files_are_memory_mapped(tmp_path):
    np.save(tmp_path / "set.npy", PIXELS)
    table = read_arrays(tmp_path / "set.npy", "train[:50%]", RESIZE)
    images = read_all(table)
    assert images.shape == (10, 6, 6, 1)
    assert all((PIXELS == image).all(axis=(1, 2, 3)).any() for image in images)


COLOR = np.random.default_rng(1).integers(0, 256, (12, 16, 20, 3), np.uint8)


@pytest.mark.parametrize(
    "array, shape, message",
    [
        (COLOR, (12, 16, 20, 3), ""),
        (COLOR[..., 0], (12, 16, 20, 1), ""),
        (np.moveaxis(COLOR, -1, 1), (12, 16, 20, 3), "has the channels first; it is read as .12, 16, 20, 3."),
        (COLOR[:, None, :, :, 0], (12, 16, 20, 1), "channels first"),
        (COLOR[0], (1, 16, 20, 3), "one photo"),
        (COLOR[0, ..., 0], (1, 16, 20, 1), "one gray photo"),
        (COLOR[0, ..., :1], (1, 16, 20, 1), "one photo"),
        (COLOR[:, :4, :4, 0], (12, 4, 4, 1), ""),
    ],
)
def test_shapes_of_images(tmp_path, array, shape, message):
    np.save(tmp_path / "set.npy", array)
    table = read_arrays(tmp_path / "set.npy", "train", Resize(shape[1:]))
    np.testing.assert_array_equal(
        read_all(table), (COLOR[..., :1] if shape[3] == 1 else COLOR)[: shape[0], : shape[1], : shape[2]]
    )
    description = describe_arrays(tmp_path / "set.npy")
    assert description["image_shape"] == shape[1:] and description["splits"] == {"train": shape[0]}
    assert len(table.notes) == bool(message)
    if message:
        assert re.search(message, table.notes[0]) and description["notes"] == table.notes


@pytest.mark.parametrize(
    "shape, message",
    [
        ((20, 784), r"flattened images as x.reshape\(-1, 28, 28\)\."),
        ((20, 3072), r"flattened images as x.reshape\(-1, 32, 32, 3\)\."),
        ((48, 64), r"flattened images as x.reshape\(-1, 8, 8\), or one photo as x\[None\], \[1, 48, 64\]"),
        ((20, 7), "expected images"),
        ((20, 16, 16, 2), "expected 1 .gray., 3 .color. or 4 .* received 2"),
        ((20, 16, 16, 5), "received 5"),
        ((16, 16, 4), "two ways: 16 gray images of 16x4, or one photo"),
        ((3, 16, 20), r"two ways: 3 gray images of 16x20, or one photo.*np.moveaxis\(x, 0, -1\)"),
        ((20, 3, 32, 3), "two ways: 3x32 images of 3 channels, or 32x3 images of 3 channels"),
        ((20,), "expected images"),
    ],
)
def test_invalid_shapes(tmp_path, shape, message):
    np.save(tmp_path / "set.npy", np.zeros(shape, np.uint8))
    for read in (describe_arrays, lambda file: read_arrays(file, "train", RESIZE)):
        with pytest.raises(ValueError, match=message):
            read(tmp_path / "set.npy")


def test_labels_tell_one_color_photo_from_many_gray_images(tmp_path):
    file = save(tmp_path, x=COLOR[0], y=np.arange(16))
    assert describe_arrays(file)["splits"] == {"train": 16}


@pytest.mark.parametrize(
    "pixels, expected",
    [
        (PIXELS, PIXELS),
        (PIXELS.astype(np.int64), PIXELS),
        (PIXELS > 127, (PIXELS > 127) * 255),
        ((PIXELS > 127).astype(np.uint8), (PIXELS > 127) * 255),
        (PIXELS / np.float64(255), (PIXELS / 255).astype(np.float32)),
    ],
)
def test_pixel_types(tmp_path, pixels, expected):
    np.save(tmp_path / "set.npy", pixels)
    np.testing.assert_array_equal(read_all(read_arrays(tmp_path / "set.npy", "train", RESIZE)), expected)


def outlier(value, dtype=np.float32):
    pixels = np.zeros((2000, 2, 2, 1), dtype)
    pixels[1500, 0, 0] = value
    return pixels


@pytest.mark.parametrize(
    "pixels, message",
    [
        (outlier(np.nan), "1 values that are NaN or infinite, the first in image 1500"),
        (outlier(np.inf), "NaN or infinite"),
        (outlier(255), r"floats from 0 to 255. .*value_range=\(0, 255\) \(--value-range 0,255\)"),
        (outlier(16), r"floats from 0 to 16. .*value_range=\(0, 16\) \(--value-range 0,16\)"),
        (outlier(4000), r"floats from 0 to 4000. .*value_range=\(0, 4095\)"),
        (outlier(-1), r"floats from -1 to 0. .*value_range=\(-1, 1\)"),
        (outlier(70000, np.int32), r"integers from 0 to 70000. .*value_range=\(0, 70000\)"),
        (outlier(-1000, np.int32), r"integers from -1000 to 0. .*value_range=\(-1000, 0\)"),
        (
            outlier(16, np.uint8),
            r"nearly black; received integers from 0 to 16. .*range=\(0, 16\).*range=\(0, 255\)",
        ),
        (np.zeros((4, 2, 2, 1), np.complex64), "received the type complex64"),
    ],
)
def test_values_that_are_not_pixels(tmp_path, pixels, message):
    np.save(tmp_path / "set.npy", pixels)
    with pytest.raises(ValueError, match=f"set.npy: expected .*{message}"):
        read_arrays(tmp_path / "set.npy", "train", RESIZE)


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"label": np.arange(3)}, "under one of image, images, x"),
        ({"image": PIXELS[0, :, 0, 0]}, r"\[n, height, width\]"),
        (
            {"image": PIXELS, "attributes": np.ones((20, 3)), "attribute_names": ["a", "b"]},
            r"as attributes \(3\); received 2",
        ),
        ({"x_train": PIXELS, "x_test": PIXELS[:, :5]}, r"of one shape .*; received \[6, 6, 1\] and \[5, 6, 1\]"),
        (
            {"image": PIXELS, "label": np.arange(19)},
            "arrays of 20 rows, .* received 'label' of shape .19.",
        ),
        ({"image": PIXELS, "label": np.linspace(0, 1, 20)}, "one integer per image"),
        ({"image": PIXELS, "weight": np.full(20, np.nan)}, "finite values in 'weight'; received NaN"),
        ({"a": PIXELS, "b": PIXELS}, "received 2 such arrays in split 'train'. The arrays are: a uint8"),
        ({"image": PIXELS[:0]}, r"selects no example. Known splits: train \(0\)"),
    ],
)
def test_invalid_files(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        read_arrays(save(tmp_path, **arrays), "train+test" if "x_test" in arrays else "train", RESIZE)


def test_damaged_pickled_and_missing_files(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match="cannot be read as a .npz array file"):
        read_arrays(tmp_path / "bad.npz", "train", RESIZE)
    np.save(tmp_path / "objects.npy", np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read as a .npy array file"):
        read_arrays(tmp_path / "objects.npy", "train", RESIZE)
    with pytest.raises(ValueError, match="npz, which does not exist"):
        read_arrays(tmp_path / "none.npz", "train", RESIZE)


def test_fingerprints_depend_on_content_split_and_shape(tmp_path):
    first = read_arrays(save(tmp_path, image=PIXELS), "train", RESIZE).fingerprint
    assert read_arrays(save(tmp_path, image=PIXELS.copy()), "train", RESIZE).fingerprint == first
    changed = PIXELS.copy()
    changed[3, 3, 3] ^= 1
    assert read_arrays(save(tmp_path, image=changed), "train", RESIZE).fingerprint != first
    assert read_arrays(save(tmp_path, image=PIXELS), "train[:9]", RESIZE).fingerprint != first
    assert read_arrays(save(tmp_path, image=PIXELS), "train", Resize((5, 5, 1))).fingerprint != first
    labeled = [read_arrays(save(tmp_path, image=PIXELS, y=y), "train", RESIZE).fingerprint for y in np.eye(2, 20)]
    assert len({first, *labeled}) == 3
