"""Models that can be computed by hand: one dense layer in the encoder and in the decoder, on images of 2x3 pixels."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from keras_gen.models import GlobalBatch

SHAPE = (2, 3, 1)
PIXELS = 6
SIZE = 2


def images(num: int = 4, seed: int = 0) -> np.ndarray:
    """Returns binary images, float32 [num, 2, 3, 1]."""
    return np.random.default_rng(seed).integers(0, 2, (num, *SHAPE)).astype(np.float32)


def weights(rows: int, columns: int, seed: int) -> np.ndarray:
    """Returns normal weights with a standard deviation of 0.5, float32 [rows, columns]."""
    return np.random.default_rng(seed).normal(0, 0.5, (rows, columns)).astype(np.float32)


def linear_encoder(outputs: int = 2 * SIZE, num_classes: int | None = None, **options) -> keras.Model:
    """Returns an encoder: `flat image (and label) @ weights(..., seed=1)`."""
    image = keras.Input(SHAPE, name="image")
    flat, inputs = layers.Flatten()(image), image
    if num_classes:
        label = keras.Input((num_classes,), name="label")
        flat, inputs = layers.Concatenate()([flat, label]), [image, label]
    dense = layers.Dense(outputs, use_bias=False, **options)
    model = keras.Model(inputs, dense(flat), name="encoder")
    dense.kernel.assign(weights(flat.shape[-1], outputs, 1))
    return model


def linear_decoder(channels: int = 1, num_classes: int | None = None) -> keras.Model:
    """Returns a decoder: `code (and label) @ weights(..., seed=2)`."""
    code = keras.Input((SIZE,), name="z")
    flat, inputs = code, code
    if num_classes:
        label = keras.Input((num_classes,), name="label")
        flat, inputs = layers.Concatenate()([code, label]), [code, label]
    dense = layers.Dense(2 * 3 * channels, use_bias=False)
    model = keras.Model(inputs, layers.Reshape((2, 3, channels))(dense(flat)), name="decoder")
    dense.kernel.assign(weights(flat.shape[-1], 2 * 3 * channels, 2))
    return model


class FixedNoise:
    """A replacement of `BatchNoise` that returns the noise set by a test."""

    def __init__(self, noise: np.ndarray):
        self.noise = tf.constant(noise, tf.float32)

    def normal(self, shape):
        assert list(self.noise.shape[1:]) == list(shape)
        return self.noise


def losses_of(model, batch, noise=None, training: bool = True) -> tuple[np.ndarray, dict]:
    """Returns the results of `model.losses_of` with the noise [batch, k, size]."""
    batch = batch if isinstance(batch, dict) else {"image": tf.constant(batch)}
    batch_noise = None if noise is None else FixedNoise(noise)
    global_batch = GlobalBatch(tf.shape(batch["image"])[0])
    losses, logs = model.losses_of(batch, batch_noise, global_batch, training)
    return losses.numpy(), {name: value.numpy() for name, value in logs.items()}


def normals(*shape: int, seed: int = 5) -> np.ndarray:
    """Returns standard normal noise, float32."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
