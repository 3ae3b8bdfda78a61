"""Gradient penalties of images by name, each with its weight and the noise that it needs.

Weights and target slopes are in the papers' units, of images in [-1, 1], while the images here are in [0, 1]. With
x' = 2 x - 1 the gradients are related by dC/dx' = (dC/dx) / 2, so with g = ||dC/dx||

    gamma / 2 * ||dC/dx'||^2 = gamma / 8 * g^2        weight * (||dC/dx'|| - target)^2 = weight / 4 * (g - 2 target)^2
"""

import dataclasses
from collections.abc import Callable, Sequence

import tensorflow as tf

from keras_gen.distributions.noise import Noise

from . import gradient_penalty
from .gradient_penalty import Discriminator

# of the papers' images, whose units weights and target slopes have
RANGE = (-1, 1)


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
        """Weight times penalty, to be added to the discriminator's loss, in the papers' units.

        Args:
            discriminator: points [batch, ...] in the range of the images, [0, 1] -> logits [batch].
            real, generated: [batch, ...], images in [0, 1]; the penalty takes what it is defined on.
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
        # all formulas read the discriminator's gradient alone, and half the logit has the gradient by 2 x - 1
        return self.weight * self.formula(lambda points: 0.5 * discriminator(points), real, generated, noise, deviation)


def wgan_gp(weight: float = 10.0, target: float = 1.0) -> Penalty:
    """Slope `target` between real and generated examples, see `gradient_penalty.wgan_gp`.

    The paper's weight is 10 and its slope 1.
    """
    _check_target("wgan_gp", target)
    return Penalty(
        "wgan_gp",
        weight,
        lambda discriminator, real, generated, noise, deviation: gradient_penalty.wgan_gp(
            discriminator, real, generated, noise["alpha"], target
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


def dragan(weight: float = 10.0, scale: float = 0.5, target: float = 1.0) -> Penalty:
    """Slope `target` around real examples, see `gradient_penalty.dragan`.

    The usual weight is 10 and the slope 1. `scale` is in units of the data's standard deviation and has no range.
    """
    _check_target("dragan", target)
    if not scale > 0:
        raise ValueError(f"penalty 'dragan': scale must be > 0; received {scale!r}")
    return Penalty(
        "dragan",
        weight,
        lambda discriminator, real, generated, noise, deviation: gradient_penalty.dragan(
            discriminator, real, noise["perturbation"], deviation, noise["alpha"], scale, target
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


def from_unit_range(penalty: str | dict | None) -> dict | None:
    """A penalty whose numbers are those of images in [0, 1] -> the same penalty in the papers' units.

    Models and runs that were saved before the penalties had the papers' units hold such numbers.

    Args:
        penalty: a name or a dict, as `get` takes it, or None.

    Returns:
        A dict with the same loss: gamma or weight is four times as large, and a target slope is half as large.
    """
    if penalty is None:
        return None
    arguments = dict(penalty) if isinstance(penalty, dict) else {"name": penalty}
    if arguments["name"] in ("r1", "r2"):
        return {**arguments, "gamma": 4.0 * arguments.get("gamma", 10.0)}
    return {**arguments, "weight": 4.0 * arguments.get("weight", 10.0), "target": 0.5}


def _check_target(name: str, target: float) -> None:
    if not target > 0:
        raise ValueError(f"penalty {name!r}: target must be > 0; received {target!r}")
