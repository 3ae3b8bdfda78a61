"""Gradient penalties of models: with respect to augmented images, and in saved models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses.diff_augment import diff_augment, noise_size
from keras_gen.models import GAN, BatchNoise, GlobalBatch

SHAPE = (4, 4, 1)


def gan(discriminator=None, packing: int = 1, **options) -> GAN:
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(16, "sigmoid"), keras.layers.Reshape(SHAPE)])
    if discriminator is None:
        discriminator = keras.Sequential(
            [
                keras.Input((*SHAPE[:2], packing)),
                keras.layers.Flatten(),
                keras.layers.Dense(8, "tanh"),
                keras.layers.Dense(1),
            ]
        )
    return GAN(generator, discriminator, packing=packing, **{"ema": None, "seed": 0, **options})


def images(num: int = 4, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(size=(num, *SHAPE)).astype(np.float32))


def discriminator_rows(model: GAN, real, training: bool = True):
    """Returns the discriminator's loss of each example, and the generated images."""
    global_batch, seed = GlobalBatch(tf.shape(real)[0]), tf.constant([1, 2])
    batch_noise = BatchNoise(seed, global_batch)
    shared = model.shared_forward({"image": real}, batch_noise, training)
    return model.discriminator_loss({"image": real}, shared, batch_noise, global_batch, training)[0], shared[
        "generated"
    ]


class Recording(keras.layers.Layer):
    """Returns its inputs and records them."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def call(self, inputs):
        if tf.executing_eagerly() and isinstance(inputs, tf.Tensor):  # not while the network is built
            self.seen.append(inputs.numpy())
        return inputs


def recording(packing: int = 1) -> tuple[keras.Model, Recording]:
    recorder = Recording()
    image = keras.Input((*SHAPE[:2], packing))
    hidden = keras.layers.Dense(3, "tanh")(keras.layers.Flatten()(recorder(image)))
    return keras.Model(image, keras.layers.Dense(1)(hidden)), recorder


class TestAugment:
    @pytest.mark.parametrize("penalty", ["r1", "r2", "wgan_gp", "dragan"])
    @pytest.mark.parametrize("packing", [1, 2])
    @pytest.mark.parametrize("training", [True, False])
    def test_the_discriminator_never_sees_a_plain_image(self, penalty, packing, training):
        """White images, from which the cutout removes a rectangle."""
        discriminator, recorder = recording(packing)
        model = gan(discriminator, packing, penalty=penalty, augment=("cutout",))
        rows, _ = discriminator_rows(model, tf.ones([4, *SHAPE]), training)
        assert np.isfinite(rows).all()
        assert len(recorder.seen) == 3  # real images, generated images, points of the penalty
        for seen in recorder.seen:
            assert seen.shape == (4 // packing, 4, 4, packing)
            # a part of the rectangle, which is mid-gray, lies inside of each image of a pack
            assert ((seen == 0.5).sum((1, 2)) >= 1).all()

    def test_r1_is_the_gradient_of_the_augmented_discriminator_with_respect_to_the_image(self):
        """x -> C(T(x)) with the chain rule by hand: the gradient with respect to T(x), through the augmentation T."""
        augment, real = ("color", "translation", "cutout"), images()
        plain = gan(augment=augment)
        penalized = gan(plain.discriminator, augment=augment, penalty={"name": "r1", "gamma": 2.0})
        penalized.generator.set_weights(plain.generator.get_weights())
        without, with_penalty = (discriminator_rows(model, real)[0] for model in (plain, penalized))
        batch_noise = BatchNoise(tf.constant([1, 2]), GlobalBatch(tf.constant(4)))
        batch_noise.normal([2])  # the codes, then the real and the generated images' noise
        noise = [batch_noise.uniform([noise_size(augment)]) for _ in range(3)][2]
        with tf.GradientTape() as tape:
            tape.watch(real)
            seen = diff_augment(real, augment, noise)
        with tf.GradientTape() as of_discriminator:
            of_discriminator.watch(seen)
            logits = plain.discriminator(seen)
        gradient = tape.gradient(seen, real, output_gradients=of_discriminator.gradient(logits, seen))
        # gamma / 2 = 1; with respect to images in [-1, 1] the gradient is half as large
        expected = np.square(gradient / 2).sum((1, 2, 3))
        np.testing.assert_allclose(with_penalty - without, expected, rtol=1e-4)
        assert (np.square(gradient).sum((1, 2, 3)) > 0).all()

    def test_evaluation_augments_too(self):
        """White images, of which the discriminator sees none without the rectangle that the cutout removes."""
        discriminator, recorder = recording()
        model = gan(discriminator, augment=("cutout",))
        model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
        model.evaluate(np.ones((4, *SHAPE), np.float32), verbose=0)
        assert recorder.seen and all((seen == 0.5).any((1, 2)).all() for seen in recorder.seen)


class TestSaving:
    def test_a_saved_model_keeps_its_penalty(self, tmp_path):
        model = gan(penalty={"name": "r1", "gamma": 3.0})
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.penalty == {"name": "r1", "gamma": 3.0}
        rows = [discriminator_rows(each, images())[0] for each in (model, loaded)]
        np.testing.assert_array_equal(*rows)
