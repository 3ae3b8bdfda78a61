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

from ..info import Images, Table
from ..resize import Resize
from ..slices import SLICES, choose_rows, split_rows
from ..value_range import EIGHT_BITS, PLAIN, UNIT, Range, check_inside, detect_range, is_eight_bit, note_of, scale
from .split_names import rename_splits, split_name

IMAGE_KEYS = ("image", "images", "x")
_RENAMED = {"y": "label", "labels": "label", "captions": "caption", "attribute": "attributes"}
# bytes of the text at the beginning of an array that names its type and shape; numpy's own limit
_MAX_HEADER = 10_000
_CHANNELS = (1, 3, 4)
# an image or a photo of which one side is more times as long as the other is not what a shape is taken for
_LONGEST = 4
_SMALLEST_PHOTO = 8


def read_arrays(
    path: pathlib.Path,
    split: str,
    fit: Resize,
    *,
    slices: str = "random",
    max_member_bytes: int = MAX_MEMBER_BYTES,
    value_range: Range | None = None,
) -> Table:
    """Read a split of an array file.

    An .npy file holds images [n, h, w], [n, h, w, c] or [n, c, h, w], or one photo [h, w] or [h, w, c]; c is 1, 3 or 4.
    An .npz file holds them under `image`, `images` or `x` (or as its only array of rank 3 or 4); every other array of
    length n is carried along (`y` and `labels` as `label`), and a list of strings called `label_names` or
    `attribute_names` names values. Keys that end in the name of a split (`x_train`, `y_train`, `X_Val`, ...; see
    `split_names`) are splits; without them the only split is "train". Rows stay in the file's order.

    Args:
        path: the file.
        split: a name with an optional slice.
        fit: what the images are brought to.
        slices: which rows a slice holds: "random" is a fixed random choice (see `choose_rows`); with "file",
            "train[-1000:]" is the last thousand rows.
        max_member_bytes: of an array of an .npz file when it is unpacked. An .npy file is mapped, so it has no limit.
        value_range: the numbers that are black and white; None detects them.

    Returns:
        A `Table` that fits its images when they are read.

    Raises:
        ValueError: no images, a shape that can be read in two ways, no such split, lengths that differ, values that
            are no pixels, an array of Python objects, an array that announces more than the file holds, a damaged
            archive.
    """
    if slices not in SLICES:
        raise ValueError(f"slices: expected one of {', '.join(map(repr, SLICES))}; received {slices!r}.")
    arrays = _open(path, max_member_bytes)
    splits, notes = _splits_of(path, arrays)
    counts = {name: len(fields["image"]) for name, fields in splits.items()}
    parts = []
    for name, start, stop in split_rows(rename_splits(split, counts), counts):
        rows = np.arange(start, stop) if slices == "file" else choose_rows(range(counts[name]), start, stop)
        parts.append((splits[name], rows))
    keys = [key for key in parts[0][0] if key != "image" and all(key in fields for fields, _ in parts)]
    columns = {key: np.concatenate([fields[key][rows] for fields, rows in parts]) for key in keys}
    columns = {key: _column(path, key, value) for key, value in columns.items()}
    names = _names(arrays)
    _check_names(path, names, columns)

    value_range, about_range = _check_pixels(path, [part["image"] for part in splits.values()], value_range)
    images = _Rows(path, [(fields["image"], rows) for fields, rows in parts])
    dtype = np.dtype(np.uint8 if is_eight_bit(images.dtype, value_range) else np.float32)
    return Table(
        images={"image": Images(len(images), dtype, read=lambda i: fit(scale(images[i], value_range)))},
        columns=columns,
        names=names,
        fingerprint=_fingerprint(images, columns, names, split, fit, value_range),
        value_range=value_range,
        notes=(*notes, *about_range),
    )


class _Rows:
    """Chosen rows of several arrays as one array, read when they are needed: what is mapped stays on the disk."""

    def __init__(self, path: pathlib.Path, parts: list[tuple[np.ndarray, np.ndarray]]):
        arrays = [array for array, _ in parts]
        if len({array.shape[1:] for array in arrays}) > 1:
            shapes = " and ".join(str(list(array.shape[1:])) for array in arrays)
            raise ValueError(f"{path}: splits that are joined hold images of one shape; received {shapes}.")
        self.dtype = np.result_type(*arrays)
        self.shape = (sum(len(rows) for _, rows in parts), *arrays[0].shape[1:])
        self.size, self.ndim = math.prod(self.shape), len(self.shape)
        self._places = [(array, row) for array, rows in parts for row in rows] if len(parts) > 1 else None
        self._array, self._rows = parts[0]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: int | slice) -> np.ndarray:
        if self._places is None:
            return self._array[self._rows[key]]
        if isinstance(key, slice):
            return np.stack([array[row] for array, row in self._places[key]])
        array, row = self._places[key]
        return array[row]


def describe_arrays(
    path: pathlib.Path, max_member_bytes: int = MAX_MEMBER_BYTES, value_range: Range | None = None
) -> dict[str, Any]:
    """Say what an array file holds: its splits, their sizes, and shape and type of every array."""
    arrays = _open(path, max_member_bytes)
    splits, notes = _splits_of(path, arrays)
    first = next(iter(splits.values()))
    value_range, about_range = _check_pixels(path, [fields["image"] for fields in splits.values()], value_range)
    return {
        "about": str(path),
        "value_range": value_range,
        "notes": (*notes, *about_range),
        "splits": {name: len(fields["image"]) for name, fields in splits.items()},
        "fields": {key: f"{value.dtype} {list(value.shape[1:])}" for key, value in first.items()},
        "names": _names(arrays),
        "image_shape": first["image"].shape[1:],
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


def _check_names(path: pathlib.Path, names: dict[str, tuple[str, ...]], columns: dict[str, np.ndarray]) -> None:
    vectors = columns.get("attributes")
    if vectors is not None and "attributes" in names and len(names["attributes"]) != vectors.shape[1]:
        raise ValueError(
            f"{path}: expected as many attribute_names as attributes ({vectors.shape[1]}); received "
            f"{len(names['attributes'])}."
        )


def _splits_of(
    path: pathlib.Path, arrays: dict[str, np.ndarray]
) -> tuple[dict[str, dict[str, np.ndarray]], tuple[str, ...]]:
    """Split -> fields, images as [n, h, w, c]; and what was converted, in words."""
    notes: dict[str, None] = {}
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
        images, note = _as_images(
            f"{path}: {candidates[0]!r}", images, counts={len(v) for v in fields.values() if v.ndim}
        )
        if note:
            notes[note] = None
        for key, value in fields.items():
            if value.ndim == 0 or len(value) != len(images):
                raise ValueError(
                    f"{path}: {key!r} has the shape {list(value.shape)}, but there are {len(images)} images."
                )
        groups[name] = {"image": images, **fields}
    return groups, tuple(notes)


def _as_images(what: str, array: np.ndarray, counts: set[int]) -> tuple[np.ndarray, str | None]:
    """Read the shape of an array as that of images.

    Args:
        what: names the array in messages.
        array: of any shape.
        counts: lengths of the arrays next to it: a length that is the array's own says that it holds many images.

    Returns:
        A view [n, h, w, c], and what was done in words where it is more than adding the channel.

    Raises:
        ValueError: for a shape that is none of images, or that can be read in two ways.
    """
    shape = array.shape
    many = bool(shape) and shape[0] in counts
    if array.ndim == 4:
        last, first = shape[3] in _CHANNELS, shape[1] in _CHANNELS
        if first and not (last and _is_like_an_image(*shape[1:3])):
            if last:
                raise ValueError(
                    f"{what} has the shape {list(shape)}, which can be read in two ways: {shape[1]}x{shape[2]} images "
                    f"of {shape[3]} channels, or {shape[2]}x{shape[3]} images of {shape[1]} channels. Save the images "
                    "in another shape: cut or pad their sides until they are more alike."
                )
            moved = [shape[0], *shape[2:], shape[1]]
            note = f"The array's shape {list(shape)} has the channels first; it is read as {moved}."
            return np.moveaxis(array, 1, 3), note
        if last:
            return array, None
        remedy = "Choose or combine channels, such as x[..., :3]."
        if shape[3] == 2:
            remedy = "Of gray and transparency, save the gray three times, then the transparency."
        raise ValueError(
            f"{what} has the shape {list(shape)}: expected 1 (gray), 3 (color) or 4 (color and transparency) channels, "
            f"last or after the number; received {shape[3]}. {remedy}"
        )
    if array.ndim == 3:
        gray = _is_like_an_image(*shape[1:])
        photo = shape[2] <= max(_CHANNELS) and _is_photo(*shape[:2])
        channels_first = shape[0] in (3, 4) and _is_photo(*shape[1:])
        if many or (not photo and not channels_first and (gray or shape[2] > max(_CHANNELS))):
            return array[..., None], None
        if photo and not gray:
            return _as_images(what, array[None], set())[0], f"The array's shape {list(shape)} is read as one photo."
        one = "[1, height, width, channels], by " + ("np.moveaxis(x, 0, -1)[None]" if channels_first else "x[None]")
        raise ValueError(
            f"{what} has the shape {list(shape)}, which can be read in two ways: {shape[0]} gray images of "
            f"{shape[1]}x{shape[2]}, or one photo. Save gray images as [n, height, width, 1], by x[..., None], or a "
            f"photo as {one}."
        )
    photo = array.ndim == 2 and _is_photo(*shape)
    if array.ndim == 2 and (square := _square_of(shape[1])):
        rows = f"Of images that were flattened, save x.reshape(-1, {', '.join(map(str, square))})"
        one = f"; of one photo, save x[None], [1, {shape[0]}, {shape[1]}]" if photo else ""
        raise ValueError(
            f"{what} has the shape {list(shape)}: expected images [n, height, width] or [n, height, width, channels]. "
            f"{rows}{one}."
        )
    if photo and not many:
        return array[None, ..., None], f"The array's shape {list(shape)} is read as one gray photo."
    raise ValueError(
        f"{what} has the shape {list(shape)}: expected images [n, height, width] or [n, height, width, channels]. "
        "Reshape the array."
    )


def _is_like_an_image(height: int, width: int) -> bool:
    return max(height, width) <= _LONGEST * min(height, width)


def _is_photo(height: int, width: int) -> bool:
    return min(height, width) >= _SMALLEST_PHOTO and _is_like_an_image(height, width)


def _square_of(features: int) -> tuple[int, ...] | None:
    """(side, side) or (side, side, 3) that has so many values; None where there is none of at least 4 pixels."""
    for channels in (1, 3):
        side = math.isqrt(features // channels)
        if side >= 4 and side * side * channels == features:
            return (side, side) if channels == 1 else (side, side, 3)
    return None


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
    if key == "attributes":
        return np.asarray(value, np.float32).reshape(len(value), -1)
    if value.dtype.kind == "f":
        return np.asarray(value, np.float32)
    return np.asarray(value, np.int32 if value.dtype == bool else value.dtype)


def _fingerprint(
    images: _Rows, columns: dict[str, np.ndarray], names: dict, split: str, fit: Resize, value_range: Range
) -> str:
    about = (split, images.dtype, images.shape, fit, sorted(names.items()), value_range)
    digest = hashlib.sha256(repr(about).encode())
    for start in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[start : start + 1024]).tobytes())
    for key, value in sorted(columns.items()):
        content = repr(value.tolist()).encode() if value.dtype == object else np.ascontiguousarray(value).tobytes()
        digest.update(f"{key}|{value.dtype}|{value.shape}|".encode() + content)
    return digest.hexdigest()
