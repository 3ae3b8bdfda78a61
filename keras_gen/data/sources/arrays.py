"""Reads images from .npy and .npz files."""

import hashlib
import io
import math
import os
import pathlib
import zipfile
from typing import IO, Any

import numpy as np

from keras_gen.archives import MAX_MEMBER_BYTES, open_archive
from keras_gen.runtime.regular_file import open_regular

from ..info import Images, Table
from ..resize import Resize
from ..slices import canonical_split, canonicalize_splits, choose_rows, split_rows
from ..value_range import EIGHT_BITS, PLAIN, UNIT, Range, check_inside, detect_range, is_eight_bit, range_note, scale

IMAGE_KEYS = ("image", "images", "x")
_RENAMED = {"y": "label", "labels": "label", "captions": "caption", "attribute": "attributes"}
# bytes of an array's header, which has its type and shape; the limit of NumPy
_MAX_HEADER = 10_000
_CHANNELS = (1, 3, 4)
# a shape with a larger ratio of sides is not interpreted as an image
_MAX_ASPECT = 4
_SMALLEST_PHOTO = 8


def read_arrays(
    path: pathlib.Path,
    split: str,
    resize: Resize,
    *,
    slices: str = "random",
    max_member_bytes: int = MAX_MEMBER_BYTES,
    value_range: Range | None = None,
) -> Table:
    """Reads a split of an array file.

    An .npy file contains images [n, h, w], [n, h, w, c] or [n, c, h, w], or one photo [h, w] or [h, w, c], where c is
    1, 3 or 4. An .npz file contains images under `image`, `images` or `x` (or as its only array of rank 3 or 4); every
    other array of length n becomes a column (`y` and `labels` become `label`), and the lists of strings `label_names`
    and `attribute_names` name the values. Keys that end in the name of a split (`x_train`, `y_train`, `X_Val`, ...; see
    `canonical_split`) are splits; without them, the only split is "train". Rows keep the order of the file.

    Args:
        path: The file.
        split: A name with an optional slice.
        resize: Target shape of the images.
        slices: The rows of a slice: "random" is a fixed random choice (see `choose_rows`); with "file",
            "train[-1000:]" is the last thousand rows.
        max_member_bytes: Maximum size of an unpacked array of an .npz file. An .npy file is memory-mapped and has no
            limit.
        value_range: The values that are black and white; None detects them.

    Returns:
        A `Table` whose images are resized when they are read.

    Raises:
        ValueError: If there are no images or no such split, a shape is ambiguous, lengths differ, values are not
            pixels, an array has Python objects or is truncated, or the archive is damaged.
    """
    arrays = _open(path, max_member_bytes)
    splits, notes = _splits_of(path, arrays)
    counts = {name: len(fields["image"]) for name, fields in splits.items()}
    parts = []
    for name, start, stop in split_rows(canonicalize_splits(split, counts), counts):
        rows = np.arange(start, stop) if slices == "file" else choose_rows(range(counts[name]), start, stop)
        parts.append((splits[name], rows))
    keys = [key for key in parts[0][0] if key != "image" and all(key in fields for fields, _ in parts)]
    columns = {key: np.concatenate([fields[key][rows] for fields, rows in parts]) for key in keys}
    columns = {key: _column(path, key, value) for key, value in columns.items()}
    names = _names(arrays)
    _check_names(path, names, columns)

    value_range, range_notes = _check_pixels(path, [part["image"] for part in splits.values()], value_range)
    images = _Rows(path, [(fields["image"], rows) for fields, rows in parts])
    dtype = np.dtype(np.uint8 if is_eight_bit(images.dtype, value_range) else np.float32)
    return Table(
        images={"image": Images(len(images), dtype, read=lambda i: resize(scale(images[i], value_range)))},
        columns=columns,
        names=names,
        fingerprint=_fingerprint(images, columns, names, split, resize, value_range),
        value_range=value_range,
        notes=(*notes, *range_notes),
    )


class _Rows:
    """A concatenation of selected rows of several arrays, read on demand, so that memory-mapped arrays stay on disk.

    Args:
        path: The file, for messages.
        parts: (array, rows) of each part.
    """

    def __init__(self, path: pathlib.Path, parts: list[tuple[np.ndarray, np.ndarray]]):
        arrays = [array for array, _ in parts]
        if len({array.shape[1:] for array in arrays}) > 1:
            shapes = " and ".join(str(list(array.shape[1:])) for array in arrays)
            raise ValueError(f"{path}: expected images of one shape in splits that are added; received {shapes}.")
        self.dtype = np.result_type(*arrays)
        self.shape = (sum(len(rows) for _, rows in parts), *arrays[0].shape[1:])
        self.size, self.ndim = math.prod(self.shape), len(self.shape)
        self._positions = [(array, row) for array, rows in parts for row in rows] if len(parts) > 1 else None
        self._array, self._rows = parts[0]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: int | slice) -> np.ndarray:
        if self._positions is None:
            return self._array[self._rows[key]]
        if isinstance(key, slice):
            return np.stack([array[row] for array, row in self._positions[key]])
        array, row = self._positions[key]
        return array[row]


def describe_arrays(
    path: pathlib.Path, max_member_bytes: int = MAX_MEMBER_BYTES, value_range: Range | None = None
) -> dict[str, Any]:
    """Returns the splits of an array file with their sizes, and the shape and type of every array.

    The keys are attributes of `keras_gen.data.Description`; the arguments are those of `read_arrays`.
    """
    arrays = _open(path, max_member_bytes)
    splits, notes = _splits_of(path, arrays)
    first = next(iter(splits.values()))
    value_range, range_notes = _check_pixels(path, [fields["image"] for fields in splits.values()], value_range)
    return {
        "about": str(path),
        "value_range": value_range,
        "notes": (*notes, *range_notes),
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
        raise ValueError(f"Expected an array file; received {path}, which does not exist.") from None
    except Exception as error:  # NumPy raises ValueError, EOFError, BadZipFile, OSError, ... for a damaged file
        raise ValueError(f"{path} cannot be read as a {path.suffix} array file: {error}") from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    try:
        with archive.open(member) as file:
            _check_header(file, member.file_size)
        with archive.open(member) as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
            if file.read(1):  # reading to the end also verifies the checksum
                raise ValueError("it has more bytes than its header announces")
        return array
    except Exception as error:
        raise ValueError(f"its member {member.filename!r} is not a readable array: {error}") from error


def _check_header(file: IO[bytes], size: int) -> None:
    """Checks the header of an array, since NumPy would allocate whatever it announces.

    Args:
        file: A file at the beginning of the array.
        size: Bytes of the array including its header.

    Raises:
        ValueError: For Python objects, and for more values than there are bytes.
    """
    version = np.lib.format.read_magic(file)
    length = file.read(2 if version[0] == 1 else 4)
    announced = int.from_bytes(length, "little")
    if announced > _MAX_HEADER:
        raise ValueError(f"its header announces {announced:,} bytes of text; expected at most {_MAX_HEADER:,}")
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = read(io.BytesIO(length + file.read(announced)))
    except Exception as error:  # for a damaged header, Python's parser raises SyntaxError, MemoryError, ...
        raise ValueError(f"its header cannot be read: {error}") from error
    if dtype.hasobject:
        raise ValueError(
            "it has Python objects (a pickle), which can run any program when they are read; save numbers or "
            "strings of fixed length"
        )
    available, announced_bytes = size - file.tell(), math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or announced_bytes > available or (dtype.itemsize == 0 and math.prod(shape)):
        raise ValueError(
            f"its header announces the shape {list(shape)} of {dtype}, {announced_bytes:,} bytes; it has "
            f"{available:,}. The file is damaged or incomplete"
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
    """Returns split -> fields, with images as [n, h, w, c], and notes about conversions."""
    notes: dict[str, None] = {}
    arrays = {key: value for key, value in arrays.items() if not key.endswith("_names")}
    groups: dict[str, dict[str, np.ndarray]] = {}
    for key, value in arrays.items():
        stem, _, end = key.rpartition("_")
        split = canonical_split(end) if stem else None
        name, field = (split, stem) if split else ("train", key)
        field = field.lower() if field.lower() in (*IMAGE_KEYS, *_RENAMED, *_RENAMED.values()) else field
        groups.setdefault(name, {})[_RENAMED.get(field, field)] = value
    received = ", ".join(f"{key} {value.dtype}{list(value.shape)}" for key, value in arrays.items()) or "nothing"
    for name, fields in groups.items():
        candidates = [key for key in IMAGE_KEYS if key in fields]
        candidates = candidates or [key for key, value in fields.items() if value.ndim in (3, 4)]
        if len(candidates) != 1:
            raise ValueError(
                f"{path}: expected images under one of {', '.join(IMAGE_KEYS)}, or as the only array of rank 3 or 4; "
                f"received {len(candidates)} such arrays in split {name!r}. The arrays are: {received}."
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
                    f"{path}: expected arrays of {len(images)} rows, the number of images; received {key!r} of shape "
                    f"{list(value.shape)}."
                )
        groups[name] = {"image": images, **fields}
    return groups, tuple(notes)


def _as_images(what: str, array: np.ndarray, counts: set[int]) -> tuple[np.ndarray, str | None]:
    """Interprets an array as images.

    Args:
        what: Name of the array in messages.
        array: An array of any shape.
        counts: Lengths of the arrays in the same split: if one equals the array's own length, the array contains many
            images.

    Returns:
        A view [n, h, w, c], and a note if the interpretation does more than adding the channel.

    Raises:
        ValueError: For a shape that is not a shape of images, or that is ambiguous.
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
                    "in another shape: crop or pad them until their sides are more similar."
                )
            moved = [shape[0], *shape[2:], shape[1]]
            note = f"The array's shape {list(shape)} has the channels first; it is read as {moved}."
            return np.moveaxis(array, 1, 3), note
        if last:
            return array, None
        remedy = "Choose or combine channels, such as x[..., :3]."
        if shape[3] == 2:
            remedy = "Save gray and alpha as four channels: gray three times, then alpha."
        raise ValueError(
            f"{what} has the shape {list(shape)}: expected 1 (gray), 3 (color) or 4 (color and alpha) channels, as the "
            f"last or the second axis; received {shape[3]}. {remedy}"
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
        rows = f"Save flattened images as x.reshape(-1, {', '.join(map(str, square))})"
        one = f", or one photo as x[None], [1, {shape[0]}, {shape[1]}]" if photo else ""
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
    return max(height, width) <= _MAX_ASPECT * min(height, width)


def _is_photo(height: int, width: int) -> bool:
    return min(height, width) >= _SMALLEST_PHOTO and _is_like_an_image(height, width)


def _square_of(features: int) -> tuple[int, ...] | None:
    """Returns the shape (side, side) or (side, side, 3) with this number of values and side >= 4, or None."""
    for channels in (1, 3):
        side = math.isqrt(features // channels)
        if side >= 4 and side * side * channels == features:
            return (side, side) if channels == 1 else (side, side, 3)
    return None


def _check_pixels(
    path: pathlib.Path, parts: list[np.ndarray], value_range: Range | None
) -> tuple[Range, tuple[str, ...]]:
    """Checks that all values are pixels, and detects the value range.

    Args:
        path: The file, for messages.
        parts: The images of all splits, which have one range.
        value_range: The range to check; None detects it.

    Returns:
        The value range, and a note about it if it was detected and has more than 8 bits.

    Raises:
        ValueError: For values that are not finite numbers or outside of the range.
    """
    expected = f"{path}: expected pixels as integers or floats;"
    low, high = np.inf, -np.inf
    for images in parts:
        if images.dtype.kind not in "buif":
            raise ValueError(f"{expected} received the type {images.dtype}.")
        for start in range(0, len(images), 1024):  # in pieces, since the file may be larger than memory
            piece = np.asarray(images[start : start + 1024])
            if not piece.size:
                raise ValueError(f"{expected} received the empty shape {list(images.shape)}.")
            if piece.dtype.kind == "f" and not np.isfinite(piece).all():
                bad = np.argwhere(~np.isfinite(piece))
                rows = len(np.unique(bad[:, 0]))
                raise ValueError(
                    f"{expected} received {len(bad)} values that are NaN or infinite, the first in image "
                    f"{start + bad[0, 0]} ({rows} of the images {start} to {start + len(piece) - 1} have some)."
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
        raise ValueError(f"{expected} received {types} in its splits; convert one of them.")
    value_range = detect_range(path, low, high, floats.pop())
    return value_range, () if value_range in PLAIN else (range_note(value_range, high, f"arrays of {types}"),)


def _column(path: pathlib.Path, key: str, value: np.ndarray) -> np.ndarray:
    if value.dtype.kind in "US":
        return np.array([v.encode() if isinstance(v, str) else v for v in value.tolist()], object)
    if value.dtype.kind not in "buif":
        raise ValueError(
            f"{path}: expected {key!r} as numbers or strings; received {value.dtype}. Convert or remove it."
        )
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise ValueError(f"{path}: expected finite values in {key!r}; received NaN or infinite ones.")
    if key == "label":
        value = value[:, 0] if value.ndim == 2 and value.shape[1] == 1 else value
        if value.ndim != 1 or (value.dtype.kind == "f" and (value != np.round(value)).any()):
            raise ValueError(
                f"{path}: expected labels as one integer per image; received {value.dtype}{list(value.shape)}."
            )
        return value.astype(np.int32)
    if key == "attributes":
        return np.asarray(value, np.float32).reshape(len(value), -1)
    if value.dtype.kind == "f":
        return np.asarray(value, np.float32)
    return np.asarray(value, np.int32 if value.dtype == bool else value.dtype)


def _fingerprint(
    images: _Rows, columns: dict[str, np.ndarray], names: dict, split: str, resize: Resize, value_range: Range
) -> str:
    settings = (split, images.dtype, images.shape, resize, sorted(names.items()), value_range)
    digest = hashlib.sha256(repr(settings).encode())
    for start in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[start : start + 1024]).tobytes())
    for key, value in sorted(columns.items()):
        content = repr(value.tolist()).encode() if value.dtype == object else np.ascontiguousarray(value).tobytes()
        digest.update(f"{key}|{value.dtype}|{value.shape}|".encode() + content)
    return digest.hexdigest()
