import dataclasses
import types
from typing import Any

import numpy as np
import pytest
import scipy.stats

from keras_gen import data
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.elbo import elbo
from tests.evaluation.toys import pixel_vae, pixels

NORMAL = {"name": "normal", "scale": 0.5, "squash": False}


@dataclasses.dataclass
class PixelContext(EvaluationContext):
    """An evaluation context of an array of pixels, without a run."""

    file: str = ""

    def dataset(self, role=None, **changes):
        return data.load(self.file, image_shape=(1, 1, 1), batch_size=64, shuffle=False)


def measure(tmp_path, values, head) -> tuple[dict, dict]:
    np.save(tmp_path / "pixels.npy", pixels(values) if values.dtype != np.uint8 else values.reshape(-1, 1, 1, 1))
    run: Any = types.SimpleNamespace(config={"data": {"splits": {"test": "test"}}})
    context = PixelContext(run, file=str(tmp_path / "pixels.npy"))
    context.model = pixel_vae(0.5, 0.8, head=head)
    context.model.compile()
    return elbo(context)


def test_elbo_of_8_bit_levels_under_a_continuous_head(tmp_path):
    levels = np.repeat(np.arange(0, 256, 51), 400).astype(np.uint8)
    metrics, about = measure(tmp_path, levels, NORMAL)
    # q = N(x / 2, .8^2): KL to N(0, 1) by hand; E (x - z)^2 = x^2 / 4 + .64; cells of 1/256
    x = (levels + 0.5) / 256
    kl = 0.5 * (x**2 / 4 + 0.64 - 1) - np.log(0.8)
    fit = -scipy.stats.norm(0, 0.5).logpdf(0) + (x**2 / 4 + 0.64) / (2 * 0.25)
    assert metrics["kl"] == pytest.approx(kl.mean(), abs=0.002)
    assert metrics["reconstruction"] == pytest.approx(fit.mean(), abs=0.2)  # 2,400 samples, standard deviation about 2
    assert metrics["elbo"] == pytest.approx(-metrics["reconstruction"] - metrics["kl"], abs=1e-4)
    # for levels: log 256 more for the single pixel, and different noise
    assert metrics["elbo_8bit"] == pytest.approx(metrics["elbo"] - np.log(256), abs=0.2)
    normal = scipy.stats.norm(0, np.sqrt(1.25))
    exact = np.log(normal.cdf((levels + 1.0) / 256) - normal.cdf(levels / 256)).mean()
    assert metrics["elbo_8bit"] < exact < 0
    assert "dequantization" in about["elbo_8bit"]["note"] and about["elbo_8bit"]["unit"].endswith("of 8-bit levels")
    assert about["elbo"]["unit"] == about["reconstruction"]["unit"] == "nats per image, of a density"


def test_continuous_images_have_no_elbo_of_8_bit_levels(tmp_path):
    metrics, about = measure(tmp_path, np.full(100, 0.3, np.float32), NORMAL)
    assert metrics["elbo_8bit"] is None and "densit" in about["elbo_8bit"]["reason"]
    assert metrics["elbo"] == pytest.approx(-metrics["reconstruction"] - metrics["kl"], abs=1e-4)


def test_binary_pixels_are_not_dequantized(tmp_path):
    metrics, about = measure(tmp_path, np.tile([0, 255], 50).astype(np.uint8), "bernoulli")
    assert metrics["elbo"] == pytest.approx(-metrics["reconstruction"] - metrics["kl"], abs=1e-4)
    assert metrics["elbo"] < -np.log(2) + 0.1 and "note" not in about["elbo"] and "elbo_8bit" not in metrics


def test_gray_pixels_under_a_bernoulli_head_have_a_note(tmp_path):
    metrics, about = measure(tmp_path, np.full(100, 100, np.uint8), "bernoulli")
    assert np.isfinite(metrics["elbo"]) and about["elbo"]["note"].startswith(
        "not a bound on a log-likelihood: a Bernoulli"
    )
