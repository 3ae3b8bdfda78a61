"""Hostile inputs at the entry points: `data.load`, `keras_gen.load`, `keras-gen data` and `keras-gen train`."""

import json
import os
import re
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageFile

import keras_gen
from benchmarks.hostile_inputs import MARKER, png, write_hostile_inputs
from keras_gen import data, training
from keras_gen.training.source import inspect_source
from tests.small import SMALL

PIXELS = "pixels; expected at most 50,000,000 \\(max_pixels\\)"
OUTSIDE = "it leads to .*, outside of .*; copy the file into the folder"
# name -> error message
EXPECTED = {
    "png_bomb": f"13,000 x 13,000 are 169,000,000 {PIXELS}",
    "png_bomb_header": f"400,000,000 {PIXELS}",
    "png_bomb_sides": PIXELS,
    "png_without_size": "its content is no PNG",
    "png_truncated": "image file is truncated",
    "png_bad_checksum": "broken data stream",
    "png_text_bomb": "too large",
    "png_profile_bomb": "too large",
    "png_endless_chunk": "broken data stream",
    "png_is_postscript": "its content is no PNG",
    "png_is_text": "its content is no PNG",
    "png_is_tiff": "its content is no PNG",
    "png_is_empty": "the file is empty",
    "jpeg_bomb": f"65,000 x 65,000 are 4,225,000,000 {PIXELS}",
    "webp_bomb": f"268,435,456 {PIXELS}",
    "webp_bomb_canvas": "could not create decoder object",
    "bmp_bomb": f"10,000,000,000 {PIXELS}",
    "bmp_bomb_upside_down": f"10,000,000,000 {PIXELS}",
    "gif_bomb": f"4,294,836,225 {PIXELS}",
    "tiff_bomb": f"10,000,000,000 {PIXELS}",
    "tiff_tile_bomb": "its tiles have 1,073,741,824 pixels; expected at most 50,000,000",
    "tiff_truncated": "buffer is not large enough",
    "tiff_truncated_deflate": "its pixels are damaged or incomplete",
    "tiff_damaged_lzw": "its pixels are damaged or incomplete",
    "tiff_strip_size": "its pixels are damaged or incomplete",
    "tiff_tag_bomb": "Truncated File Read|its content is no PNG",
    "tiff_without_tags": "its content is no PNG",
    "tiff_float64": "expected a TIFF file with 8 or 16 bits; received an unknown pixel format",
    "metadata_parent": r"metadata.csv: the file_name '../outside/image.png' leads out of .*metadata_parent",
    "metadata_absolute": "metadata.jsonl: the file_name '.*outside/image.png' leads out of .*metadata_absolute",
    "metadata_null": "metadata.csv cannot be read: line 2 has a NUL character",
    "metadata_null_name": r"metadata.jsonl: the file_name 'a\\x00.png' leads out of",
    "metadata_not_utf8": "metadata.csv cannot be read: line 2 is not UTF-8",
    "metadata_endless_line": "metadata.jsonl cannot be read: line 1 has more than 1,048,576 characters",
    "metadata_endless_cell": "metadata.csv cannot be read: line [0-9]{5}: field larger than field limit",
    "metadata_nested": "metadata.jsonl cannot be read: line 1 is not valid JSON",
    "npy_shape": r"announces the shape \[1000000000000\] of float32, 4,000,000,000,000 bytes; it has 0",
    "npy_shape_negative": r"announces the shape \[-4, 8, 8\]",
    "npy_shape_of_nothing": r"announces the shape \[1000000000000, 8, 8\] of \|S0",
    "npy_header": "announces 4,294,967,295 bytes of text; expected at most 10,000",
    "npy_header_nested": "its header cannot be read",
    "npy_pickle": r"it has Python objects \(a pickle\)",
    "npy_is_pickle": "cannot be read as a .npy array file: the magic string is not correct",
    "npz_shape": r"its member 'image.npy' .* announces the shape \[1000000000000\]",
    "npz_header": "its member 'image.npy' .* announces 4,294,967,295 bytes of text",
    "npz_pickle": r"its member 'label.npy' .* it has Python objects \(a pickle\)",
    "npz_bomb": "its member 'image.npy' has 9,663,676,416 bytes when it is unpacked; expected at most 8,589,934,592",
    "npz_ratio": "its member 'image.npy' announces 7,516,192,768 bytes, more than its 64 compressed bytes can hold",
    "npz_lying_size": r"its member 'image.npy' .* announces the shape \[64, 1024, 1024\] of uint8, .*; it has 1",
    "npz_lzma": "its member 'image.npy' is compressed by lzma",
    "npz_many_members": "it has 30,000 members; expected at most 10,000",
    "npz_overlapping": "its member 'other.npy' lies on the bytes of another member",
    "npz_duplicates": "it has two members called 'image.npy'",
    "npz_parent": "its member '../image.npy' has a name that leads out",
    "npz_absolute": "its member '/image.npy' has a name that leads out",
    "npz_encrypted": "its member 'image.npy' is encrypted",
    "npz_truncated": "bytes are no whole zip archive",
    "npz_cut_in_front": "its member 'image.npy' begins before the file does",
    "npz_bad_checksum": "its member 'image.npy' .* Bad CRC-32",
    "npz_without_arrays": "its member 'readme.txt' is not a readable array",
    "npz_is_text": "its 135 bytes are no whole zip archive",
    "npz_is_empty": "its 0 bytes are no whole zip archive",
    "keras_bomb": "its member 'model.weights.h5' has 9,663,676,416 bytes when it is unpacked",
    "keras_many_members": "it has 30,000 members",
    "keras_parent": "its member '../../assets/a' has a name that leads out",
    "keras_duplicates": "it has two members called 'config.json'",
    "keras_encrypted": "its member 'metadata.json' is encrypted",
    "keras_bad_checksum": "its member 'model.weights.h5' is not what was written",
    "keras_truncated": "bytes are no whole zip archive",
    "fifo": "a.png: expected a regular file; received a named pipe",
    "fifo_npy": "a.npy cannot be read .*: expected a regular file; received a named pipe",
    "fifo_npz": "a.npz cannot be read .*: expected a regular file; received a named pipe",
    "fifo_keras": "a.keras cannot be read .*: expected a regular file; received a named pipe",
    "fifo_metadata": "metadata.csv cannot be read: expected a regular file; received a named pipe",
    "socket": "a.png: expected a regular file; received a socket",
    "device": f"a.png: {OUTSIDE}",
    "link_outside": f"a.png: {OUTSIDE}",
    "link_to_folder_outside": f"cats: {OUTSIDE}",
    "link_of_split_outside": f"train.*: {OUTSIDE}",
    "link_of_metadata_outside": f"metadata.csv: {OUTSIDE}",
    "link_in_metadata": f"image.png: {OUTSIDE}",
    "link_loop": "a.png: Too many levels of symbolic links",
    "folder_loop": "folder_loop contains no images",
}
GOOD = png(8, 8, (b"\0" + bytes(range(8))) * 8)
SMALLEST = {"image_shape": (8, 8, 1), "batch_size": 1}


pytestmark = pytest.mark.usefixtures("fail_if_blocked")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return write_hostile_inputs(tmp_path_factory.mktemp("hostile") / "inputs")


def test_every_hostile_input_has_an_expected_message(hostile):
    assert set(hostile) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_hostile_inputs_are_refused_by_name_before_they_take_memory(hostile, name):
    path = hostile[name]
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=EXPECTED[name]) as error:
            if path.suffix == ".keras":
                keras_gen.load(path)
            else:
                data.load(path, **SMALLEST)
        assert tracemalloc.get_traced_memory()[1] < 48 << 20  # the directory of 30,000 members takes 20 MiB
    finally:
        tracemalloc.stop()
    assert str(path) in str(error.value)
    assert not (path.parent / MARKER).exists() and not (path.parent.parent / MARKER).exists()


@pytest.mark.parametrize("name", ["png_bomb", "jpeg_bomb", "webp_bomb", "bmp_bomb", "gif_bomb", "tiff_bomb"])
def test_a_bomb_is_refused_before_it_is_decoded(hostile, name, monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match=PIXELS):
        data.load(hostile[name], **SMALLEST)


@pytest.mark.parametrize("name", ["tiff_truncated_deflate", "tiff_damaged_lzw", "tiff_strip_size"])
def test_libtiff_prints_nothing(hostile, name, capfd):
    with pytest.raises(ValueError, match="damaged or incomplete"):
        data.load(hostile[name], **SMALLEST)
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def mixed_folder(tmp_path, hostile):
    """A folder of three images, a bomb, a pipe and a link to a file outside."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for index in range(3):
        (folder / f"{index}.png").write_bytes(GOOD)
    os.link(hostile["png_bomb"] / "png_bomb.png", folder / "bomb.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "link.png").symlink_to(hostile["png_bomb"] / "png_bomb.png")
    return folder


@pytest.mark.parametrize("cache", ["memory", "disk", None])
def test_hostile_files_in_a_folder_are_skipped(mixed_folder, tmp_path, cache, caplog):
    options = {**SMALLEST, "cache": cache, "data_dir": tmp_path}
    loaded = data.load(mixed_folder, **options)
    assert re.search("Left out 3 of 6 files: 3 that cannot be read .*bomb.png: 13,000 x 13,000", caplog.text)
    assert {file.split("/")[-1]: reason.split(" ")[0] for file, reason in loaded.info.skipped} == {
        "bomb.png": "13,000", "link.png": "it", "pipe.png": "expected"}  # fmt: skip
    assert len(list(loaded)) == 3
    with pytest.raises(ValueError, match="bomb.png: 13,000 x 13,000"):
        data.load(mixed_folder, **options, on_error="raise")


def test_max_pixels_overrides_the_limit_of_pillow(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # Pillow's own functions would raise from 21 on
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(GOOD)
    options = {**SMALLEST, "data_dir": tmp_path, "cache": None}
    for source in (tmp_path / "set", f"{tmp_path}/set,{tmp_path}/set"):
        with pytest.raises(ValueError, match="8 x 8 are 64 pixels; expected at most 63"):
            data.load(source, **options, max_pixels=63)
        batch = next(iter(data.load(source, **options, max_pixels=64)))  # and the error is not cached
        np.testing.assert_allclose(next(iter(batch.values()))[0, 0, :, 0], np.arange(8) / 255)
    with pytest.raises(ValueError, match="Expected max_pixels as a positive integer; received 0"):
        data.load(tmp_path / "set", **options, max_pixels=0)
    with pytest.raises(ValueError, match="Expected max_pixels as a positive integer; received 'many'"):
        data.describe(tmp_path / "set", max_pixels="many")


def test_max_member_bytes_is_an_argument_and_black_images_are_accepted(tmp_path):
    np.savez_compressed(tmp_path / "black.npz", image=np.zeros((200, 64, 64), np.uint8))
    assert (tmp_path / "black.npz").stat().st_size < 200 * 64 * 64 / 400
    assert data.load(tmp_path / "black.npz", **SMALLEST).info.num_examples == 200
    size = 200 * 64 * 64 + 128
    assert data.describe(tmp_path / "black.npz", max_member_bytes=size).splits == {"train": 200}
    for read in (data.describe, lambda path, **limit: data.load(path, **SMALLEST, **limit)):
        with pytest.raises(ValueError, match=f"'image.npy' has {size:,} bytes .* expected at most {size - 1:,}"):
            read(tmp_path / "black.npz", max_member_bytes=size - 1)


def test_links_within_a_folder_are_followed(tmp_path):
    pool = tmp_path / "set" / ".pool"
    pool.mkdir(parents=True)
    (pool / "a.png").write_bytes(GOOD)
    (tmp_path / "set" / "cats").symlink_to(".pool")
    (tmp_path / "set" / "dogs").mkdir()
    (tmp_path / "set" / "dogs" / "b.png").symlink_to(pool / "a.png")
    (tmp_path / "set" / "dogs" / "up").symlink_to("..")
    (tmp_path / "link").symlink_to("set")
    for source in (tmp_path / "set", tmp_path / "link"):
        loaded = data.load(source, **SMALLEST)
        assert loaded.info.num_examples == 2 and loaded.info.label_names == ("cats", "dogs")
        assert loaded.info.skipped == ()


def test_exponentially_many_link_paths_are_read_once(tmp_path):
    """Followed naively, the links of these folders give 2 ** 40 paths."""
    for level in range(40):
        (tmp_path / f"{level}").mkdir()
        for name in "ab":
            (tmp_path / f"{level}" / name).symlink_to(f"../{(level + 1) % 40}")
    (tmp_path / "39" / "c.png").write_bytes(GOOD)
    assert data.load(tmp_path, **SMALLEST).info.label_names == ("39",)


def test_metadata_names_inside_the_folder_are_read(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(GOOD)
    rows = [{"file_name": name} for name in ("images/a.png", "images/../images/a.png", str(tmp_path / "images/a.png"))]
    (tmp_path / "metadata.jsonl").write_text("\ufeff" + "".join(json.dumps(row) + "\n" for row in rows))
    assert data.load(tmp_path, **SMALLEST).info.num_examples == 3


@pytest.mark.parametrize("name", ["png_bomb", "fifo", "socket", "device", "link_outside", "link_loop"])
def test_data_reports_a_file_that_cannot_be_read(call, hostile, name):
    result = call("data", hostile[name])
    reason = EXPECTED[name].split(": ")[-1].split(";")[0].split(" .*")[0]
    assert result.exit_code == 0 and f"Left out 1 of 1 files: 1 that cannot be read ({hostile[name]}" in result.stdout
    assert reason.replace("\\", "") in result.stdout
    assert inspect_source(hostile[name]).image_size is None


@pytest.mark.parametrize(
    "name", ["npz_bomb", "npz_pickle", "npy_shape", "fifo_npz", "fifo_metadata", "metadata_parent"]
)
@pytest.mark.parametrize("command", ["data", "train"])
def test_commands_refuse_hostile_sources_with_one_message(call, hostile, tmp_path, command, name):
    path = hostile[name]
    result = call("data", path) if command == "data" else call("train", "vae", "--data", path, "--out", tmp_path / "x")
    assert result.exit_code == 2 and result.stderr.startswith("error: ") and "Traceback" not in result.output
    assert str(path) in result.stderr
    assert not (tmp_path / "x").exists() and not (path.parent.parent / MARKER).exists()


def test_train_refuses_a_folder_of_bombs_and_reads_up_to_its_limit(call, hostile, tmp_path):
    command_line = ("train", "vae", "--data", hostile["png_bomb"], "--out", tmp_path / "x", "--image-size", 8)
    result = call(*command_line, "--set", "network=mlp", "--set", "hidden_units=8")
    assert result.exit_code == 2 and "None of the 1 files can be read" in result.stderr
    assert "169,000,000 pixels" in result.stderr
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(20):
        (folder / f"{index:02}.png").write_bytes(GOOD)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "large.png")
    options = {**SMALL, "batch_size": 9}
    run = training.train("vae", folder, tmp_path / "run", epochs=1, view={"max_pixels": 64}, **options)
    assert run.config["data"]["max_pixels"] == 64 and run.image_shape == (8, 8, 1)
    skipped = [*run.dataset("train").info.skipped, *run.dataset("validation").info.skipped]
    assert [file for file, _ in skipped] == [str(folder / "large.png")]
