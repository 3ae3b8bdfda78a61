"""A discriminator that grows."""

import keras

from .progressive import Progressive, blended, halved


@keras.saving.register_keras_serializable("keras_gen")
class ProgressiveDiscriminator(Progressive):
    """Images at the resolution of a stage -> logits [batch, 1].

    Args:
        blocks: the first, features (or [features, one-hot labels]) -> logits; each further one, features of its stage
            -> features of the stage before.
        heads: images of a stage -> features.

    Call with `stage` and, while it fades in, `alpha` in [0, 1]: features are then alpha times those of the stage plus
    1 - alpha times those of the halved images, as the stage before reads them.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 2, figure 2.
    """

    @property
    def inputs(self) -> list:
        """Images of the last stage, and labels where the first block takes them."""
        return [self.heads[-1].inputs[0], *self.blocks[0].inputs[1:]]

    @property
    def output_shape(self) -> tuple:
        """Of the logits."""
        return self.blocks[0].output_shape

    def call(self, inputs, stage: int, alpha=None, training: bool = False):
        images, *label = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        x = self.heads[stage](images, training=training)
        for index in range(stage, 0, -1):
            x = self.blocks[index](x, training=training)
            if index == stage and alpha is not None:
                x = blended(self.heads[stage - 1](halved(images), training=training), x, alpha)
        return self.blocks[0]([x, *label] if label else x, training=training)
