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
    """Returns the discriminator's loss per example, and the generated images."""
    global_batch, seed = GlobalBatch(tf.shape(real)[0]), tf.constant([1, 2])
    batch_noise = BatchNoise(seed, global_batch)
    shared = model.shared_forward({"image": real}, batch_noise, training)
    return model.discriminator_loss({"image": real}, shared, batch_noise, global_batch, training)[0], shared[
        "generated"
    ]


class RecordingLayer(keras.layers.Layer):
    """A layer that returns its inputs and records them."""

    def __init__(self):
        super().__init__()
        self.recorded = []

    def call(self, inputs):
        if tf.executing_eagerly() and isinstance(inputs, tf.Tensor):  # not during the build of the network
            self.recorded.append(inputs.numpy())
        return inputs


def recording(packing: int = 1) -> tuple[keras.Model, RecordingLayer]:
    recorder = RecordingLayer()
    image = keras.Input((*SHAPE[:2], packing))
    hidden = keras.layers.Dense(3, "tanh")(keras.layers.Flatten()(recorder(image)))
    return keras.Model(image, keras.layers.Dense(1)(hidden)), recorder


class TestAugmentation:
    @pytest.mark.parametrize("penalty", ["r1", "r2", "wgan_gp", "dragan"])
    @pytest.mark.parametrize("packing", [1, 2])
    @pytest.mark.parametrize("training", [True, False])
    def test_discriminator_receives_only_augmented_images(self, penalty, packing, training):
        """The images are white, and cutout replaces a rectangle."""
        discriminator, recorder = recording(packing)
        model = gan(discriminator, packing, penalty=penalty, augment=("cutout",))
        rows, _ = discriminator_rows(model, tf.ones([4, *SHAPE]), training)
        assert np.isfinite(rows).all()
        assert len(recorder.recorded) == 3  # real images, generated images, points of the penalty
        for recorded in recorder.recorded:
            assert recorded.shape == (4 // packing, 4, 4, packing)
            # the rectangle is mid-gray and overlaps each image of a pack
            assert ((recorded == 0.5).sum((1, 2)) >= 1).all()

    def test_r1_is_the_gradient_through_the_augmentation(self):
        """The gradient of x -> C(T(x)) is computed by the chain rule: with respect to T(x), then through T."""
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
            recorded = diff_augment(real, augment, noise)
        with tf.GradientTape() as of_discriminator:
            of_discriminator.watch(recorded)
            logits = plain.discriminator(recorded)
        gradient = tape.gradient(recorded, real, output_gradients=of_discriminator.gradient(logits, recorded))
        # gamma / 2 = 1; with respect to images in [-1, 1] the gradient is half as large
        expected = np.square(gradient / 2).sum((1, 2, 3))
        np.testing.assert_allclose(with_penalty - without, expected, rtol=1e-4)
        assert (np.square(gradient).sum((1, 2, 3)) > 0).all()

    def test_evaluation_augments_too(self):
        """The images are white, and the discriminator receives none without the rectangle of cutout."""
        discriminator, recorder = recording()
        model = gan(discriminator, augment=("cutout",))
        model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
        model.evaluate(np.ones((4, *SHAPE), np.float32), verbose=0)
        assert recorder.recorded and all((recorded == 0.5).any((1, 2)).all() for recorded in recorder.recorded)


class TestProbability:
    """White images, of which cutout replaces a rectangle in some."""

    def cut(self, model, recorder, training: bool = True, rows: int = 200) -> np.ndarray:
        """Returns the share of the images with a rectangle, in each pass of the discriminator."""
        recorder.recorded.clear()
        discriminator_rows(model, tf.ones([rows, *SHAPE]), training)
        return np.array([(images == 0.5).any((1, 2, 3)).mean() for images in recorder.recorded])

    @pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
    @pytest.mark.parametrize("training", [True, False])
    def test_a_number_is_the_share_of_augmented_images(self, probability, training):
        discriminator, recorder = recording()
        model = gan(discriminator, augment=("cutout",), augment_probability=probability, penalty="r1")
        shares = self.cut(model, recorder, training)
        # three standard errors of 200 images
        np.testing.assert_allclose(shares, probability, atol=3 * np.sqrt(probability * (1 - probability) / 200))
        assert len(shares) == 3 and model.adaptive_probability is None

    def test_it_adapts_in_training_alone_and_is_reported(self):
        discriminator, recorder = recording()
        adaptive = {"name": "adaptive", "target": 0.5, "images": 400}
        model = gan(discriminator, augment=("cutout",), augment_probability=adaptive)
        discriminator.layers[-1].bias.assign([10.0])  # all images are taken for real
        probability = model.adaptive_probability.probability
        for step in range(1, 8):
            shares = self.cut(model, recorder, rows=50)
            assert float(probability) == (0.5 if step >= 4 else 0)
        assert 0.2 < shares.mean() < 0.8
        discriminator.layers[-1].bias.assign([-10.0])
        self.cut(model, recorder, training=False)
        assert float(probability) == 0.5
        assert "augment_probability" in model.tracked and "augment_probability" not in gan().tracked

    def test_fit_and_steps_per_execution_count_every_critic_update(self):
        """16 images in two updates of 8 each: after two steps of four updates in all, the probability may change."""
        options = {"augment": ("cutout",), "augment_probability": {"name": "adaptive", "images": 320}, "n_critic": 2}
        results = []
        for executions in (1, 2):
            keras.utils.clear_session()
            keras.utils.set_random_seed(0)
            model = gan(**options)
            model.discriminator.layers[-1].bias.assign([10.0])
            model.compile(keras.optimizers.SGD(1e-4), steps_per_execution=executions)
            model.fit(np.random.default_rng(0).random((64, *SHAPE)), batch_size=16, epochs=2, verbose=0, shuffle=False)
            results.append(float(model.adaptive_probability.probability))
        assert results == pytest.approx([4 * 0.1, 4 * 0.1])

    def test_a_saved_model_continues(self, tmp_path):
        model = gan(augment=("color",), augment_probability={"name": "adaptive", "images": 100})
        model.compile(keras.optimizers.SGD(0.01))
        model.fit(images(40), batch_size=8, verbose=0)
        for variable, value in zip(model.adaptive_probability.variables, (0.25, 3.0, 7.0, 2), strict=True):
            variable.assign(value)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.augment_probability == {"name": "adaptive", "images": 100} and loaded.augment == ("color",)
        assert [float(variable) for variable in loaded.adaptive_probability.variables] == [0.25, 3, 7, 2]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            *((value, r"augment_probability in \[0, 1\]") for value in (-0.1, 1.1, float("nan"))),
            *(
                (value, "augment_probability as a number")
                for value in ("adapt", None, True, {"name": "adaptive", "p": 1})
            ),
            ({"name": "adaptive", "images": 0}, "images as an integer >= 1"),
        ],
    )
    def test_other_values_are_refused(self, value, message):
        with pytest.raises(ValueError, match=f"Expected {message}"):
            gan(augment=("color",), augment_probability=value)

    def test_a_probability_without_augmentations_is_refused(self):
        with pytest.raises(ValueError, match="Expected augment with augment_probability='adaptive'; received none"):
            gan(augment_probability="adaptive")


class TestSaving:
    def test_a_saved_model_keeps_its_penalty(self, tmp_path):
        model = gan(penalty={"name": "r1", "gamma": 3.0})
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.penalty == {"name": "r1", "gamma": 3.0}
        rows = [discriminator_rows(each, images())[0] for each in (model, loaded)]
        np.testing.assert_array_equal(*rows)
