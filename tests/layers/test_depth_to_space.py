"""The rearrangement of channels against numpy, the initializer that goes with it, saving, and errors."""

import keras
import numpy as np
import pytest

from keras_gen.layers import ICNR, DepthToSpace

FEATURES = np.random.default_rng(0).random((2, 3, 5, 18)).astype(np.float32)


def test_equals_numpy():
    blocks = FEATURES.reshape(2, 3, 5, 3, 3, 2).transpose(0, 1, 3, 2, 4, 5)
    np.testing.assert_array_equal(DepthToSpace(3)(FEATURES), blocks.reshape(2, 9, 15, 2))
    assert DepthToSpace(3).compute_output_shape((None, None, 5, 18)) == (None, None, 15, 2)


@pytest.mark.parametrize("size", [2, 3])
def test_icnr_starts_as_a_convolution_with_nearest_upsampling(size):
    """Aitken et al. 2017, section 3: all pixels of a block have the same weights."""
    make = keras.initializers.RandomNormal(stddev=0.1, seed=3)
    convolution = keras.layers.Conv2D(4 * size**2, 3, padding="same", kernel_initializer=ICNR(make, size))
    plain = keras.layers.Conv2D(4, 3, padding="same", kernel_initializer=make)
    expected = keras.layers.UpSampling2D(size, interpolation="nearest")(plain(FEATURES))
    np.testing.assert_allclose(DepthToSpace(size)(convolution(FEATURES)), expected, atol=1e-6)


def test_icnr_has_the_fans_of_one_pixel():
    kernel = np.asarray(ICNR("he_normal", 2)((3, 3, 64, 4 * 64)))
    assert kernel.std() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)


def test_saving(tmp_path):
    model = keras.Sequential(
        [keras.Input((3, 5, 18)), keras.layers.Conv2D(8, 3, kernel_initializer=ICNR("he_normal", 2)), DepthToSpace(2)]
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(FEATURES), model(FEATURES))
    assert isinstance(loaded.layers[0].kernel_initializer.initializer, keras.initializers.HeNormal)


def test_errors():
    for size in (1, 2.0):
        with pytest.raises(ValueError, match="Expected size as an integer >= 2"):
            DepthToSpace(size)
    with pytest.raises(ValueError, match="channels in a multiple of 16; received 18"):
        DepthToSpace(4)(FEATURES)
    with pytest.raises(ValueError, match="output channels in a multiple of 4; received the shape"):
        ICNR("he_normal", 2)((3, 3, 4, 6))
