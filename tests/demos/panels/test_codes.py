"""Statistics of codes, measured on a model whose images contain their known codes."""

import numpy as np
import pytest

from demos.panels.codes import format_code, measure, start_code

STD = np.array([0.01, 2.0, 0.5, 1.0], np.float32)
MEAN = np.array([0.0, 5.0, -1.0, 0.0], np.float32)


class AffineModel:
    """A model of images [1, 4, 1] that are an affine function of the code; codes are N(MEAN, STD**2)."""

    image_shape = (1, 4, 1)
    signatures = {"generate": {"inputs": {}}}
    description = {"labels": None}

    def generate(self, num, seed):
        noise = np.random.default_rng(seed).standard_normal((num, 4), np.float32)
        return ((MEAN + STD * noise) / 20 + 0.5).reshape(num, 1, 4, 1)

    def encode(self, image):
        return (image.reshape(-1, 4) - 0.5) * 20


@pytest.fixture
def codes():
    return measure(AffineModel())


def test_mean_and_standard_deviation_match_the_codes(codes):
    # 256 codes: the standard errors are std / 16 of the mean and std / sqrt(512) of std; the bounds are four of them
    np.testing.assert_array_less(np.abs(codes.mean - MEAN), STD / 4)
    np.testing.assert_allclose(codes.std, STD, rtol=4 / np.sqrt(512))


def test_active_dimensions_are_sorted_by_standard_deviation(codes):
    assert codes.active(3) == [1, 3, 2]
    assert codes.active(4) == codes.active(9) == [0, 1, 2, 3]


def test_range_covers_three_standard_deviations_and_the_prior(codes):
    low, high = codes.mean - 3 * codes.std, codes.mean + 3 * codes.std
    # 256 normal samples reach nearly as far: after rounding outwards, the ends are at most one short
    assert np.all(codes.low >= np.minimum(-3, np.floor(low))) and np.all(codes.low <= np.minimum(-3, np.floor(low) + 1))
    assert np.all(codes.high <= np.maximum(3, np.ceil(high))) and np.all(codes.high >= np.maximum(3, np.ceil(high) - 1))
    assert codes.high[1] > 9 and codes.low[0] == -3


def test_range_ends_at_the_extreme_codes():
    class UniformModel(AffineModel):
        def generate(self, num, seed):
            return np.random.default_rng(seed).uniform(0.25, 0.75, (num, 1, 4, 1)).astype(np.float32)

    codes = measure(UniformModel())  # uniform on [-5, 5]: three standard deviations would be 8.7
    np.testing.assert_array_equal([codes.low, codes.high], [[-5] * 4, [5] * 4])
    assert codes.measured.shape == (256, 4) and np.abs(codes.measured).max() <= 5


def test_directions_are_three_standard_deviations_of_the_principal_components(codes):
    lengths = np.linalg.norm(codes.directions, axis=1)
    np.testing.assert_allclose(lengths, 3 * codes.std[[1, 3]], rtol=0.02)  # up to sampling error
    assert np.abs(codes.directions[0, 1]) / lengths[0] > 0.98 and np.abs(codes.directions[1, 3]) / lengths[1] > 0.98


def test_a_one_dimensional_code_has_one_direction():
    class OneDimensionalModel(AffineModel):
        def encode(self, image):
            return super().encode(image)[:, 1:2]

    codes = measure(OneDimensionalModel())
    assert codes.size == 1 and codes.directions.shape == (2, 1)
    assert codes.directions[1, 0] == 0


def test_start_code_is_the_code_of_the_generated_image():
    model = AffineModel()
    noise = np.random.default_rng(7).standard_normal((1, 4), np.float32)[0]
    np.testing.assert_allclose(start_code(model, 7, {}), MEAN + STD * noise, atol=1e-5)  # float32


def test_format_code_has_two_digits_and_signs():
    assert format_code(np.array([1.005, -0.2, 10.0])) in ("+1.00 -0.20 +10.00", "+1.01 -0.20 +10.00")
