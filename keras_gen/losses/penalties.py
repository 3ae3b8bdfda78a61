"""Gradient penalties by name, each with its weight and the noise that it needs."""

import dataclasses
from collections.abc import Callable, Sequence

import tensorflow as tf

from keras_gen.distributions.noise import Noise

from . import gradient_penalty
from .gradient_penalty import Discriminator


@dataclasses.dataclass(frozen=True)
class Penalty:
    """A weighted gradient penalty.

    Attributes:
        name: its name in the registry.
        weight: what its value is multiplied by, > 0.
        formula: (discriminator, real, generated, noise, deviation) -> [batch], unweighted.
        noise: shape of one point -> {name: Noise}, what one example needs.
        needs_deviation: it reads the standard deviation of all real pixels of the global batch.
    """

    name: str
    weight: float
    formula: Callable[..., tf.Tensor]
    noise: Callable[[Sequence[int]], dict[str, Noise]] = lambda shape: {}
    needs_deviation: bool = False

    def rows(
        self,
        discriminator: Discriminator,
        real: tf.Tensor,
        generated: tf.Tensor,
        noise: dict[str, tf.Tensor],
        deviation: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Weight times penalty, to be added to the discriminator's loss.

        Args:
            discriminator: points [batch, ...] -> logits [batch].
            real, generated: [batch, ...], what the discriminator is given; the penalty takes what it is defined on.
            noise: {name: [batch, *shape]} for `noise(shape of one point)`.
            deviation: scalar; due where `needs_deviation`, else not read.

        Returns:
            float32 [batch], >= 0.

        Raises:
            ValueError: for missing noise or deviation, and as the penalty itself.
        """
        missing = [name for name in self.noise(real.shape[1:]) if name not in noise]
        if missing or (self.needs_deviation and deviation is None):
            missing += ["deviation"] if self.needs_deviation and deviation is None else []
            raise ValueError(f"penalty {self.name!r} needs {', '.join(missing)}")
        return self.weight * self.formula(discriminator, real, generated, noise, deviation)


def wgan_gp(weight: float = 10.0) -> Penalty:
    """Slope 1 between real and generated examples, see `gradient_penalty.wgan_gp`; the paper's weight is 10."""
    return Penalty(
        "wgan_gp",
        weight,
        lambda discriminator, real, generated, noise, deviation: gradient_penalty.wgan_gp(
            discriminator, real, generated, noise["alpha"]
        ),
        noise=lambda shape: {"alpha": Noise("uniform", (1,))},
    )


def r1(gamma: float = 10.0) -> Penalty:
    """gamma / 2 times the squared slope at real examples, see `gradient_penalty.r1`; the weight is gamma / 2."""
    return Penalty(
        "r1",
        gamma / 2,
        lambda discriminator, real, generated, noise, deviation: gradient_penalty.r1(discriminator, real),
    )


def r2(gamma: float = 10.0) -> Penalty:
    """gamma / 2 times the squared slope at generated examples, see `gradient_penalty.r2`; the weight is gamma / 2."""
    return Penalty(
        "r2",
        gamma / 2,
        lambda discriminator, real, generated, noise, deviation: gradient_penalty.r2(discriminator, generated),
    )


def dragan(weight: float = 10.0, scale: float = 0.5) -> Penalty:
    """Slope 1 around real examples, see `gradient_penalty.dragan`; the usual weight is 10."""
    if not scale > 0:
        raise ValueError(f"penalty 'dragan': scale must be > 0; received {scale!r}")
    return Penalty(
        "dragan",
        weight,
        lambda discriminator, real, generated, noise, deviation: gradient_penalty.dragan(
            discriminator, real, noise["perturbation"], deviation, noise["alpha"], scale
        ),
        noise=lambda shape: {"alpha": Noise("uniform", (1,)), "perturbation": Noise("normal", tuple(shape))},
        needs_deviation=True,
    )


PENALTIES = {"wgan_gp": wgan_gp, "r1": r1, "r2": r2, "dragan": dragan}


def get(penalty: str | dict | Penalty) -> Penalty:
    """The penalty of a name, or of a dict with its `name` and arguments; a `Penalty` is returned as it is.

    Args:
        penalty: a key of `PENALTIES`, or e.g. `{"name": "r1", "gamma": 1.0}`.

    Raises:
        ValueError: for an unknown name, unknown arguments, or a weight that is not > 0.
    """
    if isinstance(penalty, Penalty):
        return penalty
    arguments = dict(penalty) if isinstance(penalty, dict) else {"name": penalty}
    name = arguments.pop("name", None)
    if name not in PENALTIES:
        raise ValueError(
            f"Unknown penalty {penalty!r}: expected one of {', '.join(PENALTIES)}, or a dict with such a 'name'"
        )
    try:
        found = PENALTIES[name](**arguments)
    except TypeError as error:
        raise ValueError(f"penalty {name!r} does not take the arguments {arguments}: {error}") from error
    if not found.weight > 0:
        raise ValueError(f"penalty {name!r}: its weight must be > 0; received {arguments}")
    return found
