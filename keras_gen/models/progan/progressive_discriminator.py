"""A discriminator that grows."""

from typing import Any

import keras
import tensorflow as tf

from .progressive import Progressive, blend, downsample


@keras.saving.register_keras_serializable("keras_gen")
class ProgressiveDiscriminator(Progressive):
    """A discriminator from images at the resolution of a stage to logits [batch, 1].

    Call it with `stage` and, while the stage fades in, `alpha` in [0, 1]: its features are then alpha times those of
    the stage plus 1 - alpha times those that the previous stage's head computes from the images at half the size.

    Args:
        blocks: The first maps features (or [features, one-hot labels]) to logits; each further one maps the features of
            its stage to those of the previous stage.
        heads: Networks from images of a stage to features.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 2, figure 2.
    """

    @property
    def inputs(self) -> list:
        """The images of the last stage, and the labels if the first block has them as an input."""
        return [self.heads[-1].inputs[0], *self.blocks[0].inputs[1:]]

    @property
    def output_shape(self) -> tuple:
        """The shape of the logits."""
        return self.blocks[0].output_shape

    def call(self, inputs: Any, stage: int, alpha: Any = None, training: bool = False) -> tf.Tensor:
        images, *label = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        x = self.heads[stage](images, training=training)
        for index in range(stage, 0, -1):
            x = self.blocks[index](x, training=training)
            if index == stage and alpha is not None:
                x = blend(self.heads[stage - 1](downsample(images), training=training), x, alpha)
        return self.blocks[0]([x, *label] if label else x, training=training)
