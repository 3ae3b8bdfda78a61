"""The base of networks that grow, with blocks and heads for every resolution."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class Progressive(keras.layers.Layer):
    """The base of the growing generator and the growing discriminator.

    Stage 0 is the smallest resolution; each further stage has twice its height and width. A stage runs only its own
    blocks: nothing is computed at a larger resolution.

    Args:
        blocks: Keras models, one for each stage.
        heads: Keras models between features and images, one for each stage.
        **kwargs: Keras's `name` and `dtype`.

    Raises:
        ValueError: if there are no blocks, or not as many heads as blocks.
    """

    def __init__(self, blocks: Sequence[keras.Model], heads: Sequence[keras.Model], **kwargs: Any):
        # alpha is a float32 argument, which Keras would cast
        super().__init__(**{"autocast": False, **kwargs})
        self.blocks, self.heads = list(blocks), list(heads)
        if not self.blocks or len(self.blocks) != len(self.heads):
            raise ValueError(
                f"Expected one block and one head for each stage; received {len(self.blocks)} blocks and "
                f"{len(self.heads)} heads"
            )
        self.built = True

    @property
    def stages(self) -> int:
        """The number of stages."""
        return len(self.blocks)

    def parts(self, stage: int, fading: bool = False) -> list[keras.Model]:
        """Returns the blocks and heads that a stage uses; while it fades in, also the head of the previous stage."""
        return [*self.blocks[: stage + 1], *self.heads[stage - fading : stage + 1]]

    def get_config(self) -> dict:
        parts = {name: getattr(self, name) for name in ("blocks", "heads")}
        return {
            **super().get_config(),
            **{name: [keras.saving.serialize_keras_object(each) for each in own] for name, own in parts.items()},
        }

    @classmethod
    def from_config(cls, config: dict) -> "Progressive":
        parts = {
            name: [keras.saving.deserialize_keras_object(each) for each in config[name]] for name in ("blocks", "heads")
        }
        return cls(**{**config, **parts})


def blend(previous: tf.Tensor, current: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """Returns (1 - alpha) * previous + alpha * current, in the dtype of `current`."""
    alpha = tf.cast(alpha, current.dtype)
    return (1 - alpha) * tf.cast(previous, current.dtype) + alpha * current


def upsample(images: tf.Tensor) -> tf.Tensor:
    """Returns [batch, h, w, c] as [batch, 2 h, 2 w, c], with each pixel repeated in a 2x2 square."""
    return tf.repeat(tf.repeat(images, 2, axis=1), 2, axis=2)


def downsample(images: tf.Tensor, factor: int = 2) -> tf.Tensor:
    """Returns [batch, h, w, c] as [batch, h / factor, w / factor, c], with the mean of each square of pixels."""
    return tf.nn.avg_pool2d(images, factor, factor, "VALID")
