import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from keras_gen import zoo
from keras_gen.evaluation import log_likelihood
from keras_gen.evaluation.metrics.log_likelihood import ImageNoise
from tests.evaluation.toys import blobs


@pytest.fixture(scope="module")
def vae():
    return zoo.build("vae", (8, 8, 1), network="mlp", latent_size=2, hidden_units=16, head="bernoulli")


@pytest.fixture(scope="module")
def images():
    return blobs(9, seed=0)[0].astype(np.float32) / 255


def test_equals_equation_8(vae, images):
    q, codes = vae.sample_posterior(images, None, ImageNoise(tf.constant([4, 5000]), tf.range(9)), 30)
    codes = codes.numpy().astype(np.float64)
    normal = scipy.stats.norm
    log_q = normal.logpdf(codes, q.distribution.loc.numpy(), q.distribution.scale.numpy()).sum(-1)
    log_p = normal.logpdf(codes).sum(-1)
    probability = np.array([vae.decode(tf.constant(rows, tf.float32)).numpy() for rows in codes], np.float64)
    log_x = np.log(np.where(images[None] == 1, probability, 1 - probability)).sum((2, 3, 4))
    expected = scipy.special.logsumexp(log_x + log_p - log_q, axis=0) - np.log(30)
    np.testing.assert_allclose(log_likelihood(vae, images, 30, seed=4), expected, rtol=1e-5)


@pytest.fixture(scope="module")
def all_at_once(vae, images):
    return log_likelihood(vae, images, 20, codes_per_pass=1000)


@pytest.mark.parametrize("codes_per_pass", [1, 7, 60])
def test_chunk_size_has_no_effect(vae, images, all_at_once, codes_per_pass):
    reported = []
    chunked = log_likelihood(vae, images, 20, codes_per_pass=codes_per_pass, progress=reported.append)
    np.testing.assert_allclose(chunked, all_at_once, rtol=1e-5)
    assert reported == ([0, 3, 6, 9] if codes_per_pass == 60 else list(range(10)))


def test_estimates_do_not_depend_on_other_images(vae, images, all_at_once):
    np.testing.assert_allclose(log_likelihood(vae, images[4:], 20, first_index=4), all_at_once[4:], rtol=1e-5)


def test_codes_depend_on_seed_and_index(vae, images):
    same = np.repeat(images[:1], 3, axis=0)
    first = log_likelihood(vae, same, 5)
    assert len(set(first)) == 3
    np.testing.assert_array_equal(first, log_likelihood(vae, same, 5))
    assert not np.any(first == log_likelihood(vae, same, 5, seed=1))


def test_noise_of_an_image_is_standard_normal_and_independent():
    image_noise = ImageNoise(tf.constant([0, 0]), tf.constant([3, 4]))
    noise = image_noise.normal([20_000])
    assert scipy.stats.kstest(noise[0].numpy(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(noise)[0, 1]) < 0.03  # four standard errors
    assert abs(np.corrcoef(noise[0], image_noise.normal([20_000])[0])[0, 1]) < 0.03


@pytest.mark.parametrize("prior", [{"name": "vamp", "components": 3}, {"name": "mixture", "components": 3}])
def test_mixture_priors(images, prior):
    model = zoo.build("vae", (8, 8, 1), network="mlp", latent_size=2, hidden_units=16, prior=prior)
    q, codes = model.sample_posterior(images, None, ImageNoise(tf.constant([0, 5000]), tf.range(9)), 10)
    log_p = model.prior.distribution(model.posterior_of).log_prob(codes)
    weights = model.log_likelihood(images, codes) + log_p - q.log_prob(codes)
    expected = scipy.special.logsumexp(weights.numpy(), axis=0) - np.log(10)
    np.testing.assert_allclose(log_likelihood(model, images, 10), expected, rtol=1e-5)


def test_a_conditional_model_uses_the_labels(images):
    model = zoo.build("vae", (8, 8, 1), network="mlp", latent_size=2, hidden_units=16, num_classes=2)
    zeros, ones = (log_likelihood(model, images, 10, labels=np.full(9, label)) for label in (0, 1))
    mixed = log_likelihood(model, images, 10, labels=np.array([0, 1, 1, 0, 0, 0, 1, 1, 1]), codes_per_pass=1000)
    np.testing.assert_allclose(mixed, np.where([1, 0, 0, 1, 1, 1, 0, 0, 0], zeros, ones), rtol=1e-5)
    assert not np.allclose(zeros, ones)
    with pytest.raises(ValueError, match="a batch with 'label'"):
        log_likelihood(model, images, 10)


@pytest.mark.parametrize(
    "options, message",
    [({"num_samples": 0}, "num_samples"), ({"seed": -1}, "seed"), ({"codes_per_pass": 0}, "codes_per_pass")],
)
def test_options_out_of_range(vae, images, options, message):
    with pytest.raises(ValueError, match=message):
        log_likelihood(vae, images, **options)


def test_no_images(vae, images):
    with pytest.raises(ValueError, match="at least one image"):
        log_likelihood(vae, images[:0])
