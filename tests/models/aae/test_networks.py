"""The adversarial autoencoder's networks."""

import numpy as np

from keras_gen import networks
from keras_gen.models.aae.networks import ACTIVATION, HIDDEN, code_discriminator


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
