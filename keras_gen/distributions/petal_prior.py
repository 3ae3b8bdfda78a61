"""A mixture of 2-D Gaussians in the arrangement of a flower's petals, one for each class."""

import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from .noise import Noise
from .one_hot_labels import decode_one_hot

tfd = tfp.distributions


@keras.saving.register_keras_serializable("keras_gen")
class PetalPrior:
    """p(z) = 1/K sum_k N(z; m_k, C_k) in the plane: means on a circle, each Gaussian elongated along the radius.

    It has the interface `LatentPrior`, and `transform` can be conditioned on the class: class k has petal k.

    Args:
        components: petals K, >= 1; petal k is at the angle 2 pi k / K.
        radius: distance of the means from 0.
        length: standard deviation along the radius, > 0. The paper shows its mixture in a figure without numbers.
        breadth: standard deviation across the radius, > 0. With the defaults, the border between neighbors is three
            standard deviations away from the means.

    Raises:
        ValueError: for arguments below their minimum.

    Example:
        >>> prior, noise = PetalPrior(4), {"noise": tf.zeros([1, 2]), "component": tf.zeros([1, 1])}
        >>> prior.transform(noise, label=tf.one_hot([0], 4)).numpy()  # the mean of petal 0
        array([[2., 0.]], dtype=float32)

    Reference:
        Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, section 2.3 and figure 4 (a mixture of 10).
    """

    size = 2
    full_support = True

    def __init__(self, components: int = 10, *, radius: float = 2.0, length: float = 0.5, breadth: float = 0.2):
        if components < 1 or min(radius, length, breadth) <= 0:
            raise ValueError(
                f"Expected components >= 1, and radius, length and breadth > 0; received components={components}, "
                f"radius={radius}, length={length}, breadth={breadth}"
            )
        self.components, self.radius, self.length, self.breadth = components, radius, length, breadth
        self.noise = {"noise": Noise("normal", (2,)), "component": Noise("uniform", (1,))}
        angles = 2 * math.pi * np.arange(components) / components
        # [component, (along, across), (x, y)]
        self._axes = np.stack([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)

    def distribution(self, encode: Callable | None = None) -> tfd.Distribution:
        """Returns the mixture, with batch shape [] and event shape [2]. `encode` is not used."""
        along, across = self._axes[:, 0], self._axes[:, 1]
        covariance = self.length**2 * along[:, :, None] * along[:, None, :]
        covariance = covariance + self.breadth**2 * across[:, :, None] * across[:, None, :]
        loc, factor = self.radius * along, np.linalg.cholesky(covariance)
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.zeros([self.components])),
            tfd.MultivariateNormalTriL(tf.constant(loc, tf.float32), tf.constant(factor, tf.float32)),
        )

    def transform(self, noise: dict, encode: Callable | None = None, label: tf.Tensor | None = None) -> tf.Tensor:
        """Returns samples of the prior, or of the petals of the labels.

        Args:
            noise: {"noise": [num, 2], "component": [num, 1]}.
            encode: not used.
            label: one-hot [num, components], or None; the uniform selects the petal of a row without a label (all
                zeros), and of all rows for None.

        Returns:
            float32 [num, 2].

        Raises:
            ValueError: for labels whose number of classes is not the number of petals.
        """
        index = tf.cast(noise["component"][:, 0] * self.components, tf.int32)
        index = tf.minimum(index, self.components - 1)  # the product may round up to K
        if label is not None:
            labeled, classes = decode_one_hot(label)
            if label.shape[1] != self.components:
                raise ValueError(
                    f"Expected labels of {self.components} classes, one per petal; received {label.shape[1]}"
                )
            index = tf.where(labeled, classes, index)
        axes = tf.gather(tf.constant(self._axes, tf.float32), index)
        along = self.radius + self.length * noise["noise"][:, :1]
        return along * axes[:, 0] + self.breadth * noise["noise"][:, 1:] * axes[:, 1]

    def sampler(self, encode: Callable | None = None) -> Callable[..., tf.Tensor]:
        """Returns `transform` as a function of the noise (and the label). `encode` is not used."""
        return self.transform

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
