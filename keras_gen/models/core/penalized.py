"""Models whose discriminator may have a gradient penalty."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gen.losses import packing, penalties

from .generative_model import GenerativeModel
from .global_batch import BatchNoise, GlobalBatch
from .sample_diversity import pixel_variance


class Penalized(GenerativeModel):
    """A model whose discriminator may have a gradient penalty; to be inherited before the model's base.

    Attributes:
        penalty: None, a name of `keras_gen.losses.penalties`, or a dict with `name` and arguments. Its numbers refer
            to images in [-1, 1], as in the papers.
    """

    penalty: str | dict[str, Any] | None

    def set_penalty(self, penalty: str | dict[str, Any] | None) -> None:
        """Sets `penalty`; to be called in a subclass's `__init__`.

        Args:
            penalty: None, a name, or a dict with `name` and arguments.

        Raises:
            ValueError: As `penalties.get`.
        """
        self.penalty = penalty
        self._penalty = None if penalty is None else penalties.get(penalty)

    def penalized(
        self,
        logits_of: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        generated: tf.Tensor,
        batch_noise: BatchNoise,
        global_batch: GlobalBatch,
        size: int = 1,
    ) -> tf.Tensor:
        """Returns the weighted penalty of packs, one value per example [batch].

        Args:
            logits_of: Packs [batch / size, ..., size * channels] -> logits [batch / size].
            real: Real images, [batch, height, width, channels] in [0, 1].
            generated: Generated images, of the same shape and range.
            batch_noise: The noise of the batch.
            global_batch: Statistics over the global batch.
            size: Examples in a pack, >= 1.

        Raises:
            ValueError: For a model without a penalty.
        """
        penalty = self._penalty
        if penalty is None:
            raise ValueError("Expected a penalty; received a model with penalty=None: set one with set_penalty")
        noise = {
            name: value[::size] if value.shape[1:] == [1] else packing.pack(value, size)
            for name, value in batch_noise.noise(penalty.noise(tuple(real.shape[1:]))).items()
        }
        stddev = tf.sqrt(tf.reduce_mean(pixel_variance(real, global_batch))) if penalty.needs_stddev else None
        rows = penalty.per_example(logits_of, packing.pack(real, size), packing.pack(generated, size), noise, stddev)
        return packing.repeat_per_example(rows, size)
