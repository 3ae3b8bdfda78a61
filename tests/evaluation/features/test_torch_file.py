import base64
import collections
import pickle
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest

from keras_gen.evaluation.features.torch_file import read_tensors

# {"a.weight": [[0, 3], [1, 4], [2, 5]] (a transposed view), "b": int64 [1, 2], "c": Parameter(2.5)} as torch 2.13 saves
# it: the current archive format and the stream format before 1.6
ARCHIVE = """
eNqlVTts00AYPjuJkxpIH0DTllI6plJJ82wSELSykBmMRAhCRAxErnMkFm7c37m0gqkSaoENEAMTQkxMrDxGdgZWBBNCiImNFe7sJLVdJaX05Ivl5P8el/
/hkhIIIhSJoF1rBI0h1dIa+jpeqKlETazdNmQpim541iavaaZhYI3oZrMlXrZq2MK1C7pGREBzZeDiFcatJjawXm8Q4DViUtJEtU10oyVWLbzS1o1aleBm
y7Sq62kRAvF4JUwxLRqp1jEEHYgoG6ZKrjpfihCqcDQmCUIlQO/aWhvCikAgckVBSkDht2FI4ZTANogPG8zHIQKHy3DEBq1AtEFFGl3iS2az3uMdtkNSMN
IIKzyBUcbHb8GYwm3BUYfrGIHjZRi3AzWI9TnRmmqpq5hgS4QJR67heE7DJOXmCExR7rk5h/MEgekynHxgP8zch1NlmG0nSko4Ynz+fv0mxbFd6putGDrZ
y1bilmmtqqS6jq0WzYosTfqS5lopJvHm15d7zBnb/SWmUH5HopOcqmro9eYqbhJZyvRX6b8Ws8zA0gb85KkEP9DAKFrqGVi5Q7DJik2Wzv6PbncZOiEGZh
62zn2bFKiKMNBDFJ33dMVCUpbOHMCAw7q5RD+W6UX3Jt0vlpmj2KMfjyfoDxN7OJr3OkrJUvyfHXEdFr5zZ7rvvv6m3Y/sPUg369VNy1IS7f/8s/ZZE++n
P1AhFByoOeyqgF51Hyj/GZGpf3pev7Z3/c2g9E4D2EduYUunHXBXZdOvqtdkKbFPM8lCtpgtFArZfHExl8wW8plcMpnJFdPFFL1yuXwxmykWMznmcuHjy2
dx6iNuu+TslHV9uqfEyC7n/jnuR7sHQMyDfM2hfnPFT+Ju4ilv4/JowOTw87gbcdTD88TF0xsAfri7a6Ie+HgA+XrXj3VXvhf7yo9N+bHuCvZiZ4M+bNqP
ddffsAf71IXt87+7y2LGAx4LoT0KtqQIwny3vAOne8gh3/1iZz68DXXHhMBe0ehP2Hl23hwhwcEM2fFO7F+789Jf
"""
STREAM = """
eNp1kUtv00AQx+21k5SFlvKmvJqjc4nc1KTpiRxQL8vTXPaCLNdZxYuMnVmPi0CqlEtL4TNw4MhX4yMgcWAck6pIYbW72nns/zezO2dfefb728Gv7rsfr7
b6c/b8p0P7MVie3LQsa2YKLJIii46UKXWRg00Jcp0imUbMVKTyiY5zYGeSkxM/zlRU6k+qBOcYXE+2yFmmhUFoCSYdsnSO0BaudGuNIp9CR7hVRcyEMJlK
kCglf2kmyqjJU50gB6sXgu3JNboR9z8oPU0RWIKFSdJ+VKHOSh4ZdVjpbBKhysvCREcDDo7nyU7Np8x4qsBtrvCDrIjxTePk0JIblLMfPB7tDgPfH+7tDE
fQXpSazCqqrv0CYe21sIQj2ClcErZwToF/SeuqLiNcCWFd2pR9CBspIdMl5hk1d065epEyGARDPxjBZtoRjNSv1ersBK4L+wRuNMo3EW6FcHuhnMCd/3Q7
i038XqEyHO428PSffnZ29/b9wIctItlEukekXq8h3Ed4EMLDs4Xx6DNsh9Ct/+Ft/fcr3sReJcxW9eWoftu6OOZPaBvTpDWn9X1sn8e6Y/b3tPQt7T+9tq
co
"""


@pytest.mark.parametrize("content", [ARCHIVE, STREAM], ids=["archive", "stream"])
def test_both_formats_are_read(tmp_path, content):
    file = tmp_path / "weights.pth"
    file.write_bytes(zlib.decompress(base64.b64decode(content)))
    tensors = read_tensors(file)
    assert list(tensors) == ["a.weight", "b", "c"]
    np.testing.assert_array_equal(tensors["a.weight"], np.array([[0, 3], [1, 4], [2, 5]], np.float32))
    np.testing.assert_array_equal(tensors["b"], np.array([1, 2], np.int64))
    assert tensors["c"].shape == () and tensors["c"] == 2.5
    file.write_bytes(file.read_bytes()[:-900])
    with pytest.raises(ValueError, match="which is not one or is damaged"):
        read_tensors(file)


def test_a_changed_byte_of_an_archive_is_detected(tmp_path):
    file, full = tmp_path / "weights.pth", bytearray(zlib.decompress(base64.b64decode(ARCHIVE)))
    full[full.index(np.array([0, 1, 2], np.float32).tobytes())] ^= 1
    file.write_bytes(full)
    with pytest.raises(ValueError, match="damaged .BadZipFile: Bad CRC"):
        read_tensors(file)


class MaliciousObject:
    def __reduce__(self):
        return print, ("executed",)


class Storage:
    """A stand-in for a storage in the pickle."""

    def __init__(self, key):
        self.key = key


class Tensor:
    def __init__(self, size):
        self.size = size

    def __reduce__(self):
        return _rebuild_tensor_v2, (Storage("0"), 0, self.size, (1,), False, collections.OrderedDict())


def _rebuild_tensor_v2(*arguments):
    raise AssertionError("only its name is used")


_rebuild_tensor_v2.__module__ = "torch._utils"


def write(file, state, monkeypatch):
    import sys
    import types

    torch: Any = types.ModuleType("torch")
    utils: Any = types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for module in (torch, utils):
        monkeypatch.setitem(sys.modules, module.__name__, module)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", torch.FloatStorage, value.key, "cpu", 4) if isinstance(value, Storage) else None

    with zipfile.ZipFile(file, "w") as archive:
        with archive.open("a/data.pkl", "w") as opened:
            Pickler(opened, protocol=2).dump(state)
        archive.writestr("a/data/0", np.arange(4, dtype=np.float32).tobytes())


def test_nothing_in_the_file_is_executed(tmp_path, monkeypatch, capsys):
    write(tmp_path / "bad.pth", {"a": MaliciousObject()}, monkeypatch)
    with pytest.raises(ValueError, match="it contains .*print, which is not a tensor"):
        read_tensors(tmp_path / "bad.pth")
    assert capsys.readouterr().out == ""


def test_a_tensor_larger_than_its_storage(tmp_path, monkeypatch):
    write(tmp_path / "fits.pth", {"a": Tensor((4,))}, monkeypatch)
    np.testing.assert_array_equal(read_tensors(tmp_path / "fits.pth")["a"], np.arange(4))
    write(tmp_path / "large.pth", {"a": Tensor((5,))}, monkeypatch)
    with pytest.raises(ValueError, match="exceeds its storage"):
        read_tensors(tmp_path / "large.pth")
