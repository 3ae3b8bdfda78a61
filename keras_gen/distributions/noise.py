"""Base noise, drawn on the host: the same numbers in Keras, in a SavedModel and in the TensorFlow-free runtime."""

import dataclasses

import numpy as np

from keras_gen.runtime import noise as runtime_noise
from keras_gen.runtime.noise import NOISE_KINDS as KINDS


@dataclasses.dataclass(frozen=True)
class Noise:
    """One input of base noise.

    Attributes:
        kind: `"normal"` (standard), `"uniform"` (on [0, 1)), `"uniform_symmetric"` (uniform on [-1, 1)), or `"one_hot"` (one of
            `shape[0]` classes, all as likely).
        shape: its shape for one image, without the batch; one number for `"one_hot"`.
    """

    kind: str
    shape: tuple[int, ...]

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"Unknown kind of noise {self.kind!r}: expected one of {', '.join(KINDS)}")
        if self.kind == "one_hot" and len(self.shape) != 1:
            raise ValueError(f"Noise of the kind 'one_hot' has the shape (classes,); received {self.shape}")


def draw_noise(specification: dict[str, Noise], num: int, seed: int) -> dict[str, np.ndarray]:
    """Draw base noise with numpy's Philox, one stream for each input in the order of the specification.

    The first rows do not depend on `num`: with the same seed, the first image of 1 is the first image of 64.

    Args:
        specification: input name -> Noise.
        num: rows to draw, >= 0.
        seed: 0 <= seed < 2**63.

    Returns:
        Input name -> float32 [num, *shape].
    """
    inputs = [
        {"name": name, "stream": stream, "kind": noise.kind, "shape": noise.shape}
        for stream, (name, noise) in enumerate(specification.items())
    ]
    return runtime_noise.draw_noise(inputs, num, seed)


def given_noise(name: str, noise: Noise, value, num: int) -> np.ndarray:
    """Noise that the caller gives: one value for all rows, or one for each; a class may be given as its index.

    Returns:
        float32 [num, *noise.shape].

    Raises:
        ValueError: for another shape, or values outside the noise's range.
    """
    array = np.asarray(value)
    if noise.kind == "one_hot" and array.dtype.kind in "iu" and array.ndim < 2:
        if array.size and not 0 <= array.min() <= array.max() < noise.shape[0]:
            raise ValueError(f"{name} must be classes from 0 to {noise.shape[0] - 1}; received {value!r}")
        array = np.eye(noise.shape[0])[array]
    array = array.astype(np.float32)
    if array.shape not in (tuple(noise.shape), (num, *noise.shape)):
        raise ValueError(
            f"{name} must have the shape {tuple(noise.shape)}, or {(num, *noise.shape)} with one for each image; "
            f"received {array.shape}"
        )
    low = {"normal": -np.inf, "uniform_symmetric": -1.0}.get(noise.kind, 0.0)
    if not np.all((array >= low) & (array <= (np.inf if noise.kind == "normal" else 1.0))):
        raise ValueError(f"{name} is {noise.kind} noise; received values from {array.min():g} to {array.max():g}")
    return np.broadcast_to(array, (num, *noise.shape)).copy()
