"""What models with a gradient penalty of images share."""

from collections.abc import Callable

import tensorflow as tf

from keras_gen.losses import packing, penalties

from .sample_diversity import pixel_variance

RANGE = "penalty_range"


class Penalized:
    """A model whose discriminator may have a gradient penalty; to be inherited before the model's base.

    Attributes:
        penalty: None, a name of `keras_gen.losses.penalties`, or a dict with `name` and arguments.
        image_shape: (height, width, channels).
    """

    def take_penalty(self, penalty: str | dict | None) -> None:
        """Set `penalty`.

        Raises:
            ValueError: as `penalties.get`.
        """
        self.penalty = penalty
        self._penalty = None if penalty is None else penalties.get(penalty)

    def penalized(self, logits_of: Callable, real, generated, batch_noise, global_batch, size: int = 1) -> tf.Tensor:
        """The weighted penalty of packs, as one value per example [batch].

        Args:
            logits_of: packs [batch / size, ..., size * channels] -> logits [batch / size].
            real, generated: images [batch, height, width, channels] in [0, 1].
            batch_noise, global_batch: of the batch.
            size: examples in a pack.
        """
        penalty = self._penalty
        noise = {
            name: value[::size] if value.shape[1:] == [1] else packing.pack(value, size)
            for name, value in batch_noise.noise(penalty.noise(tuple(real.shape[1:]))).items()
        }
        deviation = tf.sqrt(tf.reduce_mean(pixel_variance(real, global_batch))) if penalty.needs_deviation else None
        rows = penalty.rows(logits_of, packing.pack(real, size), packing.pack(generated, size), noise, deviation)
        return packing.spread(rows, size)

    def get_config(self) -> dict:
        """With the range of the images that the penalty's numbers are about."""
        return {**super().get_config(), "penalty": self.penalty, RANGE: list(penalties.RANGE)}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        config = dict(config)
        # saved before the range was: the numbers are about images in [0, 1]
        if config.pop(RANGE, None) is None:
            config["penalty"] = penalties.from_unit_range(config.get("penalty"))
        return super().from_config(config, custom_objects)
