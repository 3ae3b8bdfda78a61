import os

import pytest

from keras_gen.runtime.regular_file import open_regular


def test_a_regular_file_and_a_link_to_it_are_opened(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"content")
    (tmp_path / "link").symlink_to(file)
    for path in (file, tmp_path / "link"):
        with open_regular(path) as stream:
            assert stream.read() == b"content"
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "gone")


def test_other_files_than_regular_ones_are_named_by_their_kind(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path, "a folder"), (tmp_path / "pipe", "a named pipe"), ("/dev/null", "a device")):
        with pytest.raises(ValueError, match=f"expected a regular file; received {kind}"):
            open_regular(path)


def test_a_file_that_is_replaced_between_the_check_and_the_opening_is_rejected(tmp_path, monkeypatch):
    file, descriptors = tmp_path / "a", len(os.listdir("/proc/self/fd"))
    file.touch()
    os.mkfifo(tmp_path / "pipe")
    status = os.stat(file)
    monkeypatch.setattr(os, "stat", lambda path: status)
    with pytest.raises(ValueError, match="received a named pipe"):
        open_regular(tmp_path / "pipe")
    assert len(os.listdir("/proc/self/fd")) == descriptors
