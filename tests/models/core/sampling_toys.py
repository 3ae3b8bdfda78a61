"""Models that call a network many times for each image: an autoregressive one and one that denoises."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.distributions import Noise
from keras_gen.models.core.class_conditional import ClassConditional
from keras_gen.models.core.iterative_sampling import IterativeSampling

SHAPE = (2, 3, 1)
PIXELS = 6


class Autoregressive(IterativeSampling):
    """Binary pixels in raster order: pixel i is 1 with a probability that depends on the pixels before it."""

    image_shape = SHAPE
    sampling_steps = PIXELS
    averaged_networks = ("network",)

    def __init__(self, network: keras.Model, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.create_ema_networks()

    def losses_of(self, batch, batch_noise, global_batch, training):
        pixels = tf.reshape(batch["image"], [-1, PIXELS])
        logits = tf.stack([self._logit(self.network, pixels, i) for i in range(PIXELS)], axis=1)
        return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(pixels, logits), axis=1), {}

    @staticmethod
    def _logit(network, pixels, position):
        before = tf.cast(tf.range(PIXELS)[None] < tf.cast(position, tf.int32), tf.float32)
        return network(pixels * before)[:, 0]

    def step_noise(self):
        return {"uniform": Noise("uniform", (1,))}

    def sampling_step(self, state, step, noise):
        pixels = tf.reshape(state, [-1, PIXELS])
        probability = tf.nn.sigmoid(self._logit(self.inference_network("network"), pixels, step))
        value = tf.cast(noise["uniform"] < probability[:, None], tf.float32)
        pixels += value * tf.one_hot(tf.cast(step[:, 0], tf.int32), PIXELS)
        return tf.reshape(pixels, [-1, *SHAPE])


class Denoiser(ClassConditional, IterativeSampling):
    """Moves normal noise towards the gray value of a class, with less noise in each step, as a diffusion model does."""

    image_shape = SHAPE
    sampling_steps = 4
    num_classes = 3

    def noise(self):
        return {"state": Noise("normal", SHAPE)}

    def step_noise(self):
        return {"noise": Noise("normal", SHAPE)}

    def sampling_step(self, state, step, noise, label):
        gray = tf.reduce_sum(label * tf.constant([0.25, 0.5, 0.75]), axis=1)[:, None, None, None]
        scale = (self.sampling_steps - step)[:, :, None, None] / self.sampling_steps
        return gray + 0.9 * scale * (state - gray) + 0.5 * scale * noise["noise"]

    def image_from_state(self, state):
        return tf.clip_by_value(state, 0.0, 1.0)


def autoregressive(weight: float = 2.0, **options) -> Autoregressive:
    """Pixels whose logits are `weight` times the sum of those before, less 1/2."""
    network = keras.Sequential([keras.Input((PIXELS,)), keras.layers.Dense(1)])
    network.set_weights([np.full((PIXELS, 1), weight, np.float32), np.full(1, -0.5, np.float32)])
    return Autoregressive(network, seed=0, **options)
