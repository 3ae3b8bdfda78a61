"""Registry of gradient penalties of images, each with its weight and the noise that it needs.

Weights and targets of the gradient's norm have the papers' units, of images in [-1, 1]; the images here are in [0, 1].
With x' = 2 x - 1, dC/dx' = (dC/dx) / 2, so with g = ||dC/dx||

    gamma / 2 * ||dC/dx'||^2 = gamma / 8 * g^2        weight * (||dC/dx'|| - target)^2 = weight / 4 * (g - 2 target)^2
"""

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
        name: name in the registry.
        weight: factor of the penalty in the loss, > 0.
        formula: (discriminator, real, generated, noise, stddev) -> [batch], unweighted.
        noise: shape of one example -> {name: Noise}, the noise that one example needs.
        needs_stddev: whether it reads the standard deviation of all real pixels of the global batch.
    """

    name: str
    weight: float
    formula: Callable[..., tf.Tensor]
    noise: Callable[[Sequence[int]], dict[str, Noise]] = lambda shape: {}
    needs_stddev: bool = False

    def per_example(
        self,
        discriminator: Discriminator,
        real: tf.Tensor,
        generated: tf.Tensor,
        noise: dict[str, tf.Tensor],
        stddev: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns weight times penalty in the papers' units, to be added to the discriminator's loss.

        Args:
            discriminator: points [batch, ...] in the range of the images, [0, 1] -> logits [batch].
            real: real images in [0, 1], [batch, ...].
            generated: generated images of the same shape and range.
            noise: {name: [batch, *shape]} for `noise(shape of one example)`.
            stddev: scalar; required if `needs_stddev`, else not read.

        Returns:
            float32 [batch], >= 0.

        Raises:
            ValueError: for missing noise or a missing standard deviation, and the errors of the penalty itself.
        """
        missing = [name for name in self.noise(real.shape[1:]) if name not in noise]
        missing += ["stddev"] if self.needs_stddev and stddev is None else []
        if missing:
            raise ValueError(
                f"Expected {', '.join(missing)} for the penalty {self.name!r}; received the noise {sorted(noise)}"
            )
        # the formulas read only the gradient, and that of half the logit is the gradient with respect to 2 x - 1
        return self.weight * self.formula(lambda points: 0.5 * discriminator(points), real, generated, noise, stddev)


def wgan_gp(weight: float = 10.0, target: float = 1.0) -> Penalty:
    """Returns the penalty of gradient norms between real and generated examples, see `gradient_penalty.wgan_gp`.

    Args:
        weight: factor of the penalty, > 0; 10 in the paper.
        target: target of the gradient's norm, > 0; 1 in the paper.

    Raises:
        ValueError: for a target that is not > 0.
    """
    _check_target("wgan_gp", target)
    return Penalty(
        "wgan_gp",
        weight,
        lambda discriminator, real, generated, noise, stddev: gradient_penalty.wgan_gp(
            discriminator, real, generated, noise["alpha"], target
        ),
        noise=lambda shape: {"alpha": Noise("uniform", (1,))},
    )


def r1(gamma: float = 10.0) -> Penalty:
    """Returns gamma / 2 times the squared gradient norm at real examples, see `gradient_penalty.r1`.

    Args:
        gamma: twice the weight, > 0.
    """
    return Penalty(
        "r1",
        gamma / 2,
        lambda discriminator, real, generated, noise, stddev: gradient_penalty.r1(discriminator, real),
    )


def r2(gamma: float = 10.0) -> Penalty:
    """Returns gamma / 2 times the squared gradient norm at generated examples, see `gradient_penalty.r2`.

    Args:
        gamma: twice the weight, > 0.
    """
    return Penalty(
        "r2",
        gamma / 2,
        lambda discriminator, real, generated, noise, stddev: gradient_penalty.r2(discriminator, generated),
    )


def dragan(weight: float = 10.0, scale: float = 0.5, target: float = 1.0) -> Penalty:
    """Returns the penalty of gradient norms around real examples, see `gradient_penalty.dragan`.

    Args:
        weight: factor of the penalty, > 0; usually 10.
        scale: width of the perturbation in units of the data's standard deviation, > 0.
        target: target of the gradient's norm, > 0; usually 1.

    Raises:
        ValueError: for a scale or a target that is not > 0.
    """
    _check_target("dragan", target)
    if not scale > 0:
        raise ValueError(f"Expected scale > 0 for the penalty 'dragan'; received {scale!r}")
    return Penalty(
        "dragan",
        weight,
        lambda discriminator, real, generated, noise, stddev: gradient_penalty.dragan(
            discriminator, real, noise["perturbation"], stddev, noise["alpha"], scale, target
        ),
        noise=lambda shape: {"alpha": Noise("uniform", (1,)), "perturbation": Noise("normal", tuple(shape))},
        needs_stddev=True,
    )


PENALTIES = {"wgan_gp": wgan_gp, "r1": r1, "r2": r2, "dragan": dragan}


def get(penalty: str | dict | Penalty) -> Penalty:
    """Returns the penalty for a name, or for a dict with its `name` and arguments; returns a `Penalty` unchanged.

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
            f"Expected penalty as one of {', '.join(PENALTIES)}, or a dict with such a 'name'; received {penalty!r}"
        )
    try:
        result = PENALTIES[name](**arguments)
    except TypeError as error:
        raise ValueError(f"Expected arguments of the penalty {name!r}; received {arguments}: {error}") from error
    if not result.weight > 0:
        raise ValueError(f"Expected a weight > 0 for the penalty {name!r}; received {arguments}")
    return result


def _check_target(name: str, target: float) -> None:
    if not target > 0:
        raise ValueError(f"Expected target > 0 for the penalty {name!r}; received {target!r}")
