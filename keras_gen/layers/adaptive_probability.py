"""The probability of a discriminator's augmentations, adapted to how much the discriminator overfits."""

from typing import Any

import keras
import tensorflow as tf

# updates between two changes of the probability, as in the paper
INTERVAL = 4


@keras.saving.register_keras_serializable("keras_gen")
class AdaptiveProbability(keras.layers.Layer):
    """A probability that rises while a discriminator recognizes too many of the real training images, and else falls.

    The measure of overfitting is r = E[sign(D(x))] over real images x: 0 for a discriminator that cannot distinguish
    them from generated ones, 1 for one that recognizes all of them. After every four calls of `update` the probability
    changes by sign(r - target) * (images of these calls) / images, and stays in [0, 1]. It starts at 0. The layer's
    variables, `probability` and the sums of the calls since its last change, are saved with the model.

    With several replicas, pass the mean over all replicas and their number of images to each replica: the
    probabilities then stay equal.

    Args:
        target: The r at which the probability stays, in (0, 1); 0.6 in the paper.
        images: Images in which the probability can rise from 0 to 1, >= 1; 500,000 in the paper.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: For numbers out of range.

    Example:
        >>> adaptive = AdaptiveProbability(images=1000)
        >>> [round(float(adaptive.update(0.9, 25)), 3) for _ in range(8)]
        [0.0, 0.0, 0.0, 0.1, 0.1, 0.1, 0.1, 0.2]

    Reference:
        Karras, Aittala, Hellsten, Laine, Lehtinen, Aila 2020, Training Generative Adversarial Networks with Limited
        Data, arXiv:2006.06676, section 3 (r_t). The paper bounds the probability only from below.
    """

    def __init__(self, target: float = 0.6, images: int = 500_000, **kwargs: Any):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        if isinstance(target, bool) or not isinstance(target, (int, float)) or not 0 < target < 1:
            raise ValueError(f"Expected target in (0, 1); received {target!r}")
        if isinstance(images, bool) or not isinstance(images, int) or images < 1:
            raise ValueError(f"Expected images as an integer >= 1; received {images!r}")
        self.target, self.images = target, images
        options = {"shape": (), "initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.probability, self.signs, self.seen = (
            self.add_weight(name=name, dtype="float32", **options) for name in ("probability", "signs", "seen")
        )
        self.calls = self.add_weight(name="calls", dtype="int32", **options)
        self.built = True

    def update(self, sign: tf.Tensor | float, count: tf.Tensor | int) -> tf.Tensor:
        """Returns the probability after a step, a float32 scalar.

        Args:
            sign: Mean of sign(D(x)) over the real images of the step, a scalar in [-1, 1].
            count: Number of these images, a scalar.
        """
        count = tf.cast(count, tf.float32)
        signs = tf.convert_to_tensor(self.signs) + tf.cast(tf.stop_gradient(sign), tf.float32) * count
        seen, calls = tf.convert_to_tensor(self.seen) + count, tf.convert_to_tensor(self.calls) + 1
        due = calls >= INTERVAL
        change = tf.sign(signs - self.target * seen) * seen / self.images
        probability = tf.convert_to_tensor(self.probability) + tf.where(due, change, 0.0)
        self.probability.assign(tf.clip_by_value(probability, 0.0, 1.0))
        self.signs.assign(tf.where(due, 0.0, signs))
        self.seen.assign(tf.where(due, 0.0, seen))
        self.calls.assign(tf.where(due, 0, calls))
        return tf.convert_to_tensor(self.probability)

    def get_config(self) -> dict:
        return {**super().get_config(), "target": self.target, "images": self.images}
