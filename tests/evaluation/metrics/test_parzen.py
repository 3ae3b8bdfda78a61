import numpy as np
import pytest
import scipy.special
import scipy.stats

from keras_gen.evaluation.metrics import pairwise
from keras_gen.evaluation.metrics.parzen import best_sigma, parzen, parzen_log_density


def test_one_kernel_is_the_normal_density():
    generator = np.random.default_rng(0)
    center, images = generator.random((1, 2, 3, 1)), generator.random((7, 2, 3, 1))
    expected = [scipy.stats.norm(center, s).logpdf(images).sum(axis=(1, 2, 3)) for s in (0.1, 0.5)]
    np.testing.assert_allclose(parzen_log_density(images, center, (0.1, 0.5)), expected, rtol=1e-9)


def test_many_kernels_for_any_block_size(monkeypatch):
    generator = np.random.default_rng(0)
    centers, images = generator.random((20, 4)), generator.random((9, 4))
    each = scipy.stats.norm(centers[:, None], 0.2).logpdf(images).sum(axis=2)
    monkeypatch.setattr(pairwise, "PAIRS", 40)
    expected = scipy.special.logsumexp(each, axis=0) - np.log(20)
    np.testing.assert_allclose(parzen_log_density(images, centers, [0.2])[0], expected, rtol=1e-9)


def test_log_density_far_away_is_finite():
    values = parzen_log_density(np.full((1, 784), 1.0), np.zeros((2, 784)), [0.1])
    assert values[0, 0] == pytest.approx(-784 * (0.5 / 0.01 + 0.5 * np.log(2 * np.pi * 0.01)))


def test_best_sigma():
    # one kernel at 0: the best sigma is the root mean square of the values
    images = np.random.default_rng(0).normal(0, 0.3, (200, 50))
    grid = np.linspace(0.2, 0.4, 41)
    assert best_sigma(images, np.zeros((1, 50)), grid) == pytest.approx(np.sqrt(np.mean(images**2)), abs=0.0026)
    assert best_sigma(images, np.zeros((1, 50)), [0.7]) == 0.7
    with pytest.raises(ValueError, match="received 0.31 to 0.5.*an end of the grid"):
        best_sigma(images, np.zeros((1, 50)), [0.31, 0.4, 0.5])


def test_samples_and_training_images():
    generator = np.random.default_rng(0)
    train, validation, test = (generator.normal(0.5, 0.2, (num, 2)) for num in (400, 300, 300))
    far = generator.normal(0.5, 0.4, (200, 2))
    result = parzen(far, train, validation, test, sigmas=np.logspace(-2, 0.5, 15))
    assert result.value < result.train_value
    # the value of training images uses as many kernels and a separate sigma
    values = parzen_log_density(test, train[:200], [result.train_sigma])[0]
    assert (result.train_value, result.train_error) == (values.mean(), values.std(ddof=1) / np.sqrt(300))
    same = parzen(train[:200], train, validation, test, sigmas=np.logspace(-2, 0.5, 15))
    assert same[:3] == same[3:]
    # no density exceeds that of the data on average: -entropy = -log(2 pi e 0.04)
    assert result.train_value < -np.log(2 * np.pi * np.e * 0.04) + 4 * result.train_error


def test_errors():
    values = np.zeros((3, 4))
    with pytest.raises(ValueError, match="sigmas > 0"):
        parzen_log_density(values, values, [0.1, 0.0])
    with pytest.raises(ValueError, match="one shape"):
        parzen_log_density(values, values[:, :2], [0.1])
    with pytest.raises(ValueError, match="2 or more test images for a standard error; received 1"):
        parzen(values, values, values, values[:1])
