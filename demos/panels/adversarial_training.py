"""The training of a discriminator of two known densities, against a fixed generator. Needs TensorFlow."""

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions import (
    discriminator_error,
    jensen_shannon,
    optimal_discriminator,
    optimal_logit,
    value_function,
)

tfd = tfp.distributions

BATCH_SIZE = 500  # samples of p, and as many of q, per step
LEARNING_RATE = 0.01
NUM_REPORTS = 20  # states of the discriminator that training yields


class Learned(NamedTuple):
    """A discriminator at one step of its training.

    Attributes:
        step: Number of completed steps.
        values: D(x) at the requested points, [num], in [0, 1].
        value: V(D), in nats.
        error: Mean of |D - D*| under (p + q) / 2.
    """

    step: int
    values: np.ndarray
    value: float
    error: float


def normals(distance: float, data_width: float, generator_width: float) -> tuple[tfd.Normal, tfd.Normal]:
    """Returns the data's p and the generator's q: normals of these standard deviations, `distance` apart around 0."""
    return tfd.Normal(-distance / 2, data_width), tfd.Normal(distance / 2, generator_width)


def points(p: tfd.Normal, q: tfd.Normal, num: int = 241) -> np.ndarray:
    """Returns points [num] that cover nearly all of both densities: four standard deviations around the means."""
    low = min(float(each.mean() - 4 * each.stddev()) for each in (p, q))
    high = max(float(each.mean() + 4 * each.stddev()) for each in (p, q))
    return np.linspace(low, high, num)


def densities(p: tfd.Normal, q: tfd.Normal, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns p(x), q(x) and D*(x), each [num]."""
    return p.prob(x).numpy(), q.prob(x).numpy(), optimal_discriminator(p, q, x)


def optimal_values(p: tfd.Normal, q: tfd.Normal) -> tuple[float, float]:
    """Returns JSD(p, q) and V(D*), each computed by its own quadrature, in nats."""
    return jensen_shannon(p, q), value_function(lambda x: optimal_logit(p, q, x[:, 0]), p, q)


def learn(p: tfd.Normal, q: tfd.Normal, x: np.ndarray, *, steps: int, seed: int = 0) -> Iterator[Learned]:
    """Trains a discriminator on samples of p and q, and yields its state during training.

    A network of two hidden layers maximizes E_p[log D] + E_q[log(1 - D)] on new samples of both in every step, by Adam
    with a learning rate that decays to 0.

    Args:
        p: The data's density, see `normals`.
        q: The generator's density, which is fixed.
        x: Points [num] at which to evaluate D.
        steps: Number of steps, >= 1.
        seed: Seed of the weights and samples.

    Yields:
        The state before the first step, about `NUM_REPORTS` times during training, and after the last step.
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
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps))
    optimizer.build(network.trainable_variables)

    @tf.function
    def train(first, last):
        for step in tf.range(first, last):
            real = p.sample([BATCH_SIZE, 1], seed=tf.stack([seed, 2 * step]))
            generated = q.sample([BATCH_SIZE, 1], seed=tf.stack([seed, 2 * step + 1]))
            with tf.GradientTape() as tape:
                # -log D = softplus(-logit), -log(1 - D) = softplus(logit)
                loss = tf.reduce_mean(tf.nn.softplus(-network(real)) + tf.nn.softplus(network(generated)))  # -V(D)
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)

    def logits(each):
        return network(each)

    report_steps = np.unique(
        [0, *np.geomspace(1, steps, NUM_REPORTS).round().astype(int)]
    )  # the first steps change most
    for previous, step in zip([0, *report_steps], report_steps, strict=False):
        if step > previous:
            train(tf.constant(previous, tf.int32), tf.constant(step, tf.int32))
        values = tf.sigmoid(network(tf.constant(x[:, None], tf.float32)))[:, 0].numpy()
        yield Learned(int(step), values, value_function(logits, p, q), discriminator_error(logits, p, q))
