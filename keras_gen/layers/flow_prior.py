"""A trainable normalizing flow as the prior over codes."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions.noise import Noise

tfb, tfd = tfp.bijectors, tfp.distributions

# bound of a coupling's log-scale: a coupling scales a dimension by a factor from exp(-2) to exp(2)
MAX_LOG_SCALE = 2.0


@keras.saving.register_keras_serializable("keras_gen")
class FlowPrior(keras.layers.Layer):
    """p(z) of z = f(u), u ~ N(0, I), with f a trainable chain of affine couplings (Real NVP).

    A coupling leaves one half of the dimensions unchanged, and shifts and scales the other half by the outputs of a
    small network on the first half. Permutations between the couplings make sure that every dimension is transformed.
    f starts as a permutation, so p(z) starts as the standard normal. A flow fits aggregate posteriors that no mixture
    of few Gaussians fits, such as those of images whose factors combine freely.

    It has the interface `keras_gen.distributions.LatentPrior`.

    Args:
        size: dimensions of a code, >= 2.
        couplings: affine couplings in the chain, >= 1.
        hidden: units of the hidden layer in a coupling's network, >= 1.
        seed: seed of the permutations and of the initial weights.
        **kwargs: name and dtype.

    Raises:
        ValueError: for arguments below their minimum.

    Reference:
        Dinh, Sohl-Dickstein, Bengio 2016, Density estimation using Real NVP, arXiv:1605.08803, eq. 7 and 8.
        Chen et al. 2016, Variational Lossy Autoencoder, arXiv:1611.02731, section 3.2 (a flow as the prior).
    """

    full_support = True

    def __init__(self, size: int, couplings: int = 8, hidden: int = 128, seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        if size < 2 or couplings < 1 or hidden < 1:
            raise ValueError(
                "Expected size >= 2 (a coupling splits the dimensions), couplings >= 1 and hidden >= 1; "
                f"received size={size}, couplings={couplings}, hidden={hidden}"
            )
        self.size, self.couplings, self.hidden, self.seed = size, couplings, hidden, seed
        self.autocast = False
        self.noise = {"noise": Noise("normal", (size,))}
        self.num_masked = size // 2
        generator = np.random.default_rng(seed)
        self.permutations = [generator.permutation(size) for _ in range(couplings)]
        self.first = [self._dense(self.num_masked, hidden, "silu", _he(seed + i)) for i in range(couplings)]
        self.last = [self._dense(hidden, 2 * (size - self.num_masked), None, "zeros") for _ in range(couplings)]
        self.built = True

    def distribution(self, encode: Callable | None = None) -> tfd.Distribution:
        """Returns the flow's distribution, with batch shape [] and event shape [size]. `encode` is not used."""
        normal = tfd.MultivariateNormalDiag(tf.zeros(self.size), tf.ones(self.size))
        return tfd.TransformedDistribution(normal, self._flow())

    def transform(self, noise: dict, encode: Callable | None = None) -> tf.Tensor:
        """Returns samples [num, size] for the noise {"noise": [num, size]}. `encode` is not used."""
        return self._flow().forward(noise["noise"])

    def sampler(self, encode: Callable | None = None) -> Callable[[dict], tf.Tensor]:
        """Returns `transform` as a function of the noise alone. `encode` is not used."""
        return self.transform

    def _flow(self) -> tfb.Bijector:
        bijectors = []
        for first, last, permutation in zip(self.first, self.last, self.permutations, strict=True):
            coupling = tfb.RealNVP(num_masked=self.num_masked, bijector_fn=_affine(first, last))
            bijectors += [coupling, tfb.Permute(permutation)]
        return tfb.Chain(bijectors)

    @staticmethod
    def _dense(inputs: int, units: int, activation: str | None, kernel: Any) -> keras.layers.Dense:
        layer = keras.layers.Dense(units, activation, kernel_initializer=kernel, dtype="float32")
        layer.build((None, inputs))
        return layer

    def get_config(self) -> dict:
        config = {"size": self.size, "couplings": self.couplings, "hidden": self.hidden, "seed": self.seed}
        return {**super().get_config(), **config}


def _he(seed: int) -> keras.initializers.Initializer:
    return keras.initializers.HeNormal(seed=seed)


def _affine(first: keras.layers.Dense, last: keras.layers.Dense) -> Callable[..., tfb.Bijector]:
    def bijector(masked: tf.Tensor, units: int, **condition: Any) -> tfb.Bijector:
        raw, shift = tf.split(last(first(masked)), 2, axis=-1)
        return tfb.Shift(shift)(tfb.Scale(log_scale=MAX_LOG_SCALE * tf.tanh(raw / MAX_LOG_SCALE)))

    return bijector
