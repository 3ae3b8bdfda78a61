"""The KL term of the ELBO in two parts: aggregate posterior against prior, and the information in the codes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.batching import batch_slices

from ..types import Progress, no_progress
from .log_likelihood import ImageNoise
from .mixture_density import log_density
from .standard_error import standard_error

tfd = tfp.distributions

# pairs of a code and a component in memory at a time
PAIRS_PER_PASS = 2**22
CODES_PER_PASS = 4096


class ElboSurgery(NamedTuple):
    """KL(q(z|x) || p(z)), averaged over images, and its two parts.

    Attributes:
        kl: the average, nats per image: `kl_aggregate + information`, up to rounding.
        kl_aggregate: KL(q(z) || p(z)) in nats, with q(z) the mean of the posteriors of all images.
        information: I(image; z) under q in nats, between 0 and log(images).
        images: number of images.
        samples: codes per image.
        errors: standard errors of the three estimates; None for a single image.
    """

    kl: float
    kl_aggregate: float
    information: float
    images: int
    samples: int
    errors: tuple[float | None, float | None, float | None]


def elbo_surgery(
    model: Any,
    images: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    num_samples: int = 1,
    seed: int = 0,
    batch_size: int = 128,
    progress: Progress = no_progress,
) -> ElboSurgery:
    """Splits the KL term of the ELBO by Monte Carlo, for any posterior and prior.

        1/N sum_n KL(q(z|x_n) || p(z)) = KL(q(z) || p(z)) + I(n; z),   q(z) = 1/N sum_n q(z|x_n)

    All three are means over codes z sampled from each q(z|x_n): of log q(z|x_n) - log p(z), log q(z) - log p(z), and
    log q(z|x_n) - log q(z), with log q(z) the log-mean-exp over the posteriors of all N images. The decomposition is
    exact for these N images. As an estimate for the distribution of the images it is limited: N images show at most
    log N nats of information (9.2 for 10,000), and any further information counts as KL(q(z) || p(z)). Where
    `information` is close to log N, it is a lower bound.

    Args:
        model: with `sample_posterior`, `prior`, `posterior_of` and `label_of`, as `keras_gen.VAE` has them.
        images: float32 [num, height, width, channels] in [0, 1], num >= 1.
        labels: integers [num], for a class-conditional model.
        num_samples: codes per image, >= 1.
        seed: 0 <= seed < 2**31.
        batch_size: images that are encoded at a time.
        progress: called with (steps done, total), where a step encodes an image or compares a code with all posteriors.

    Returns:
        an ElboSurgery.

    Raises:
        ValueError: for no images or num_samples < 1.

    Reference:
        Hoffman, Johnson 2016, ELBO surgery, NeurIPS workshop on Advances in Approximate Bayesian Inference, section 3.
    """
    num = len(images)
    if num_samples < 1 or num == 0:
        raise ValueError(f"Expected images and num_samples >= 1; received {num} images and num_samples={num_samples}")
    encode = _encoder(model, num_samples)
    parts, total = [], num * (1 + num_samples)
    for rows in batch_slices(num, batch_size, lambda done, _: progress(done, total)):
        batch = {"image": tf.constant(images[rows], tf.float32)}
        if labels is not None:
            batch["label"] = tf.constant(labels[rows])
        indices = tf.range(len(batch["image"])) + rows.start
        parts.append(encode(batch["image"], model.label_of(batch), indices, tf.constant([seed, 1])))
    posteriors, codes, log_own = zip(*parts, strict=True)
    codes = tf.reshape(tf.concat(codes, axis=1), [-1, model.latent_size])
    log_own = tf.reshape(tf.concat(log_own, axis=1), [-1])
    aggregate = _mixture(posteriors)
    # TFP computes a matrix for each pair where the components have full covariance
    size = 1 if isinstance(aggregate.components_distribution, tfd.Independent) else model.latent_size**2
    codes_per_pass = max(1, PAIRS_PER_PASS // (num * size))
    log_aggregate = _evaluate_in_passes(
        tf.function(log_density(aggregate)), codes, codes_per_pass, lambda done, _: progress(num + done, total)
    )
    log_prior = _evaluate_in_passes(log_density(model.prior.distribution(model.posterior_of)), codes, CODES_PER_PASS)
    differences = (log_own - log_prior, log_aggregate - log_prior, log_own - log_aggregate)
    terms = [np.asarray(term, np.float64).reshape(num_samples, num).mean(axis=0) for term in differences]
    kl, kl_aggregate, information = (float(term.mean()) for term in terms)
    errors = (standard_error(terms[0]), standard_error(terms[1]), standard_error(terms[2]))
    return ElboSurgery(kl, kl_aggregate, information, num, num_samples, errors)


def _encoder(model: Any, num_samples: int) -> Callable[..., Any]:
    """Returns a graph from images to posterior, codes [num_samples, batch, size] and their log q."""

    @tf.function(reduce_retracing=True)
    def encode(image, label, indices, seed):
        q, codes = model.sample_posterior(image, label, ImageNoise(seed, indices), num_samples)
        return q, codes, q.log_prob(codes)

    return encode


def _mixture(posteriors: tuple[Any, ...]) -> Any:
    """Returns the equally weighted mixture of batches of posteriors of one family."""
    flat = [tf.nest.flatten(q, expand_composites=True) for q in posteriors]
    joined = [tf.concat(column, axis=0) for column in zip(*flat, strict=True)]
    q = tf.nest.pack_sequence_as(posteriors[0], joined, expand_composites=True)
    return tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros([q.batch_shape[0]])), q)


def _evaluate_in_passes(
    function: Callable[[tf.Tensor], tf.Tensor], codes: tf.Tensor, codes_per_pass: int, progress: Progress = no_progress
) -> tf.Tensor:
    return tf.concat([function(codes[rows]) for rows in batch_slices(len(codes), codes_per_pass, progress)], axis=0)
