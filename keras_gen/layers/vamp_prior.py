"""The VampPrior: a mixture of the posteriors of trainable pseudo-inputs."""

from collections.abc import Callable

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions.noise import Noise

from .mixture_prior import draw_from_mixture

tfd = tfp.distributions


@keras.saving.register_keras_serializable("keras_gen")
class VampPrior(keras.layers.Layer):
    """p(z) = 1/K sum_k q(z | u_k), with K trainable pseudo-inputs u_k in the space of images.

    The same interface as `keras_gen.Prior`, with `encode`, the map from images to the model's (diagonal) posterior, as
    an argument that is needed.

    Args:
        size: dimensions of a code.
        components: pseudo-inputs K, >= 1 (the paper uses 500).
        image_shape: (height, width, channels) of an image.
        mean, spread: mean and standard deviation of the initial pseudo-inputs, before the clip to [0, 1].
        seed: seed of the initial pseudo-inputs.

    Reference:
        Tomczak, Welling 2018, VAE with a VampPrior, arXiv:1705.07120, eq. 9.
    """

    def __init__(
        self,
        size: int,
        components: int,
        image_shape: tuple[int, int, int],
        mean: float = 0.05,
        spread: float = 0.01,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if size < 1 or components < 1:
            raise ValueError(f"size and components must be >= 1; received size={size}, components={components}")
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
        """The pseudo-inputs as images, float32 [components, height, width, channels] in [0, 1]."""
        return tf.clip_by_value(tf.convert_to_tensor(self.pseudo_inputs), 0.0, 1.0)

    def distribution(self, encode) -> tfd.Distribution:
        """The mixture, with batch shape [] and event shape [size].

        Args:
            encode: images -> diagonal normal posterior (`Independent(Normal)`).
        """
        posterior = encode(self.images())
        return tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros([self.components])), posterior)

    def draw(self, noise: dict, encode) -> tf.Tensor:
        """Base noise {"noise": [num, size], "component": [num, 1]} -> draws of the mixture [num, size]."""
        return self.sampler(encode)(noise)

    def sampler(self, encode) -> Callable[[dict], tf.Tensor]:
        """`draw` with the pseudo-inputs encoded now, once, and not again for every draw: noise -> draws."""
        normal = encode(self.images()).distribution
        weights = tf.fill([self.components], 1.0 / self.components)
        return lambda noise: draw_from_mixture(noise, weights, normal.loc, normal.scale)

    def get_config(self) -> dict:
        own = {
            "size": self.size,
            "components": self.components,
            "image_shape": self.image_shape,
            "mean": self.mean,
            "spread": self.spread,
            "seed": self.seed,
        }
        return {**super().get_config(), **own}
