import numpy as np
import pytest

from keras_gen.evaluation.features.clean_resize import clean_resize

IMAGE = np.random.Generator(np.random.Philox(key=8)).integers(0, 256, (1, 5, 7, 3))


@pytest.mark.parametrize(
    "size, corner, mean",
    [
        # by clean-fid 0.1.35, build_resizer("clean")
        (12, [[77.539192, 255.0, 255.0], [83.824127, 221.58107, 250.807526]], 133.595),
        (3, [[136.137589, 153.05365, 200.078598], [138.686905, 81.953117, 137.436783]], 135.13664),
    ],
)
def test_as_the_clean_fid_resizes(size, corner, mean):
    found = clean_resize(IMAGE, size)
    assert found.shape == (1, size, size, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found[0, 0, :2], corner, rtol=1e-6)
    assert found.mean() == pytest.approx(mean, rel=1e-5)


def test_a_fine_pattern_leaves_no_coarse_one():
    stripes = np.tile([0.0, 255.0], (1, 64, 32))[..., None]
    found = clean_resize(stripes, 7)
    np.testing.assert_allclose(found[0, :, 1:-1], 127.5, atol=2.0)  # without antialiasing: 0 to 255
