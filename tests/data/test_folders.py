import numpy as np
import pytest
from PIL import Image

from keras_gen.data.fit import Fit
from keras_gen.data.folders import describe_folder, read_folder

FIT = Fit((4, 4, 3))


def fill(folder, count, start=0):
    """Pictures whose pixels tell their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(folder / f"{i:03d}.png")


def numbers(images):
    return [int(images.read(i)[0, 0, 0]) for i in range(images.count)]


def test_flat_in_alphabetical_order(tmp_path):
    fill(tmp_path, 12)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_text("not an image")
    table = read_folder(tmp_path, "train", FIT)
    assert numbers(table.images["image"]) == list(range(12)) and table.columns == {}
    described = {"about": str(tmp_path), "splits": {"train": 12}, "fields": {"image": "images"}, "names": {}}
    assert describe_folder(tmp_path) == described


def test_classes_are_sub_folders(tmp_path):
    fill(tmp_path / "dog" / "brown", 3)
    fill(tmp_path / "cat", 4, 10)
    table = read_folder(tmp_path, "train", FIT)
    assert table.names["label"] == ("cat", "dog")
    assert table.columns["label"].tolist() == [0] * 4 + [1] * 3 and table.columns["label"].dtype == np.int32
    assert numbers(table.images["image"]) == [10, 11, 12, 13, 0, 1, 2]


def test_slices_are_disjoint_complete_mixed_and_fixed(tmp_path):
    fill(tmp_path / "a", 60)
    fill(tmp_path / "b", 40, 100)
    whole = numbers(read_folder(tmp_path, "train", FIT).images["image"])
    first, last = (read_folder(tmp_path, f"train[{cut}]", FIT) for cut in (":80%", "80%:"))
    train, valid = numbers(first.images["image"]), numbers(last.images["image"])
    assert len(valid) == 20 and sorted(train + valid) == sorted(whole)
    assert set(last.columns["label"]) == {0, 1}  # not the last class alone
    assert all((n >= 100) == label for n, label in zip(valid, last.columns["label"], strict=True))
    assert numbers(read_folder(tmp_path, "train[80%:]", FIT).images["image"]) == valid
    # a file's place hangs on its name alone: one more file moves no other across an absolute boundary by more than one
    fill(tmp_path / "c", 1, 200)
    again = numbers(read_folder(tmp_path, "train[-20:]", FIT).images["image"])
    assert len(set(valid) - set(again)) <= 1


def test_splits_and_labels_agree_over_them(tmp_path):
    fill(tmp_path / "train" / "cat", 2)
    fill(tmp_path / "train" / "dog", 2)
    fill(tmp_path / "test" / "dog", 3)
    assert describe_folder(tmp_path)["splits"] == {"test": 3, "train": 4}
    assert read_folder(tmp_path, "test", FIT).columns["label"].tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"no split 'valid'. Known splits: test \(3\), train \(4\)"):
        read_folder(tmp_path, "valid", FIT)


def test_metadata_names_the_images(tmp_path):
    fill(tmp_path, 5)
    (tmp_path / "metadata.csv").write_text("file_name,caption,label\n003.png,three,9\n001.png,one,7\n")
    table = read_folder(tmp_path, "train", FIT)
    assert numbers(table.images["image"]) == [1, 3]
    assert table.columns["caption"].tolist() == [b"one", b"three"] and table.columns["label"].tolist() == [7, 9]
    (tmp_path / "train").mkdir()  # an empty folder of a split's name beside the metadata changes nothing
    assert read_folder(tmp_path, "train", FIT).images["image"].count == 2


def test_domains_without_pairs(tmp_path):
    for name, count in {"trainA": 5, "trainB": 3, "testA": 2, "testB": 2}.items():
        fill(tmp_path / name, count, 100 if name.endswith("B") else 0)
    table = read_folder(tmp_path, "train", FIT)
    assert numbers(table.images["domain_a"]) == [0, 1, 2, 3, 4] and numbers(table.images["domain_b"]) == [100, 101, 102]
    assert describe_folder(tmp_path)["splits"] == {"test": 2, "train": 5}
    (tmp_path / "testB").rename(tmp_path / "other")
    with pytest.raises(ValueError, match="holds testA/ but no testB/"):
        read_folder(tmp_path, "train", FIT)


def test_layouts_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="holds no images .found: no file at all.. Known are .png"):
        read_folder(tmp_path, "train", FIT)
    (tmp_path / "a.gif").write_bytes(b"GIF")
    with pytest.raises(ValueError, match=r"found: 1 x .gif\)"):
        read_folder(tmp_path, "train", FIT)
    fill(tmp_path, 2)
    fill(tmp_path / "cat", 1)
    with pytest.raises(ValueError, match=r"2 images side by side and 1 in sub-folders \(cat\)"):
        read_folder(tmp_path, "train", FIT)


def test_channels_that_do_not_fit_name_the_file(tmp_path):
    fill(tmp_path, 1)
    images = read_folder(tmp_path, "train", Fit((4, 4, 4))).images["image"]
    with pytest.raises(ValueError, match="000.png: The image has 3 channels and image_shape asks for 4"):
        images.read(0)


def test_the_fingerprint_follows_the_files(tmp_path):
    fill(tmp_path, 4)
    first = read_folder(tmp_path, "train", FIT).fingerprint
    assert read_folder(tmp_path, "train", FIT).fingerprint == first
    assert read_folder(tmp_path, "train", Fit((2, 2, 3))).fingerprint != first
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "001.png")
    assert read_folder(tmp_path, "train", FIT).fingerprint != first
