"""The tab of adversarial autoencoders: with categories, and with a map of a two-dimensional prior."""

import numpy as np
import pytest
from gradio_client import handle_file
from PIL import Image

from demos.panels.categories import Categories
from demos.panels.codes import measure
from demos.panels.latent_map import dotted
from keras_gen import pictures
from keras_gen.runtime import Runtime

from .conftest import export_small_model
from .test_latent import random_image, read_image, read_rgb, rgb

SHAPE = (12, 12, 1)
SETTINGS = {
    "network": "mlp",
    "hidden_units": 8,
    "discriminator_units": 8,
    "latent_size": 2,
    "num_categories": 3,
    "prior": "petals",
}


SERVED = {"aae": lambda runs: export_small_model(runs, "aae", "aae", SHAPE, SETTINGS)}


@pytest.fixture(scope="module")
def model(served_models):
    return Runtime(served_models["aae"].folder)


def decode(model, category, styles):
    """Returns the images of styles [num, 2] in one category, by the exported decoder."""
    y = np.broadcast_to(np.eye(3)[category], (len(styles), 3))
    return model.run("decode", z=np.concatenate([y, styles], axis=1))["image"]


def test_samples_have_the_requested_category(client, model):
    path = client.predict(5, 3, -1, api_name="/aae_generate")
    images = model.run("generate", **{**model.noise(3, 5), "category": np.eye(3)})["image"]
    factor = (read_rgb(path).shape[1] - 3 * 2) // (2 * 12)
    np.testing.assert_array_equal(read_rgb(path)[..., :1], pictures.grid(images, 2, scale=factor))


def test_sliders_change_the_style_in_a_category(client, model):
    *values, image = client.predict(3, 1, api_name="/aae_start")
    generated = model.generate(1, 3, category=1)
    style = model.encode(generated)[0, 3:]
    np.testing.assert_array_equal(read_image(image, SHAPE), rgb(decode(model, 1, style[None])[0]))
    assert len(values) == 2
    image = client.predict(2, 1.25, values[1], api_name="/aae_move")
    np.testing.assert_array_equal(read_image(image, SHAPE), rgb(decode(model, 2, np.array([[1.25, style[1]]]))[0]))


def test_an_upload_sets_the_style_of_the_sliders(client, model, tmp_path):
    image = random_image(SHAPE)
    Image.fromarray(image[..., 0]).save(tmp_path / "image.png")
    upload = handle_file(str(tmp_path / "image.png"))
    *_, decoded_image = client.predict(upload, False, 2, api_name="/aae_start_from")
    style = model.encode(image[None].astype(np.float32) / 255)[:, 3:]
    np.testing.assert_array_equal(read_image(decoded_image, SHAPE), rgb(decode(model, 2, style)[0]))


def test_map_has_styles_of_a_category_and_the_measured_codes(client, model):
    codes = measure(Categories(model))
    assert codes.size == 2
    position = ("dimensions", 0, 1, 0, 2, 0.5, -1.0)
    plain, image, code = client.predict(*position, False, api_name="/aae_map")
    z = (codes.high + codes.low) / 2 + (codes.high - codes.low) / 2 * [0.5, -1.0]
    np.testing.assert_allclose([float(number) for number in code.split()], z, atol=0.0051)
    np.testing.assert_array_equal(read_image(image, SHAPE), rgb(decode(model, 2, z[None].astype(np.float32))[0]))

    marked = read_rgb(client.predict(*position, True, api_name="/aae_map")[0])
    # each measured code is a dot, unless the ring at the position or the border of a later dot covers it
    half = (codes.high - codes.low) / 2
    x, y = ((codes.measured - (codes.high + codes.low) / 2) / half).T
    inside = (np.abs(x) < 0.98) & (np.abs(y) < 0.98) & (np.hypot(x - 0.5, y + 1.0) > 0.1)
    columns = np.rint((x + 1) / 2 * marked.shape[1] - 0.5).astype(int)[inside]
    rows = np.rint((1 - y) / 2 * marked.shape[0] - 0.5).astype(int)[inside]
    assert inside.sum() > 100
    blue, black = ((marked[rows, columns] == color).all(axis=-1) for color in ([0, 191, 255], [0, 0, 0]))
    assert np.all(blue | black) and blue.mean() > 0.5
    assert not (read_rgb(plain) == [0, 191, 255]).all(axis=-1).any()


def test_dots_are_drawn_on_a_copy():
    picture = np.zeros((100, 200, 3), np.uint8)
    marked = dotted(picture, np.array([[0.5, 0.5]]))
    rows, columns = np.nonzero((marked == [0, 191, 255]).all(axis=-1))
    assert abs(rows.mean() - 24.5) < 1 and abs(columns.mean() - 149.5) < 1  # 3/4 across, 1/4 from the top
    assert not picture.any()


def test_an_upload_is_classified_and_its_style_decoded_in_every_category(client, model, tmp_path):
    image = random_image(SHAPE)
    Image.fromarray(image[..., 0]).save(tmp_path / "image.png")
    model_input, category, styled = client.predict(
        handle_file(str(tmp_path / "image.png")), False, api_name="/aae_classify"
    )
    np.testing.assert_array_equal(read_image(model_input, SHAPE), rgb(image))
    real = image[None].astype(np.float32) / 255
    probabilities = model.run("classify", image=real)["category"][0]
    confidences = {each["label"]: each["confidence"] for each in category["confidences"]}
    np.testing.assert_allclose([confidences[str(index)] for index in range(3)], probabilities, atol=1e-6)
    style = model.encode(real)[:, 3:]
    images = np.concatenate([decode(model, index, style) for index in range(3)])
    factor = (read_rgb(styled).shape[1] - 4 * 2) // (3 * 12)
    np.testing.assert_array_equal(read_rgb(styled)[..., :1], pictures.grid(images, 3, scale=factor))


def test_reconstruction_and_interpolation_use_the_whole_code(client, model, tmp_path):
    files = []
    for seed in (1, 2):
        Image.fromarray(random_image(SHAPE, seed)[..., 0]).save(tmp_path / f"{seed}.png")
        files.append(handle_file(str(tmp_path / f"{seed}.png")))
    real = np.stack([random_image(SHAPE, seed) for seed in (1, 2)]).astype(np.float32) / 255
    reconstruction = client.predict(files[0], False, api_name="/aae_reconstruct")[1]
    np.testing.assert_array_equal(read_image(reconstruction, SHAPE), rgb(model.reconstruct(real[:1])[0]))
    at_position = client.predict(*files, False, "line", 0.25, api_name="/aae_position")
    codes = model.encode(real)
    between = (0.75 * codes[:1] + 0.25 * codes[1:]).astype(np.float32)
    np.testing.assert_array_equal(read_image(at_position, SHAPE), rgb(model.decode(between)[0]))


def test_endpoints(endpoints):
    parts = ["generate", "start", "another", "start_from", "move", "map", "generated", "reconstruct", "two_generated",
             "interpolate", "position", "generated_to_classify", "classify"]  # fmt: skip
    assert endpoints("aae") == set(parts)
