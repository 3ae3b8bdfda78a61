"""The functions of a model that are exported: named, and without random operations."""

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf

from keras_gen.distributions.noise import Noise
from keras_gen.runtime.description import KINDS


@dataclasses.dataclass(frozen=True)
class Port:
    """One input or output of an endpoint; always float32.

    Attributes:
        shape: Shape for one example, without the batch.
        kind: `"image"` (an image or a patch of one, in [0, 1]), `"latent"` (a code), `"normal"`, `"uniform"`,
            `"uniform_symmetric"` or `"one_hot"` (base noise, see `keras_gen.distributions.Noise`), `"label"` (a one-hot
            class), `"attributes"` (classes and attributes in groups, each in [0, 1]), `"mask"` (presence, in [0, 1]),
            or `"value"` (anything else).
    """

    shape: tuple[int, ...]
    kind: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Expected kind as one of {', '.join(KINDS)}; received {self.kind!r}")
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))

    @property
    def range(self) -> tuple[float, float] | None:
        """The smallest and the largest value, or None for unbounded values."""
        limits = KINDS[self.kind]
        return None if limits is None else (float(limits[0]), float(limits[1]))


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A named function from tensors to tensors.

    Attributes:
        name: `encode`, `decode`, `reconstruct`, `generate`, ...
        function: Keyword tensors [batch, *shape], one for each input -> dict of tensors, one for each output. It
            contains no random operation: base noise is an input.
        inputs: {name: Port}.
        outputs: {name: Port}.
    """

    name: str
    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, Port]
    outputs: dict[str, Port]

    def specification(self, batch: int | None = None) -> dict[str, tf.TensorSpec]:
        """Returns {input: tf.TensorSpec}.

        Args:
            batch: Batch size; None for any.
        """
        return {name: tf.TensorSpec([batch, *port.shape], tf.float32, name=name) for name, port in self.inputs.items()}


def noise_ports(noise: Mapping[str, Noise]) -> dict[str, Port]:
    """Returns the inputs of an endpoint for base noise, {input: Noise} -> {input: Port}."""
    return {name: Port(each.shape, each.kind) for name, each in noise.items()}
