import numpy as np
import pytest
from PIL import Image

from keras_gen.data.cache.decode import decode_and_cache
from keras_gen.data.cache.store import MEMORY_LIMIT, Store, choose_cache
from keras_gen.data.resize import Resize
from keras_gen.data.sources.folder import read_folder
from keras_gen.runtime.image_file import UnreadableImage

RESIZE = Resize((4, 4, 3))


@pytest.fixture
def folder(tmp_path):
    """Ten images of two classes; the second is truncated, and the sixth is a text file."""
    for i in range(10):
        name = tmp_path / "images" / ("a" if i < 5 else "b") / f"{i}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(name)
    bad = tmp_path / "images" / "a" / "1.png"
    bad.write_bytes(bad.read_bytes()[:50])
    (tmp_path / "images" / "b" / "5.png").write_text("this is a text")
    return tmp_path / "images"


def all_images(images):
    if images.array is not None:
        return images.array
    return np.stack([images.read(i) for i in range(images.count)])


@pytest.mark.parametrize("cache", ["memory", "disk", None, "auto"])
def test_unreadable_files_are_skipped_and_reported(folder, tmp_path, cache):
    for _ in range(2):  # the second time from the cache
        table = decode_and_cache(read_folder(folder, "train", RESIZE), cache, RESIZE, "skip", Store(tmp_path))
        assert [(file.split("/")[-1], reason) for file, reason in table.skipped] == [
            ("1.png", table.skipped[0][1]),
            ("5.png", "its content is no PNG, JPEG, WEBP, BMP, GIF or TIFF image"),
        ]
        assert table.images["image"].count == 8
        assert all_images(table.images["image"])[:, 0, 0, 0].tolist() == [0, 2, 3, 4, 6, 7, 8, 9]
        assert table.columns["label"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("cache", ["memory", "disk", None])
def test_on_error_raise_stops_at_the_first_unreadable_file(folder, tmp_path, cache):
    for cached in (False, True):
        if cached:
            decode_and_cache(read_folder(folder, "train", RESIZE), cache, RESIZE, "skip", Store(tmp_path))
        with pytest.raises(ValueError, match="1.png"):
            decode_and_cache(read_folder(folder, "train", RESIZE), cache, RESIZE, "raise", Store(tmp_path))


def test_a_folder_without_readable_files_raises(folder, tmp_path):
    for file in folder.rglob("*.png"):
        file.write_text("text")
    with pytest.raises(ValueError, match="None of the 10 files can be read. The first, .*0.png: its content"):
        decode_and_cache(read_folder(folder, "train", RESIZE), "memory", RESIZE, "skip", Store(tmp_path))


def test_disk_cache_is_memory_mapped_and_reused_until_a_file_changes(folder, tmp_path):
    store = Store(tmp_path)
    first = decode_and_cache(read_folder(folder, "train", RESIZE), "disk", RESIZE, "skip", store)
    assert isinstance(first.images["image"].array, np.memmap)
    written = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*") if path.is_file()}
    decode_and_cache(read_folder(folder, "train", RESIZE), "disk", RESIZE, "skip", store)
    assert {path: path.stat().st_mtime_ns for path in store.folder.rglob("*") if path.is_file()} == written
    Image.fromarray(np.full((5, 5, 3), 77, np.uint8)).save(folder / "a" / "0.png")
    table = decode_and_cache(read_folder(folder, "train", RESIZE), "disk", RESIZE, "skip", store)
    assert table.images["image"].array[0, 0, 0, 0] == 77


def test_choose_cache():
    assert choose_cache("auto", MEMORY_LIMIT // 12, (2, 2, 3)) == "memory"
    assert choose_cache("auto", MEMORY_LIMIT // 12 + 1, (2, 2, 3)) == "none"
    assert choose_cache(None, 1, (2, 2, 3)) == "none"
    with pytest.raises(ValueError, match="Expected cache as one of 'auto', 'memory', 'disk', None; received 'ram'"):
        choose_cache("ram", 1, (2, 2, 3))


def test_collect_keeps_strings_and_columns(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1)
    captions = np.array([f"ä{i}".encode() for i in range(3)], object)
    full = {"image": pixels, "caption": captions, "label": np.arange(3, dtype=np.int32)}
    bad = UnreadableImage("b.png", "damaged")
    blocks = [{k: v[:2] for k, v in full.items()}, bad, {k: v[2:] for k, v in full.items()}]
    for cache in ("memory", "disk"):
        for _ in range(2):
            arrays, failures = Store(tmp_path).collect(iter(blocks), 4, cache, "key")
            assert [(position, error.file, error.reason) for position, error in failures] == [(2, "b.png", "damaged")]
            for field, value in full.items():
                np.testing.assert_array_equal(arrays[field], value)


@pytest.mark.parametrize("cache, pattern", [("disk", "*/columns.npz"), (None, "*.json")])
def test_a_damaged_cache_raises_an_error(folder, tmp_path, cache, pattern):
    store = Store(tmp_path)
    decode_and_cache(read_folder(folder, "train", RESIZE), cache, RESIZE, "skip", store)
    (file,) = store.folder.glob(pattern)
    file.write_bytes(file.read_bytes()[:30])
    with pytest.raises(ValueError, match="keras_gen_cache/.* is damaged: .*Delete it"):
        decode_and_cache(read_folder(folder, "train", RESIZE), cache, RESIZE, "skip", store)
