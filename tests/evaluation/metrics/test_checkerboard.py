"""The energy at the Nyquist frequencies of synthetic checkerboards and stripes."""

import numpy as np
import pytest

from keras_gen.evaluation.metrics.checkerboard import checkerboard_ratio, nyquist_share

ROWS, COLUMNS = np.indices((8, 12))
PATTERNS = {
    "checkerboard": (-1.0) ** (ROWS + COLUMNS),
    "rows": (-1.0) ** ROWS,
    "columns": (-1.0) ** COLUMNS,
    # a stripe of one pixel whose contrast varies slowly along it
    "modulated": (-1.0) ** ROWS * np.sqrt(2) * np.sin(2 * np.pi * COLUMNS / 12),
}
SMOOTH = np.sqrt(2) * np.sin(2 * np.pi * COLUMNS / 12)  # of variance 1, one period in the image


@pytest.mark.parametrize("name", PATTERNS)
def test_share_of_a_synthetic_pattern(name):
    """The variances of orthogonal waves add up: a pattern of amplitude 0.1 on a wave of amplitude 0.2 has 1/5."""
    image = 0.5 + 0.2 * SMOOTH + 0.1 * PATTERNS[name]
    assert nyquist_share(np.stack([image, image])[..., None]) == pytest.approx(0.2, abs=1e-12)
    assert nyquist_share(np.stack([0.5 + 0.2 * SMOOTH] * 2)[..., None]) == pytest.approx(0, abs=1e-12)


def test_white_noise_has_the_share_of_the_frequencies():
    noise = np.random.default_rng(0).normal(size=(500, 8, 12, 3))
    # 8 + 12 - 1 of 8 * 12 - 1 frequencies; a standard error of sqrt(2 / (19 * 1500)) = 0.8 %
    assert nyquist_share(noise) == pytest.approx(19 / 95, rel=0.03)


def test_ratio_to_real_images():
    real = np.random.default_rng(0).normal(size=(50, 8, 12, 1))
    assert checkerboard_ratio(real, real) == 1.0
    assert checkerboard_ratio(3.0 + 0.1 * real, real) == pytest.approx(1.0)  # brightness and contrast do not count
    assert checkerboard_ratio(real + PATTERNS["checkerboard"][..., None], real) > 2
    smooth = np.broadcast_to(SMOOTH[..., None], (50, 8, 12, 1))
    assert checkerboard_ratio(smooth, real) == pytest.approx(0, abs=1e-12)
    constant = np.zeros_like(real)
    assert checkerboard_ratio(real, constant) == np.inf and np.isnan(checkerboard_ratio(constant, constant))


@pytest.mark.parametrize("shape", [(2, 7, 8, 1), (2, 8, 7, 1), (8, 8, 1), (0, 8, 8, 1)])
def test_errors(shape):
    with pytest.raises(ValueError, match="with even sides; received"):
        nyquist_share(np.zeros(shape))
