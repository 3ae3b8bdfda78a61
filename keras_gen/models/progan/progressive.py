"""Networks that grow: blocks and heads of every resolution, of which a stage uses some."""

import keras
import tensorflow as tf


class Progressive(keras.layers.Layer):
    """What the growing generator and the growing discriminator share.

    Stage 0 is the smallest resolution; each further stage has twice its height and width. A stage runs its own blocks
    alone: nothing of a larger one is computed.

    Args:
        blocks: Keras models, one for each stage.
        heads: Keras models between features and images, one for each stage.

    Raises:
        ValueError: where their numbers differ.
    """

    def __init__(self, blocks, heads, **kwargs):
        # alpha is a float32 argument, which Keras would cast
        super().__init__(**{"autocast": False, **kwargs})
        self.blocks, self.heads = list(blocks), list(heads)
        if not self.blocks or len(self.blocks) != len(self.heads):
            raise ValueError(
                f"Expected one block and one head for each stage; received {len(self.blocks)} and {len(self.heads)}"
            )
        self.built = True

    @property
    def stages(self) -> int:
        """How many there are."""
        return len(self.blocks)

    def parts(self, stage: int, fading: bool = False) -> list[keras.Model]:
        """The blocks and heads that a stage uses; while it fades in, also the head of the stage before."""
        return [*self.blocks[: stage + 1], *self.heads[stage - fading : stage + 1]]

    def get_config(self) -> dict:
        parts = {name: getattr(self, name) for name in ("blocks", "heads")}
        return {
            **super().get_config(),
            **{name: [keras.saving.serialize_keras_object(each) for each in own] for name, own in parts.items()},
        }

    @classmethod
    def from_config(cls, config):
        parts = {
            name: [keras.saving.deserialize_keras_object(each) for each in config[name]] for name in ("blocks", "heads")
        }
        return cls(**{**config, **parts})


def blended(before: tf.Tensor, after: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """(1 - alpha) before + alpha after, in the dtype of `after`."""
    alpha = tf.cast(alpha, after.dtype)
    return (1 - alpha) * tf.cast(before, after.dtype) + alpha * after


def doubled(images: tf.Tensor) -> tf.Tensor:
    """[batch, h, w, c] -> [batch, 2 h, 2 w, c], each pixel four times."""
    return tf.repeat(tf.repeat(images, 2, axis=1), 2, axis=2)


def halved(images: tf.Tensor, factor: int = 2) -> tf.Tensor:
    """[batch, h, w, c] -> [batch, h / factor, w / factor, c], the mean of each square."""
    return tf.nn.avg_pool2d(images, factor, factor, "VALID")
