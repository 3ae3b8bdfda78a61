"""A pool of past generated images, which keeps a discriminator from forgetting earlier generators."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class ImagePool(keras.layers.Layer):
    """Exchanges about half of a batch of generated images for images of earlier steps.

    While the pool has empty slots, an image is stored and returned. Once the pool is full, each image is returned
    unchanged with probability 1/2 and not stored; otherwise it replaces a stored image, which is returned. The images
    of a call are assigned to distinct slots, so they are never exchanged for each other. The pool is kept in the
    layer's variables (`images` and `count`) and is saved with the model.

    With several replicas, pass the images of all replicas and the same noise to each replica: the pools then stay
    equal.

    Args:
        size: images in the pool, >= 1; at least as many as the images of a call.
        image_shape: (height, width, channels).
        **kwargs: name and dtype.

    Raises:
        ValueError: for a size that is not an integer >= 1.

    Example:
        >>> pool = ImagePool(2, (1, 1, 1))
        >>> images = tf.reshape([0.1, 0.2], (2, 1, 1, 1))
        >>> tf.squeeze(pool(images, coins=[0.0, 0.0], slot_order=[0.5, 0.1])).numpy()
        array([0.1, 0.2], dtype=float32)

    Reference:
        Shrivastava et al. 2016, Learning from Simulated and Unsupervised Images through Adversarial Training,
        arXiv:1612.07828. Zhu et al. 2017, arXiv:1703.10593, section 4 (50 images).
    """

    def __init__(self, size: int, image_shape: Sequence[int], **kwargs: Any):
        # float32 keeps the images as they were generated
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"Expected size as an integer >= 1; received {size!r}")
        self.size, self.image_shape = size, tuple(image_shape)
        options = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.images = self.add_weight(name="images", shape=(size, *self.image_shape), dtype="float32", **options)
        self.count = self.add_weight(name="count", shape=(), dtype="int32", **options)
        self.built = True

    def call(self, images: tf.Tensor, coins: tf.Tensor, slot_order: tf.Tensor) -> tf.Tensor:
        """Returns the images, some of them exchanged, and updates the pool.

        Args:
            images: [batch, height, width, channels], batch <= size.
            coins: uniform noise on [0, 1), [batch]; an image whose value is below 1/2 is exchanged.
            slot_order: uniform noise on [0, 1), [size]; its sorting order assigns slots to images.

        Returns:
            float32 [batch, height, width, channels], without a gradient.
        """
        images, coins, slot_order = (
            tf.stop_gradient(tf.cast(each, tf.float32)) for each in (images, coins, slot_order)
        )
        rows = tf.shape(images)[0]
        tf.debugging.assert_less_equal(
            rows, self.size, f"{self.name}: expected a batch of at most {self.size} images; use a larger pool"
        )
        stored, count = tf.convert_to_tensor(self.images), tf.convert_to_tensor(self.count)
        fills = count + tf.range(rows) < self.size
        # distinct within a call; slots that are still empty are left to the images that fill them
        assigned = tf.argsort(slot_order)[:rows]
        swaps = ~fills & (coins < 0.5) & (assigned < count)
        slots = tf.where(fills, tf.minimum(count + tf.range(rows), self.size - 1), assigned)
        outputs = tf.where(swaps[:, None, None, None], tf.gather(stored, assigned), images)
        # the scatter needs an index for every image: images that are not stored go to an extra row beyond the end
        padded = tf.pad(stored, [[0, 1], [0, 0], [0, 0], [0, 0]])
        targets = tf.where(fills | swaps, slots, self.size)
        self.images.assign(tf.tensor_scatter_nd_update(padded, targets[:, None], images)[: self.size])
        self.count.assign(tf.minimum(count + rows, self.size))
        return outputs

    def compute_output_shape(
        self, images_shape: Any, coins_shape: Any = None, slot_order_shape: Any = None
    ) -> tuple[int | None, ...]:
        return images_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size, "image_shape": self.image_shape}
