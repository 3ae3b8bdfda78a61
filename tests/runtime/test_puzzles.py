"""The runtime on an exported grid puzzle: the same solution as Keras with any number of tiles, and clear errors."""

import numpy as np
import pytest

from keras_gen import zoo
from keras_gen.export import export_model
from keras_gen.runtime import Runtime

SETTINGS = {"base_filters": 4, "image_filters": 4, "discriminator_filters": 4, "code_size": 8, "latent_size": 2}
IMAGES = np.random.default_rng(0).random((5, 8, 8, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    return zoo.build("puzzlegan", (8, 8, 3), seed=0, layout="grid", grid_size=2, max_missing=1, **SETTINGS)


@pytest.fixture(scope="module")
def runtime(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid") / "export"
    return Runtime(export_model(model, folder, calibration=IMAGES, format="tflite", quantize="none"))


@pytest.mark.parametrize("count", [4, 3, 1])
def test_runtime_and_keras_solve_alike(model, runtime, count):
    tiles = model.shuffled(IMAGES, 0, seed=1)[0][:, :count]
    expected, received = model.restore(tiles, seed=3), runtime.solve(tiles, seed=3)
    for name in ("image", "scores"):
        np.testing.assert_allclose(expected[name], received[name], atol=1e-5)  # float32 sums in a different order
    np.testing.assert_array_equal(expected["positions"][:, :count], received["positions"])
    assert received["positions"].shape == (5, count) and received["positions"].dtype == np.int64


def test_no_place_is_assigned_twice(model, runtime):
    positions = runtime.solve(model.shuffled(IMAGES, 0, seed=1)[0], seed=3)["positions"]
    np.testing.assert_array_equal(np.sort(positions, axis=1), np.tile(np.arange(4), (5, 1)))


def test_invalid_tiles_are_refused(runtime):
    for tiles in (np.zeros((1, 5, 4, 4, 3)), np.zeros((4, 4, 4, 3)), np.zeros((0, 4, 4, 4, 3))):
        with pytest.raises(ValueError, match=r"Expected tiles of the shape \[num, 1 to 4, 4, 4, 3\]; received"):
            runtime.solve(tiles)
    with pytest.raises(ValueError, match="tiles: expected the shape"):
        runtime.solve(np.zeros((1, 4, 3, 4, 3)))
    with pytest.raises(ValueError, match="tiles: expected values between 0 and 1; .*divide 8-bit images by 255"):
        runtime.solve(np.full((1, 4, 4, 4, 3), 200.0))
    with pytest.raises(ValueError, match="presence: expected values between 0 and 1"):
        runtime.run("restore", tiles=np.zeros((1, 4, 4, 4, 3)), presence=np.full((1, 4), 2), z=np.zeros((1, 2)))


def test_a_model_of_free_patches_cannot_solve_a_grid(tmp_path):
    free = zoo.build("puzzlegan", (8, 8, 3), seed=0, **SETTINGS)
    out = export_model(free, tmp_path / "export", calibration=IMAGES[:1], format="tflite", quantize="none")
    with pytest.raises(
        ValueError,
        match="Expected a model whose endpoint restore has the output scores; received one with the endpoints restore",
    ):
        Runtime(out).solve(np.zeros((1, 4, 4, 4, 3)))
