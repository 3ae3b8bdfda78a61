"""What a system offers to the outside: named functions without random operations, ready to be exported."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from keras_gen.distributions.noise import KINDS as NOISE_KINDS

KINDS = ("image", "latent", *NOISE_KINDS, "label", "attributes", "share", "value")
BOUNDED = ("image", "uniform", "one_hot", "label", "attributes", "share")


@dataclasses.dataclass(frozen=True)
class Port:
    """One input or output of an endpoint; always float32.

    Attributes:
        shape: its shape for one example, without the batch.
        kind: `"image"` (in [0, 1]; patches of an image too), `"latent"` (a code), `"normal"`, `"uniform"`, `"uniform_symmetric"`
            or `"one_hot"` (base noise, see `keras_gen.distributions.Noise`), `"label"` (one-hot class), `"attributes"`
            (classes and attributes in groups, each in [0, 1], see `Attributes`), `"share"` (how far something is
            there, in [0, 1]: a mask), or `"value"` (anything else).
    """

    shape: tuple[int, ...]
    kind: str

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"Unknown kind {self.kind!r}: expected one of {', '.join(KINDS)}")
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))

    @property
    def range(self) -> tuple[float, float] | None:
        """Smallest and largest value, or None where there is no bound."""
        if self.kind == "uniform_symmetric":
            return -1.0, 1.0
        return (0.0, 1.0) if self.kind in BOUNDED else None


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A named function from tensors to tensors.

    Attributes:
        name: `encode`, `decode`, `reconstruct`, `generate`, ...
        function: keyword tensors [batch, *shape], one for each input -> dict of tensors, one for each output.
            It holds no random operation: base noise is an input.
        inputs, outputs: name -> Port.
    """

    name: str
    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, Port]
    outputs: dict[str, Port]

    def specification(self, batch: int | None = None) -> dict[str, tf.TensorSpec]:
        """Input name -> tf.TensorSpec with the given batch size (None: any)."""
        return {name: tf.TensorSpec([batch, *port.shape], tf.float32, name=name) for name, port in self.inputs.items()}
