"""A trainable mixture of Gaussians as the prior over codes."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions.noise import Noise
from keras_gen.distributions.posteriors import positive

tfd = tfp.distributions


@keras.saving.register_keras_serializable("keras_gen")
class MixturePrior(keras.layers.Layer):
    """p(z) = sum_k w_k N(z; m_k, diag(s_k^2)) with trainable weights, means and scales.

    It has the interface `keras_gen.distributions.LatentPrior`.

    Args:
        size: dimensions of a code, >= 1.
        components: Gaussians in the mixture, >= 1.
        spread: standard deviation of the initial means, > 0; different means break the symmetry.
        seed: seed of the initial means.
        **kwargs: name and dtype.

    Raises:
        ValueError: for a size or a number of components below 1.

    Reference:
        Tomczak, Welling 2018, VAE with a VampPrior, arXiv:1705.07120, section 2 (the mixture-of-Gaussians prior).
    """

    full_support = True

    def __init__(self, size: int, components: int, spread: float = 1.0, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        if size < 1 or components < 1:
            raise ValueError(f"Expected size and components >= 1; received size={size}, components={components}")
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

    def distribution(self, encode: Callable | None = None) -> tfd.Distribution:
        """Returns the mixture, with batch shape [] and event shape [size]. `encode` is not used."""
        loc, scale = tf.convert_to_tensor(self.loc), positive(tf.convert_to_tensor(self.raw_scale))
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.convert_to_tensor(self.logits)),
            tfd.Independent(tfd.Normal(loc, scale), 1),
        )

    def transform(self, noise: dict, encode: Callable | None = None) -> tf.Tensor:
        """Returns samples [num, size] for the noise {"noise": [num, size], "component": [num, 1]}."""
        weights = tf.nn.softmax(tf.convert_to_tensor(self.logits))
        scale = positive(tf.convert_to_tensor(self.raw_scale))
        return sample_mixture(noise, weights, tf.convert_to_tensor(self.loc), scale)

    def sampler(self, encode: Callable | None = None) -> Callable[[dict], tf.Tensor]:
        """Returns `transform` as a function of the noise alone. `encode` is not used."""
        return self.transform

    def get_config(self) -> dict:
        config = {"size": self.size, "components": self.components, "spread": self.spread, "seed": self.seed}
        return {**super().get_config(), **config}


def sample_mixture(noise: dict, weights: tf.Tensor, loc: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Returns samples of a mixture of diagonal Gaussians: the uniform selects the component, the normal its sample.

    Args:
        noise: `noise` standard normal [num, size], `component` uniform [num, 1].
        weights: weights of the components, [components], summing to 1.
        loc: means, [components, size].
        scale: standard deviations, [components, size].

    Returns:
        [num, size].
    """
    bounds = tf.cumsum(weights)
    # The last bound is 1 up to rounding; it is left out, so that a uniform next to 1 selects the last component.
    # Floats >= 0 have the order of their bit patterns as integers. Compared as integers, they keep their precision in
    # an int8 file, where 256 levels of the uniform would select the wrong one of many components.
    passed = tf.bitcast(noise["component"], tf.int32) >= tf.bitcast(bounds[:-1], tf.int32)
    index = tf.reduce_sum(tf.cast(passed, tf.int32), axis=1)
    return tf.gather(loc, index) + tf.gather(scale, index) * noise["noise"]
