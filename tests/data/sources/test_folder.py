import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from keras_gen.data.cache import identity
from keras_gen.data.cache.store import Store
from keras_gen.data.resize import Resize
from keras_gen.data.sources import inspection
from keras_gen.data.sources.folder import describe_folder, read_folder
from keras_gen.data.sources.skipped import summarize

RESIZE = Resize((4, 4, 3))


def fill(folder, count, start=0):
    """Writes pictures whose pixel values are their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(folder / f"{i:03d}.png")


def numbers(images):
    return [int(images.read(i)[0, 0, 0]) for i in range(images.count)]


def test_a_flat_folder_is_read_in_alphabetical_order(tmp_path):
    fill(tmp_path, 12)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_text("not an image")
    table = read_folder(tmp_path, "train", RESIZE)
    assert numbers(table.images["image"]) == list(range(12)) and table.columns == {}
    described = describe_folder(tmp_path)
    expected = {"about": str(tmp_path), "splits": {"train": 12}, "fields": {"image": "images"}, "names": {}}
    assert expected.items() <= described.items()
    assert described["sizes"] == {(4, 4): 12} and described["channels"] == 3


def test_subfolders_are_classes(tmp_path):
    fill(tmp_path / "dog" / "brown", 3)
    fill(tmp_path / "cat", 4, 10)
    table = read_folder(tmp_path, "train", RESIZE)
    assert table.names["label"] == ("cat", "dog")
    assert table.columns["label"].tolist() == [0] * 4 + [1] * 3 and table.columns["label"].dtype == np.int32
    assert numbers(table.images["image"]) == [10, 11, 12, 13, 0, 1, 2]


def test_slices_are_disjoint_complete_mixed_and_reproducible(tmp_path):
    fill(tmp_path / "a", 60)
    fill(tmp_path / "b", 40, 100)
    full = numbers(read_folder(tmp_path, "train", RESIZE).images["image"])
    first, last = (read_folder(tmp_path, f"train[{cut}]", RESIZE) for cut in (":80%", "80%:"))
    train, valid = numbers(first.images["image"]), numbers(last.images["image"])
    assert len(valid) == 20 and sorted(train + valid) == sorted(full)
    assert set(last.columns["label"]) == {0, 1}  # not only the last class
    assert all((n >= 100) == label for n, label in zip(valid, last.columns["label"], strict=True))
    assert numbers(read_folder(tmp_path, "train[80%:]", RESIZE).images["image"]) == valid
    # files are ordered by their name alone, so one more file moves at most one file across a slice boundary
    fill(tmp_path / "c", 1, 200)
    again = numbers(read_folder(tmp_path, "train[-20:]", RESIZE).images["image"])
    assert len(set(valid) - set(again)) <= 1


def test_splits_share_their_class_names(tmp_path):
    fill(tmp_path / "train" / "cat", 2)
    fill(tmp_path / "train" / "dog", 2)
    fill(tmp_path / "test" / "dog", 3)
    assert describe_folder(tmp_path)["splits"] == {"test": 3, "train": 4}
    assert read_folder(tmp_path, "test", RESIZE).columns["label"].tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"no split 'valid'. Known splits: test \(3\), train \(4\)"):
        read_folder(tmp_path, "valid", RESIZE)


def test_metadata_selects_the_images(tmp_path):
    fill(tmp_path, 5)
    (tmp_path / "metadata.csv").write_text("file_name,caption,label\n003.png,three,9\n001.png,one,7\n")
    table = read_folder(tmp_path, "train", RESIZE)
    assert numbers(table.images["image"]) == [1, 3]
    assert table.columns["caption"].tolist() == [b"one", b"three"] and table.columns["label"].tolist() == [7, 9]
    (tmp_path / "train").mkdir()  # an empty folder of a split's name next to the metadata has no effect
    assert read_folder(tmp_path, "train", RESIZE).images["image"].count == 2


def test_unpaired_domains(tmp_path):
    for name, count in {"trainA": 5, "trainB": 3, "testA": 2, "testB": 2}.items():
        fill(tmp_path / name, count, 100 if name.endswith("B") else 0)
    table = read_folder(tmp_path, "train", RESIZE)
    assert numbers(table.images["domain_a"]) == [0, 1, 2, 3, 4] and numbers(table.images["domain_b"]) == [100, 101, 102]
    assert describe_folder(tmp_path)["splits"] == {"test": 2, "train": 5}
    (tmp_path / "testB").rename(tmp_path / "other")
    with pytest.raises(ValueError, match="expected testA/ and testB/; received no testB/"):
        read_folder(tmp_path, "train", RESIZE)


def test_invalid_layouts(tmp_path):
    with pytest.raises(ValueError, match="contains no images: expected .png, .*; received no files"):
        read_folder(tmp_path, "train", RESIZE)
    (tmp_path / "a.heic").write_bytes(b"HEIC")
    with pytest.raises(ValueError, match=r"received 1 x .heic\."):
        read_folder(tmp_path, "train", RESIZE)
    fill(tmp_path, 2)
    fill(tmp_path / "cat", 1)
    with pytest.raises(ValueError, match=r"received 2 in the folder and 1 in sub-folders \(cat\)"):
        read_folder(tmp_path, "train", RESIZE)


def test_channels_that_cannot_be_converted_name_the_file(tmp_path):
    fill(tmp_path, 1)
    images = read_folder(tmp_path, "train", Resize((4, 4, 4))).images["image"]
    with pytest.raises(ValueError, match="000.png: Expected an image with 4 channels; received 3"):
        images.read(0)


def test_fingerprint_depends_on_the_files(tmp_path):
    fill(tmp_path, 4)
    first = read_folder(tmp_path, "train", RESIZE).fingerprint
    assert read_folder(tmp_path, "train", RESIZE).fingerprint == first
    assert read_folder(tmp_path, "train", Resize((2, 2, 3))).fingerprint != first
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "001.png")
    assert read_folder(tmp_path, "train", RESIZE).fingerprint != first


@pytest.mark.parametrize(
    "names",
    [
        ("train", "test", "val"),
        ("Train", "Test", "Validation"),
        ("TRAINING", "testing", "valid"),
        ("Training", "TEST", "dev"),
    ],
)
def test_split_names_in_any_case(tmp_path, names):
    for name, count in zip(names, (4, 2, 3), strict=True):
        fill(tmp_path / name / "cat", count)
        fill(tmp_path / name / "dog", 1)
    described = describe_folder(tmp_path)
    assert described["splits"] == {"train": 5, "test": 3, "validation": 4} and described["names"]["label"] == (
        *("cat", "dog"),
    )
    for name, count in (("train", 5), ("val", 4), ("validation", 4), ("Valid", 4), ("testing[:2]", 2)):
        assert read_folder(tmp_path, name, RESIZE).images["image"].count == count


def test_two_folders_of_the_same_split_raise(tmp_path):
    fill(tmp_path / "train", 2)
    fill(tmp_path / "val", 1)
    fill(tmp_path / "valid", 1)
    with pytest.raises(ValueError, match="received val/ and valid/, which name the same split; keep one"):
        describe_folder(tmp_path)


def test_an_ambiguous_mix_of_classes_and_splits_raises(tmp_path):
    fill(tmp_path / "cats", 2)
    fill(tmp_path / "Test", 2)
    assert describe_folder(tmp_path)["names"] == {"label": ("Test", "cats")}  # without train/ there are no splits
    (tmp_path / "Train").mkdir()  # empty
    assert describe_folder(tmp_path)["names"] == {"label": ("Test", "cats")}
    fill(tmp_path / "Train", 2)
    with pytest.raises(
        ValueError, match="Either Test/, Train/ are splits: move cats/ out .* Or all 3 folders are classes: rename"
    ):
        describe_folder(tmp_path)
    (tmp_path / "metadata.csv").write_text("file_name,label\nTrain/000.png,a\nTest/001.png,b\ncats/000.png,c\n")
    assert read_folder(tmp_path, "train", RESIZE).names["label"] == ("a", "b", "c")


def test_splits_inside_another_folder_raise(tmp_path):
    fill(tmp_path / "dataset" / "train", 3)
    fill(tmp_path / "dataset" / "test", 2)
    with pytest.raises(ValueError, match="contains dataset/ with the splits inside. Pass .*dataset"):
        describe_folder(tmp_path)
    fill(tmp_path / "other" / "Train", 3)
    with pytest.raises(ValueError, match="such as train/dataset/; received splits inside of dataset/, other/"):
        describe_folder(tmp_path)
    fill(tmp_path / "third" / "inner", 3)  # a class without splits: the others are not splits either
    assert describe_folder(tmp_path)["names"] == {"label": ("dataset", "other", "third")}


def test_domains_in_any_case_and_classes_with_similar_names(tmp_path):
    fill(tmp_path / "pairs" / "TrainingA", 3)
    fill(tmp_path / "pairs" / "trainB", 2)
    assert set(read_folder(tmp_path / "pairs", "train", RESIZE).images) == {"domain_a", "domain_b"}
    fill(tmp_path / "classes" / "Testa", 3)
    fill(tmp_path / "classes" / "Vala", 2)
    assert describe_folder(tmp_path / "classes")["names"] == {"label": ("Testa", "Vala")}


def test_system_files_are_ignored(tmp_path):
    fill(tmp_path / "cat", 2)
    fill(tmp_path / "__MACOSX" / "cat", 2)
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._000.png"):
        (tmp_path / "cat" / name).write_text("x")
    described = describe_folder(tmp_path)
    assert described["splits"] == {"train": 2} and described["skipped"] == () and described["notes"] == ()


def test_skipped_files_are_summarized(tmp_path):
    fill(tmp_path, 6)
    for name in ("a.txt", "b.txt", "c.txt", "d.heic"):
        (tmp_path / name).write_text("x")
    (tmp_path / "004.png").write_text("no image")
    rows = [*range(5), 77]
    (tmp_path / "metadata.csv").write_text("file_name,label\n" + "".join(f"{i:03d}.png,{i}\n" for i in rows))
    described = describe_folder(tmp_path)
    reasons = {file.rsplit("/", 1)[1]: reason for file, reason in described["skipped"]}
    assert set(reasons) == {"a.txt", "b.txt", "c.txt", "d.heic", "004.png", "005.png", "077.png"}
    assert described["notes"] == ()
    assert summarize(described["skipped"], sum(described["sizes"].values())) == (
        "Left out 7 of 11 files: 4 with another extension (.txt 3, .heic 1; e.g. a.txt, b.txt, c.txt, ...), 1 not in "
        "metadata.csv (e.g. 005.png), 1 that cannot be read "
        f"({tmp_path}/004.png: its content is no PNG, JPEG, WEBP, BMP, GIF or TIFF image), 1 in the metadata without a "
        "file (e.g. 077.png)."
    )
    assert set(read_folder(tmp_path, "train", RESIZE).skipped) == {
        each for each in described["skipped"] if not each[1].startswith(("its content", "there is"))
    }


def test_headers_are_read_once_per_process(tmp_path, monkeypatch):
    fill(tmp_path / "train", 3)
    fill(tmp_path / "test", 2)
    headers, reported = [], []
    original = inspection.read_header
    monkeypatch.setattr(inspection, "read_header", lambda path, *rest: headers.append(path) or original(path, *rest))
    monkeypatch.setattr(inspection, "report", lambda *progress: reported.append(progress))
    describe_folder(tmp_path)
    describe_folder(tmp_path)
    for split in ("train", "test"):
        read_folder(tmp_path, split, RESIZE)
    assert len(headers) == 5 and reported[0] == ("Reading image headers", 0, 5)
    fill(tmp_path / "test", 3)
    describe_folder(tmp_path)
    assert len(headers) == 11


def test_fingerprint_depends_only_on_content(tmp_path):
    fill(tmp_path / "here", 4)
    first = read_folder(tmp_path / "here", "train", RESIZE).fingerprint
    shutil.copytree(tmp_path / "here", tmp_path / "copy", copy_function=shutil.copyfile)
    for file in (tmp_path / "copy").iterdir():
        os.utime(file, (1, 1))
    assert read_folder(tmp_path / "copy", "train", RESIZE).fingerprint == first
    assert read_folder((tmp_path / "here").rename(tmp_path / "moved"), "train", RESIZE).fingerprint == first
    (tmp_path / "copy" / "003.png").rename(tmp_path / "copy" / "004.png")
    assert read_folder(tmp_path / "copy", "train", RESIZE).fingerprint != first


def test_unmodified_files_are_not_read_again(tmp_path, monkeypatch):
    fill(tmp_path / "images", 4)
    read, store = [], Store(tmp_path)
    monkeypatch.setattr(identity, "open_regular", lambda path: read.append(path.name) or open(path, "rb"))
    monkeypatch.setattr(identity, "_MIN_AGE", -60.0)  # as if the files were a minute old
    first = read_folder(tmp_path / "images", "train", RESIZE, store=store).fingerprint
    assert sorted(read) == ["000.png", "001.png", "002.png", "003.png"]
    assert read_folder(tmp_path / "images", "train", RESIZE, store=store).fingerprint == first and len(read) == 4
    # the same size and modification time, but another change time
    file = tmp_path / "images" / "002.png"
    stat = file.stat()
    time.sleep(0.02)
    file.write_bytes(file.read_bytes()[::-1])
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert read_folder(tmp_path / "images", "train", RESIZE, store=store).fingerprint != first


def test_recently_written_files_are_read_again(tmp_path):
    fill(tmp_path / "images", 2)
    read_folder(tmp_path / "images", "train", RESIZE, store=Store(tmp_path))
    assert not list(tmp_path.glob("keras_gen_cache/*-content.txt"))
