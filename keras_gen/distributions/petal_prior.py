"""A mixture of 2-D Gaussians arranged as the petals of a flower, one for each class."""

import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from .label_informed import read_label
from .noise import Noise

tfd = tfp.distributions


@keras.saving.register_keras_serializable("keras_gen")
class PetalPrior:
    """p(z) = 1/K sum_k N(z; m_k, C_k) in the plane: means on a circle, each Gaussian long in the circle's radius.

    The same interface as `keras_gen.Prior`, and a `draw` that can be told the class: class k owns petal k.

    Args:
        components: petals K, >= 1; petal k lies at the angle 2 pi k / K.
        radius: distance of the means from 0.
        length, breadth: standard deviations along the radius and across it, > 0. The paper shows its mixture in a
            figure and gives no numbers. With these defaults, the border between neighbors lies three standard
            deviations away at the means.

    Example:
        >>> prior = PetalPrior()
        >>> third = tf.one_hot([3], 10)
        >>> prior.draw({"noise": tf.zeros([1, 2]), "component": tf.zeros([1, 1])}, label=third)   # the mean of petal 3

    Reference:
        Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, section 2.3 and figure 4 (a mixture of 10).
    """

    size = 2
    full_support = True

    def __init__(self, components: int = 10, *, radius: float = 2.0, length: float = 0.5, breadth: float = 0.2):
        if components < 1 or min(radius, length, breadth) <= 0:
            raise ValueError(
                f"components must be >= 1, and radius, length and breadth > 0; received components={components}, "
                f"radius={radius}, length={length}, breadth={breadth}"
            )
        self.components, self.radius, self.length, self.breadth = components, radius, length, breadth
        self.noise = {"noise": Noise("normal", (2,)), "component": Noise("uniform", (1,))}
        angles = 2 * math.pi * np.arange(components) / components
        # [component, (along, across), (x, y)]
        self._axes = np.stack([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)

    def distribution(self, encode=None) -> tfd.Distribution:
        """The mixture, with batch shape [] and event shape [2]. `encode` is not used."""
        along, across = self._axes[:, 0], self._axes[:, 1]
        covariance = self.length**2 * along[:, :, None] * along[:, None, :]
        covariance = covariance + self.breadth**2 * across[:, :, None] * across[:, None, :]
        loc, factor = self.radius * along, np.linalg.cholesky(covariance)
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.zeros([self.components])),
            tfd.MultivariateNormalTriL(tf.constant(loc, tf.float32), tf.constant(factor, tf.float32)),
        )

    def draw(self, noise: dict, encode=None, label=None) -> tf.Tensor:
        """Base noise -> draws of the prior, or of the petals that labels name.

        Args:
            noise: {"noise": [num, 2], "component": [num, 1]}.
            encode: not used.
            label: one-hot [num, components]; the uniform picks the petal where a row has no label (is all zeros), and
                everywhere without this argument.

        Returns:
            float32 [num, 2].

        Raises:
            ValueError: for labels with another number of classes than petals.
        """
        index = tf.cast(noise["component"][:, 0] * self.components, tf.int32)
        index = tf.minimum(index, self.components - 1)  # the product may round up to K
        if label is not None:
            known, named = read_label(label)
            if label.shape[1] != self.components:
                raise ValueError(f"The prior has {self.components} petals, the labels {label.shape[1]} classes")
            index = tf.where(known, named, index)
        axes = tf.gather(tf.constant(self._axes, tf.float32), index)
        along = self.radius + self.length * noise["noise"][:, :1]
        return along * axes[:, 0] + self.breadth * noise["noise"][:, 1:] * axes[:, 1]

    def sampler(self, encode=None) -> Callable[..., tf.Tensor]:
        """`draw` as a function of the noise (and the label). `encode` is not used."""
        return self.draw

    def get_config(self) -> dict:
        return {
            "components": self.components,
            "radius": self.radius,
            "length": self.length,
            "breadth": self.breadth,
        }

    @classmethod
    def from_config(cls, config: dict) -> "PetalPrior":
        return cls(**config)
