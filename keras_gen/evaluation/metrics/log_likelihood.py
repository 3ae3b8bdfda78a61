"""The marginal log-likelihood of images by importance sampling, with the encoder's posterior as the proposal."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches

from .mixture_density import log_density

# the decoder's output of one pass stays in a core's cache (float32 values; 2 MiB)
CACHED_VALUES = 2**19


class ImageNoise:
    """Noise that depends on (seed, image index) alone, and so not on the batch in which an image is evaluated.

    It has the interface of `keras_gen.models.BatchNoise`.

    Args:
        seed: int32 [2].
        indices: int32 [rows], the index of each image in the evaluated set.
    """

    def __init__(self, seed: tf.Tensor, indices: tf.Tensor):
        self.seed, self.indices, self.calls = seed, indices, 0

    def normal(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns standard normal noise, float32 [rows, *shape]."""
        return self._sample(tf.random.stateless_normal, shape)

    def uniform(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns uniform noise on [0, 1), float32 [rows, *shape]."""
        return self._sample(tf.random.stateless_uniform, shape)

    def _sample(self, function: Callable[..., tf.Tensor], shape: Sequence[int]) -> tf.Tensor:
        seed = tf.random.fold_in(self.seed, self.calls)
        self.calls += 1
        return tf.map_fn(
            lambda index: function(shape, tf.random.fold_in(seed, index), alg="philox"),
            self.indices,
            fn_output_signature=tf.TensorSpec(shape, tf.float32),
        )


def log_likelihood(
    model: Any,
    images: np.ndarray,
    num_samples: int = 5000,
    *,
    labels: np.ndarray | None = None,
    seed: int = 0,
    codes_per_pass: int | None = None,
    first_index: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> np.ndarray:
    """Estimates log p(x) of each image from `num_samples` codes of its posterior.

        log p(x) ~ log 1/k sum_i p(x | z_i) p(z_i) / q(z_i | x),   z_i ~ q(z | x)

    The expectation of the estimate is a lower bound on log p(x) that increases with k (with k = 1 it is the ELBO) and
    converges to it. Codes are processed in chunks with a running log-sum-exp. The codes of an image depend on (seed,
    its index) alone, so neither `codes_per_pass` nor dividing the set into parts changes the result, up to rounding.

    Args:
        model: with `sample_posterior`, `log_likelihood`, `prior`, `posterior_of`, `label_of` and `decoder`, as
            `keras_gen.VAE` has them.
        images: float32 [num, height, width, channels] in [0, 1], with values of the head's support.
        num_samples: k >= 1.
        labels: integers [num], for a class-conditional model.
        seed: 0 <= seed < 2**31.
        codes_per_pass: codes that are decoded at a time; None keeps the decoder's output in a core's cache.
        first_index: index of the first image, where `images` is a part of a larger set.
        progress: called with the number of images done, before the first and after each batch.

    Returns:
        float64 [num], nats per image.

    Raises:
        ValueError: for options out of range, or a class-conditional model without labels.

    Example:
        >>> nll = -log_likelihood(model, images, 5000).mean()  # doctest: +SKIP

    Reference:
        Burda, Grosse, Salakhutdinov 2015, arXiv:1509.00519, eq. 8 with k = 5000 (section 5).
    """
    if num_samples < 1:
        raise ValueError(f"Expected num_samples >= 1; received {num_samples}")
    if not 0 <= seed < 2**31:
        raise ValueError(f"Expected a seed with 0 <= seed < 2**31; received {seed}")
    if len(images) == 0:
        raise ValueError("Expected at least one image; received none")
    if codes_per_pass is None:
        codes_per_pass = min(1000, max(16, CACHED_VALUES // math.prod(model.decoder.output_shape[1:])))
    if codes_per_pass < 1:
        raise ValueError(f"Expected codes_per_pass >= 1; received {codes_per_pass}")
    estimate = _compile_estimate(model, num_samples, min(codes_per_pass, num_samples))

    def estimate_rows(rows: slice) -> np.ndarray:
        batch = {"image": tf.constant(images[rows], tf.float32)}
        if labels is not None:
            batch["label"] = tf.constant(labels[rows])
        indices = tf.range(len(batch["image"])) + (first_index + rows.start)
        values = estimate(batch["image"], model.label_of(batch), indices, tf.constant([seed, 5000])).numpy()
        progress(rows.stop)
        return values

    progress(0)
    images_per_pass = max(1, codes_per_pass // num_samples)
    return map_batches(estimate_rows, len(images), images_per_pass).astype(np.float64)


def _compile_estimate(model: Any, num_samples: int, chunk: int) -> Callable[..., tf.Tensor]:
    """Returns the estimate for a batch of images, as a graph."""

    @tf.function(reduce_retracing=True)
    def estimate(image, label, indices, seed):
        q, codes = model.sample_posterior(image, label, ImageNoise(seed, indices), num_samples)
        log_prior = log_density(model.prior.distribution(model.posterior_of))
        # the first chunk is outside the loop: a running sum that starts at log 0 would be NaN
        total = _log_sum(model, image, label, q, log_prior, codes[:chunk])
        for start in tf.range(chunk, num_samples, chunk):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(total, tf.TensorShape([None]))])
            part = _log_sum(model, image, label, q, log_prior, codes[start : start + chunk])
            larger = tf.maximum(total, part)
            total = larger + tf.math.log1p(tf.exp(tf.minimum(total, part) - larger))
        return total - math.log(num_samples)

    return estimate


def _log_sum(
    model: Any,
    image: tf.Tensor,
    label: tf.Tensor | None,
    q: Any,
    log_prior: Callable[[tf.Tensor], tf.Tensor],
    codes: tf.Tensor,
) -> tf.Tensor:
    """Returns log sum_i w_i over codes [chunk, images, size], [images]."""
    log_weights = model.log_likelihood(image, codes, label) + log_prior(codes) - q.log_prob(codes)
    return tf.reduce_logsumexp(log_weights, axis=0)
