"""Checks of the data that `fit`, `evaluate` and `predict` receive, with errors that say what was received."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .graph_checks import between, error_for

Shape = tuple[int | None, int | None, int]  # height, width, channels; None for any height or width

# how far images may leave [0, 1]: the rounding of resizing and of 16-bit floats
TOLERANCE = 1e-3
# elements of an array that are reduced together
BLOCK = 2**24
# dtype of images -> how to convert them
REMEDIES = {
    "uint8": "8-bit images: divide by 255",
    "uint16": "16-bit images: divide by 65535, or by the value of white",
    "bool": "convert them with astype('float32')",
}


@error_for("images")
def range_error(field: str, low: float, high: float) -> ValueError:
    """Returns the error for images of which some lie outside [0, 1] or are NaN.

    Args:
        field: Field of the batch.
        low: The smallest value of the images.
        high: The largest value of the images.
    """
    where = "" if field == "image" else f" in {field!r}"
    if not np.isfinite([low, high]).all():
        what = "NaN" if np.isnan([low, high]).any() else "infinite values"
        return ValueError(f"Expected images in [0, 1]; received {what}{where}; remove these images or repair them")
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


@error_for("values")
def values_error(expected: str, low: float, high: float) -> ValueError:
    """Returns the error for labels, attributes or tokens out of range.

    Args:
        expected: The values and their range, such as "labels from 0 to 9".
        low: The smallest value that was received.
        high: The largest value that was received.
    """
    remedy = ""
    if expected.startswith("label"):
        remedy = "; number the classes from 0, or build the model with as many classes as the data has"
    return ValueError(f"Expected {expected}; received values from {low:.4g} to {high:.4g}{remedy}")


def check_range(field: str, images: np.ndarray) -> None:
    """Checks in one pass that an array of images leaves [0, 1] by no more than the tolerance of 1e-3.

    Args:
        field: Field of the batch.
        images: [num, ...].

    Raises:
        ValueError: See `range_error`.
    """
    low, high, rows = np.inf, -np.inf, max(1, BLOCK // max(1, math.prod(images.shape[1:])))
    for start in range(0, len(images), rows):
        block = np.asarray(images[start : start + rows])
        # numpy's extremes, and so these, are NaN if one value is
        low, high = np.minimum(low, block.min()), np.maximum(high, block.max())
    if len(images) and not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
        raise range_error(field, float(low), float(high))


def check_images(
    field: str, images: Any, shape: Sequence[int | None] | None, *, check_values: bool = True, in_graph: bool = True
) -> Any:
    """Returns images [batch, height, width, channels] after a check of their type, shape and range.

    Args:
        field: Field of the batch.
        images: An array or a tensor of floats; the channel of gray images may be missing, and is added.
        shape: (height, width, channels) of the model, or None if it takes several.
        check_values: Whether the images must lie in [0, 1].
        in_graph: Whether a graph checks the values as well, each time it runs.

    Raises:
        ValueError: For images of integers, of another shape, or outside [0, 1].
    """
    images = _with_channel(field, images, shape)
    if not check_values:
        return images
    if is_array(images):
        check_range(field, np.asarray(images))
    elif in_graph:
        images = between("images", field, images, -TOLERANCE, 1 + TOLERANCE)
    return images


def _with_channel(field: str, images: Any, shape: Sequence[int | None] | None) -> Any:
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
        single = received.is_compatible_with(shape)
        raise ValueError(
            f"Expected {field} [batch, {', '.join(map(str, shape))}]; received the shape {tuple(images.shape)}"
            + (": batch the dataset, or add an axis for a single image" if single else "")
        )
    return images


def is_array(value: Any) -> bool:
    """Returns whether a value is a numpy array, or a tensor outside graphs, so that its numbers can be read now."""
    return hasattr(value, "__array__") and not (tf.is_tensor(value) and not hasattr(value, "numpy"))


def as_arrays(value: Any) -> Any:
    """Returns lists as arrays, in a dict one for each field; any other value is returned as it is.

    Raises:
        ValueError: For a list of images of different shapes.
    """
    if isinstance(value, Mapping):
        return {name: as_arrays(each) for name, each in value.items()}
    if not isinstance(value, list):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            "Expected a list of arrays of one shape; received several shapes: resize them to one height and width"
        ) from None
    if array.dtype == np.float64 and not all(map(is_array, value)):
        array = array.astype(np.float32)  # of Python's numbers
    return array[0] if len(value) == 1 and array.ndim > 4 else array


def refuse_weights(**weights: Any) -> None:
    """Raises a ValueError for weights of examples or classes: the losses are unweighted means over the data."""
    for name, value in weights.items():
        if value is not None:
            raise ValueError(
                f"Expected {name}=None: {name} is not supported; received a value. Weight the examples by how often "
                "the data holds them"
            )


def split_arrays(columns: Any, validation_split: float, num: int, seed: int | None) -> tuple[dict, dict]:
    """Splits arrays into examples for training and examples for validation, at random.

    Args:
        columns: {field: array [num, ...]}.
        validation_split: Share of the examples for validation, in (0, 1).
        num: Number of examples.
        seed: Seed of the split; None is 0.

    Returns:
        The columns for training and those for validation; the examples of each keep their order.

    Raises:
        ValueError: For anything but a dict of arrays, or a share that leaves one part empty.
    """
    if not isinstance(columns, Mapping):
        raise ValueError(
            "Expected arrays with validation_split; received a dataset: split it with take and skip, and pass "
            "validation_data"
        )
    count = num - math.floor(num * (1 - validation_split))  # as many as Keras takes
    if not 0 < validation_split < 1 or not 0 < count < num:
        raise ValueError(
            "Expected a validation_split in (0, 1) that leaves examples for training and for validation; received "
            f"validation_split={validation_split} of {num} examples"
        )
    order = np.random.default_rng(seed or 0).permutation(num)
    training, validation = (
        {name: np.asarray(column)[np.sort(rows)] for name, column in columns.items()}
        for rows in (order[count:], order[:count])
    )
    return training, validation
