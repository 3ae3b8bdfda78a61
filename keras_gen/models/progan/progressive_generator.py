"""A generator that grows."""

from typing import Any

import keras
import tensorflow as tf

from .progressive import Progressive, blend, downsample, upsample

RIDGE = 1e-3  # regularizer of the least squares, for channels that are always 0


@keras.saving.register_keras_serializable("keras_gen")
class ProgressiveGenerator(Progressive):
    """A generator from latent codes to images at the resolution of a stage.

    Call it with `stage`, 0, 1, ..., and `alpha` in [0, 1] while the stage fades in: the images are then alpha times
    those of the stage plus 1 - alpha times the upsampled images of the previous stage.

    Args:
        blocks: The first maps codes (or [codes, one-hot labels]) to features; each further one maps features to
            features of twice the height and width.
        heads: Networks from the features of a stage to images.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196, section 2, figure 2.
    """

    @property
    def inputs(self) -> list:
        """The inputs of the first block."""
        return self.blocks[0].inputs

    @property
    def output_shape(self) -> tuple:
        """The shape of the last stage's images."""
        return self.heads[-1].output_shape

    def shape_of(self, stage: int) -> tuple[int, int, int]:
        """Returns (height, width, channels) of a stage's images."""
        return tuple(self.heads[stage].output_shape[1:])

    def call(self, inputs: Any, stage: int, alpha: Any = None, training: bool = False) -> tf.Tensor:
        x = previous = self.blocks[0](inputs, training=training)
        for block in self.blocks[1 : stage + 1]:
            previous, x = x, block(x, training=training)
        images = self.heads[stage](x, training=training)
        if alpha is None:
            return images
        return blend(upsample(self.heads[stage - 1](previous, training=training)), images, alpha)

    def refit_heads(self, inputs: Any, stage: int) -> None:
        """Fits the heads of earlier stages, which are no longer trained, to the current blocks.

        Each head becomes the affine map of its stage's features that is closest, in least squares, to the downsampled
        images of `stage`. Otherwise the colors of an earlier stage's images would be those of features from the time
        when that stage was the last one.

        Args:
            inputs: Inputs of the first block, some dozens of rows.
            stage: The stage whose head is trained.
        """
        features = [self.blocks[0](inputs)]
        for block in self.blocks[1 : stage + 1]:
            features.append(block(features[-1]))
        images = tf.cast(self.heads[stage](features[-1]), tf.float32)
        for head, x in zip(self.heads[:stage][::-1], features[:stage][::-1], strict=True):
            images = downsample(images)
            _fit_head(head, tf.cast(x, tf.float32), images)


def _fit_head(head: keras.Model, x: tf.Tensor, images: tf.Tensor) -> None:
    """Sets the 1x1 convolution of a head to the least-squares solution from features to images."""
    convolution, rescaling = head.layers[1], head.layers[2]
    targets = tf.reshape((images - rescaling.offset) / rescaling.scale, [-1, images.shape[-1]])
    x = tf.reshape(x, [-1, x.shape[-1]])
    x_mean, target_mean = tf.reduce_mean(x, 0), tf.reduce_mean(targets, 0)
    weights = tf.linalg.lstsq(x - x_mean, targets - target_mean, l2_regularizer=RIDGE)
    kernel_of_ones = convolution.derive(tf.ones([1, 1, *weights.shape]))  # the kernel is linear in the stored weight
    bias = target_mean - tf.linalg.matvec(weights, x_mean, transpose_a=True)
    convolution.set_weights([weights[None, None] / kernel_of_ones, bias])
