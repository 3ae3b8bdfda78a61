"""The swiss roll: a spiral in the plane with one segment for each class."""

import math
from collections.abc import Callable

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from .noise import Noise
from .one_hot_labels import decode_one_hot

tfd = tfp.distributions


@keras.saving.register_keras_serializable("keras_gen")
class SwissRollPrior:
    """A spiral through 0 with normal noise around it: a prior that can be sampled but has no density in closed form.

    z = r (cos a, sin a) + jitter * e with r = radius sqrt(s), a = 2 pi turns sqrt(s) and s uniform on [0, 1): the
    length of the spiral up to a grows with a^2, so samples are evenly spaced along it (except for the innermost half
    turn). `transform` can be conditioned on the class: of K classes, class k has the segment k/K <= s < (k + 1)/K.

    Args:
        turns: windings, > 0.
        radius: distance of the outer end from 0, > 0. Neighboring windings are radius / turns apart.
        jitter: standard deviation of the noise around the spiral, >= 0.

    Raises:
        ValueError: for arguments below their minimum.

    Reference:
        Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, section 2.3 and figure 4 (the first tenth of
        the roll belongs to digit 0, and so on; the paper gives no formula).
    """

    size = 2
    full_support = False  # it has no density at all

    def __init__(self, *, turns: float = 2.0, radius: float = 3.0, jitter: float = 0.1):
        if min(turns, radius) <= 0 or jitter < 0:
            raise ValueError(
                f"Expected turns and radius > 0 and jitter >= 0; received turns={turns}, radius={radius}, "
                f"jitter={jitter}"
            )
        self.turns, self.radius, self.jitter = turns, radius, jitter
        self.noise = {"noise": Noise("normal", (2,)), "along": Noise("uniform", (1,))}

    def distribution(self, encode: Callable | None = None) -> tfd.Distribution:
        """Raises a ValueError, because there is no density in closed form."""
        raise ValueError(
            "Expected a prior with a density in closed form for a KL divergence or a likelihood; received a "
            "SwissRollPrior, which only an adversarial autoencoder can use: use a Prior, a MixturePrior or a PetalPrior"
        )

    def transform(self, noise: dict, encode: Callable | None = None, label: tf.Tensor | None = None) -> tf.Tensor:
        """Returns samples of the roll, or of the segments of the labels.

        Args:
            noise: {"noise": [num, 2], "along": [num, 1]}.
            encode: not used.
            label: one-hot [num, K], or None; the sample of a row without a label (all zeros), and of all rows for None,
                is one of the whole roll.

        Returns:
            float32 [num, 2].
        """
        s = noise["along"]
        if label is not None:
            labeled, classes = decode_one_hot(label)
            s = tf.where(labeled[:, None], (tf.cast(classes, tf.float32)[:, None] + s) / label.shape[1], s)
        root = tf.sqrt(s)
        angle = 2 * math.pi * self.turns * root
        spiral = self.radius * root * tf.concat([tf.cos(angle), tf.sin(angle)], axis=1)
        return spiral + self.jitter * noise["noise"]

    def sampler(self, encode: Callable | None = None) -> Callable[..., tf.Tensor]:
        """Returns `transform` as a function of the noise (and the label). `encode` is not used."""
        return self.transform

    def get_config(self) -> dict:
        return {"turns": self.turns, "radius": self.radius, "jitter": self.jitter}

    @classmethod
    def from_config(cls, config: dict) -> "SwissRollPrior":
        return cls(**config)
