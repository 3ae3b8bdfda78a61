"""A generator that grows."""

import keras

from .progressive import Progressive, blended, doubled


@keras.saving.register_keras_serializable("keras_gen")
class ProgressiveGenerator(Progressive):
    """Codes -> images at the resolution of a stage.

    Args:
        blocks: the first, codes (or [codes, one-hot labels]) -> features; each further one, features -> features of
            twice the height and width.
        heads: features of a stage -> images.

    Call with `stage`, 0, 1, ..., and `alpha` in [0, 1] while the stage fades in: the images are then alpha times those
    of the stage plus 1 - alpha times the enlarged ones of the stage before.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 2, figure 2.
    """

    @property
    def inputs(self) -> list:
        """Those of the first block."""
        return self.blocks[0].inputs

    @property
    def output_shape(self) -> tuple:
        """Of the last stage."""
        return self.heads[-1].output_shape

    def shape_of(self, stage: int) -> tuple[int, int, int]:
        """(height, width, channels) of a stage's images."""
        return tuple(self.heads[stage].output_shape[1:])

    def call(self, inputs, stage: int, alpha=None, training: bool = False):
        x = before = self.blocks[0](inputs, training=training)
        for block in self.blocks[1 : stage + 1]:
            before, x = x, block(x, training=training)
        images = self.heads[stage](x, training=training)
        if alpha is None:
            return images
        return blended(doubled(self.heads[stage - 1](before, training=training)), images, alpha)
