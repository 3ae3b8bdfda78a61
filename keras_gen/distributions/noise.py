"""Base noise, generated on the host: the same numbers in Keras, in a SavedModel and in the TensorFlow-free runtime."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_gen.runtime import noise as runtime_noise
from keras_gen.runtime.noise import NOISE_KINDS as KINDS


@dataclasses.dataclass(frozen=True)
class Noise:
    """One input of base noise.

    Attributes:
        kind: `"normal"` (standard), `"uniform"` (on [0, 1)), `"uniform_symmetric"` (uniform on [-1, 1)), or `"one_hot"`
            (one of `shape[0]` classes with equal probability).
        shape: shape for one image, without the batch; (classes,) for `"one_hot"`.

    Raises:
        ValueError: for an unknown kind, or a one-hot shape that is not (classes,).
    """

    kind: str
    shape: tuple[int, ...]

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"Expected kind as one of {', '.join(KINDS)}; received {self.kind!r}")
        if self.kind == "one_hot" and len(self.shape) != 1:
            raise ValueError(f"Expected shape as (classes,) for one-hot noise; received {self.shape}")


def noise_inputs(specification: Mapping[str, Noise]) -> list[dict[str, Any]]:
    """Returns base noise as model.json describes it, one stream for each input in the order of the specification.

    Args:
        specification: input name -> Noise.

    Returns:
        `name`, `stream`, `kind` and `shape` of each input, see `keras_gen.runtime.noise.draw_noise`.
    """
    return [
        {"name": name, "stream": stream, "kind": noise.kind, "shape": list(noise.shape)}
        for stream, (name, noise) in enumerate(specification.items())
    ]


def draw_noise(specification: Mapping[str, Noise], num: int, seed: int) -> dict[str, np.ndarray]:
    """Returns base noise from numpy's Philox, one stream for each input in the order of the specification.

    The first rows do not depend on `num`: with the same seed, the first image of 1 is the first image of 64.

    Args:
        specification: input name -> Noise.
        num: number of rows, >= 0.
        seed: 0 <= seed < 2**63.

    Returns:
        input name -> float32 [num, *shape].
    """
    return runtime_noise.draw_noise(noise_inputs(specification), num, seed)


def noise_from_value(name: str, noise: Noise, value: Any, num: int) -> np.ndarray:
    """Returns user-specified noise: one value for all rows, or one for each.

    Args:
        name: name of the input, for errors.
        noise: kind and shape of the input.
        value: array of the shape `noise.shape` or [num, *noise.shape]; classes may be indices.
        num: number of rows.

    Returns:
        float32 [num, *noise.shape].

    Raises:
        ValueError: for another shape, or values outside the noise's range.
    """
    array = np.asarray(value)
    if noise.kind == "one_hot" and array.dtype.kind in "iu" and array.ndim < 2:
        if array.size and not 0 <= array.min() <= array.max() < noise.shape[0]:
            raise ValueError(f"Expected {name} as classes from 0 to {noise.shape[0] - 1}; received {value!r}")
        array = np.eye(noise.shape[0])[array]
    array = array.astype(np.float32)
    if array.shape not in (tuple(noise.shape), (num, *noise.shape)):
        raise ValueError(
            f"Expected {name} of the shape {tuple(noise.shape)}, or {(num, *noise.shape)} with one value for each "
            f"image; received {array.shape}"
        )
    low = {"normal": -np.inf, "uniform_symmetric": -1.0}.get(noise.kind, 0.0)
    if not np.all((array >= low) & (array <= (np.inf if noise.kind == "normal" else 1.0))):
        raise ValueError(
            f"Expected {name} as {noise.kind} noise; received values from {array.min():g} to {array.max():g}"
        )
    return np.broadcast_to(array, (num, *noise.shape)).copy()
