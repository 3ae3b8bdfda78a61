"""Penalties on the gradient of the discriminator's logit with respect to its input, one value per example.

The functions take the discriminator as a function of its input alone, points [batch, ...] of any rank -> logits
[batch]; a conditional discriminator is a closure over its labels. The penalties are UNWEIGHTED. Gradients have the
units of the points; `Penalty.per_example` converts those of images in [0, 1] to the papers' units. The gradient is
computed in float32 at constant points, so only the discriminator is penalized; an outer tape differentiates it again.
Batch normalization mixes the examples of a batch, so the penalty would not be a function of each example: use layer,
instance or spectral normalization.
"""

from collections.abc import Callable

import tensorflow as tf

Discriminator = Callable[[tf.Tensor], tf.Tensor]

SQUARE_FLOOR = 1e-12


def wgan_gp(
    discriminator: Discriminator, real: tf.Tensor, generated: tf.Tensor, alpha: tf.Tensor, target: float = 1.0
) -> tf.Tensor:
    """Returns (||grad C(x)|| - target)^2 at x = alpha * real + (1 - alpha) * generated.

    Args:
        discriminator: points -> logits [batch].
        real: real examples, [batch, ...].
        generated: generated examples of the same shape.
        alpha: uniform on [0, 1), one number per example: [batch], or [batch, 1, ...].
        target: target of the gradient's norm, > 0; 1 in the paper.

    Returns:
        float32 [batch], >= 0. The paper's weight is 10.

    Raises:
        ValueError: for shapes that do not match, or logits that are not [batch] or do not depend on the points.

    Reference:
        Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028, eq. 3 and algorithm 1.
    """
    real, generated = _points("real", real), _points("generated", generated)
    if not real.shape.is_compatible_with(generated.shape):
        raise ValueError(f"Expected real and generated of one shape; received {real.shape} and {generated.shape}")
    alpha = _per_example(alpha, real)
    return tf.square(_norm(discriminator, alpha * real + (1.0 - alpha) * generated) - target)


def r1(discriminator: Discriminator, real: tf.Tensor) -> tf.Tensor:
    """Returns ||grad C(x)||^2 at real x, without the weight gamma / 2 of the paper.

    Args:
        discriminator: points -> logits [batch].
        real: real examples, [batch, ...].

    Returns:
        float32 [batch], >= 0. The weight gamma / 2 gives the paper's R1 (gamma = 10 for its images, a weight of 5; its
            published code uses a weight of 10).

    Raises:
        ValueError: as in `wgan_gp`.

    Reference:
        Mescheder, Geiger, Nowozin 2018, Which Training Methods for GANs do actually Converge?, arXiv:1801.04406,
        eq. 9.
    """
    return _squared_gradient_norm(discriminator, _points("real", real))


def r2(discriminator: Discriminator, generated: tf.Tensor) -> tf.Tensor:
    """Returns ||grad C(x)||^2 at generated x, without the weight gamma / 2 of the paper.

    Args:
        discriminator: points -> logits [batch].
        generated: generated examples, [batch, ...]; the generator gets no gradient.

    Returns:
        float32 [batch], >= 0. The weight gamma / 2 gives the paper's R2.

    Raises:
        ValueError: as in `wgan_gp`.

    Reference:
        Mescheder, Geiger, Nowozin 2018, arXiv:1801.04406, eq. 10.
    """
    return _squared_gradient_norm(discriminator, _points("generated", generated))


def dragan(
    discriminator: Discriminator,
    real: tf.Tensor,
    noise: tf.Tensor,
    stddev: tf.Tensor,
    alpha: tf.Tensor,
    scale: float = 0.5,
    target: float = 1.0,
) -> tf.Tensor:
    """Returns (||grad C(x)|| - target)^2 around the real data, at x = real + alpha * scale * stddev * noise.

    With standard normal noise and alpha = 1 this is the paper's perturbation N(0, c I) with the standard deviation
    sqrt(c) = `scale` * `stddev`. With a uniform alpha the points lie between a real example and its perturbed copy.

    Args:
        discriminator: points -> logits [batch].
        real: real examples, [batch, ...].
        noise: standard normal noise of the same shape.
        stddev: scalar > 0, the standard deviation of all pixels of the global batch (over all replicas).
        alpha: as in `wgan_gp`.
        scale: width of the perturbation in units of `stddev`, > 0.
        target: as in `wgan_gp`.

    Returns:
        float32 [batch], >= 0. The usual weight is 10.

    Raises:
        ValueError: as in `wgan_gp`, or for a standard deviation that is not a scalar.

    Reference:
        Kodali, Abernethy, Hays, Kira 2017, On Convergence and Stability of GANs, arXiv:1705.07215, section 2.5
        (k = 1).
    """
    real, noise = _points("real", real), tf.cast(noise, tf.float32)
    if not real.shape.is_compatible_with(noise.shape):
        raise ValueError(f"Expected noise of the shape of real; received {noise.shape} and {real.shape}")
    stddev = tf.stop_gradient(tf.cast(stddev, tf.float32))
    if stddev.shape.rank != 0:
        raise ValueError(f"Expected stddev as a scalar over all examples and pixels; received the shape {stddev.shape}")
    perturbed = real + _per_example(alpha, real) * scale * stddev * noise
    return tf.square(_norm(discriminator, perturbed) - target)


def _points(name: str, values: tf.Tensor) -> tf.Tensor:
    values = tf.stop_gradient(tf.cast(values, tf.float32))
    if values.shape.rank is None or values.shape.rank < 2:
        raise ValueError(f"Expected {name} as [batch, ...] of rank 2 or more; received the shape {values.shape}")
    return values


def _per_example(alpha: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Returns alpha, [batch] or [batch, 1, ...], reshaped to the rank of the points, [batch, 1, ..., 1]."""
    alpha = tf.cast(alpha, tf.float32)
    shape = alpha.shape
    if not shape.rank or any(size != 1 for size in shape[1:]) or not shape[:1].is_compatible_with(points.shape[:1]):
        raise ValueError(
            f"Expected alpha with one number per example, [batch] or [batch, 1, ...]; received the shape {shape} for "
            f"points {points.shape}"
        )
    # the batch size of the points, so that one number for many examples does not broadcast
    batch = tf.shape(points)[0] if points.shape[0] is None else points.shape[0]
    return tf.reshape(alpha, [batch, *[1] * (points.shape.rank - 1)])


def _norm(discriminator: Discriminator, points: tf.Tensor) -> tf.Tensor:
    # the derivative of the root is infinite at 0, and infinity times the inner derivative 0 is NaN
    return tf.sqrt(tf.maximum(_squared_gradient_norm(discriminator, points), SQUARE_FLOOR))


def _squared_gradient_norm(discriminator: Discriminator, points: tf.Tensor) -> tf.Tensor:
    """Returns ||grad C(x)||^2 at every point, float32 [batch]."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(points)
        logits = discriminator(points)
    if logits.shape.rank != 1 or not logits.shape.is_compatible_with(points.shape[:1]):
        raise ValueError(
            f"Expected the discriminator to return logits [batch]; received {logits.shape} for points {points.shape}"
        )
    # the tape sums the logits, each of which depends on its own point alone
    gradient = tape.gradient(logits, points)
    if gradient is None:
        raise ValueError("Expected logits that depend on the discriminator's input; received logits without a gradient")
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, points.shape.rank)))
