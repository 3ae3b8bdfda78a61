"""The prior-fitting term in two parts: all codes together against the prior, and what a code keeps of its image."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from .log_likelihood import ImageDraws
from .mixture_density import log_density
from .standard_error import standard_error

tfd = tfp.distributions

# pairs of a code and a component that are held at a time
PAIRS = 2**22


class PriorFitting(NamedTuple):
    """KL(q(z|x) || p(z)), averaged over images, and its two parts; each with the standard error of its estimate.

    kl: the average, nats per image: `kl_aggregate + information`, up to rounding.
    kl_aggregate: KL(q(z) || p(z)), with q(z) the mean of the posteriors of all images, nats.
    information: I(image; z) under q, nats; between 0 and log(images).
    images, draws: images evaluated, and codes drawn for each.
    errors: standard errors of the three; None for a single image.
    """

    kl: float
    kl_aggregate: float
    information: float
    images: int
    draws: int
    errors: tuple[float | None, float | None, float | None]


def prior_fitting(
    model,
    images: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    draws: int = 1,
    seed: int = 0,
    batch_size: int = 128,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PriorFitting:
    """Split the prior-fitting term by Monte Carlo, for any posterior and prior.

        1/N sum_n KL(q(z|x_n) || p(z)) = KL(q(z) || p(z)) + I(n; z),   q(z) = 1/N sum_n q(z|x_n)

    All three are means over codes z drawn from each q(z|x_n): of log q(z|x_n) - log p(z), log q(z) - log p(z), and
    log q(z|x_n) - log q(z), with log q(z) the log-mean-exp over the posteriors of all N images. The split is exact for
    the N images given. As an estimate for the distribution that the images come from it has a limit: N images cannot
    show more than log N nats of information (9.2 for 10,000), and what is missing there is counted as KL(q(z) || p(z)).
    Where `information` comes close to log N, read it as "at least".

    Args:
        model: with `posterior_draws`, `prior` and `posterior_of`, as `keras_gen.VAE` has them.
        images: float32 [num, height, width, channels] in [0, 1].
        labels: integers [num], where the model is conditional.
        draws: codes for each image, >= 1.
        seed: 0 <= seed < 2**31.
        batch_size: images encoded at a time.
        progress: called with (steps done, all of them): images encoded, and codes compared with all posteriors.

    Returns:
        A PriorFitting.

    Raises:
        ValueError: for no images or draws < 1.

    Reference:
        Hoffman, Johnson 2016, ELBO surgery, NeurIPS workshop on Advances in Approximate Bayesian Inference, section 3.
    """
    if draws < 1 or len(images) == 0:
        raise ValueError(f"Expected images and draws >= 1; received {len(images)} images and draws={draws}")
    encode = _encoder(model, draws)
    parts, total = [], len(images) * (1 + draws)
    for start in range(0, len(images), batch_size):
        progress(start, total)
        batch = {"image": tf.constant(images[start : start + batch_size], tf.float32)}
        if labels is not None:
            batch["label"] = tf.constant(labels[start : start + batch_size])
        indices = tf.range(len(batch["image"])) + start
        parts.append(encode(batch["image"], model.label_of(batch), indices, tf.constant([seed, 1])))
    codes = tf.reshape(tf.concat([part[1] for part in parts], axis=1), [-1, model.latent_size])
    log_own = tf.reshape(tf.concat([part[2] for part in parts], axis=1), [-1])
    together = _mixture([part[0] for part in parts])
    # TFP holds a matrix for each pair where the components have full covariance
    size = 1 if isinstance(together.components_distribution, tfd.Independent) else model.latent_size**2
    chunk = max(1, PAIRS // (len(images) * size))
    log_all = _in_chunks(
        tf.function(log_density(together)), codes, chunk, lambda done: progress(len(images) + done, total)
    )
    log_prior = _in_chunks(log_density(model.prior.distribution(model.posterior_of)), codes, 4096)
    terms = [log_own - log_prior, log_all - log_prior, log_own - log_all]
    terms = [np.asarray(term, np.float64).reshape(draws, len(images)).mean(axis=0) for term in terms]
    errors = tuple(standard_error(term) for term in terms)
    return PriorFitting(*(float(term.mean()) for term in terms), len(images), draws, errors)


def _encoder(model, draws: int):
    """Images -> posterior, codes [draws, batch, size] and their log q, as a graph."""

    @tf.function(reduce_retracing=True)
    def encode(image, label, indices, seed):
        q, codes = model.posterior_draws(image, label, ImageDraws(seed, indices), draws)
        return q, codes, q.log_prob(codes)

    return encode


def _mixture(posteriors: list[tfd.Distribution]) -> tfd.Distribution:
    """The equally weighted mixture of batches of posteriors of one family."""
    flat = [tf.nest.flatten(q, expand_composites=True) for q in posteriors]
    joined = [tf.concat(column, axis=0) for column in zip(*flat, strict=True)]
    q = tf.nest.pack_sequence_as(posteriors[0], joined, expand_composites=True)
    return tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros([q.batch_shape[0]])), q)


def _in_chunks(function, codes: tf.Tensor, rows: int, progress=lambda done: None) -> tf.Tensor:
    parts = []
    for start in range(0, len(codes), rows):
        progress(start)
        parts.append(function(codes[start : start + rows]))
    return tf.concat(parts, axis=0)
