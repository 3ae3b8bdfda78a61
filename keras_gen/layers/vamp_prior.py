"""The VampPrior: a mixture of the posteriors of trainable pseudo-inputs."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions.noise import Noise

from .mixture_prior import sample_mixture

tfd = tfp.distributions


@keras.saving.register_keras_serializable("keras_gen")
class VampPrior(keras.layers.Layer):
    """p(z) = 1/K sum_k q(z | u_k), with K trainable pseudo-inputs u_k in the space of images.

    It has the interface of `keras_gen.Prior`, but `encode`, the function from images to the model's (diagonal)
    posterior, is a required argument.

    Args:
        size: dimensions of a code, >= 1.
        components: pseudo-inputs K, >= 1 (the paper uses 500).
        image_shape: (height, width, channels) of an image.
        mean: mean of the initial pseudo-inputs, before they are clipped to [0, 1].
        spread: standard deviation of the initial pseudo-inputs, before they are clipped.
        seed: seed of the initial pseudo-inputs.
        **kwargs: name and dtype.

    Raises:
        ValueError: for a size or a number of components below 1.

    Reference:
        Tomczak, Welling 2018, VAE with a VampPrior, arXiv:1705.07120, eq. 9.
    """

    full_support = True

    def __init__(
        self,
        size: int,
        components: int,
        image_shape: tuple[int, int, int],
        mean: float = 0.05,
        spread: float = 0.01,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if size < 1 or components < 1:
            raise ValueError(f"Expected size and components >= 1; received size={size}, components={components}")
        self.size, self.components, self.image_shape = size, components, tuple(image_shape)
        self.mean, self.spread, self.seed = mean, spread, seed
        self.autocast = False
        self.noise = {"noise": Noise("normal", (size,)), "component": Noise("uniform", (1,))}
        self.pseudo_inputs = self.add_weight(
            shape=(components, *self.image_shape),
            initializer=keras.initializers.RandomNormal(mean, spread, seed=seed),
            name="pseudo_inputs",
            dtype="float32",
        )
        self.built = True

    def images(self) -> tf.Tensor:
        """Returns the pseudo-inputs as images, float32 [components, height, width, channels] in [0, 1]."""
        return tf.clip_by_value(tf.convert_to_tensor(self.pseudo_inputs), 0.0, 1.0)

    def distribution(self, encode: Callable[[tf.Tensor], tfd.Distribution]) -> tfd.Distribution:
        """Returns the mixture, with batch shape [] and event shape [size].

        Args:
            encode: images -> diagonal normal posterior (`Independent(Normal)`).
        """
        posterior = encode(self.images())
        return tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros([self.components])), posterior)

    def transform(self, noise: dict, encode: Callable[[tf.Tensor], tfd.Distribution]) -> tf.Tensor:
        """Returns samples, float32 [num, size].

        Args:
            noise: {"noise": [num, size], "component": [num, 1]}.
            encode: images -> diagonal normal posterior, as in `distribution`.
        """
        return self.sampler(encode)(noise)

    def sampler(self, encode: Callable[[tf.Tensor], tfd.Distribution]) -> Callable[[dict], tf.Tensor]:
        """Returns a function from noise to samples that encodes the pseudo-inputs only once, at this call."""
        normal = encode(self.images()).distribution
        weights = tf.fill([self.components], 1.0 / self.components)
        return lambda noise: sample_mixture(noise, weights, normal.loc, normal.scale)

    def get_config(self) -> dict:
        config = {
            "size": self.size,
            "components": self.components,
            "image_shape": self.image_shape,
            "mean": self.mean,
            "spread": self.spread,
            "seed": self.seed,
        }
        return {**super().get_config(), **config}
