"""The value range of a source: the stored values that are black and white."""

import math
import os
from collections.abc import Sequence

import numpy as np

Range = tuple[float, float]
EIGHT_BITS, UNIT = (0.0, 255.0), (0.0, 1.0)
# ranges that need no note: 8-bit images, binary images, and floats in [0, 1]
PLAIN = (EIGHT_BITS, UNIT)
# the white of images of 8, 10, 12, 14 and 16 bits
WHITES = (255, 1023, 4095, 16383, 65535)
# integers up to this value are nearly black in 0..255, so that another range is more likely
_NEARLY_BLACK = 31


def check_range(value_range: Sequence[float] | None) -> Range | None:
    """Returns a value range as two floats; None, which means that it is detected, is unchanged.

    Raises:
        ValueError: Unless it consists of two finite numbers in increasing order.
    """
    if value_range is None:
        return None
    try:
        low, high = (float(value) for value in value_range)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            "Expected value_range as (black, white), two numbers of which the first is smaller, such as (0, 4095); "
            f"received {value_range!r}."
        )
    return low, high


def detect_range(source: str | os.PathLike, low: float, high: float, floats: bool) -> Range:
    """Detects the range of stored values.

    Integers up to 255 are in 0..255, larger ones in 0..2^k - 1 with the smallest sufficient k of 10, 12, 14 and 16;
    integers 0 and 1 are black and white; floats are in [0, 1].

    Args:
        source: The source, for messages.
        low: The smallest value of the whole source.
        high: The largest value of the whole source.
        floats: Whether the values are floats.

    Raises:
        ValueError: If the values fit none of these ranges or the images would be nearly black; suggests a range.
    """
    if floats and 0 <= low and high <= 1:
        return UNIT
    if not floats and low >= 0 and (high <= 1 or _NEARLY_BLACK < high <= WHITES[-1]):
        return UNIT if high == 1 else (0.0, float(next(white for white in WHITES if high <= white)))
    if not floats and 0 <= low and high <= _NEARLY_BLACK:
        raise ValueError(
            f"{source}: expected a value range in which the images are not nearly black; received integers from "
            f"{low:,} to {high:,}. Pass the value that is white: {_option((0, high))}, or, if the images are this "
            f"dark, {_option(EIGHT_BITS)}."
        )
    kind = "floats" if floats else "integers"
    raise ValueError(
        f"{source}: expected integers from 0 to 65,535 or floats from 0 to 1; received {kind} from {_number(low)} to "
        f"{_number(high)}. Pass the values that are black and white: {_option(_suggested(low, high))}, or rescale the "
        "images."
    )


def check_inside(prefix: str, low: float, high: float, value_range: Range) -> None:
    """Checks that values are inside of a range.

    Args:
        prefix: Start of the message, such as the file.
        low: The smallest value.
        high: The largest value.
        value_range: The range.

    Raises:
        ValueError: If a value is outside.
    """
    slack = 1e-6 * (value_range[1] - value_range[0])
    if low < value_range[0] - slack or high > value_range[1] + slack:
        raise ValueError(
            f"{prefix}values from {_number(low)} to {_number(high)} are outside of the value range "
            f"{range_text(value_range)}; pass a wider one or clip the images"
        )


def scale(values: np.ndarray, value_range: Range) -> np.ndarray:
    """Converts stored values to pixels: uint8 from 0 to 255 if that loses no precision, otherwise float32 in [0, 1].

    Args:
        values: Integers, booleans or floats of any shape, inside of the range.
        value_range: The values that become black and white.
    """
    if is_eight_bit(values.dtype, value_range):
        return values.astype(np.uint8) * np.uint8(255 if value_range == UNIT else 1)
    low, high = value_range
    return np.clip((values.astype(np.float64) - low) / (high - low), 0.0, 1.0).astype(np.float32)


def is_eight_bit(dtype: np.dtype, value_range: Range) -> bool:
    """Returns whether `scale` converts values of this type to uint8."""
    return dtype.kind in "bui" and value_range in PLAIN


def scale_file(image: np.ndarray, value_range: Range) -> np.ndarray:
    """Converts the colors of an image file to pixels, see `scale`; alpha has the full range of its type.

    Args:
        image: [h, w, 1 | 2 | 3 | 4] as returned by `read_image`.
        value_range: The range of the colors.

    Raises:
        ValueError: If the image has values outside of the range.
    """
    if image.dtype == np.uint8 and value_range == EIGHT_BITS:
        return image
    colors = image.shape[-1] if image.shape[-1] in (1, 3) else image.shape[-1] - 1
    color, alpha = image[..., :colors], image[..., colors:]
    check_inside("", color.min(), color.max(), value_range)
    pixels = scale(color, value_range)
    if not alpha.size:
        return pixels
    opaque = (0.0, float(np.iinfo(image.dtype).max))
    if pixels.dtype != np.uint8:
        return np.concatenate([pixels, _unit(scale(alpha, opaque))], axis=-1)
    return np.concatenate([pixels, np.rint(255 * _unit(scale(alpha, opaque))).astype(np.uint8)], axis=-1)


def _unit(pixels: np.ndarray) -> np.ndarray:
    return pixels / np.float32(255) if pixels.dtype == np.uint8 else pixels


def common_range(sources: Sequence, ranges: Sequence[Range], arrays: Sequence[bool]) -> Range:
    """Returns the range of two sources that are combined.

    It is the range of the source with more than 8 bits: it does not affect image files of 8 bits, but it does affect
    arrays.

    Args:
        sources: Names of the sources, for messages.
        ranges: Range of each source.
        arrays: Whether each source is an array file.

    Raises:
        ValueError: If no range is valid for both.
    """
    deep = sorted({each for each in ranges if each not in PLAIN})
    flat_array = any(array and each in PLAIN for array, each in zip(arrays, ranges, strict=True))
    if len(deep) > 1 or deep and flat_array:
        received = " and ".join(f"{range_text(each)} in {source}" for source, each in zip(sources, ranges, strict=True))
        raise ValueError(
            f"Expected one value range for both sources; received {received}. Convert the images of one, or pass a "
            f"range that is valid for both: {_option(deep[-1])}."
        )
    return deepest(ranges)


def deepest(ranges: Sequence[Range]) -> Range:
    """Returns the range of more than 8 bits among compatible ranges, or the first one."""
    return next((each for each in ranges if each not in PLAIN), ranges[0])


def as_stored(value_range: Range) -> list[int | float]:
    """Returns the range as it is written to config.json."""
    return [int(value) if value == int(value) else value for value in value_range]


def range_text(value_range: Range) -> str:
    """Formats a range: `(0.0, 4095.0)` -> `"0..4095"`."""
    return "..".join(str(value) for value in as_stored(value_range))


def range_note(value_range: Range, high: float, what: str) -> str:
    """Returns a sentence about a detected range.

    Args:
        value_range: The range.
        high: The largest value.
        what: What the values are from.
    """
    detected = f"Values up to {high:,} in {what}: the value range is {range_text(value_range)}"
    return f"{detected}; --value-range LOW,HIGH (value_range=) sets another."


def _suggested(low: float, high: float) -> Range:
    if -1 <= low < 0 and high <= 1:
        return -1.0, 1.0
    if low >= 0 and high == int(high) and high > _NEARLY_BLACK:
        return 0.0, float(next((white for white in WHITES if high <= white), high))
    return min(0.0, float(low)) if low >= 0 else float(low), float(high)


def _option(value_range: Range) -> str:
    low, high = (_number(value) for value in value_range)
    return f"value_range=({low}, {high}) (--value-range {low},{high})"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.9g}"
