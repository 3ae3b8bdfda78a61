"""The adversarial autoencoder's networks."""

import keras
import numpy as np
import pytest

from keras_gen import networks, zoo
from keras_gen.models.aae.networks import ACTIVATION, HIDDEN, code_discriminator, normalize_logits


def test_the_sizes_of_the_paper():
    encoder = networks.mlp_encoder((28, 28, 1), 2, hidden_units=HIDDEN, activation=ACTIVATION)
    decoder = networks.mlp_decoder(2, (28, 28, 1), hidden_units=HIDDEN, activation=ACTIVATION)
    assert encoder.count_params() == 785 * 1000 + 1001 * 1000 + 1001 * 2
    assert decoder.count_params() == 3 * 1000 + 1001 * 1000 + 1001 * 784
    # ten classes, and one for images without a label
    assert code_discriminator(2, num_classes=11).count_params() == 14 * 1000 + 1001 * 1000 + 1001


def test_the_label_reaches_the_discriminator():
    model = code_discriminator(2, hidden_units=(8,), num_classes=3)
    code, labels = np.ones((2, 2), np.float32), np.eye(3, dtype=np.float32)[[0, 2]]
    logits = model([code, labels]).numpy()
    assert logits.shape == (2, 1) and abs(logits[0, 0] - logits[1, 0]) > 1e-4


def test_normalized_logits_have_the_scale_in_a_batch():
    encoder = networks.mlp_encoder((4, 4, 1), (3, 2), hidden_units=(8,))
    model = normalize_logits(encoder, 3.0)
    images = np.random.default_rng(0).random((64, 4, 4, 1)).astype(np.float32)
    logits, style = (np.asarray(output) for output in model(images, training=True))
    np.testing.assert_allclose(logits.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(logits.std(axis=0), 3, atol=0.05)
    np.testing.assert_array_equal(style, encoder(images)[1])


def test_the_logit_scale_is_a_setting_of_models_with_categories():
    settings = {"network": "mlp", "hidden_units": 8, "discriminator_units": 8, "latent_size": 2}
    settings["normalization"] = "batch"
    model = zoo.build("aae", (4, 4, 1), seed=0, num_categories=3, logit_scale=3.0, **settings)
    kinds = [type(layer).__name__ for layer in model.encoder.layers]
    assert kinds.count("BatchNormalization") == 3  # two hidden layers, and the logits
    assert model.encoder.output_shape == [(None, 3), (None, 2)]
    with pytest.raises(ValueError, match="Expected no logit_scale with num_categories=None"):
        zoo.build("aae", (4, 4, 1), seed=0, logit_scale=3.0, **settings)
    with pytest.raises(ValueError, match="Expected logit_scale as a standard deviation > 0; received 0"):
        zoo.build("aae", (4, 4, 1), seed=0, num_categories=3, logit_scale=0, **settings)


@pytest.mark.parametrize("preset, kind, size", [(None, keras.layers.Conv2D, 32), ("paper", keras.layers.Dense, 8)])
def test_networks_are_convolutions_except_those_of_the_paper(preset, kind, size):
    small = {"hidden_units": [4, 4]} if preset else {"base_filters": 2}
    model = zoo.build("aae", (16, 16, 3), preset=preset, discriminator_units=4, **small)
    first = next(layer for layer in model.encoder.layers if layer.weights)
    assert isinstance(first, kind) and model.latent_size == size
