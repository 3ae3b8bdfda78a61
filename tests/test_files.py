import errno
import os

import pytest

from keras_gen import files


def test_a_file_is_replaced_atomically(tmp_path):
    path = tmp_path / "new" / "table.csv"
    files.write_text(path, "one")
    with files.replacing(path) as scratch:
        scratch.write_text("two")
        assert path.read_text() == "one" and scratch.suffix == ".csv" and scratch.parent == path.parent
    assert path.read_text() == "two" and list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_former_file(tmp_path):
    path = tmp_path / "table.csv"
    files.write_text(path, "one")
    with pytest.raises(ZeroDivisionError), files.replacing(path) as scratch:
        scratch.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "one" and list(tmp_path.iterdir()) == [path]


def test_scratch_names_are_unique(tmp_path):
    with files.replacing(tmp_path / "a") as one, files.replacing(tmp_path / "a") as other:
        assert one != other
        one.write_text("one"), other.write_text("other")
    assert (tmp_path / "a").read_text() == "one"  # the outer block ended last


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError("Unable to write (errno = 28, error message = 'No space')")]
)
def test_an_error_of_a_full_disk_names_the_file_and_its_state(tmp_path, error):
    path = tmp_path / "model.keras"
    path.write_text("kept")
    with pytest.raises(files.UnwritableError, match="No space left.*model.keras could not be written.*is unchanged"):
        with files.replacing(path):
            raise error
    assert path.read_text() == "kept"


def test_other_errors_are_not_changed(tmp_path):
    with pytest.raises(FileNotFoundError), files.replacing(tmp_path / "a"):
        os.stat(tmp_path / "missing")


def test_scratch_of_killed_processes_is_removed(tmp_path):
    (tmp_path / f"{files.SCRATCH}1-abc-model.keras").write_text("half")
    (tmp_path / f"{files.SCRATCH}1-abc-folder").mkdir()
    (tmp_path / "model.keras").write_text("whole")
    files.remove_scratch(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_a_digest_is_of_the_content(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert files.digest(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
