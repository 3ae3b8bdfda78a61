"""Checks of arguments and of the input arrays of endpoints."""

from collections.abc import Mapping
from typing import Any

import numpy as np

ROUNDING = 1e-5  # how far rounding may carry a value beyond its range
_RESCALE = "scale them so that black is 0 and white is 1"


def is_integer(value: Any) -> bool:
    """Returns whether a value is an integer of Python or numpy; booleans are not."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_positive(name: str, value: Any) -> None:
    """Raises a ValueError if a value is not an integer >= 1."""
    if not is_integer(value) or value < 1:
        raise ValueError(f"Expected {name} as an integer >= 1; received {value!r}")


def check_inputs(signature: str, ports: Mapping[str, dict], inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Converts the inputs of an endpoint to float32 arrays with one common number of rows.

    Args:
        signature: name of the endpoint, for messages.
        ports: input name -> `shape`, `kind` and `range`, as in model.json.
        inputs: input name -> array [num, *shape]; for labels also classes, one for all rows or one for each.

    Returns:
        Input name -> float32 [num, *shape].

    Raises:
        ValueError: for missing or unknown inputs, and for shapes or values out of range.
    """
    missing, unknown = sorted(set(ports) - set(inputs)), sorted(set(inputs) - set(ports))
    if missing or unknown:
        problems = [*(f"{name} is missing" for name in missing), *(f"{name} is unknown" for name in unknown)]
        received = ", ".join(inputs) or "nothing"
        raise ValueError(
            f"{signature}: expected {', '.join(ports) or 'nothing'}; received {received}: {', '.join(problems)}"
        )
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    num = max((len(a) for name, a in arrays.items() if a.ndim == len(ports[name]["shape"]) + 1), default=1)
    arrays = {name: _check_array(f"{signature}: {name}", ports[name], array, num) for name, array in arrays.items()}
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) != 1 or not min(sizes.values()):
        raise ValueError(f"{signature}: expected inputs with one common number of rows >= 1; received {sizes}")
    return arrays


def _check_array(name: str, port: dict, array: np.ndarray, num: int) -> np.ndarray:
    shape = tuple(port["shape"])
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name}: expected numbers; received an array of {array.dtype}")
    if port["kind"] in ("label", "one_hot") and array.ndim < 2:
        array = _one_hot(name, array, shape[0], num)
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
        expected = ", ".join(("num", *map(str, shape)))
        remedy = "; add the batch axis: array[None]" if array.shape == shape else ""
        raise ValueError(f"{name}: expected the shape [{expected}]; received {list(array.shape)}{remedy}")
    array = np.ascontiguousarray(array, np.float32)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name}: expected finite values; received NaN or infinity")
    if port["range"] is not None and array.size:
        low, high = port["range"]
        if array.min() < low - ROUNDING or array.max() > high + ROUNDING:
            remedy = f"; {_scaling_remedy(array)}" if port["kind"] == "image" else ""
            raise ValueError(
                f"{name}: expected values between {low:g} and {high:g}; received {array.min():g} to "
                f"{array.max():g}{remedy}"
            )
    return array


def _one_hot(name: str, classes: np.ndarray, count: int, num: int) -> np.ndarray:
    if classes.dtype.kind not in "iu" or (classes.size and not 0 <= classes.min() <= classes.max() < count):
        raise ValueError(f"{name}: expected classes from 0 to {count - 1}; received {classes.tolist()}")
    return np.eye(count, dtype=np.float32)[np.broadcast_to(classes, (num,)) if classes.ndim == 0 else classes]


def _scaling_remedy(images: np.ndarray) -> str:
    """Returns how to bring images to [0, 1], guessed from their values."""
    if images.min() < 0:
        return "convert images in [-1, 1] by (x + 1) / 2" if images.min() >= -1 and images.max() <= 1 else _RESCALE
    return "divide 8-bit images by 255" if images.max() <= 255 else _RESCALE
