"""Classifiers that measure translated images: trained only on real images, with a different network and seed."""

import keras
import numpy as np
from keras import layers


class ImageClassifier:
    """A small convolutional classifier, which recognizes colors and parts at any position, or at their positions.

    Args:
        images: float32 [num, size, size, channels] in [0, 1].
        labels: Integers [num], from 0.
        flip: Whether mirrored images have the same class.
        epochs: Epochs of training.
        seed: Seed of weights and training.
        pool: Whether the features are pooled over all positions; False suits classes that differ in one place.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        flip: bool,
        epochs: int = 20,
        seed: int = 7,
        pool: bool = True,
    ):
        keras.utils.set_random_seed(seed)
        image = keras.Input(images.shape[1:])
        x = layers.RandomFlip("horizontal", seed=seed)(image) if flip else image
        # so that imperceptible changes of all pixels have no effect
        x = layers.GaussianNoise(0.02, seed=seed + 1)(x)
        if pool:
            for channels, strides in ((32, 2), (64, 1), (64, 2), (64, 1)):
                x = layers.Conv2D(channels, 3, strides=strides, padding="same", activation="relu")(x)
            x = layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)])
        else:
            x = layers.Rescaling(2.0, offset=-1.0)(x)
            for channels in (32, 64, 128):
                x = layers.LeakyReLU(0.2)(layers.Conv2D(channels, 4, strides=2, padding="same")(x))
            x = layers.Flatten()(x)
        x = layers.Dense(64, activation="relu")(x)
        self.network = keras.Model(image, layers.Dense(int(labels.max()) + 1)(x))
        rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * -(-len(images) // 32))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.network.compile(keras.optimizers.Adam(rate), loss)
        self.network.fit(images, labels, batch_size=32, epochs=epochs, verbose=0)

    def error(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Returns the fraction of images [num, ...] that are not classified as their labels [num]."""
        logits = self.network.predict(images, batch_size=256, verbose=0)
        return float(np.mean(logits.argmax(1) != labels))
