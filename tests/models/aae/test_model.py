"""The adversarial autoencoder in its four modes."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.distributions import PetalPrior
from keras_gen.export import export_model
from keras_gen.models import AdversarialAutoencoder
from keras_gen.models.aae.networks import code_discriminator
from keras_gen.networks import mlp_decoder, mlp_encoder

SHAPE = (2, 3, 1)
CLASSES = 3


def columns(num: int = 48) -> dict:
    """Returns images of three classes, in which one of the first three pixels is bright and marks the class."""
    random = np.random.default_rng(0)
    label = np.arange(num) % CLASSES
    images = 0.2 * random.uniform(size=(num, 6))
    images[np.arange(num), label] += 0.8
    images = images.reshape(num, *SHAPE).astype(np.float32)
    return {"image": images, "label": label.astype(np.int32)}


def batches(supervised: bool = False) -> tf.data.Dataset:
    fields = columns()
    if supervised:
        fields |= {"labeled_image": fields["image"], "labeled_label": fields["label"]}
    return tf.data.Dataset.from_tensor_slices(fields).batch(16)


def aae(size: int = 2, categories: int | None = None, **options) -> AdversarialAutoencoder:
    keras.utils.set_random_seed(0)
    small, code = {"hidden_units": (16,)}, size + (categories or 0)
    model = AdversarialAutoencoder(
        mlp_encoder(SHAPE, (categories, size) if categories else size, **small),
        mlp_decoder(code, SHAPE, **small),
        code_discriminator(size, num_classes=options.get("prior_num_classes"), **small),
        category_discriminator=code_discriminator(categories, **small) if categories else None,
        num_categories=categories,
        seed=0,
        **options,
    )
    model.compile(keras.optimizers.Adam(0.01))
    return model


MODES = {
    "plain": {},
    "label-informed": {"prior": PetalPrior(CLASSES), "prior_num_classes": CLASSES},
    "clustering": {"categories": CLASSES},
    "supervised": {"categories": CLASSES, "supervised": True, "ema": 0.9},
}


@pytest.mark.parametrize("mode", MODES)
def test_trains_and_is_saved(mode, tmp_path):
    model = aae(**MODES[mode])
    data = batches(supervised=mode == "supervised")
    history = model.fit(data, epochs=20, verbose=0).history
    assert set(history) == set(model.tracked)
    assert np.isfinite(list(history.values())).all()
    assert history["reconstruction_loss"][-1] < 0.7 * history["reconstruction_loss"][0]
    image = model.generate(3, seed=0)
    assert image.shape == (3, *SHAPE)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=0), image)
    assert len(loaded.optimizer.optimizers) == len(model.players())
    for endpoint in model.endpoints():
        assert set(endpoint.outputs) >= {"image"} or endpoint.name in ("encode", "classify")


def test_labels_train_the_categories():
    model = aae(categories=CLASSES, supervised=True)
    model.fit(batches(supervised=True), epochs=40, verbose=0)
    fields = columns()
    predicted = np.argmax(model.classify(fields["image"]), axis=1)
    assert (predicted == fields["label"]).mean() > 0.95


def test_codes_consist_of_category_and_style():
    model = aae(categories=CLASSES)
    code = model.encode(columns()["image"]).numpy()
    assert code.shape == (48, CLASSES + 2)
    np.testing.assert_allclose(code[:, :CLASSES].sum(axis=1), 1.0, rtol=1e-5)
    images = model.generate(4, seed=1, category=2)
    np.testing.assert_array_equal(images, model.generate(4, seed=1, category=[2, 2, 2, 2]))


def test_a_missing_label_is_zeros():
    model = aae(prior=PetalPrior(CLASSES), prior_num_classes=CLASSES)
    label = model.prior_label({"label": tf.constant([1, -1])}).numpy()
    assert label.tolist() == [[0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"supervised": True}, "Expected num_categories, .* with supervised=True"),
        ({"loss": "l1"}, "Expected loss as one of mse, bernoulli; received 'l1'"),
        ({"objective": "wasserstein"}, "Expected an objective without means over the batch; received 'wasserstein'"),
        ({"size": 3, "prior": PetalPrior(3)}, "Expected a prior of size 3, .*; received 2"),
        ({"input_noise": -0.1}, "Expected input_noise as a standard deviation >= 0"),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ValueError, match=message):
        aae(**options)


def test_categories_and_styles_need_separate_layers():
    networks = mlp_encoder(SHAPE, CLASSES + 2), mlp_decoder(CLASSES + 2, SHAPE), code_discriminator(2)
    with pytest.raises(ValueError, match=r"outputs of \[3, 2\] units .*; received \[5\]"):
        AdversarialAutoencoder(*networks, category_discriminator=code_discriminator(3), num_categories=CLASSES)


def test_input_noise_is_added_in_training_only():
    plain, noisy = aae(), aae(input_noise=1.0)
    image = columns()["image"]
    np.testing.assert_array_equal(plain.encode(image), noisy.encode(image))
    losses = [model.evaluate(batches(), verbose=0, return_dict=True) for model in (plain, noisy)]
    assert losses[0] == losses[1]
    first = [model.fit(batches(), epochs=1, verbose=0).history["reconstruction_loss"] for model in (plain, noisy)]
    assert first[0] != first[1]


def test_missing_labels():
    model = aae(categories=CLASSES, supervised=True)
    with pytest.raises(ValueError, match="Expected a batch with labeled_image and labeled_label"):
        model.fit(batches(), verbose=0)


def test_inference_uses_the_moving_averages(tmp_path):
    model = aae(ema=0.99)
    model.fit(batches(), epochs=3, verbose=0)
    image = columns(4)["image"]
    averaged, trained = model.ema_networks["encoder"](image), model.encoder(image)
    assert np.abs(averaged - trained).max() > 1e-3
    np.testing.assert_array_equal(model.encode(image), averaged)
    z = np.ones((4, 2), np.float32)
    by_average = tf.nn.sigmoid(model.ema_networks["decoder"](z))
    np.testing.assert_array_equal(model.decode(z), by_average)
    assert np.abs(model.decode(z) - tf.nn.sigmoid(model.decoder(z))).max() > 1e-4
    endpoints = {each.name: each for each in model.endpoints()}
    np.testing.assert_array_equal(endpoints["decode"].function(z=z)["image"], by_average)
    model.save(tmp_path / "aae.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "aae.keras").encode(image), averaged)


def test_int8_styles_stay_accurate_next_to_confident_categories(tmp_path):
    model = aae(categories=CLASSES)
    logits, _ = (model.encoder.get_layer(tensor._keras_history.operation.name) for tensor in model.encoder.outputs)
    logits.kernel.assign(1000 * logits.kernel)
    folder = export_model(model, tmp_path, calibration=columns(), format="tflite", quantize="int8")
    errors = json.loads((folder / "parity.json").read_text())["files"]["int8"]["endpoints"]
    assert errors["encode"]["z"]["mean"] < 0.02
    assert errors["reconstruct"]["image"]["mean"] < 0.01


def test_exports_have_the_key_of_the_system(tmp_path):
    folder = export_model(aae(), tmp_path, calibration=columns(), format="saved_model")
    assert json.loads((folder / "model.json").read_text())["system"] == "aae"
