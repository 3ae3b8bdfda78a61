"""Registry of adversarial objectives.

In the formulas, C is the discriminator's logit of an example, D = sigmoid(C) the probability that it is real, r a real
and g a generated example, softplus(x) = log(1 + exp(x)); -log D = softplus(-C) and -log(1 - D) = softplus(C).
"""

import math
from collections.abc import Callable

import tensorflow as tf

from .objective import Logits, Objective


def minimax(label_smoothing: float = 0.0) -> Objective:
    """Returns the minimax objective, whose generator loss saturates where the discriminator is confident.

        discriminator: -log D(r) - log(1 - D(g))      generator: log(1 - D(g))

    The value function is V(D) = -(mean discriminator loss): -log 4 where D = 1/2 everywhere, and 2 JSD - log 4 at the
    optimal discriminator D* = p / (p + q), with JSD in nats.

    Args:
        label_smoothing: s, 0 <= s < 1/2: the discriminator's target for real examples is 1 - s (one-sided: that of
            generated examples stays 0), and the optimal discriminator is (1 - s) p / (p + q).

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, eq. 1 and theorem 1.
        Salimans et al. 2016, Improved Techniques for Training GANs, arXiv:1606.03498, section 3.4 (smoothing).
    """
    return _cross_entropy("minimax", label_smoothing, lambda logits: -tf.nn.softplus(logits.generated))


def non_saturating(label_smoothing: float = 0.0) -> Objective:
    """Returns the non-saturating objective: the minimax discriminator, and a generator that maximizes log D(g).

        discriminator: -log D(r) - log(1 - D(g))      generator: -log D(g)

    Args:
        label_smoothing: as in `minimax`.

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661, section 3.
    """
    return _cross_entropy("non_saturating", label_smoothing, lambda logits: tf.nn.softplus(-logits.generated))


def least_squares(label_smoothing: float = 0.0) -> Objective:
    """Returns the least-squares objective with the 0-1 coding, on the logit itself: a = 0, b = 1, c = 1.

    a and b are the discriminator's targets for generated and real examples, c is the generator's target.

        discriminator: (C(r) - b)^2 / 2 + (C(g) - a)^2 / 2      generator: (C(g) - c)^2 / 2

    Args:
        label_smoothing: s, 0 <= s < 1/2: b = 1 - s in the discriminator's loss only.

    Reference:
        Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076, eq. 2 with a=0, b=c=1.
    """
    real = 1.0 - _check_smoothing("least_squares", label_smoothing)
    return Objective(
        "least_squares",
        lambda logits: (tf.square(logits.real - real) + tf.square(logits.generated)) / 2,
        lambda logits: tf.square(logits.generated - 1.0) / 2,
        boundaries=lambda logits: (real / 2, real / 2),  # C* = b p / (p + q) where p = q
    )


def hinge() -> Objective:
    """Returns the hinge objective: margins of 1 around 0 for the discriminator, a linear loss for the generator.

        discriminator: max(0, 1 - C(r)) + max(0, 1 + C(g))      generator: -C(g)

    Reference:
        Lim, Ye 2017, Geometric GAN, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, section 4.
    """
    return Objective(
        "hinge",
        lambda logits: tf.nn.relu(1.0 - logits.real) + tf.nn.relu(1.0 + logits.generated),
        lambda logits: -logits.generated,
        boundaries=lambda logits: (0.0, 0.0),
    )


def wasserstein(drift: float = 0.0) -> Objective:
    """Returns the dual form of the Wasserstein-1 distance, whose critic C must be 1-Lipschitz.

        discriminator: C(g) - C(r) + drift C(r)^2      generator: -C(g)

    The critic needs a gradient penalty or spectral normalization. C is determined up to a constant, so the boundary of
    `accuracy` is the midpoint of the two means. A critic is trained towards its optimum, so a high accuracy is not a
    sign of failure.

    Args:
        drift: >= 0; a small value keeps C near 0, from which it would otherwise drift. ProGAN uses 0.001.

    Raises:
        ValueError: for a drift below 0 or not finite.

    Reference:
        Arjovsky, Chintala, Bottou 2017, Wasserstein GAN, arXiv:1701.07875, eq. 2. Karras, Aila, Laine, Lehtinen 2018,
        arXiv:1710.10196, appendix A.1 (drift).
    """
    if not 0 <= drift < math.inf:
        raise ValueError(f"Expected drift >= 0 and finite for the objective 'wasserstein'; received {drift!r}")

    def midpoint(logits: Logits) -> tuple:
        center = (logits.real_mean + logits.generated_mean) / 2
        return center, center

    return Objective(
        "wasserstein",
        lambda logits: logits.generated - logits.real + (drift * tf.square(logits.real) if drift else 0.0),
        lambda logits: -logits.generated,
        boundaries=midpoint,
        accuracy_needs_means=True,
    )


def relativistic_average(label_smoothing: float = 0.0) -> Objective:
    """Returns the relativistic average objective (RaSGAN), which compares logits with the mean of the other kind.

        D(r) = sigmoid(C(r) - mean C(g))      D(g) = sigmoid(C(g) - mean C(r))
        discriminator: -log D(r) - log(1 - D(g))      generator: -log D(g) - log(1 - D(r))

    The means are over the batch of all replicas, and gradients pass through them. `accuracy` compares a real logit with
    the mean of the generated logits, and a generated logit with the mean of the real ones.

    Args:
        label_smoothing: s, 0 <= s < 1/2: the target of D(r) in the discriminator's loss is 1 - s.

    Reference:
        Jolicoeur-Martineau 2018, The relativistic discriminator, arXiv:1807.00734, section 4.3.
    """
    smoothing = _check_smoothing("relativistic_average", label_smoothing)

    def relative(logits: Logits) -> tuple[tf.Tensor, tf.Tensor]:
        return logits.real - logits.generated_mean, logits.generated - logits.real_mean

    def discriminator(logits: Logits) -> tf.Tensor:
        real, generated = relative(logits)
        return _real_term(real, smoothing) + tf.nn.softplus(generated)

    def generator(logits: Logits) -> tf.Tensor:
        real, generated = relative(logits)
        return tf.nn.softplus(-generated) + tf.nn.softplus(real)

    return Objective(
        "relativistic_average",
        discriminator,
        generator,
        boundaries=lambda logits: (logits.generated_mean, logits.real_mean),
        needs_means=True,
        generator_needs_real=True,
        accuracy_needs_means=True,
    )


OBJECTIVES = {
    "minimax": minimax,
    "non_saturating": non_saturating,
    "least_squares": least_squares,
    "hinge": hinge,
    "wasserstein": wasserstein,
    "relativistic_average": relativistic_average,
}
WITH_LABEL_SMOOTHING = ("minimax", "non_saturating", "least_squares", "relativistic_average")


def get(objective: str | dict | Objective) -> Objective:
    """Returns the objective for a name, or for a dict with its `name` and arguments; returns an `Objective` unchanged.

    Args:
        objective: a key of `OBJECTIVES`, or e.g. `{"name": "non_saturating", "label_smoothing": 0.1}`.

    Raises:
        ValueError: for an unknown name or unknown arguments.
    """
    if isinstance(objective, Objective):
        return objective
    arguments = dict(objective) if isinstance(objective, dict) else {"name": objective}
    name = arguments.pop("name", None)
    if name not in OBJECTIVES:
        raise ValueError(
            f"Expected objective as one of {', '.join(OBJECTIVES)}, or a dict with such a 'name'; "
            f"received {objective!r}"
        )
    if "label_smoothing" in arguments and name not in WITH_LABEL_SMOOTHING:
        raise ValueError(
            f"Expected label_smoothing with one of {', '.join(WITH_LABEL_SMOOTHING)}; received it with {name!r}, which "
            "has no labels"
        )
    try:
        return OBJECTIVES[name](**arguments)
    except TypeError as error:
        raise ValueError(f"Expected arguments of the objective {name!r}; received {arguments}: {error}") from error


def _cross_entropy(name: str, label_smoothing: float, generator: Callable[[Logits], tf.Tensor]) -> Objective:
    smoothing = _check_smoothing(name, label_smoothing)
    boundary = math.log((1 - smoothing) / (1 + smoothing))  # the logit of D* = (1 - s) / 2, where p = q
    return Objective(
        name,
        lambda logits: _real_term(logits.real, smoothing) + tf.nn.softplus(logits.generated),
        generator,
        boundaries=lambda logits: (boundary, boundary),
    )


def _real_term(logits: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Returns the cross-entropy of sigmoid(logits) to the target 1 - s: -(1 - s) log D - s log(1 - D)."""
    return tf.nn.softplus(-logits) + smoothing * logits


def _check_smoothing(name: str, label_smoothing: float) -> float:
    if not 0 <= label_smoothing < 0.5:
        raise ValueError(
            f"Expected label_smoothing in [0, 0.5) for the objective {name!r}; received {label_smoothing!r}"
        )
    return label_smoothing
