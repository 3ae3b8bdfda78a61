"""A pool of past images, so that a discriminator does not forget what a generator used to make."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class ImagePool(keras.layers.Layer):
    """Generated images go in; as many come out, about half of them from earlier steps.

    While there is room an image is stored and comes out itself. Then it is a coin's throw for each: it comes out
    itself and leaves no trace, or it takes the place of a stored one, which comes out instead. The images of a call
    meet different places, so they are never mixed with each other. What is stored belongs to the layer's variables
    (`images` and `count`) and is saved with the model.

    Under several replicas give every one of them the images of all and the same noise: the pools then stay equal.

    Args:
        size: images that are stored, >= 1; at least as many as a call brings.
        image_shape: (height, width, channels).

    Example:
        >>> pool = ImagePool(2, (1, 1, 1))
        >>> tf.squeeze(pool(tf.reshape([0.1, 0.2], (2, 1, 1, 1)), coins=[0.0, 0.0], places=[0.5, 0.1])).numpy()
        array([0.1, 0.2], dtype=float32)

    Reference:
        Shrivastava et al. 2016, Learning from Simulated and Unsupervised Images through Adversarial Training,
        arXiv:1612.07828. Zhu et al. 2017, arXiv:1703.10593, section 4 (50 images).
    """

    def __init__(self, size: int, image_shape, **kwargs):
        # stored as they were made: never in half precision
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"size must be an integer >= 1; received {size!r}")
        self.size, self.image_shape = size, tuple(image_shape)
        same = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.images = self.add_weight(name="images", shape=(size, *self.image_shape), dtype="float32", **same)
        self.count = self.add_weight(name="count", shape=(), dtype="int32", **same)
        self.built = True

    def call(self, images, coins, places):
        """Exchange images.

        Args:
            images: [batch, height, width, channels], batch <= size.
            coins: uniform noise on [0, 1), [batch]; below 1/2 an image is exchanged.
            places: uniform noise on [0, 1), [size]; its order says which places the images meet.

        Returns:
            float32 [batch, height, width, channels], without a gradient.
        """
        images, coins, places = (tf.stop_gradient(tf.cast(each, tf.float32)) for each in (images, coins, places))
        rows = tf.shape(images)[0]
        tf.debugging.assert_less_equal(
            rows, self.size, f"{self.name}: a batch must not be larger than the pool; make the pool larger"
        )
        stored, count = tf.convert_to_tensor(self.images), tf.convert_to_tensor(self.count)
        fills = count + tf.range(rows) < self.size
        # distinct for the rows of a call; those that are still empty are left to the rows that fill them
        met = tf.argsort(places)[:rows]
        swaps = ~fills & (coins < 0.5) & (met < count)
        slots = tf.where(fills, tf.minimum(count + tf.range(rows), self.size - 1), met)
        out = tf.where(swaps[:, None, None, None], tf.gather(stored, met), images)
        written = fills | swaps
        # a row that writes nothing would still need a place of its own in the scatter: it gets one beyond the end
        padded = tf.pad(stored, [[0, 1], [0, 0], [0, 0], [0, 0]])
        targets = tf.where(written, slots, self.size)
        self.images.assign(tf.tensor_scatter_nd_update(padded, targets[:, None], images)[: self.size])
        self.count.assign(tf.minimum(count + rows, self.size))
        return out

    def compute_output_shape(self, images_shape, coins_shape=None, places_shape=None):
        return images_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size, "image_shape": self.image_shape}
