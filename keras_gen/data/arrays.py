"""Images from .npy and .npz files."""

import hashlib
import io
import math
import os
import pathlib
import zipfile
from typing import Any, BinaryIO

import numpy as np

from keras_gen.archives import MAX_MEMBER_BYTES, open_archive, open_regular

from .fit import Fit
from .info import Images, Table
from .split_names import rename_splits, split_name
from .splits import split_rows
from .value_range import EIGHT_BITS, PLAIN, UNIT, Range, check_inside, detect_range, is_eight_bit, note_of, scale

IMAGE_KEYS = ("image", "images", "x")
_RENAMED = {"y": "label", "labels": "label", "captions": "caption", "attribute": "attributes"}
# bytes of the text at the beginning of an array that names its type and shape; numpy's own limit
_MAX_HEADER = 10_000


def read_arrays(
    path: pathlib.Path,
    split: str,
    fit: Fit,
    *,
    max_member_bytes: int = MAX_MEMBER_BYTES,
    value_range: Range | None = None,
) -> Table:
    """Read a split of an array file.

    An .npy file holds images [n, h, w] or [n, h, w, c]. An .npz file holds them under `image`, `images` or `x` (or as
    its only array of rank 3 or 4); every other array of length n is carried along (`y` and `labels` as `label`), and a
    list of strings called `label_names` or `attribute_names` names values. Keys that end in the name of a split
    (`x_train`, `y_train`, `X_Val`, ...; see `split_names`) are splits; without them the only split is "train". Rows
    stay in the file's order, so "train[-1000:]" is the last thousand rows.

    Args:
        path: the file.
        split: a name with an optional slice.
        fit: what the images are brought to.
        max_member_bytes: of an array of an .npz file when it is unpacked. An .npy file is mapped, so it has no limit.
        value_range: the numbers that are black and white; None detects them.

    Returns:
        A `Table` that fits its images when they are read.

    Raises:
        ValueError: no images, no such split, lengths that differ, values that are no pixels, an array of Python
            objects, an array that announces more than the file holds, a damaged archive.
    """
    arrays = _open(path, max_member_bytes)
    splits = _splits_of(path, arrays)
    counts = {name: len(fields["image"]) for name, fields in splits.items()}
    chosen = split_rows(rename_splits(split, counts), counts)
    fields = [{key: value[start:stop] for key, value in splits[name].items()} for name, start, stop in chosen]
    keys = [key for key in fields[0] if all(key in part for part in fields)]
    joined = {
        key: fields[0][key] if len(fields) == 1 else np.concatenate([part[key] for part in fields]) for key in keys
    }

    images = joined.pop("image")
    value_range, notes = _check_pixels(path, [part["image"] for part in splits.values()], value_range)
    if images.ndim == 3:
        images = images[..., None]
    dtype = np.dtype(np.uint8 if is_eight_bit(images.dtype, value_range) else np.float32)
    return Table(
        images={"image": Images(len(images), dtype, read=lambda i: fit(scale(images[i], value_range)))},
        columns={key: _column(path, key, value) for key, value in joined.items()},
        names=_names(arrays),
        fingerprint=_fingerprint(images, split if value_range in PLAIN else f"{split}|{value_range}"),
        value_range=value_range,
        notes=notes,
    )


def describe_arrays(
    path: pathlib.Path, max_member_bytes: int = MAX_MEMBER_BYTES, value_range: Range | None = None
) -> dict[str, Any]:
    """Say what an array file holds: its splits, their sizes, and shape and type of every array."""
    arrays = _open(path, max_member_bytes)
    splits = _splits_of(path, arrays)
    first = next(iter(splits.values()))
    height, width, *channels = first["image"].shape[1:]
    value_range, notes = _check_pixels(path, [fields["image"] for fields in splits.values()], value_range)
    return {
        "value_range": value_range,
        "notes": notes,
        "splits": {name: len(fields["image"]) for name, fields in splits.items()},
        "fields": {key: f"{value.dtype} {list(value.shape[1:])}" for key, value in first.items()},
        "names": _names(arrays),
        "image_shape": (height, width, channels[0] if channels else 1),
    }


def _open(path: pathlib.Path, max_member_bytes: int) -> dict[str, np.ndarray]:
    try:
        if path.suffix == ".npy":
            with open_regular(path) as file:
                _check_header(file, os.fstat(file.fileno()).st_size)
            return {"image": np.lib.format.open_memmap(path, mode="r")}
        with open_archive(path, max_member_bytes) as (archive, members):
            return {member.filename.removesuffix(".npy"): _read_member(archive, member) for member in members}
    except FileNotFoundError:
        raise ValueError(f"There is no file {path}.") from None
    except Exception as error:  # numpy raises ValueError, EOFError, BadZipFile, OSError, ... for a damaged file
        raise ValueError(f"{path} cannot be read as a {path.suffix} array file: {error}") from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    try:
        with archive.open(member) as file:
            _check_header(file, member.file_size)
        with archive.open(member) as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
            if file.read(1):  # the end of the file is also where its checksum is compared
                raise ValueError("it has more bytes than its header announces")
        return array
    except Exception as error:
        raise ValueError(f"its member {member.filename!r} is no array that can be read: {error}") from error


def _check_header(file: BinaryIO, size: int) -> None:
    """Check what an array announces before memory is taken for it: numpy takes what a header asks for.

    Args:
        file: at the beginning of the array.
        size: bytes of the array with its header.

    Raises:
        ValueError: for Python objects, and for more values than there are bytes.
    """
    version = np.lib.format.read_magic(file)
    length = file.read(2 if version[0] == 1 else 4)
    announced = int.from_bytes(length, "little")
    if announced > _MAX_HEADER:
        raise ValueError(f"its header announces {announced:,} bytes of text; expected at most {_MAX_HEADER:,}")
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = read(io.BytesIO(length + file.read(announced)))
    except Exception as error:  # of a damaged header Python's parser raises SyntaxError, MemoryError, ...
        raise ValueError(f"its header cannot be read: {error}") from error
    if dtype.hasobject:
        raise ValueError(
            "it holds Python objects (a pickle), which could run any program when they are read; save numbers or "
            "strings of fixed length"
        )
    held, wanted = size - file.tell(), math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted > held or (dtype.itemsize == 0 and math.prod(shape)):
        raise ValueError(
            f"its header announces the shape {list(shape)} of {dtype}, {wanted:,} bytes; it has {held:,}. The file is "
            "damaged or incomplete"
        )


def _names(arrays: dict[str, np.ndarray]) -> dict[str, tuple[str, ...]]:
    fields = {"label": "label_names", "attributes": "attribute_names"}
    return {field: tuple(map(str, np.ravel(arrays[key]))) for field, key in fields.items() if key in arrays}


def _splits_of(path: pathlib.Path, arrays: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    arrays = {key: value for key, value in arrays.items() if not key.endswith("_names")}
    groups: dict[str, dict[str, np.ndarray]] = {}
    for key, value in arrays.items():
        stem, _, end = key.rpartition("_")
        name, field = (split_name(end), stem) if stem and split_name(end) else ("train", key)
        field = field.lower() if field.lower() in (*IMAGE_KEYS, *_RENAMED, *_RENAMED.values()) else field
        groups.setdefault(name, {})[_RENAMED.get(field, field)] = value
    held = ", ".join(f"{key} {value.dtype}{list(value.shape)}" for key, value in arrays.items()) or "nothing"
    for name, fields in groups.items():
        candidates = [key for key in IMAGE_KEYS if key in fields]
        candidates = candidates or [key for key, value in fields.items() if value.ndim in (3, 4)]
        if len(candidates) != 1:
            raise ValueError(
                f"{path} should hold images under one of {', '.join(IMAGE_KEYS)}, or as its only array of rank 3 or 4; "
                f"split {name!r} has {len(candidates)} of them. Found: {held}."
            )
        images = fields.pop(candidates[0])
        if images.ndim not in (3, 4):
            raise ValueError(
                f"{path}: images are [n, height, width] or [n, height, width, channels]; "
                f"{candidates[0]!r} has the shape {list(images.shape)}."
            )
        for key, value in fields.items():
            if value.ndim == 0 or len(value) != len(images):
                raise ValueError(
                    f"{path}: {key!r} has the shape {list(value.shape)}, but there are {len(images)} images."
                )
        groups[name] = {"image": images, **fields}
    return groups


def _check_pixels(
    path: pathlib.Path, parts: list[np.ndarray], value_range: Range | None
) -> tuple[Range, tuple[str, ...]]:
    """Refuses what is no pixel.

    Args:
        path: the file, for messages.
        parts: the images of all splits: they have one range.
        value_range: where it was given; else it is detected.

    Returns:
        The value range, and a line about it where it was detected and is none of 8 bits.
    """
    want = f"{path}: pixels are integers or floats."
    low, high = np.inf, -np.inf
    for images in parts:
        if images.dtype.kind not in "buif":
            raise ValueError(f"{want} Found the type {images.dtype}.")
        for start in range(0, len(images), 1024):  # in pieces: the file may be larger than memory
            piece = np.asarray(images[start : start + 1024])
            if not piece.size:
                raise ValueError(f"{want} Found the empty shape {list(images.shape)}.")
            if piece.dtype.kind == "f" and not np.isfinite(piece).all():
                bad = np.argwhere(~np.isfinite(piece))
                rows = len(np.unique(bad[:, 0]))
                raise ValueError(
                    f"{want} Found {len(bad)} values that are NaN or infinite, the first in image {start + bad[0, 0]} "
                    f"({rows} of images {start} to {start + len(piece) - 1} have some)."
                )
            low, high = min(low, piece.min().item()), max(high, piece.max().item())
    if value_range is not None:
        check_inside(f"{path}: ", low, high, value_range)
        return value_range, ()
    if all(images.dtype == bool for images in parts):
        return UNIT, ()
    if low > high:
        return EIGHT_BITS, ()
    types = " and ".join(sorted({str(images.dtype) for images in parts}))
    floats = {images.dtype.kind == "f" for images in parts}
    if len(floats) > 1:
        raise ValueError(f"{want} Found {types} in its splits; convert one of them.")
    value_range = detect_range(path, low, high, floats.pop())
    return value_range, () if value_range in PLAIN else (note_of(value_range, high, f"arrays of {types}"),)


def _column(path: pathlib.Path, key: str, value: np.ndarray) -> np.ndarray:
    if value.dtype.kind in "US":
        return np.array([v.encode() if isinstance(v, str) else v for v in value.tolist()], object)
    if value.dtype.kind not in "buif":
        raise ValueError(
            f"{path}: {key!r} has the type {value.dtype}, which cannot be carried along; use numbers or strings."
        )
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise ValueError(f"{path}: {key!r} has values that are NaN or infinite.")
    if key == "label":
        value = value[:, 0] if value.ndim == 2 and value.shape[1] == 1 else value
        if value.ndim != 1 or (value.dtype.kind == "f" and (value != np.round(value)).any()):
            raise ValueError(f"{path}: labels are one integer per image; got {value.dtype}{list(value.shape)}.")
        return value.astype(np.int32)
    if key == "attributes" or value.dtype.kind == "f":
        return np.asarray(value, np.float32)
    return np.asarray(value, np.int32 if value.dtype == bool else value.dtype)


def _fingerprint(images: np.ndarray, split: str) -> str:
    digest = hashlib.sha256(f"{split}|{images.dtype}|{images.shape}".encode())
    for start in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[start : start + 1024]).tobytes())
    return digest.hexdigest()
