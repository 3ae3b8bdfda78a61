"""A trainable mixture of Gaussians as the prior over codes."""

from collections.abc import Callable

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions.noise import Noise
from keras_gen.distributions.posteriors import positive

tfd = tfp.distributions


@keras.saving.register_keras_serializable("keras_gen")
class MixturePrior(keras.layers.Layer):
    """p(z) = sum_k w_k N(z; m_k, diag(s_k^2)) with trainable weights, means and scales.

    The same interface as `keras_gen.Prior`: `size`, `noise`, `distribution()`, `draw(noise)`, `sampler()`.

    Args:
        size: dimensions of a code.
        components: Gaussians in the mixture, >= 1.
        spread: standard deviation of the initial means, > 0; distinct means break the symmetry.
        seed: seed of the initial means.

    Reference:
        Tomczak, Welling 2018, VAE with a VampPrior, arXiv:1705.07120, section 2 (the mixture-of-Gaussians prior).
    """

    def __init__(self, size: int, components: int, spread: float = 1.0, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        if size < 1 or components < 1:
            raise ValueError(f"size and components must be >= 1; received size={size}, components={components}")
        self.size, self.components, self.spread, self.seed = size, components, spread, seed
        self.autocast = False
        self.noise = {"noise": Noise("normal", (size,)), "component": Noise("uniform", (1,))}
        normal = keras.initializers.RandomNormal(stddev=spread, seed=seed)
        self.loc = self.add_weight(shape=(components, size), initializer=normal, name="loc", dtype="float32")
        self.raw_scale = self.add_weight(
            shape=(components, size), initializer="zeros", name="raw_scale", dtype="float32"
        )
        self.logits = self.add_weight(shape=(components,), initializer="zeros", name="logits", dtype="float32")
        self.built = True

    def distribution(self, encode=None) -> tfd.Distribution:
        """The mixture, with batch shape [] and event shape [size]. `encode` is not used."""
        loc, scale = tf.convert_to_tensor(self.loc), positive(tf.convert_to_tensor(self.raw_scale))
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.convert_to_tensor(self.logits)),
            tfd.Independent(tfd.Normal(loc, scale), 1),
        )

    def draw(self, noise: dict, encode=None) -> tf.Tensor:
        """Base noise {"noise": [num, size], "component": [num, 1]} -> draws of the mixture [num, size]."""
        weights = tf.nn.softmax(tf.convert_to_tensor(self.logits))
        scale = positive(tf.convert_to_tensor(self.raw_scale))
        return draw_from_mixture(noise, weights, tf.convert_to_tensor(self.loc), scale)

    def sampler(self, encode=None) -> Callable[[dict], tf.Tensor]:
        """`draw` as a function of the noise alone. `encode` is not used."""
        return self.draw

    def get_config(self) -> dict:
        own = {"size": self.size, "components": self.components, "spread": self.spread, "seed": self.seed}
        return {**super().get_config(), **own}


def draw_from_mixture(noise: dict, weights: tf.Tensor, loc: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """BatchNoise of a mixture of diagonal Gaussians: the uniform picks the component, the normal moves inside it.

    Args:
        noise: `noise` standard normal [num, size], `component` uniform [num, 1].
        weights: [components], summing to 1.
        loc, scale: [components, size].

    Returns:
        [num, size].
    """
    upper = tf.cumsum(weights)
    # the last bound is 1 up to rounding: without the cap, a uniform next to 1 would pick no component
    # Floats >= 0 are ordered as the integers of their bits are. Compared as integers, they stay whole in an int8 file,
    # where 256 levels of the uniform would name the wrong one of many components.
    passed = tf.bitcast(noise["component"], tf.int32) >= tf.bitcast(upper[:-1], tf.int32)
    index = tf.reduce_sum(tf.cast(passed, tf.int32), axis=1)
    return tf.gather(loc, index) + tf.gather(scale, index) * noise["noise"]
