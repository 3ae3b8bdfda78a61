"""InfoGAN: its codes, the bound on the mutual information, and its endpoints."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.models import BatchNoise, GlobalBatch, InfoGAN
from keras_gen.models.infogan.model import UNINFORMED

SHAPE = (2, 3, 1)


def infogan(
    outputs: int = 3 + 2 * 2,
    *,
    num_categories: int = 3,
    num_codes: int = 2,
    category_weight: float = 1.0,
    code_weight: float = 0.1,
    **options,
) -> InfoGAN:
    keras.utils.set_random_seed(0)
    generator = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(6, "sigmoid"), keras.layers.Reshape(SHAPE)], name="generator"
    )
    trunk = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(8, "tanh")], name="trunk")
    head = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)], name="head")
    q_head = keras.Sequential([keras.Input((8,)), keras.layers.Dense(outputs)], name="q_head")
    model = InfoGAN(
        generator,
        trunk,
        head,
        q_head,
        num_categories=num_categories,
        num_codes=num_codes,
        category_weight=category_weight,
        code_weight=code_weight,
        ema=None,
        seed=0,
        **options,
    )
    model.compile(keras.optimizers.Adam(0.02))
    return model


def batches(num: int = 64) -> tf.data.Dataset:
    images = np.random.default_rng(0).uniform(size=(num, *SHAPE)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices({"image": images}).batch(16)


def test_information_bound_rises_to_its_limit():
    model = infogan(category_weight=5.0)
    history = model.fit(batches(), epochs=15, verbose=0).history
    assert set(history) == set(model.tracked)
    information = history["category_information"]
    assert information[-1] > information[0] + 0.2
    assert max(information) <= np.log(3) + 1e-5


def test_information_bound_is_zero_if_q_ignores_the_image():
    model = infogan()
    model.q_head.set_weights([0 * weight for weight in model.q_head.get_weights()])
    results = model.evaluate(batches(), verbose=0, return_dict=True)
    # equal logits: E[log 1/3] + log 3 = 0
    assert results["category_information"] == pytest.approx(0.0, abs=1e-6)


def test_both_players_maximize_the_weighted_information():
    """By hand: the GAN losses minus 2 E[log Q(category) + log 3] and 3 E[log Q(code) + log 4]."""
    model = infogan(category_weight=2.0, code_weight=3.0)
    plain = infogan(category_weight=0.0, code_weight=0.0)
    batch = {"image": next(iter(batches(16)))["image"]}
    global_batch, seed = GlobalBatch(tf.constant(16)), tf.constant([1, 2])
    shared = model.shared_forward(batch, BatchNoise(seed, global_batch), training=True)
    parameters = model.recognizer(shared["generated"]).numpy()
    logits, mean, raw = np.split(parameters, [3, 5], axis=1)
    scale = 0.1 + np.logaddexp(raw, 0)
    category_information = (shared["category"] * tf.nn.log_softmax(logits)).numpy().sum(1) + np.log(3)
    squares = ((shared["code"] - mean) / scale) ** 2
    code_information = np.sum(-squares / 2 - np.log(scale) - np.log(2 * np.pi) / 2, axis=1) + np.log(4)
    for name in ("discriminator_loss", "generator_loss"):
        rows, with_information = (
            getattr(each, name)(batch, shared, BatchNoise(seed, global_batch), global_batch, True)[0]
            for each in (plain, model)
        )
        np.testing.assert_allclose(
            with_information - rows, -(2 * category_information + 3 * code_information), rtol=1e-4, atol=1e-5
        )


def recognizer_of(mean: float, raw_scale: float) -> InfoGAN:
    """An InfoGAN whose Q predicts the same mean and scale of each code for every image."""
    model = infogan()
    kernel, bias = model.q_head.get_weights()
    bias[3:5], bias[5:7] = mean, raw_scale
    model.q_head.set_weights([0 * kernel, bias])
    return model


def test_a_certain_and_wrong_recognizer_has_a_bounded_loss():
    results = recognizer_of(1.0, -100.0).evaluate(batches(4096), verbose=0, return_dict=True)
    # of each of 2 codes c, uniform on [-1, 1]: E[-(c - 1)^2] / (2 0.1^2) - log 0.1 - log(2 pi) / 2 + log 2
    expected = 2 * (-(4 / 3) / 0.02 - np.log(0.1) - np.log(2 * np.pi) / 2 + np.log(2))
    assert expected == pytest.approx(-129.2, abs=0.1)
    # the standard error of (c - 1)^2 is 0.019
    assert results["code_information"] == pytest.approx(expected, rel=0.06)


def test_the_best_normal_distribution_without_the_image_is_the_threshold_of_the_diagnosis():
    # the variance of the uniform distribution is 1 / 3
    model = recognizer_of(0.0, np.log(np.expm1(np.sqrt(1 / 3) - 0.1)))
    results = model.evaluate(batches(4096), verbose=0, return_dict=True)
    assert UNINFORMED == pytest.approx(-0.1765, abs=1e-4)
    assert results["code_information"] == pytest.approx(2 * UNINFORMED, abs=0.02)
    assert not model.diagnose({"code_information": 2 * UNINFORMED + 0.01})
    assert not model.diagnose({"code_information": 1.0, "val_code_information": 0.9})
    for logs in ({"code_information": -957.0}, {"code_information": 1.0, "val_code_information": -957.0}):
        ((problem, text),) = model.diagnose(logs).items()
        assert problem == "Q does not recognize the codes"
        assert "code_information is -957 nats, below the -0.35 of a Q that ignores the image" in text
    assert not infogan(code_weight=0.0).diagnose({"code_information": -957.0})
    collapsed = model.diagnose({"code_information": -957.0, "sample_diversity": 0.01})
    assert list(collapsed) == ["the generator collapses", "Q does not recognize the codes"]


def test_ignored_categories_are_diagnosed():
    """Of three categories log 3 = 1.10 nats are possible, and 5 % of them is 0.055."""
    model = infogan()
    assert not model.diagnose({"category_information": 0.06})
    ((problem, text),) = model.diagnose({"category_information": 0.05}).items()
    assert problem == "Q does not recognize the categories"
    assert "category_information is 0.05 nats of the 1.1 that are possible" in text and "(now 1)" in text
    assert not infogan(category_weight=0.0).diagnose({"category_information": 0.0})


def test_discriminator_player_updates_q_and_generator_player_only_the_generator():
    model = infogan()
    updated = {player.name: {id(v) for v in player.variables} for player in model.players()}
    parts = [model.trunk, model.discriminator_head, model.q_head]
    assert updated["discriminator"] == {id(v) for part in parts for v in part.trainable_variables}
    assert updated["generator"] == {id(v) for v in model.generator.trainable_variables}
    assert list(updated) == ["discriminator", "generator"]


def test_generate_with_given_codes():
    model = infogan()
    sampled = model.generate(4, seed=1)
    chosen = model.generate(4, seed=1, category=2, code=[0.5, -0.5])
    noise = {"z": model.noise()["z"]}
    assert list(noise) == ["z"] and np.abs(sampled - chosen).max() > 1e-3
    other = model.generate(4, seed=1, category=[2, 2, 2, 2], code=np.tile([0.5, -0.5], (4, 1)))
    np.testing.assert_array_equal(chosen, other)
    with pytest.raises(ValueError, match="Expected category as classes from 0 to 2; received 3"):
        model.generate(4, category=3)
    with pytest.raises(ValueError, match="Expected code as uniform_symmetric noise; received values from 2 to 2"):
        model.generate(4, code=[2.0, 2.0])


def test_endpoints_and_saving(tmp_path):
    model = infogan()
    model.fit(batches(16), verbose=0)
    generate, infer = model.endpoints()
    assert {name: port.kind for name, port in generate.inputs.items()} == {
        "z": "normal", "category": "one_hot", "code": "uniform_symmetric"
    }  # fmt: skip
    image = model.generate(3, seed=0)
    inferred = infer.function(image=tf.constant(image))
    np.testing.assert_allclose(np.sum(inferred["category"], axis=1), 1.0, rtol=1e-5)
    assert inferred["code"].shape == (3, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=0), image)
    np.testing.assert_array_equal(loaded.infer(image)[0], inferred["category"])
    assert [optimizer.name for optimizer in loaded.optimizer.optimizers] == ["discriminator", "generator"]


def test_invalid_options_are_refused():
    with pytest.raises(ValueError, match="Expected a q_head with 7 outputs.*received one with 5"):
        infogan(outputs=5)
    with pytest.raises(ValueError, match="at least 1 input of noise .*received 6 inputs, num_categories=3"):
        infogan(outputs=9, num_codes=3)
    with pytest.raises(ValueError, match="Expected code_weight >= 0; received -1"):
        infogan(code_weight=-1)
    with pytest.raises(ValueError, match="Expected none of packing, num_classes and prior.*received packing"):
        infogan(packing=2)
