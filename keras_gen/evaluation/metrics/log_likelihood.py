"""The marginal log-likelihood of images by importance sampling, with the encoder's posterior as the proposal."""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from .mixture_density import log_density

# what one pass of the decoder puts out stays in a core's cache (float32 values; 2 MiB)
CACHED_VALUES = 2**19


class ImageDraws:
    """Noise that depends on (seed, image index) alone: the same for an image in whatever chunk it is evaluated.

    The interface of `keras_gen.models.BatchNoise`.

    Args:
        seed: int32 [2].
        indices: int32 [rows], the index of each image in the evaluated set.
    """

    def __init__(self, seed: tf.Tensor, indices: tf.Tensor):
        self.seed, self.indices, self.calls = seed, indices, 0

    def normal(self, shape) -> tf.Tensor:
        """Standard normal noise, float32 [rows, *shape]."""
        return self._draw(tf.random.stateless_normal, shape)

    def uniform(self, shape) -> tf.Tensor:
        """Uniform noise on [0, 1), float32 [rows, *shape]."""
        return self._draw(tf.random.stateless_uniform, shape)

    def _draw(self, function, shape) -> tf.Tensor:
        seed = tf.random.fold_in(self.seed, self.calls)
        self.calls += 1
        return tf.map_fn(
            lambda index: function(shape, tf.random.fold_in(seed, index), alg="philox"),
            self.indices,
            fn_output_signature=tf.TensorSpec(shape, tf.float32),
        )


def log_likelihood(
    model,
    images: np.ndarray,
    num_samples: int = 5000,
    *,
    labels: np.ndarray | None = None,
    seed: int = 0,
    codes_per_pass: int | None = None,
    first_index: int = 0,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """An estimate of log p(x) for each image, from `num_samples` codes of its posterior.

        log p(x) ~ log 1/k sum_i p(x | z_i) p(z_i) / q(z_i | x),   z_i ~ q(z | x)

    Its expectation is a lower bound of log p(x) that rises with k (with k = 1 it is the ELBO) and approaches it as k
    grows. Samples are worked off in chunks with a running log-sum-exp. The codes of an image depend on (seed, its
    index) alone, so neither `codes_per_pass` nor cutting the set into pieces changes the result (but for rounding).

    Args:
        model: with `posterior_draws`, `log_likelihood`, `prior` and `posterior_of`, as `keras_gen.VAE` has them.
        images: float32 [num, height, width, channels] in [0, 1], of the kind that the head is a likelihood of.
        num_samples: k >= 1.
        labels: integers [num], where the model is conditional.
        seed: 0 <= seed < 2**31.
        codes_per_pass: codes decoded at a time; None takes as many as keep the decoder's output in a core's cache.
        first_index: index of the first image, where `images` is a piece of a larger set.
        progress: called with the number of images done, at the start and now and then.

    Returns:
        float64 [num], nats per image.

    Raises:
        ValueError: for options out of range, or a conditional model without labels.

    Example:
        >>> nll = -log_likelihood(model, images, 5000).mean()

    Reference:
        Burda, Grosse, Salakhutdinov 2015, arXiv:1509.00519, eq. 8 with k = 5000 (section 5).
    """
    if num_samples < 1:
        raise ValueError(f"num_samples must be >= 1; received {num_samples}")
    if not 0 <= seed < 2**31:
        raise ValueError(f"seed must be an integer with 0 <= seed < 2**31; received {seed}")
    if len(images) == 0:
        raise ValueError("Expected at least one image; received none")
    if codes_per_pass is None:
        codes_per_pass = min(1000, max(16, CACHED_VALUES // math.prod(model.decoder.output_shape[1:])))
    if codes_per_pass < 1:
        raise ValueError(f"codes_per_pass must be >= 1; received {codes_per_pass}")
    estimate = _compiled(model, num_samples, min(codes_per_pass, num_samples))
    group = max(1, codes_per_pass // num_samples)
    results = []
    if progress is not None:
        progress(0)
    for start in range(0, len(images), group):
        batch = {"image": tf.constant(images[start : start + group], tf.float32)}
        if labels is not None:
            batch["label"] = tf.constant(labels[start : start + group])
        indices = tf.range(len(batch["image"])) + (first_index + start)
        results.append(estimate(batch["image"], model.label_of(batch), indices, tf.constant([seed, 5000])).numpy())
        if progress is not None:
            progress(start + len(batch["image"]))
    return np.concatenate(results).astype(np.float64)


def _compiled(model, num_samples: int, chunk: int):
    """The estimate for a few images at once, as a graph."""

    @tf.function(reduce_retracing=True)
    def estimate(image, label, indices, seed):
        q, codes = model.posterior_draws(image, label, ImageDraws(seed, indices), num_samples)
        log_prior = log_density(model.prior.distribution(model.posterior_of))
        # the first chunk outside of the loop: a running sum that starts at log 0 would be NaN
        total = _log_sum(model, image, label, q, log_prior, codes[:chunk])
        for start in tf.range(chunk, num_samples, chunk):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(total, tf.TensorShape([None]))])
            part = _log_sum(model, image, label, q, log_prior, codes[start : start + chunk])
            larger = tf.maximum(total, part)
            total = larger + tf.math.log1p(tf.exp(tf.minimum(total, part) - larger))
        return total - math.log(num_samples)

    return estimate


def _log_sum(model, image, label, q, log_prior, codes) -> tf.Tensor:
    """log sum_i w_i over codes [chunk, images, size]: [images]."""
    log_weights = model.log_likelihood(image, codes, label) + log_prior(codes) - q.log_prob(codes)
    return tf.reduce_logsumexp(log_weights, axis=0)
