"""The value range of a source: the stored number that is black, and the one that is white."""

import math
from collections.abc import Sequence

import numpy as np

Range = tuple[float, float]
EIGHT_BITS, UNIT = (0.0, 255.0), (0.0, 1.0)
# ranges of a source that need no mention: 8-bit images, black and white, and floats in [0, 1]
PLAIN = (EIGHT_BITS, UNIT)
# white in images of 8, 10, 12, 14 and 16 bits
WHITES = (255, 1023, 4095, 16383, 65535)
# integers that end here leave the images nearly black in 0..255, so that another range was meant
_NEARLY_BLACK = 31
_EXPECTED = "Expected integers from 0 to 65,535 or floats from 0 to 1"


def check_range(value_range: Sequence[float] | None) -> Range | None:
    """The range as two floats; None where it is to be detected.

    Raises:
        ValueError: for anything but two finite numbers, the smaller one first.
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


def detect_range(where, low: float, high: float, floats: bool) -> Range:
    """Detects the range of stored values.

    Integers of at most 255 are 0..255, deeper ones 0..2^k - 1 with the smallest k of 10, 12, 14 and 16 that holds
    them; integers of 0 and 1 are black and white; floats are in [0, 1].

    Args:
        where: the source, for messages.
        low, high: the smallest and the largest value of the whole source.
        floats: whether the values are floats.

    Raises:
        ValueError: where the values fit none of these, or leave the images nearly black; suggests a range.
    """
    if floats and 0 <= low and high <= 1:
        return UNIT
    if not floats and low >= 0 and (high <= 1 or _NEARLY_BLACK < high <= WHITES[-1]):
        return UNIT if high == 1 else (0.0, float(next(white for white in WHITES if high <= white)))
    if not floats and 0 <= low and high <= _NEARLY_BLACK:
        raise ValueError(
            f"{where}: found integers from {low:,} to {high:,}, which would be nearly black in 0..255. Say which "
            f"number is white: {_given((0, high))}, or, if the images are this dark, {_given(EIGHT_BITS)}."
        )
    kind = "floats" if floats else "integers"
    raise ValueError(
        f"{where}: found {kind} from {_number(low)} to {_number(high)}. {_EXPECTED}. Say which number is black and "
        f"which is white: {_given(_suggested(low, high))}, or rescale the images."
    )


def check_inside(where, low: float, high: float, value_range: Range) -> None:
    """Raises a ValueError where values lie outside of a range that was given."""
    slack = 1e-6 * (value_range[1] - value_range[0])
    if low < value_range[0] - slack or high > value_range[1] + slack:
        raise ValueError(
            f"{where}values from {_number(low)} to {_number(high)} lie outside of the value range "
            f"{range_text(value_range)}; give a wider one or clip the images"
        )


def scale(values: np.ndarray, value_range: Range) -> np.ndarray:
    """Stored values as pixels: uint8, 0 to 255, where that loses nothing, else float32 in [0, 1].

    Args:
        values: integers, booleans or floats of any shape, inside of the range.
        value_range: the numbers that become 0 and 1.
    """
    if is_eight_bit(values.dtype, value_range):
        return values.astype(np.uint8) * np.uint8(255 if value_range == UNIT else 1)
    low, high = value_range
    return np.clip((values.astype(np.float64) - low) / (high - low), 0.0, 1.0).astype(np.float32)


def is_eight_bit(dtype: np.dtype, value_range: Range) -> bool:
    """Whether `scale` makes uint8 of values of this type."""
    return dtype.kind in "bui" and value_range in PLAIN


def scale_file(image: np.ndarray, value_range: Range) -> np.ndarray:
    """The colors of an image file as pixels, see `scale`; transparency has the full range of its type.

    Args:
        image: [h, w, 1 | 2 | 3 | 4] as `read_image` returns it.
        value_range: of the colors.

    Raises:
        ValueError: where the image has values outside of the range.
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
    """The range of two sources that are read as one.

    It is that of the source with more than 8 bits: image files of 8 bits are not concerned by it, but arrays are.

    Args:
        sources: their names, for messages.
        ranges: of each.
        arrays: whether each is an array file.

    Raises:
        ValueError: where one range does not hold for both.
    """
    deep = sorted({each for each in ranges if each not in PLAIN})
    flat_array = any(array and each in PLAIN for array, each in zip(arrays, ranges, strict=True))
    if len(deep) > 1 or deep and flat_array:
        found = " and ".join(f"{range_text(each)} in {source}" for source, each in zip(sources, ranges, strict=True))
        raise ValueError(
            f"Expected one value range for both sources; found {found}. Convert the images of one, or give a range "
            f"that holds for both: {_given(deep[-1])}."
        )
    return deepest(ranges)


def deepest(ranges: Sequence[Range]) -> Range:
    """Of ranges that fit together, the one of more than 8 bits, or the first."""
    return next((each for each in ranges if each not in PLAIN), ranges[0])


def as_stored(value_range: Range) -> list[int | float]:
    """The range as config.json holds it."""
    return [int(value) if value == int(value) else value for value in value_range]


def range_text(value_range: Range) -> str:
    """`(0.0, 4095.0)` -> `"0..4095"`."""
    return "..".join(str(value) for value in as_stored(value_range))


def note_of(value_range: Range, high: float, what: str) -> str:
    """A line that says which range was detected."""
    taken = f"Values up to {high:,} in {what}: taken as {range_text(value_range)}"
    return f"{taken}; --value-range LOW,HIGH (value_range=) sets another."


def _suggested(low: float, high: float) -> Range:
    if -1 <= low < 0 and high <= 1:
        return -1.0, 1.0
    if low >= 0 and high == int(high) and high > _NEARLY_BLACK:
        return 0.0, float(next((white for white in WHITES if high <= white), high))
    return min(0.0, float(low)) if low >= 0 else float(low), float(high)


def _given(value_range: Range) -> str:
    low, high = (_number(value) for value in value_range)
    return f"value_range=({low}, {high}) (--value-range {low},{high})"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.9g}"
