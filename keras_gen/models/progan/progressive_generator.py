"""A generator that grows."""

import keras
import tensorflow as tf

from .progressive import Progressive, blended, doubled, halved


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

    def refit(self, inputs, stage: int) -> None:
        """Set the heads before `stage`, which are trained no more, to what the blocks make now.

        Each becomes the affine map of its stage's features that is nearest, by least squares, to the halved images of
        `stage`. Without this, the image of an earlier stage has the colors of features as they were when it was the
        last.

        Args:
            inputs: of the first block; some dozens of rows.
            stage: whose head is trained.
        """
        features = [self.blocks[0](inputs)]
        for block in self.blocks[1 : stage + 1]:
            features.append(block(features[-1]))
        images = tf.cast(self.heads[stage](features[-1]), tf.float32)
        for head, x in zip(self.heads[:stage][::-1], features[:stage][::-1], strict=True):
            images = halved(images)
            _nearest(head, tf.cast(x, tf.float32), images)


def _nearest(head: keras.Model, x: tf.Tensor, images: tf.Tensor) -> None:
    """Set a head's 1x1 convolution so that its images are nearest to those given."""
    convolution, scaled = head.layers[1], head.layers[2]
    wanted = tf.reshape((images - scaled.offset) / scaled.scale, [-1, images.shape[-1]])
    x = tf.reshape(x, [-1, x.shape[-1]])
    middle, center = tf.reduce_mean(x, 0), tf.reduce_mean(wanted, 0)
    # a little of the identity, for channels that are always 0
    weights = tf.linalg.lstsq(x - middle, wanted - center, l2_regularizer=1e-3)
    of_one = convolution.derived(tf.ones([1, 1, *weights.shape]))  # the kernel is linear in the stored weight
    convolution.set_weights(
        [weights[None, None] / of_one, center - tf.linalg.matvec(weights, middle, transpose_a=True)]
    )
