"""InfoGAN: the codes, the bound on their information, and what is exported."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.models import InfoGAN

SHAPE = (2, 3, 1)


def infogan(outputs: int = 3 + 2 * 2, **options) -> InfoGAN:
    keras.utils.set_random_seed(0)
    generator = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(6, "sigmoid"), keras.layers.Reshape(SHAPE)], name="generator"
    )
    trunk = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(8, "tanh")], name="trunk")
    head = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)], name="head")
    q_head = keras.Sequential([keras.Input((8,)), keras.layers.Dense(outputs)], name="q_head")
    options = {"num_categories": 3, "num_codes": 2, "seed": 0, "ema": None, **options}
    model = InfoGAN(generator, trunk, head, q_head, **options)
    model.compile(keras.optimizers.Adam(0.02))
    return model


def batches(num: int = 64) -> tf.data.Dataset:
    images = np.random.default_rng(0).uniform(size=(num, *SHAPE)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices({"image": images}).batch(16)


def test_the_bound_on_the_information_rises_and_keeps_its_limit():
    model = infogan(category_weight=5.0)
    history = model.fit(batches(), epochs=15, verbose=0).history
    assert set(history) == set(model.tracked)
    information = history["category_information"]
    assert information[-1] > information[0] + 0.2
    assert max(information) <= np.log(3) + 1e-5


def test_the_bound_is_zero_for_a_guess_that_knows_nothing():
    model = infogan()
    model.q_head.set_weights([0 * weight for weight in model.q_head.get_weights()])
    results = model.evaluate(batches(), verbose=0, return_dict=True)
    # equal logits: E[log 1/3] + log 3 = 0
    assert results["category_information"] == pytest.approx(0.0, abs=1e-6)


def test_codes_can_be_given():
    model = infogan()
    drawn = model.generate(4, seed=1)
    given = model.generate(4, seed=1, category=2, code=[0.5, -0.5])
    noise = {"z": model.noise()["z"]}
    assert list(noise) == ["z"] and np.abs(drawn - given).max() > 1e-3
    other = model.generate(4, seed=1, category=[2, 2, 2, 2], code=np.tile([0.5, -0.5], (4, 1)))
    np.testing.assert_array_equal(given, other)
    with pytest.raises(ValueError, match="category must be classes from 0 to 2; received 3"):
        model.generate(4, category=3)
    with pytest.raises(ValueError, match="code is signed noise; received values from 2 to 2"):
        model.generate(4, code=[2.0, 2.0])


def test_endpoints_and_saving(tmp_path):
    model = infogan()
    model.fit(batches(16), verbose=0)
    generate, infer = model.endpoints()
    assert {name: port.kind for name, port in generate.inputs.items()} == {
        "z": "normal", "category": "one_hot", "code": "signed"
    }  # fmt: skip
    image = model.generate(3, seed=0)
    read = infer.function(image=tf.constant(image))
    np.testing.assert_allclose(np.sum(read["category"], axis=1), 1.0, rtol=1e-5)
    assert read["code"].shape == (3, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=0), image)
    np.testing.assert_array_equal(loaded.infer(image)[0], read["category"])
    assert [optimizer.name for optimizer in loaded.optimizer.optimizers] == ["discriminator", "generator"]


def test_bad_options():
    with pytest.raises(ValueError, match="q_head must give 7 numbers"):
        infogan(outputs=5)
    with pytest.raises(ValueError, match="at least 1 of noise besides num_categories=3"):
        infogan(outputs=9, num_codes=3)
    with pytest.raises(ValueError, match="leave out packing and num_classes"):
        infogan(packing=2)
