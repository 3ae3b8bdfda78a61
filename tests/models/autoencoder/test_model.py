"""The autoencoder: its losses computed by hand, and its codes."""

import numpy as np
import pytest
from scipy import special

from keras_gen import Autoencoder
from tests.models.toys import SHAPE, SIZE, images, linear_decoder, linear_encoder, losses_of, weights

X = images(4) * 0.8 + 0.1  # gray values, not binary
FLAT = X.reshape(4, -1)
LOGITS = FLAT @ weights(6, SIZE, 1) @ weights(SIZE, 6, 2)


def autoencoder(**options) -> Autoencoder:
    return Autoencoder(linear_encoder(SIZE), linear_decoder(), **options)


def test_squared_error():
    by_hand = ((FLAT - special.expit(LOGITS)) ** 2).sum(1)
    loss, logs = losses_of(autoencoder(), X)
    np.testing.assert_allclose(loss, by_hand, rtol=1e-5)
    np.testing.assert_allclose(logs["reconstruction"], by_hand, rtol=1e-5)


def test_bernoulli():
    p = special.expit(LOGITS.astype(np.float64))
    by_hand = -(FLAT * np.log(p) + (1 - FLAT) * np.log(1 - p)).sum(1)
    loss, _ = losses_of(autoencoder(loss="bernoulli"), X)
    np.testing.assert_allclose(loss, by_hand, rtol=1e-5)


def test_encode_decode_reconstruct():
    model, z = autoencoder(), FLAT @ weights(6, SIZE, 1)
    np.testing.assert_allclose(model.encode(X), z, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.decode(z), special.expit(LOGITS).reshape(4, *SHAPE), rtol=1e-5)
    np.testing.assert_allclose(model(X), special.expit(LOGITS).reshape(4, *SHAPE), rtol=1e-5)


def test_generate_decodes_the_standard_normal():
    model = autoencoder()
    images = model.generate(2000, seed=0)
    z = special.logit(images.astype(np.float64)).reshape(2000, -1) @ np.linalg.pinv(weights(SIZE, 6, 2))
    # the codes of the images have mean 0 and variance 1; the standard errors are .022 and .032
    assert np.abs(z.mean(0)).max() < 0.1 and np.abs(np.cov(z.T) - np.eye(2)).max() < 0.15


@pytest.mark.parametrize(
    "parts, options, message",
    [
        ((SIZE, 1), {"loss": "l1"}, "Expected loss as one of mse, bernoulli; received 'l1'"),
        ((3, 1), {}, "an encoder with 2 outputs, the size of the decoder's codes; received 3"),
        ((SIZE, 3), {}, r"a decoder with outputs \(2, 3, 1\), .*; received \(2, 3, 3\)"),
    ],
)
def test_errors(parts, options, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(linear_encoder(parts[0]), linear_decoder(parts[1]), **options)
