"""The tab of InfoGAN, called as a browser does, compared with the exported model."""

import numpy as np
import pytest
from gradio_client import handle_file
from PIL import Image

from demos.panels.codes import format_code
from keras_gen import pictures
from keras_gen.runtime import Runtime

from .conftest import export_small_model
from .test_latent import random_image, read_image, read_rgb, rgb

SHAPE = (16, 16, 1)
SETTINGS = {"base_filters": 4, "dense_units": 16, "noise_size": 3, "num_categories": 3, "num_codes": 2}


SERVED = {"info": lambda runs: export_small_model(runs, "info", "infogan", SHAPE, SETTINGS)}


@pytest.fixture(scope="module")
def model(served_models):
    return Runtime(served_models["info"].folder)


def test_image_of_seed_category_and_codes(client, model):
    path = client.predict(4, 1, 0.5, -1.0, api_name="/info_image")
    z = model.noise(1, 4)["z"]
    expected = model.run("generate", z=z, category=np.eye(3)[[1]], code=np.array([[0.5, -1.0]]))["image"]
    np.testing.assert_array_equal(read_image(path, SHAPE), rgb(expected[0]))


def test_grid_has_a_row_per_category_and_varies_a_code_along_columns(client, model):
    path = client.predict(4, 1, 0.5, -1.0, api_name="/info_grid")
    z = model.noise(1, 4)["z"]
    images = [
        model.run("generate", z=z, category=np.eye(3)[[row]], code=np.array([[0.5, column]]))["image"][0]
        for row in range(3)
        for column in (-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1)
    ]
    picture = read_rgb(path)
    expected = pictures.grid(np.stack(images), 9, scale=(picture.shape[1] - 10 * 2) // (9 * 16))
    np.testing.assert_array_equal(picture, np.broadcast_to(expected, picture.shape))


def test_samples_are_conditioned_on_the_category(client, model):
    path = client.predict(6, 1, 2, api_name="/info_generate")
    np.testing.assert_array_equal(
        read_rgb(path)[..., :1], pictures.grid(model.generate(1, 6, category=2), 1, scale=read_rgb(path).shape[1] // 16)
    )


def test_category_and_codes_are_inferred(client, model, tmp_path):
    image = random_image(SHAPE)
    Image.fromarray(image[..., 0]).save(tmp_path / "image.png")
    upload = handle_file(str(tmp_path / "image.png"))
    model_input, category, code, again = client.predict(upload, False, api_name="/info_infer")
    np.testing.assert_array_equal(read_image(model_input, SHAPE), rgb(image))
    inferred = model.run("infer", image=image[None].astype(np.float32) / 255)
    confidences = {each["label"]: each["confidence"] for each in category["confidences"]}
    assert sorted(confidences) == ["0", "1", "2"] and category["label"] == str(inferred["category"][0].argmax())
    np.testing.assert_allclose([confidences[str(index)] for index in range(3)], inferred["category"][0], atol=1e-6)
    assert code == format_code(inferred["code"][0])
    best = np.eye(3)[[inferred["category"][0].argmax()]]
    inputs = {"z": model.noise(1, 0)["z"], "category": best, "code": np.clip(inferred["code"], -1, 1)}
    np.testing.assert_array_equal(read_image(again, SHAPE), rgb(model.run("generate", **inputs)["image"][0]))


def test_endpoints(endpoints):
    assert endpoints("info") == set(("image", "grid", "generate", "generated", "infer"))
