import io
import zipfile

import numpy as np
import pytest

from benchmarks.hostile_inputs import archive
from keras_gen import archives, zoo
from keras_gen.archives import open_archive


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b"a comment"])
def test_valid_archives_are_read(tmp_path, method, comment):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as new:
        new.writestr("a/b.txt", bytes(1 << 20))  # the maximum ratio of deflate
        new.writestr("c.txt", b"")
        new.comment = comment
    with open_archive(tmp_path / "a.zip") as (opened, members):
        assert [member.filename for member in members] == ["a/b.txt", "c.txt"]
        assert opened.read("a/b.txt") == bytes(1 << 20)


def test_streamed_and_64_bit_archives_are_read(tmp_path):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

        def seek(self, *_):
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as new, new.open("a", "w", force_zip64=True) as member:
        member.write(b"content")
    with open_archive(write(tmp_path / "a.zip", pipe.getvalue())) as (opened, _):
        assert opened.read("a") == b"content"


def test_bounds_are_arguments_and_exact(tmp_path):
    file = write(tmp_path / "a.zip", archive([(name, bytes(100)) for name in "abcd"]))
    with open_archive(file, 100) as (_, members):
        assert len(members) == 4
    with pytest.raises(ValueError, match="its member 'a' has 100 bytes when it is unpacked; expected at most 99"):
        open_archive(file, 99).__enter__()
    file = write(tmp_path / "b.zip", archive([(name, bytes(100)) for name in "abcde"]))
    with pytest.raises(ValueError, match="its members have 500 bytes together .* at most 400 .4 times max_member_byt"):
        open_archive(file, 100).__enter__()


def test_a_directory_is_rejected_before_zipfile_reads_it(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZipFile", lambda file: pytest.fail("it was read"))
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 46)
    file = write(tmp_path / "a.zip", archive([("a", b"")]))
    with pytest.raises(ValueError, match="its directory of names has 47 bytes; expected at most 46"):
        open_archive(file).__enter__()


@pytest.mark.parametrize("name", ["C:\\a", "..\\a", "a/../../b", "\\a"])
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="has a name that leads out of the archive"):
        open_archive(write(tmp_path / "a.zip", archive([(name, b"")]))).__enter__()


def test_damaged_array_files_are_harmless_or_refused(tmp_path):
    """If any byte is flipped or the file is truncated, it gives the same image or a ValueError."""
    from keras_gen.data.resize import Resize
    from keras_gen.data.sources.arrays import describe_arrays, read_arrays

    buffer, pixels = io.BytesIO(), np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    np.savez_compressed(buffer, image=pixels)
    full = buffer.getvalue()
    damaged = [full[:at] for at in range(len(full))]
    damaged += [full[:at] + bytes([full[at] ^ 255]) + full[at + 1 :] for at in range(len(full))]
    rejected = 0
    for content in damaged:
        file = write(tmp_path / "a.npz", content)
        try:
            describe_arrays(file)
            np.testing.assert_array_equal(
                read_arrays(file, "train", Resize((8, 8, 1))).images["image"].read(0)[..., 0], pixels[0]
            )
        except ValueError as error:
            assert str(file) in str(error)
            rejected += 1
    assert rejected > 0.8 * len(damaged)  # damage of dates, versions and attributes has no effect


def test_a_classifier_file_is_checked_like_a_run(tmp_path):
    file = write(tmp_path / "a.keras", archive([("config.json", b"")] * 2))
    with pytest.raises(ValueError, match="a.keras cannot be read as a Keras model.*two members called 'config.json'"):
        zoo.build("cyclegan", (16, 16, 3), classifier=str(file))
    with pytest.raises(FileNotFoundError, match="gone.keras does not exist"):
        zoo.build("cyclegan", (16, 16, 3), classifier=str(tmp_path / "gone.keras"))
