"""What comes in at a model's doors: images in [0, 1], and the errors that say what else was received."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

# how far images may leave [0, 1]: what resizing and 16-bit floats round
TOLERANCE = 1e-3
# elements of an array that are looked at together
BLOCK = 2**24
# what images of other types need
REMEDIES = {
    "uint8": "8-bit images: divide by 255",
    "uint16": "16-bit images: divide by 65535, or by the value of white",
    "bool": "convert them with astype('float32')",
}


def range_error(field: str, low: float, high: float) -> ValueError:
    """The error for images of which some lie outside [0, 1], or are NaN.

    Args:
        field: of the batch.
        low, high: their smallest and their largest value.
    """
    where = "" if field == "image" else f" in {field!r}"
    if not np.isfinite([low, high]).all():
        what = "NaN" if np.isnan([low, high]).any() else "infinite values"
        return ValueError(f"Expected images in [0, 1]; received {what}{where}; leave these images out, or repair them")
    if low < -TOLERANCE and low >= -1 - TOLERANCE and high <= 1 + TOLERANCE:
        remedy = "rescale with (x + 1) / 2"
    elif low >= -TOLERANCE and 128 <= high <= 255:
        remedy = "divide by 255"
    elif low >= -TOLERANCE:
        remedy = "divide by the value of white, such as 255 for 8-bit images"
    else:
        remedy = "rescale with (x - black) / (white - black), where black and white are the ends of your data's range"
    if remedy.startswith(("divide by the", "rescale with (x - ")):
        remedy += ", or load them with keras_gen.data.load(..., value_range=(black, white))"
    return ValueError(f"Expected images in [0, 1]; received values from {low:.4g} to {high:.4g}{where}; {remedy}")


def values_error(expected: str, low: float, high: float) -> ValueError:
    """The error for labels, attributes or tokens out of range.

    Args:
        expected: what they are and how far they go, such as "labels from 0 to 9".
        low, high: the smallest and the largest that were received.
    """
    remedy = ""
    if expected.startswith("label"):
        remedy = "; number the classes from 0, or build the model with as many classes as the data has"
    return ValueError(f"Expected {expected}; received values from {low:.4g} to {high:.4g}{remedy}")


def check_range(field: str, images: np.ndarray) -> None:
    """Raise where an array of images leaves [0, 1] by more than the tolerance, in one pass.

    Raises:
        ValueError: see `range_error`.
    """
    low, high, rows = np.inf, -np.inf, max(1, BLOCK // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, len(images), rows):
        block = np.asarray(images[start : start + rows])
        # numpy's extremes, and so these, are NaN where one value is
        low, high = np.minimum(low, block.min()), np.maximum(high, block.max())
    if len(images) and not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
        raise range_error(field, float(low), float(high))


def is_array(value) -> bool:
    """Whether a value is an array with its numbers at hand: numpy's, or a tensor outside graphs."""
    return hasattr(value, "__array__") and not (tf.is_tensor(value) and not hasattr(value, "numpy"))


def with_channel(field: str, images, shape: Sequence[int] | None):
    """Images [batch, height, width, channels] of floats; the channel of gray ones may be left out.

    Args:
        field: of the batch.
        images: an array or a tensor.
        shape: (height, width, channels) of the model, or None where it takes several.

    Raises:
        ValueError: for images of integers, or of another shape.
    """
    if not hasattr(images, "dtype"):
        raise ValueError(
            f"Expected {field} as one array [num, height, width, channels]; received a {type(images).__name__}"
        )
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        remedy = REMEDIES.get(dtype, "convert them, and scale them to [0, 1]")
        raise ValueError(f"Expected float images in [0, 1]; received {dtype} ({remedy})")
    received = tf.TensorShape(images.shape)
    if shape and shape[-1] == 1 and received.rank == 3 and received.is_compatible_with([None, *shape[:-1]]):
        images, received = images[..., None], received.concatenate([1])
    if shape and not received.is_compatible_with([None, *shape]):
        one = received.is_compatible_with(shape)
        raise ValueError(
            f"Expected {field} [batch, {', '.join(map(str, shape))}]; received the shape {tuple(images.shape)}"
            + (": batch the dataset, or add an axis for a single image" if one else "")
        )
    return images


def as_arrays(value):
    """What a user gives for arrays: lists become arrays, in a dict one for each field; anything else stays.

    Raises:
        ValueError: for a list of images of different shapes.
    """
    if isinstance(value, Mapping):
        return {name: as_arrays(each) for name, each in value.items()}
    if not isinstance(value, list):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            "Expected a list of arrays of one shape; received several: resize them to one height and width"
        ) from None
    if array.dtype == np.float64 and not all(map(is_array, value)):
        array = array.astype(np.float32)  # of Python's numbers
    return array[0] if len(value) == 1 and array.ndim > 4 else array
