"""The tab of Puzzle-GAN, called as a browser does, compared with the exported model."""

import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from demos.panels.patch_positions import cut_patches, format_positions, framed, key_positions
from demos.panels.tile_puzzle import split_tiles
from keras_gen.runtime import Runtime

from .conftest import export_small_model
from .test_latent import random_image, read_image, read_rgb, rgb

SHAPE = (16, 16, 3)
SETTINGS = {"base_filters": 4, "image_filters": 4, "discriminator_filters": 4, "code_size": 8, "latent_size": 2}


GRID_SHAPE, GRID_SETTINGS = (8, 8, 3), {"layout": "grid", "grid_size": 2, "max_missing": 1, **SETTINGS}
SERVED = {
    "puzzle": lambda runs: export_small_model(runs, "puzzle", "puzzlegan", SHAPE, SETTINGS),
    "grid": lambda runs: export_small_model(runs, "grid", "puzzlegan", GRID_SHAPE, GRID_SETTINGS),
}


@pytest.fixture(scope="module")
def model(served_models):
    return Runtime(served_models["puzzle"].folder)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return random_image(SHAPE)


@pytest.fixture(scope="module")
def upload(image, tmp_path_factory):
    file = tmp_path_factory.mktemp("uploads") / "image.png"
    Image.fromarray(image).save(file)
    return handle_file(str(file))


def restore(model, image, positions, seed) -> dict:
    """Returns the outputs of the runtime for the patches at these positions."""
    patches = np.zeros((1, 4, 6, 6, 3), np.float32)
    patches[0, : len(positions)] = cut_patches(image.astype(np.float32) / 255, positions, (6, 6))
    presence = (np.arange(4) < len(positions))[None]
    return model.run("restore", patches=patches, presence=presence, **model.noise(1, seed))


def test_restore_returns_the_outputs_of_the_runtime(client, model, image, upload):
    positions = [(3, 3), (13, 12)]
    picture, strip, full, mask = client.predict(
        upload, False, format_positions(positions), 5, api_name="/puzzle_restore"
    )
    np.testing.assert_array_equal(
        read_image(picture, SHAPE), rgb(framed(image.astype(np.float32) / 255, positions, (6, 6)))
    )
    outputs = restore(model, image, positions, 5)
    np.testing.assert_array_equal(read_image(full, SHAPE), rgb(outputs["image"][0]))
    np.testing.assert_array_equal(read_image(mask, SHAPE), rgb(outputs["mask"][0]))
    assert read_rgb(strip).shape[1] > read_rgb(strip).shape[0]  # two patches in a row


def test_order_of_the_patches_has_no_effect(client, upload):
    texts = "3, 3; 13, 12", "13, 12; 3, 3"
    one, other = (client.predict(upload, False, text, 5, api_name="/puzzle_restore")[2] for text in texts)
    np.testing.assert_array_equal(read_rgb(one), read_rgb(other))


def test_patches_are_selected_removed_and_shuffled(client, image, upload):
    text, picture = client.predict(upload, False, api_name="/puzzle_choose")
    positions = key_positions(image.astype(np.float32) / 255, 3, (6, 6))
    assert text == format_positions(positions) and len(positions) == 3
    np.testing.assert_array_equal(
        read_image(picture, SHAPE), rgb(framed(image.astype(np.float32) / 255, positions, (6, 6)))
    )
    fewer, _ = client.predict(upload, False, text, api_name="/puzzle_drop")
    assert fewer == format_positions(positions[:2])
    shuffled = client.predict(text, api_name="/puzzle_shuffle")
    assert sorted(shuffled.split("; ")) == sorted(text.split("; "))


@pytest.mark.parametrize(
    "text, message",
    [
        ("3, 3; 1, 3", "Patch 2 would lie outside the image.*rows 3 to 13 .*received row 1, column 3"),
        ("", "There is no patch yet"),
        ("3, 3; " * 5, "Expected at most 4 patches; received 5"),
        ("here", "Expected row, column of the center of patch 1.*received 'here'"),
    ],
)
def test_invalid_patches_are_refused(client, upload, text, message):
    with pytest.raises(AppError, match=message):
        client.predict(upload, False, text, 5, api_name="/puzzle_restore")


def test_a_missing_image_is_refused(client):
    with pytest.raises(AppError, match="There is no image yet"):
        client.predict(None, False, "3, 3", 5, api_name="/puzzle_restore")


def test_sample_is_a_drawing_with_the_models_size(client):
    picture = client.predict(api_name="/puzzle_sample")
    assert read_image(picture, SHAPE).std() > 10


def test_endpoints(endpoints):
    assert endpoints("puzzle") == set(("choose", "sample", "drop", "shuffle", "restore"))


def test_grid_puzzle_has_the_solution_of_the_runtime(client, served_models, tmp_path):
    shape = GRID_SHAPE
    model, image = Runtime(served_models["grid"].folder), random_image(shape)
    Image.fromarray(image).save(tmp_path / "image.png")
    upload = handle_file(str(tmp_path / "image.png"))
    _, together, painted, text = client.predict(upload, False, 1, 7, api_name="/grid_solve")
    with pytest.raises(AppError, match="There is no image yet"):
        client.predict(None, False, 1, 7, api_name="/grid_solve")
    true_tiles = split_tiles(image.astype(np.float32) / 255, 2)
    order = np.random.default_rng(7).permutation(4)[:3]
    outputs = model.solve(true_tiles[order][None], seed=7)
    np.testing.assert_array_equal(read_image(painted, shape), rgb(outputs["image"][0]))
    tiles = split_tiles(outputs["image"][0], 2).copy()
    tiles[outputs["positions"][0]] = true_tiles[order]
    np.testing.assert_array_equal(split_tiles(read_image(together, shape), 2), np.stack([rgb(tile) for tile in tiles]))
    right = (outputs["positions"][0] == order).sum()
    assert text.startswith(f"{right} of 3 tiles")
