"""`fit` and `train` refuse options that do not work on several replicas."""

import keras
import pytest
import tensorflow as tf

import keras_gen
from keras_gen import VAE
from keras_gen.models.core.replicas import check_options
from keras_gen.training import strategies
from keras_gen.training.train import train
from tests.models.toys import images, linear_decoder, linear_encoder
from tests.replicas import two_replicas
from tests.small import SMALL

X = images(8)


class TwoWorkers:
    """A stand-in for a strategy of two workers, with the attributes that `check_options` reads."""

    num_replicas_in_sync = 2

    class extended:
        _in_multi_worker_mode = staticmethod(lambda: True)


def vae(optimizer="sgd", **options) -> VAE:
    model = VAE(linear_encoder(), linear_decoder(), seed=0)
    model.compile(optimizer, **options)
    return model


REFUSED = [
    ({"clipnorm": 1.0}, {}, "clipnorm=1.0 of the optimizer .* would clip each device's gradients"),
    ({"global_clipnorm": 2.0}, {}, "global_clipnorm=2.0"),
    ({"clipvalue": 0.5}, {}, "clipvalue=0.5"),
    ({"gradient_accumulation_steps": 2}, {}, "gradient_accumulation_steps=2 .* train with a larger batch"),
    ({"use_ema": True, "ema_overwrite_frequency": 3}, {}, "ema_overwrite_frequency=3"),
    ({}, {"jit_compile": True}, "jit_compile=True .* only works on one device"),
]


@pytest.mark.parametrize("optimizer, options, message", REFUSED)
def test_fit_refuses_options_that_fail_on_two_devices(optimizer, options, message):
    with two_replicas().scope():
        model = vae(keras.optimizers.SGD(0.1, **optimizer), **options)
    with pytest.raises(ValueError, match=f"2 devices can train with; received: {message}"):
        model.fit(X, batch_size=4, verbose=0)
    check_options(model, tf.distribute.get_strategy())  # one device accepts all of them


def test_every_player_and_every_wrapped_optimizer_is_checked():
    optimizers = {
        "generator": keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(clipvalue=0.1, name="inner")),
        "discriminator": keras.optimizers.Adam(clipnorm=3.0),
    }
    model = keras_gen.build("gan", (8, 8, 1), optimizer=optimizers, hidden_units=4, latent_size=2)
    with pytest.raises(ValueError, match="clipnorm=3.0.*clipvalue=0.1 of the optimizer 'inner'"):
        check_options(model, TwoWorkers)


def test_several_steps_per_execution_need_one_process():
    model = vae(steps_per_execution=4)
    with pytest.raises(ValueError, match="steps_per_execution=4 fails with several workers"):
        check_options(model, TwoWorkers)
    check_options(model, two_replicas())


def test_batches_and_defaults():
    model, strategy = vae(), two_replicas()
    for size in (None, 60):
        strategies.check_options(model, strategy, size)
    with pytest.raises(ValueError, match="batch_size=61 is for all 2 devices: it must be a multiple"):
        strategies.check_options(model, strategy, 61)


def test_groups_of_images_must_fit_on_a_device():
    settings = {"latent_size": 3, "base_filters": 4, "group_size": 4, "batch_sizes": {4: 24, 8: 16}, "n_critic": 2}
    model = keras_gen.build("progan", (8, 8, 1), **settings)
    with pytest.raises(ValueError, match="batch_size=24 must be a multiple of 16, so that the groups of 4") as caught:
        check_options(model, TwoWorkers, 16)
    assert "batch_size=16" not in str(caught.value)
    check_options(model, TwoWorkers)  # `fit` does not know the batch size


def test_train_refuses_before_it_creates_the_run(toy_images, tmp_path):
    with strategies.get("mirrored").scope():
        model = keras_gen.build("vae", (8, 8, 1), optimizer=keras.optimizers.Adam(clipnorm=1.0), **SMALL["settings"])
    with pytest.raises(ValueError, match="clipnorm=1.0"):
        train(model, toy_images, tmp_path / "run", batch_size=SMALL["batch_size"], verbose=0)
    assert not (tmp_path / "run").exists()
