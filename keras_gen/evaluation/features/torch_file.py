"""A reader of PyTorch weights files (.pth) that needs no PyTorch and executes no code from the file."""

import collections
import io
import os
import pickle
import zipfile
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np

# first two pickled values of a file in the format before PyTorch 1.6
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}
# errors from reading a damaged file or a file of another kind
READ_ERRORS = (pickle.UnpicklingError, zipfile.BadZipFile, EOFError, LookupError, AttributeError, TypeError, ValueError)


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self, buffers: dict[str, bytes]) -> np.ndarray:
        """Returns a copy of the tensor's values out of the buffers of all storages."""
        values = np.frombuffer(buffers[self.storage.key], self.storage.dtype)[self.offset :]
        last = sum((length - 1) * step for length, step in zip(self.size, self.stride, strict=True))
        if min(self.offset, *self.size, *self.stride, 0) < 0 or last >= len(values):
            raise ValueError("a tensor exceeds its storage")
        strides = [step * values.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(values, self.size, strides, writeable=False).copy()


def read_tensors(file: str | os.PathLike) -> dict[str, np.ndarray]:
    """Returns the tensors of a state dictionary, in its order.

    Both the archives of `torch.save` and its streams before 1.6 are supported. Only dictionaries of tensors on the CPU
    are accepted, so that nothing in the file is executed.

    Args:
        file: a .pth or .pt file that contains a state dictionary.

    Returns:
        name -> array, of the tensor's type.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: for a file that is not a state dictionary.
    """
    with open(file, "rb") as opened:
        try:
            tensors, buffers = _read_archive(opened) if zipfile.is_zipfile(opened) else _read_stream(opened)
            return {name: tensor.array(buffers) for name, tensor in tensors.items()}
        except READ_ERRORS as error:
            raise ValueError(
                f"Expected a PyTorch state dictionary of tensors; received {os.fspath(file)}, which is not one or is "
                f"damaged ({type(error).__name__}: {error}). Download the file again"
            ) from error


def _read_archive(opened: BinaryIO) -> tuple[dict[str, _Tensor], dict[str, bytes]]:
    opened.seek(0)
    with zipfile.ZipFile(opened) as archive:
        (index,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        unpickler = _Unpickler(io.BytesIO(archive.read(index)))
        tensors, folder = unpickler.load(), index.removesuffix("data.pkl")
        return tensors, {key: archive.read(f"{folder}data/{key}") for key in unpickler.storages}


def _read_stream(opened: BinaryIO) -> tuple[dict[str, _Tensor], dict[str, bytes]]:
    opened.seek(0)
    if _Unpickler(opened).load() != MAGIC or _Unpickler(opened).load() != PROTOCOL:
        raise pickle.UnpicklingError("it does not start with the magic number")
    _Unpickler(opened).load()  # the sizes of C types on the machine that wrote it
    unpickler = _Unpickler(opened)
    tensors, buffers = unpickler.load(), {}
    for key in _Unpickler(opened).load():
        count = int.from_bytes(opened.read(8), "little")
        buffers[key] = opened.read(count * unpickler.storages[key].dtype.itemsize)
    return tensors, buffers


class _Unpickler(pickle.Unpickler):
    """An unpickler that accepts tensors, their storages and dictionaries only."""

    def __init__(self, opened: IO[bytes]):
        super().__init__(opened)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *rest: _Tensor(storage, offset, size, stride)
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *rest: tensor
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"it contains {module}.{name}, which is not a tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, *_ = pid
        return self.storages.setdefault(key, _Storage(key, dtype))
