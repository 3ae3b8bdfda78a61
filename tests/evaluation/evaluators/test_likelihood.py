import types

import numpy as np
import pytest
import scipy.stats

from keras_gen.evaluation.evaluators.likelihood import count_active_units, likelihood
from tests.evaluation.toys import pixel_vae, pixels


def context(model, images, nll_samples=2000):
    """A stand-in for `EvaluationContext` with the given images."""
    return types.SimpleNamespace(
        model=model,
        batch=lambda num: {"image": images[:num]},
        labels=lambda batch: None,
        nll_images=None,
        nll_samples=nll_samples,
        seed=0,
        progress=lambda what, done, total: None,
    )


def test_binary_pixels_under_a_bernoulli_head():
    # p(x = 1) = E_z[sigmoid(z)] = 1/2 by symmetry, so log 2 for either value, and one bit
    metrics, about = likelihood(context(pixel_vae(0.0, 1.0), pixels([0, 1, 1, 0] * 25)))
    assert metrics["nll"] == pytest.approx(np.log(2), abs=0.005)
    assert metrics["bits_per_dimension"] == pytest.approx(1, abs=0.007)
    assert about["nll"]["unit"] == "nats per image"
    assert (about["nll"]["images"], about["nll"]["samples"]) == (100, 2000)


def test_gray_pixels_under_a_bernoulli_head_are_null_with_the_reason():
    metrics, about = likelihood(context(pixel_vae(0.0, 1.0), pixels([0.2, 1.0])))
    assert metrics == {"nll": None, "bits_per_dimension": None}
    assert all("50.0% of the pixels are neither 0 nor 1" in about[name]["reason"] for name in metrics)


def test_levels_under_a_continuous_head():
    # x = z + noise of .5: p(x') = N(0, 1.25), whose mass in each cell scipy knows
    model = pixel_vae(0.5, 0.8, head={"name": "normal", "scale": 0.5, "squash": False})
    levels = np.repeat(np.arange(0, 256, 51), 4)
    metrics, about = likelihood(context(model, pixels(levels / 255), nll_samples=5000))
    normal = scipy.stats.norm(0, np.sqrt(1.25))
    exact = -np.log(normal.cdf((levels + 1) / 256) - normal.cdf(levels / 256)).mean()
    # 0.01 is the noise of 5,000 samples; the bound is loose by less than 1e-4 in cells this narrow
    assert metrics["nll"] == pytest.approx(exact, abs=0.01)
    assert metrics["bits_per_dimension"] == pytest.approx(exact / np.log(2), abs=0.015)
    assert "dequantization" in about["nll"]["note"]


def test_counts_dimensions_above_the_threshold():
    # variances 1, 0.0121, 0.0081, 0
    codes = np.array([[1.0, 0.11, 0.09, 5.0], [-1.0, -0.11, -0.09, 5.0]])
    assert count_active_units(codes) == 2
    assert count_active_units(codes, threshold=0.001) == 3


def test_one_image_has_no_variance():
    with pytest.raises(ValueError, match="at least 2"):
        count_active_units(np.zeros((1, 3)))
