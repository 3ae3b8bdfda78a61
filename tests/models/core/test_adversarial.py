"""The training step of players: compared with a hand-written step, on replicas, and with moving averages."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import adversarial
from keras_gen.models import GAN, BatchNoise, GlobalBatch
from keras_gen.models.core.finite_check import PlayerError
from keras_gen.models.core.graph_checks import error_from
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from tests.replicas import two_replicas

SHAPE = (2, 3, 1)
RATE = 0.5


def networks(packing: int = 1):
    """Returns a generator and a discriminator with one hidden layer and fixed weights."""
    generator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(5, "tanh"),
            keras.layers.Dense(6, "sigmoid"),
            keras.layers.Reshape(SHAPE),
        ]
    )
    discriminator = keras.Sequential(
        [keras.Input((2, 3, packing)), keras.layers.Flatten(), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]
    )
    random = np.random.default_rng(0)
    for network in (generator, discriminator):
        network.set_weights([random.normal(0, 0.7, w.shape) for w in network.get_weights()])
    return generator, discriminator


def gan(optimizer=None, **options) -> GAN:
    model = GAN(*networks(options.get("packing", 1)), **{"seed": 3, "ema": None, **options})
    model.compile(optimizer or keras.optimizers.SGD(RATE))
    return model


def batches(num: int = 8, size: int = 4) -> tf.data.Dataset:
    images = np.random.default_rng(1).uniform(size=(num, *SHAPE)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices({"image": images}).batch(size)


def noise_of_step(part: int, rows: int, parts: int = 1) -> tf.Tensor:
    """Returns the noise of the model of seed 3 for one sub-batch of its first step."""
    seeds = keras.random.SeedGenerator(3)
    for _ in range(part + 1):
        seed = tf.cast(seeds.next(), tf.int32)
    return BatchNoise(seed, GlobalBatch(tf.constant(rows))).normal((2,))


def step_by_hand(batch: tf.Tensor, z: list, simultaneous: bool = False):
    """Computes one step of a non-saturating GAN with plain gradient descent, without shared forward passes.

    Args:
        batch: A tensor of real images for each update of the discriminator.
        z: The codes of each update.
        simultaneous: Whether the generator is updated with the gradients of the old discriminator.
    """
    generator, discriminator = networks()
    objective = adversarial.get("non_saturating")

    def descend(network, gradients):
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
            variable.assign_sub(RATE * gradient)

    before = [tf.identity(v) for v in discriminator.trainable_variables]
    for real, code in zip(batch, z, strict=True):
        with tf.GradientTape() as tape:
            losses = objective.discriminator(discriminator(real)[:, 0], discriminator(generator(code))[:, 0])
            loss = tf.reduce_mean(losses)
        descend(discriminator, tape.gradient(loss, discriminator.trainable_variables))
    after = [tf.identity(v) for v in discriminator.trainable_variables]
    for variable, value in zip(discriminator.trainable_variables, before if simultaneous else after, strict=True):
        variable.assign(value)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(objective.generator(discriminator(generator(z[-1]))[:, 0]))
    descend(generator, tape.gradient(loss, generator.trainable_variables))
    return generator.get_weights(), [value.numpy() for value in after]


def assert_weights(model: GAN, expected, atol: float = 1e-6):
    for network, values in zip((model.generator, model.discriminator), expected, strict=True):
        for actual, other in zip(network.get_weights(), values, strict=True):
            np.testing.assert_allclose(actual, other, atol=atol)  # the same sums in a different order


class TestStep:
    @pytest.mark.parametrize("simultaneous", [False, True])
    def test_shared_forward_passes_give_the_gradients_of_separate_ones(self, simultaneous):
        data = batches(4)
        model = gan(simultaneous=simultaneous)
        model.fit(data, verbose=0)
        real = next(iter(data))["image"]
        assert_weights(model, step_by_hand([real], [noise_of_step(0, 4)], simultaneous))

    def test_critic_updates_use_different_rows_and_noise(self):
        data = batches(4)
        model = gan(n_critic=2)
        model.fit(data, verbose=0)
        real = next(iter(data))["image"]
        z = [noise_of_step(part, 2) for part in range(2)]
        assert_weights(model, step_by_hand([real[0::2], real[1::2]], z))

    def test_reported_losses_are_those_that_are_minimized(self):
        model, data = gan(keras.optimizers.SGD(0.0)), batches(4)
        logs = model.fit(data, verbose=0).history
        z, real = noise_of_step(0, 4), next(iter(data))["image"]
        objective = adversarial.get("non_saturating")
        generated = model.generator(z)
        logits = model.discriminator(real)[:, 0], model.discriminator(generated)[:, 0]
        expected = {
            "discriminator_loss": np.mean(objective.discriminator(*logits)),
            "generator_loss": np.mean(objective.generator(logits[1])),
            "discriminator_accuracy": np.mean(objective.accuracy(*logits)),
            "sample_diversity": np.sqrt(np.var(generated, axis=0).mean() / np.var(real, axis=0).mean()),
        }
        assert set(logs) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(logs[name], [value], rtol=1e-5, err_msg=name)


class TestReplicas:
    @pytest.mark.parametrize(
        "options",
        [
            pytest.param({"ema": 0.9}, marks=pytest.mark.slow),  # the contract's CycleGAN has it too
            {"n_critic": 2, "objective": "wasserstein", "penalty": "wgan_gp"},
            pytest.param({"objective": "relativistic_average", "penalty": "dragan"}, marks=pytest.mark.slow),
            pytest.param({"packing": 2, "penalty": "r1", "augment": ("color", "translation")}, marks=pytest.mark.slow),
            {"n_critic": 2, "augment": ("cutout",), "augment_probability": {"name": "adaptive", "images": 100}},
        ],
        ids=["ema", "critic", "relativistic", "packed", "adaptive"],
    )
    def test_two_replicas_equal_one_device(self, options):
        def run():
            model = gan(keras.optimizers.SGD(0.01), **options)
            history = model.fit(batches(24, 8), validation_data=batches(8), epochs=2, verbose=0).history
            ema_networks = [average.get_weights() for average in model.ema_networks.values()]
            return [model.generator.get_weights(), model.discriminator.get_weights(), *ema_networks], history

        one, one_history = run()
        with two_replicas().scope():
            two, two_history = run()
        start = [network.get_weights() for network in networks()]  # the generator's do not depend on packing
        assert np.abs(one[0][0] - start[0][0]).max() > 1e-4  # the weights have changed
        for actual, expected in zip(one, two, strict=True):
            for a, b in zip(actual, expected, strict=True):
                np.testing.assert_allclose(a, b, atol=2e-6)  # sums in another order, six steps
        for name, values in one_history.items():
            np.testing.assert_allclose(values, two_history[name], rtol=1e-4, atol=1e-5, err_msg=name)


class TestMovingAverages:
    def test_averages_follow_the_weights_with_a_warm_up(self):
        model = gan(ema=0.2)
        average = model.ema_networks["generator"]
        expected = [weight.copy() for weight in model.generator.get_weights()]
        keep = []
        callback = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: keep.append(model.generator.get_weights())
        )
        model.fit(batches(12), callbacks=[callback], verbose=0)
        for step, weights in enumerate(keep):
            decay = min(0.2, (1 + step) / (10 + step))
            expected = [decay * old + (1 - decay) * new for old, new in zip(expected, weights, strict=True)]
        assert len(keep) == 3
        for actual, other in zip(average.get_weights(), expected, strict=True):
            np.testing.assert_allclose(actual, other, atol=1e-6)
        assert not average.trainable_variables

    def test_averages_generate(self):
        model = gan(ema=0.9)
        model.fit(batches(8), verbose=0)
        z = model.noise()
        image = model.generate(2, seed=0)
        model.generator.set_weights([0 * weight for weight in model.generator.get_weights()])
        np.testing.assert_array_equal(model.generate(2, seed=0), image)
        assert list(z) == ["noise"]

    def test_moving_statistics_are_copied(self):
        generator, discriminator = networks()
        generator = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization(), *generator.layers])
        model = GAN(generator, discriminator, ema=0.999, seed=0)
        model.compile(keras.optimizers.SGD(RATE))
        model.fit(batches(8), verbose=0)
        actual, expected = (
            network.layers[0].moving_mean.numpy() for network in (model.ema_networks["generator"], generator)
        )
        np.testing.assert_array_equal(actual, expected)
        assert np.abs(expected).max() > 0


class TestOptimizers:
    def test_one_optimizer_per_player(self):
        model = gan({"discriminator": keras.optimizers.SGD(0.1), "generator": keras.optimizers.SGD(0.0)})
        start = [network.get_weights() for network in networks()]
        model.fit(batches(4), verbose=0)
        assert_equal(model.generator.get_weights(), start[0])
        assert np.abs(model.discriminator.get_weights()[0] - start[1][0]).max() > 1e-4

    def test_a_single_optimizer_is_copied_for_each_player(self):
        model = gan(keras.optimizers.Adam(1e-3))
        assert len({id(optimizer) for optimizer in model.optimizer.optimizers}) == 2
        model.optimizer.learning_rate = 0.25
        assert [float(optimizer.learning_rate) for optimizer in model.optimizer.optimizers] == [0.25, 0.25]

    def test_invalid_optimizers_are_refused(self):
        with pytest.raises(ValueError, match="each of the players discriminator, generator; received generator"):
            gan({"generator": "adam"})
        shared = keras.optimizers.SGD(0.1)
        with pytest.raises(ValueError, match="one that two players share"):
            gan({"generator": shared, "discriminator": shared})


def assert_equal(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, np.asarray(b, np.float32))


class TestGAN:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"n_critic": 0}, "Expected n_critic as an integer >= 1; received 0"),
            ({"simultaneous": True, "n_critic": 2}, "updates both players once in a step; received n_critic=2"),
            ({"packing": 2}, r"Expected a discriminator from \(2, 3, 2\)"),
            ({"num_classes": 3}, "Expected a generator with 2 input.* received one with 1"),
            ({"ema": 1.5}, r"ema as a decay in \(0, 1\), or None; received 1.5"),
            ({"objective": "best"}, "Expected objective as one of .*; received 'best'"),
            ({"penalty": "r3"}, "Expected penalty as one of .*; received 'r3'"),
        ],
    )
    def test_bad_options(self, options, message):
        with pytest.raises(ValueError, match=message):
            GAN(*networks(), **options)


class TestFiniteCheck:
    """NaN or infinity in a player's loss or gradient stops the training before that player is updated."""

    @pytest.mark.parametrize("player_with_nan", ["discriminator", "generator"])
    def test_an_infinite_gradient_names_its_player(self, player_with_nan):
        def loss_of(player_loss):
            def loss(batch, shared, batch_noise, global_batch, training):
                rows, logs = player_loss(batch, shared, batch_noise, global_batch, training)
                logits = (
                    shared["generated"]
                    if player_with_nan == "generator"
                    else model.discriminate(batch["image"], None, batch_noise, training)
                )
                values = tf.reduce_sum(tf.reshape(logits, [tf.shape(rows)[0], -1]), axis=1)
                # finite, but with an infinite derivative: a square root at 0
                return rows + tf.sqrt(values - tf.stop_gradient(values)), logs

            return loss

        model = gan()
        for player in model._players:
            if player.name == player_with_nan:
                object.__setattr__(player, "loss", loss_of(player.loss))
        before = {
            name: [np.asarray(v) for v in getattr(model, name).weights] for name in ("discriminator", "generator")
        }
        with pytest.raises(PlayerError) as caught:
            model.fit(batches(), verbose=0)
        assert caught.value.player == player_with_nan and len(str(caught.value)) < 300
        for value, first in zip(getattr(model, player_with_nan).weights, before[player_with_nan], strict=True):
            np.testing.assert_array_equal(value, first)

    def test_nan_in_the_images_is_reported_as_a_data_error(self):
        images = np.full((4, *SHAPE), np.nan, np.float32)
        with pytest.raises(ValueError, match="received NaN"):
            gan().fit(tf.data.Dataset.from_tensors({"image": images}), verbose=0)

    def test_other_errors_are_not_replaced(self):
        assert error_from(ValueError("the loss of the player is fine")) is None


@pytest.mark.parametrize("normalization, warned", [("batch", True), ("layer", False), ("spectral", False)])
def test_a_penalty_with_batch_normalization_causes_a_warning(normalization, warned):
    shape = (16, 16, 1)
    pair = (
        dcgan_generator(2, shape, base_filters=2),
        dcgan_discriminator(shape, base_filters=2, normalization=normalization),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        GAN(*pair, penalty="r1")
    assert any("penalty applies to each image alone" in str(each.message) for each in caught) == warned


@pytest.mark.parametrize("normalization", ["spectral", "batch", "none"])
@pytest.mark.parametrize(
    "options",
    [
        {"simultaneous": True},
        {"penalty": "wgan_gp", "objective": "wasserstein", "n_critic": 2},
        {"penalty": "r1", "packing": 2, "augment": ("color", "translation", "cutout")},
        {"penalty": "r2", "ema": 0.9, "num_classes": 3},
        {"penalty": "dragan", "objective": "relativistic_average"},
    ],
    ids=lambda options: options.get("penalty", "none"),
)
def test_evaluation_changes_only_its_counter_and_trackers(options, normalization):
    shape, classes = (8, 8, 1), options.get("num_classes")
    generator = dcgan_generator(2, shape, base_filters=2, dense_units=4, num_classes=classes)
    discriminator = dcgan_discriminator(
        shape,
        base_filters=2,
        dense_units=4,
        normalization=normalization,
        packing=options.get("packing", 1),
        num_classes=classes,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a penalty with batch normalization
        model = GAN(generator, discriminator, seed=0, **{"ema": None, **options})
    model.compile(keras.optimizers.SGD(RATE), run_eagerly=True)
    trackers = {id(variable) for tracker in model.metrics for variable in tracker.variables}
    variables = [v for v in model.variables if id(v) not in trackers and v is not model.evaluation_step]
    variables += model.optimizer.variables
    before = [np.asarray(variable).copy() for variable in variables]
    images = np.random.default_rng(0).uniform(size=(4, *shape)).astype(np.float32)
    data = tf.data.Dataset.from_tensor_slices({"image": images, "label": np.arange(4) % 3}).batch(4)
    results = model.evaluate(data, verbose=0)
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert int(model.evaluation_step) == 1
    assert results == model.evaluate(data, verbose=0)


def test_problems_are_diagnosed_from_metrics():
    model = gan()
    assert model.diagnose({"discriminator_accuracy": 0.8, "sample_diversity": 0.9}) == {}
    assert list(model.diagnose({"discriminator_accuracy": 0.99, "sample_diversity": 0.9})) == ["the discriminator wins"]
    assert list(model.diagnose({"discriminator_accuracy": 0.8, "sample_diversity": 0.1})) == ["the generator collapses"]
    critic = gan(objective="wasserstein")
    assert critic.diagnose({"discriminator_accuracy": 1.0, "sample_diversity": 0.9}) == {}


def test_a_winning_discriminator_is_diagnosed_in_training():
    """The generator is not trained, and the discriminator is."""
    model = gan({"discriminator": keras.optimizers.Adam(0.05), "generator": keras.optimizers.SGD(0.0)})
    dark = tf.data.Dataset.from_tensor_slices({"image": np.zeros((32, *SHAPE), np.float32)}).batch(8)
    model.fit(dark, epochs=20, verbose=0)
    problems = model.diagnose(
        {name: float(value) for name, value in model.evaluate(dark, verbose=0, return_dict=True).items()}
    )
    assert "the discriminator wins" in problems


def test_a_collapsed_generator_is_diagnosed_in_training():
    """The images of the generator do not depend on its codes."""
    model = gan()
    first = model.generator.layers[0]
    first.kernel.assign(0 * first.kernel)
    history = model.fit(batches(), verbose=0).history
    assert "the generator collapses" in model.diagnose({name: values[-1] for name, values in history.items()})
