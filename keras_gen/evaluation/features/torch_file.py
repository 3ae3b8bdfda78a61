"""Reads the tensors of a PyTorch weights file (.pth) without PyTorch, and runs no code that such a file may hold."""

import collections
import io
import os
import pickle
import zipfile
from typing import NamedTuple

import numpy as np

# how a file in the format before PyTorch 1.6 begins, after pickling
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}
# what a file that is no such file, or is damaged, ends in
DAMAGE = (pickle.UnpicklingError, zipfile.BadZipFile, EOFError, LookupError, AttributeError, TypeError, ValueError)


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self, buffers: dict[str, bytes]) -> np.ndarray:
        values = np.frombuffer(buffers[self.storage.key], self.storage.dtype)[self.offset :]
        last = sum((length - 1) * step for length, step in zip(self.size, self.stride, strict=True))
        if min(self.offset, *self.size, *self.stride, 0) < 0 or last >= len(values):
            raise ValueError("a tensor reaches beyond its storage")
        strides = [step * values.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(values, self.size, strides, writeable=False).copy()


def read_tensors(file: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary, in its order.

    Both formats are read: the archive that `torch.save` writes today, and the stream that it wrote before 1.6. Only
    dictionaries of tensors on the CPU are accepted, so that nothing in the file is executed.

    Args:
        file: a .pth or .pt file that holds a state dictionary.

    Returns:
        Name -> array, in the tensor's own type.

    Raises:
        OSError: where the file cannot be read.
        ValueError: where it is no state dictionary.
    """
    with open(file, "rb") as opened:
        try:
            found, buffers = _archive(opened) if zipfile.is_zipfile(opened) else _stream(opened)
            return {name: tensor.array(buffers) for name, tensor in found.items()}
        except DAMAGE as error:
            raise ValueError(
                f"Expected a PyTorch state dictionary of tensors; received {os.fspath(file)}, which is not one or is "
                f"damaged ({type(error).__name__}: {error}). Download the file again"
            ) from error


def _archive(opened) -> tuple[dict, dict[str, bytes]]:
    opened.seek(0)
    with zipfile.ZipFile(opened) as archive:
        (index,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        unpickler = _Unpickler(io.BytesIO(archive.read(index)))
        found, folder = unpickler.load(), index.removesuffix("data.pkl")
        return found, {key: archive.read(f"{folder}data/{key}") for key in unpickler.storages}


def _stream(opened) -> tuple[dict, dict[str, bytes]]:
    opened.seek(0)
    if _Unpickler(opened).load() != MAGIC or _Unpickler(opened).load() != PROTOCOL:
        raise pickle.UnpicklingError("it does not begin as such files do")
    _Unpickler(opened).load()  # the sizes of C types on the machine that wrote it
    unpickler = _Unpickler(opened)
    found, buffers = unpickler.load(), {}
    for key in _Unpickler(opened).load():
        count = int.from_bytes(opened.read(8), "little")
        buffers[key] = opened.read(count * unpickler.storages[key].dtype.itemsize)
    return found, buffers


class _Unpickler(pickle.Unpickler):
    """Knows tensors, their storages and dictionaries, and refuses everything else."""

    def __init__(self, opened):
        super().__init__(opened)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *rest: _Tensor(storage, offset, size, stride)
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *rest: tensor
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no tensor")

    def persistent_load(self, identity) -> _Storage:
        _, dtype, key, *_ = identity
        return self.storages.setdefault(key, _Storage(key, dtype))
