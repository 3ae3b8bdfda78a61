"""The discriminator's side of the minimax game between two known densities, while it is learned. Needs TensorFlow."""

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions import (
    discriminator_error,
    game_value,
    jensen_shannon,
    optimal_discriminator,
    optimal_logit,
)

tfd = tfp.distributions

BATCH = 500  # draws of p, and as many of q, in a step
RATE = 0.01
SHOWN = 20  # looks at the discriminator while it trains


class Learned(NamedTuple):
    """A discriminator at one moment of its training.

    Attributes:
        step: steps done.
        values: D(x) at the points asked for, [num], in [0, 1].
        value: V(D), in nats.
        error: mean of |D - D*| under (p + q) / 2.
    """

    step: int
    values: np.ndarray
    value: float
    error: float


def normals(distance: float, data_width: float, generator_width: float) -> tuple[tfd.Normal, tfd.Normal]:
    """The data's p and the generator's q: normals of these standard deviations, `distance` apart around 0."""
    return tfd.Normal(-distance / 2, data_width), tfd.Normal(distance / 2, generator_width)


def points(p: tfd.Normal, q: tfd.Normal, num: int = 241) -> np.ndarray:
    """Points [num] of the line that hold nearly all of both densities: four standard deviations around the means."""
    low = min(float(each.mean() - 4 * each.stddev()) for each in (p, q))
    high = max(float(each.mean() + 4 * each.stddev()) for each in (p, q))
    return np.linspace(low, high, num)


def densities(p: tfd.Normal, q: tfd.Normal, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p(x), q(x) and D*(x), each [num]."""
    return p.prob(x).numpy(), q.prob(x).numpy(), optimal_discriminator(p, q, x)


def known(p: tfd.Normal, q: tfd.Normal) -> tuple[float, float]:
    """JSD(p, q), and the game's value at D*, V(D*); each by its own quadrature, in nats."""
    return jensen_shannon(p, q), game_value(lambda x: optimal_logit(p, q, x[:, 0]), p, q)


def learn(p: tfd.Normal, q: tfd.Normal, x: np.ndarray, *, steps: int, seed: int = 0) -> Iterator[Learned]:
    """Train a discriminator on draws of p and q, by the game's own objective, and look at it on the way.

    A network of two hidden layers raises E_p[log D] + E_q[log(1 - D)] over fresh draws of both in every step, by Adam
    with a rate that falls to 0.

    Args:
        p, q: see `normals`; q stays as it is.
        x: points [num] at which to see D.
        steps: >= 1.
        seed: of weights and draws.

    Yields:
        Before the first step, about `SHOWN` times, and after the last one.
    """
    low, high = float(np.min(x)), float(np.max(x))
    network = keras.Sequential(
        [
            keras.layers.Input((1,)),
            keras.layers.Rescaling(4 / (high - low), -2 * (high + low) / (high - low)),  # to [-2, 2]
            *(
                keras.layers.Dense(32, "tanh", kernel_initializer=keras.initializers.GlorotUniform(seed + layer))
                for layer in range(2)
            ),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed + 2)),
        ]
    )
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps))
    optimizer.build(network.trainable_variables)

    @tf.function
    def train(first, last):
        for step in tf.range(first, last):
            real = p.sample([BATCH, 1], seed=tf.stack([seed, 2 * step]))
            generated = q.sample([BATCH, 1], seed=tf.stack([seed, 2 * step + 1]))
            with tf.GradientTape() as tape:
                # -log D = softplus(-logit), -log(1 - D) = softplus(logit)
                loss = tf.reduce_mean(tf.nn.softplus(-network(real)) + tf.nn.softplus(network(generated)))  # -V(D)
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)

    def logits(each):
        return network(each)

    looks = np.unique([0, *np.geomspace(1, steps, SHOWN).round().astype(int)])  # most happens in the first steps
    for before, step in zip([0, *looks], looks, strict=False):
        if step > before:
            train(tf.constant(before, tf.int32), tf.constant(step, tf.int32))
        values = tf.sigmoid(network(tf.constant(x[:, None], tf.float32)))[:, 0].numpy()
        yield Learned(int(step), values, game_value(logits, p, q), discriminator_error(logits, p, q))
