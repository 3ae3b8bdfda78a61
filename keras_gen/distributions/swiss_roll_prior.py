"""The swiss roll: a spiral in the plane, a stretch of it for each class."""

import math
from collections.abc import Callable

import keras
import tensorflow as tf

from .label_informed import read_label
from .noise import Noise


@keras.saving.register_keras_serializable("keras_gen")
class SwissRollPrior:
    """A spiral through 0 with normal noise around it: a prior that can be sampled and has no density to compute.

    z = r (cos a, sin a) + jitter * e with r = radius sqrt(s), a = 2 pi turns sqrt(s) and s uniform on [0, 1): the
    length of the spiral up to a grows with a^2, so the draws lie evenly along it (but for the innermost half turn).
    `draw` can be told the class: of K classes, class k owns the stretch k/K <= s < (k + 1)/K.

    Args:
        turns: windings, > 0.
        radius: distance of the outer end from 0, > 0. Neighbouring windings are radius / turns apart.
        jitter: standard deviation of the noise around the spiral, >= 0.

    Reference:
        Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, section 2.3 and figure 4 (the first tenth of
        the roll belongs to digit 0, and so on; the paper gives no formula).
    """

    size = 2
    full_support = False  # not even a density

    def __init__(self, *, turns: float = 2.0, radius: float = 3.0, jitter: float = 0.1):
        if min(turns, radius) <= 0 or jitter < 0:
            raise ValueError(
                f"turns and radius must be > 0, jitter >= 0; received turns={turns}, radius={radius}, jitter={jitter}"
            )
        self.turns, self.radius, self.jitter = turns, radius, jitter
        self.noise = {"noise": Noise("normal", (2,)), "along": Noise("uniform", (1,))}

    def distribution(self, encode=None):
        """Raises a ValueError: there is no density in closed form."""
        raise ValueError(
            "A swiss roll has no density in closed form, only draws: no KL divergence and no likelihood can be "
            "computed with it. It suits models that need draws alone (the adversarial autoencoder); elsewhere use a "
            "Prior, a MixturePrior or a PetalPrior"
        )

    def draw(self, noise: dict, encode=None, label=None) -> tf.Tensor:
        """Base noise -> draws of the roll, or of the stretches that labels name.

        Args:
            noise: {"noise": [num, 2], "along": [num, 1]}.
            encode: not used.
            label: one-hot [num, K]; where a row has no label (is all zeros), and everywhere without this argument, the
                draw comes from the whole roll.

        Returns:
            float32 [num, 2].
        """
        s = noise["along"]
        if label is not None:
            known, named = read_label(label)
            s = tf.where(known[:, None], (tf.cast(named, tf.float32)[:, None] + s) / label.shape[1], s)
        root = tf.sqrt(s)
        angle = 2 * math.pi * self.turns * root
        spiral = self.radius * root * tf.concat([tf.cos(angle), tf.sin(angle)], axis=1)
        return spiral + self.jitter * noise["noise"]

    def sampler(self, encode=None) -> Callable[..., tf.Tensor]:
        """`draw` as a function of the noise (and the label). `encode` is not used."""
        return self.draw

    def get_config(self) -> dict:
        return {"turns": self.turns, "radius": self.radius, "jitter": self.jitter}

    @classmethod
    def from_config(cls, config: dict) -> "SwissRollPrior":
        return cls(**config)
