"""The base of every system: batches, seeds, evaluation, moving averages and generation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import VAE, Autoencoder
from keras_gen.models import GenerativeModel
from tests.models.toys import images, linear_decoder, linear_encoder, losses_of
from tests.replicas import two_replicas

X = images(8)


def vae(rate: float = 0.1, **options) -> VAE:
    model = VAE(linear_encoder(), linear_decoder(), **{"seed": 0, **options})
    model.compile(keras.optimizers.SGD(rate))
    return model


class Scalar(GenerativeModel):
    """An invalid system, whose loss is not per example."""

    def losses_of(self, batch, batch_noise, global_batch, training):
        return tf.reduce_mean(batch["image"]), {}


class NoiseModel(GenerativeModel):
    """A model that reports its noise as a metric."""

    tracked = ("loss", "noise")

    def losses_of(self, batch, batch_noise, global_batch, training):
        noise = batch_noise.normal([1])[:, 0]
        return tf.zeros_like(noise), {"noise": noise}


def noise_model() -> NoiseModel:
    model = NoiseModel(seed=0)
    model.compile(keras.optimizers.SGD(0.0))
    return model


class TestBatches:
    def test_forms_of_batches(self):
        model, labels = vae(), np.arange(8)
        for data in (X, (X,), {"image": X}, ({"image": X},)):
            assert sorted(model.batch_of(data)) == ["image"]
        classes = VAE(linear_encoder(num_classes=8), linear_decoder(num_classes=8), num_classes=8)
        for data in ((X, labels), ({"image": X}, labels), {"image": X, "label": labels}):
            batch = classes.batch_of(data)
            assert sorted(batch) == ["image", "label"] and batch["label"] is labels

    @pytest.mark.parametrize(
        "data, message",
        [
            ({"picture": X}, r"key 'image'; received the keys \['picture'\]"),
            ((X, None, np.ones(8)), "sample_weight is not supported"),
            ((X * 255).astype("uint8"), "float images in .0, 1.; received uint8"),
            (X[:, :1], r"received the shape \(8, 1, 3, 1\)"),
            (np.repeat(X, 3, -1), r"received the shape \(8, 2, 3, 3\)"),
        ],
    )
    def test_refused(self, data, message):
        with pytest.raises(ValueError, match=message):
            vae().batch_of(data)

    def test_additional_fields_are_accepted(self):
        data = tf.data.Dataset.from_tensors({"image": X, "caption": np.array(["a star"] * 8), "label": np.arange(8)})
        model = vae()
        model.fit(data, verbose=0)
        assert model.predict(data, verbose=0).shape == X.shape
        assert np.isfinite(model.evaluate(data, verbose=0)).all()


class TestCompile:
    @pytest.mark.parametrize("option", [{"loss": "mse"}, {"metrics": ["mae"]}])
    def test_refuses_a_loss_and_metrics(self, option):
        with pytest.raises(ValueError, match="a loss and metrics of its own.*elbo"):
            vae().compile("adam", **option)

    def test_optimizer_by_name(self):
        model = vae()
        model.compile("adam")
        assert model.optimizer.built and np.isfinite(model.fit(X, verbose=0).history["loss"]).all()


class TestLosses:
    def test_a_loss_without_one_value_per_example_raises(self):
        model = Scalar(seed=0)
        model.compile(keras.optimizers.SGD(0.1))
        with pytest.raises(
            ValueError,
            match=r"Expected one value per example \[batch\] as 'loss' of Scalar; received the shape \(\)",
        ):
            model.fit(X, verbose=0)

    def test_more_values_than_examples_raise(self):
        class TwoValuesPerExample(GenerativeModel):
            def losses_of(self, batch, batch_noise, global_batch, training):
                return tf.tile(tf.reduce_mean(batch["image"], [1, 2, 3]), [2]), {}

        model = TwoValuesPerExample(seed=0)
        model.compile(keras.optimizers.SGD(0.1))
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected one loss per example"):
            model.fit(X, verbose=0)

    def test_reported_values_are_means_over_examples(self):
        model = Autoencoder(linear_encoder(2), linear_decoder())  # no noise
        model.compile(keras.optimizers.SGD(0.0))
        losses, _ = losses_of(model, X[:5])
        uneven = model.evaluate(X[:5], batch_size=4, verbose=0, return_dict=True)  # batches of 4 and 1
        assert uneven["loss"] == uneven["reconstruction"] == pytest.approx(losses.mean(), rel=1e-6)
        assert abs(losses.mean() - (losses[:4].mean() + losses[4]) / 2) > 1e-3  # not the mean over batches


class TestEvaluation:
    def test_evaluation_is_deterministic_and_does_not_affect_training(self):
        model = vae()
        state = np.asarray(model.seed_generator.state)
        first = model.evaluate(X, batch_size=4, verbose=0)
        assert first == model.evaluate(X, batch_size=4, verbose=0)
        np.testing.assert_array_equal(model.seed_generator.state, state)
        assert int(model.train_steps) == 0

    def test_batches_have_different_noise(self):
        model = noise_model()
        first_half = model.evaluate(X[:4], batch_size=4, verbose=0, return_dict=True)["noise"]
        both = model.evaluate(X, batch_size=4, verbose=0, return_dict=True)["noise"]
        assert abs(both - first_half) > 1e-3

    def test_reset_metrics_restarts_the_evaluation_noise(self):
        model = noise_model()
        first = float(model.test_step({"image": X})["noise"])
        assert float(model.test_step({"image": X})["noise"]) != first  # different noise
        model.reset_metrics()
        assert float(model.test_step({"image": X})["noise"]) == first

    def test_training_noise_differs_at_every_step(self):
        model, noise = noise_model(), []
        for _ in range(3):
            noise.append(float(model.train_on_batch(X, return_dict=True)["noise"]))
        assert len(set(noise)) == 3


class TestGenerate:
    def test_images_do_not_depend_on_the_batch_size(self):
        model = vae()
        at_once = model.generate(7, seed=2)
        # matrix products of different sizes may round differently
        np.testing.assert_allclose(at_once, model.generate(7, seed=2, batch_size=3), atol=1e-6)
        assert at_once.shape == (7, 2, 3, 1) and at_once.dtype == np.float32

    def test_first_images_do_not_depend_on_num(self):
        model = vae()
        np.testing.assert_allclose(model.generate(1, seed=2), model.generate(7, seed=2)[:1], atol=1e-6)

    def test_seeds(self):
        model = vae()
        np.testing.assert_array_equal(model.generate(3, seed=2), model.generate(3, seed=2))
        assert np.abs(model.generate(3, seed=2) - model.generate(3, seed=4)).max() > 1e-3
        assert np.abs(model.generate(3) - model.generate(3)).max() > 1e-3  # None draws a random seed

    @pytest.mark.parametrize(
        "arguments, message",
        [
            ({"num": 0}, "Expected num as an integer >= 1"),
            ({"num": 2.0}, "Expected num as an integer >= 1"),
            ({"num": 1, "batch_size": 0}, "Expected batch_size as an integer >= 1"),
            ({"num": 1, "seed": -1}, "0 <= seed < "),
            ({"num": 1, "seed": 2**63}, "0 <= seed < "),
            ({"num": 1, "style": 3}, "Expected no condition for VAE; received style"),
        ],
    )
    def test_errors(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            vae().generate(**arguments)


class LineModel(GenerativeModel):
    """A model without players: a regression of the mean pixel."""

    averaged_networks = ("network",)

    def __init__(self, network: keras.Model, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.create_ema_networks()

    def losses_of(self, batch, batch_noise, global_batch, training):
        pixels = tf.reduce_mean(batch["image"], axis=[1, 2, 3])
        return tf.square(self.network(tf.ones_like(pixels)[:, None])[:, 0] - pixels), {}


def line(**options) -> LineModel:
    model = LineModel(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), seed=0, **options)
    model.compile(keras.optimizers.SGD(0.1))
    return model


class TestMovingAverages:
    """Moving averages of a model that is not adversarial."""

    def test_averages_follow_the_weights_with_a_warm_up(self):
        model, weights = line(ema=0.3), []
        average = model.network.get_weights()
        keep = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: weights.append(model.network.get_weights())
        )
        model.fit(X, batch_size=2, epochs=2, callbacks=[keep], verbose=0)
        for step, current in enumerate(weights):
            decay = min(0.3, (1 + step) / (10 + step))
            average = [decay * old + (1 - decay) * new for old, new in zip(average, current, strict=True)]
        assert len(weights) == 8 and int(model.train_steps) == 8
        for actual, expected in zip(model.inference_network("network").get_weights(), average, strict=True):
            np.testing.assert_allclose(actual, expected, atol=1e-6)
        assert not model.ema_networks["network"].trainable_variables

    def test_averages_do_not_change_the_training(self):
        with_ema, without = line(ema=0.9), line()
        without.network.set_weights(with_ema.network.get_weights())
        losses = [model.fit(X, verbose=0).history["loss"] for model in (with_ema, without)]
        np.testing.assert_allclose(*losses, rtol=1e-6)  # a different graph may round differently
        for actual, expected in zip(with_ema.network.get_weights(), without.network.get_weights(), strict=True):
            np.testing.assert_allclose(actual, expected, rtol=1e-5)
        assert without.inference_network("network") is without.network

    def test_two_replicas_are_one_device(self):
        def run():
            model = line(ema=0.9)
            model.network.set_weights([np.full((1, 1), 0.5), np.full(1, 0.25)])
            model.create_ema_networks()
            model.fit(tf.data.Dataset.from_tensor_slices({"image": X}).batch(3), epochs=2, verbose=0)
            return [*model.network.get_weights(), *model.inference_network("network").get_weights()]

        one = run()
        with two_replicas().scope():
            two = run()
        for actual, expected in zip(one, two, strict=True):
            np.testing.assert_allclose(actual, expected, atol=1e-6)  # sums in a different order

    def test_averages_are_saved(self, tmp_path):
        model = line(ema=0.9)
        model.fit(X, verbose=0)
        model.save_weights(tmp_path / "x.weights.h5")
        other = line(ema=0.9)
        other.load_weights(tmp_path / "x.weights.h5")
        for value, loaded in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(value, loaded)
        actual, expected = (each.inference_network("network").get_weights() for each in (model, other))
        np.testing.assert_array_equal(actual[0], expected[0])
        assert (actual[0] != model.network.get_weights()[0]).all()

    def test_refused(self):
        with pytest.raises(ValueError, match=r"Expected ema as a decay in \(0, 1\), or None; received 1.0"):
            line(ema=1.0)
        with pytest.raises(ValueError, match="Expected ema=None: NoiseModel has no averaged_networks; received 0.9"):
            NoiseModel(ema=0.9)


class TestEpochs:
    """A dataset with the attribute `epoch` receives the epoch number, in whatever form callbacks are passed."""

    @staticmethod
    def data():
        epoch = tf.Variable(-1, dtype=tf.int64)
        # every pixel equals the epoch, so the loss shows which epoch the dataset received
        data = tf.data.Dataset.range(2).map(lambda i: {"image": tf.fill([2, 3, 1], tf.cast(epoch, tf.float32))})
        data = data.batch(2)
        data.epoch = epoch
        return data

    @pytest.mark.parametrize("form", ["none", "list", "one", "callback list"])
    def test_epoch_is_set(self, form):
        class Value(GenerativeModel):
            checks_range = False

            def losses_of(self, batch, batch_noise, global_batch, training):
                return tf.reduce_mean(batch["image"], axis=[1, 2, 3]), {}

        model = Value(seed=0)
        model.compile(keras.optimizers.SGD(0.0))
        history = keras.callbacks.History()
        callbacks = {
            "none": None,
            "list": [history],
            "one": history,
            "callback list": keras.callbacks.CallbackList([history], model=model, epochs=4, steps=1),
        }[form]
        model.fit(self.data(), initial_epoch=1, epochs=4, callbacks=callbacks, verbose=0)
        assert model.history.history["loss"] == [1.0, 2.0, 3.0]


def test_weights_files(tmp_path):
    model, other = vae(), vae(seed=9)
    model.fit(X, epochs=2, verbose=0)
    model.save_weights(tmp_path / "x.weights.h5")
    other.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))
    np.testing.assert_array_equal(model.seed_generator.state, other.seed_generator.state)
    assert int(other.train_steps) == 2


def test_learning_rate_schedule_and_seedless_models_are_saved(tmp_path):
    model = vae(seed=None)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)), jit_compile=False)
    model.fit(X, epochs=2, verbose=0)
    model.save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    np.testing.assert_array_equal(model.seed_generator.state, loaded.seed_generator.state)
    for _ in range(2):
        assert model.train_on_batch(X, return_dict=True) == loaded.train_on_batch(X, return_dict=True)
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.1 * 0.5**4)
