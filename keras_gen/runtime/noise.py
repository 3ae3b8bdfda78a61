"""Base noise from a seed: the same numbers in Keras, in a SavedModel and on a device."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .inputs import is_integer

NOISE_KINDS = ("normal", "uniform", "uniform_symmetric", "one_hot")


def draw_noise(inputs: Iterable[Mapping[str, Any]], num: int, seed: int) -> dict[str, np.ndarray]:
    """Draws base noise with numpy's Philox keyed by [seed, stream], one stream for each input.

    The first rows do not depend on `num`: with the same seed, the first row of 1 is the first row of 64.

    Args:
        inputs: `name`, `stream` (int >= 0), `kind` (one of `NOISE_KINDS`) and `shape` (without the batch) of each
            input, as in the `noise` of model.json.
        num: rows, >= 0.
        seed: 0 <= seed < 2**63.

    Returns:
        Input name -> float32 [num, *shape].

    Raises:
        ValueError: for a seed out of range, or an unknown kind.
    """
    if not is_integer(seed) or not 0 <= seed < 2**63:
        raise ValueError(f"Expected seed as an integer with 0 <= seed < 2**63; received {seed!r}")
    return {each["name"]: _draw(seed, each["stream"], each["kind"], (num, *each["shape"])) for each in inputs}


def step_seed(seed: int, step: int) -> int:
    """Returns the seed of the base noise of a sampling step, 0 <= seed < 2**63.

    Args:
        seed: the seed of `generate`, 0 <= seed < 2**63.
        step: number of the step, >= 0.
    """
    return int(np.random.SeedSequence([seed, step + 1]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def random_seed() -> int:
    """Returns a seed from the entropy of the operating system."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def _draw(seed: int, stream: int, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, stream], np.uint64)))
    if kind == "normal":
        return generator.standard_normal(shape, dtype=np.float32)
    if kind == "one_hot":
        return np.eye(shape[1], dtype=np.float32)[generator.integers(shape[1], size=shape[0])]
    if kind in ("uniform", "uniform_symmetric"):
        uniform = generator.random(shape, dtype=np.float32)
        return 2 * uniform - 1 if kind == "uniform_symmetric" else uniform
    raise ValueError(f"Expected the kind of noise as one of {', '.join(NOISE_KINDS)}; received {kind!r}")
