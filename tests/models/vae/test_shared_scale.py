"""The VAE whose pixels share one learned scale: the contract of all systems, and the scale against closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.models import VAE, GlobalBatch
from tests import contract
from tests.models.toys import SHAPE, SIZE, FixedNoise, linear_decoder, linear_encoder, losses_of, normals
from tests.replicas import two_replicas
from tests.toy import Toy

HEAD = {"name": "normal", "scale": "shared"}
TOY = Toy(
    "vae",
    {"network": "mlp", "hidden_units": 8, "latent_size": 2, "head": HEAD},
    image_shape=(8, 8, 3),
    sgd=1e-4,  # of the logarithm of the scale, whose gradient is the sum over all pixels
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> contract.Trained:
    return contract.train(TOY, tmp_path_factory.mktemp("shared_scale"))


def test_trains(trained):
    contract.check_trains(trained)
    (path,) = [path for path in trained.weights if path.startswith(trained.model.log_scale.path)]
    assert trained.weights[path] != trained.initial[path]


def test_resumes_exactly(trained):
    contract.check_resumes_exactly(trained)


def test_export(trained, tmp_path):
    contract.check_export(trained, tmp_path)


def test_mixed_precision(tmp_path):
    contract.check_mixed_precision(TOY, tmp_path)


def test_two_replicas_equal_one_device(tmp_path):
    contract.check_two_replicas_equal_one_device(TOY, tmp_path)


def model() -> VAE:
    return VAE(linear_encoder(), linear_decoder(), head=HEAD, seed=0)


def test_the_loss_and_the_gradient_of_the_scale_by_hand():
    vae, noise = model(), normals(4, 1, SIZE)
    vae.log_scale.assign(np.log(0.25))
    images = np.random.default_rng(0).random((4, *SHAPE)).astype(np.float32)
    _, logs = losses_of(vae, images, noise)
    _, z = vae.sample_posterior(images, None, FixedNoise(noise), 1)
    mean, scale = vae.decode(z[0]).numpy(), 1e-3 + 0.25
    by_hand = -stats.norm.logpdf(images, mean, scale).sum((1, 2, 3))
    np.testing.assert_allclose(logs["reconstruction"], by_hand, rtol=1e-5)
    with tf.GradientTape() as tape:
        batch = {"image": tf.constant(images)}
        losses, _ = vae.losses_of(batch, FixedNoise(noise), GlobalBatch(tf.constant(4)), True)
    # d/dt of -log N(x; m, f + e^t), summed over pixels
    gradient = ((1 / scale - (images - mean) ** 2 / scale**3) * 0.25).sum()
    np.testing.assert_allclose(tape.gradient(losses, vae.log_scale.value), gradient, rtol=1e-4)


def test_the_scale_converges_to_the_root_mean_squared_error():
    images = np.random.default_rng(0).random((64, *SHAPE)).astype(np.float32)
    vae = model()
    vae.encoder.trainable = vae.decoder.trainable = False
    vae.compile(keras.optimizers.Adam(2e-2))
    vae.fit(images, batch_size=64, epochs=600, verbose=0)
    errors = [np.mean((np.asarray(vae.decode(z)) - images) ** 2) for z in samples(vae, images)]
    learned = 1e-3 + np.exp(float(vae.log_scale.value))
    assert learned == pytest.approx(np.sqrt(np.mean(errors)), rel=0.03)  # 64 images of 6 pixels in 20 samples


def samples(vae, images):
    for seed in range(20):
        yield vae.sample_posterior(images, None, FixedNoise(normals(64, 1, SIZE, seed=seed)), 1)[1][0]


def test_the_scale_is_one_variable_on_two_replicas():
    with two_replicas().scope():
        vae = TOY.build()
    assert [variable.path for variable in vae.trainable_variables if variable.shape == ()] == [vae.log_scale.path]


def test_other_heads_have_no_scale():
    assert VAE(linear_encoder(), linear_decoder(), seed=0).log_scale is None
