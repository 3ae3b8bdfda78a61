"""Base noise, drawn on the host: the same numbers in Keras, in a SavedModel and in the TensorFlow-free runtime."""

import dataclasses

import numpy as np

KINDS = ("normal", "uniform")


@dataclasses.dataclass(frozen=True)
class Noise:
    """One input of base noise.

    Attributes:
        kind: `"normal"` (standard) or `"uniform"` (on [0, 1)).
        shape: its shape for one image, without the batch.
    """

    kind: str
    shape: tuple[int, ...]

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"Unknown kind of noise {self.kind!r}: expected one of {', '.join(KINDS)}")


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
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be an integer with 0 <= seed < 2**63; received {seed!r}")
    drawn = {}
    for stream, (name, noise) in enumerate(specification.items()):
        generator = np.random.Generator(np.random.Philox(key=np.array([seed, stream], np.uint64)))
        draw = generator.standard_normal if noise.kind == "normal" else generator.random
        drawn[name] = draw((num, *noise.shape), dtype=np.float32)
    return drawn
