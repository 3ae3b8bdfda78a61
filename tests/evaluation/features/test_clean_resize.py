import numpy as np
import pytest

from keras_gen.evaluation.features.clean_resize import clean_resize

IMAGE = np.random.Generator(np.random.Philox(key=8)).integers(0, 256, (1, 5, 7, 3))


@pytest.mark.parametrize(
    "size, corner, mean",
    [
        # computed with clean-fid 0.1.35, build_resizer("clean")
        (12, [[77.539192, 255.0, 255.0], [83.824127, 221.58107, 250.807526]], 133.595),
        (3, [[136.137589, 153.05365, 200.078598], [138.686905, 81.953117, 137.436783]], 135.13664),
    ],
)
def test_values_of_clean_fid(size, corner, mean):
    resized = clean_resize(IMAGE, size)
    assert resized.shape == (1, size, size, 3) and resized.dtype == np.float32
    np.testing.assert_allclose(resized[0, 0, :2], corner, rtol=1e-6)
    assert resized.mean() == pytest.approx(mean, rel=1e-5)


def test_a_fine_pattern_is_not_aliased():
    stripes = np.tile([0.0, 255.0], (1, 64, 32))[..., None]
    resized = clean_resize(stripes, 7)
    np.testing.assert_allclose(resized[0, :, 1:-1], 127.5, atol=2.0)  # without antialiasing: 0 to 255
