"""The tab of StarGAN, called as a browser does, compared with the exported model."""

import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from demos.panels.domains import Domains
from keras_gen import pictures
from keras_gen.runtime import Runtime

from .conftest import export_small_model
from .test_latent import random_image, read_image, read_rgb, rgb

SHAPE = (16, 16, 3)
NAMES = ["red", "green", "blue"]
SETTINGS = {"groups": [3], "attribute_names": NAMES, "base_filters": 4, "blocks": 1, "discriminator_filters": 4}


SERVED = {"star": lambda runs: export_small_model(runs, "star", "stargan", SHAPE, SETTINGS)}


@pytest.fixture(scope="module")
def model(served_models):
    return Runtime(served_models["star"].folder)


@pytest.fixture(scope="module")
def image():
    return random_image(SHAPE)


@pytest.fixture(scope="module")
def upload(image, tmp_path_factory):
    file = tmp_path_factory.mktemp("images") / "image.png"
    Image.fromarray(image).save(file)
    return handle_file(str(file))


def model_input(image) -> np.ndarray:
    return image[None].astype(np.float32) / 255


def test_translations_to_every_domain(client, model, image, upload):
    shown_input, sheet, *values, translation = client.predict(upload, False, api_name="/star_domains")
    np.testing.assert_array_equal(read_image(shown_input, SHAPE), image)
    np.testing.assert_array_equal(read_image(translation, SHAPE), image)
    translations = model.translate(np.repeat(model_input(image), 3, 0), NAMES)
    assert np.abs(translations[0] - translations[1]).max() > 0.01
    expected = pictures.grid(translations, 3, scale=760 // (3 * 16), labels=NAMES)
    np.testing.assert_array_equal(read_rgb(sheet), expected)
    predicted = model.run("classify", image=model_input(image))["attributes"][0]
    assert values == np.eye(3)[predicted.argmax()].tolist()


def test_sliders_are_normalized_to_shares_of_domains(client, model, image, upload):
    translation = client.predict(upload, False, 0.2, 0.6, 0.0, api_name="/star_mix")
    expected = model.translate(model_input(image), [[0.25, 0.75, 0.0]])[0]
    np.testing.assert_array_equal(read_image(translation, SHAPE), rgb(expected))


def test_translation_by_name(client, model, image, upload):
    translation = client.predict(upload, False, " blue ", api_name="/star_named")
    np.testing.assert_array_equal(read_image(translation, SHAPE), rgb(model.translate(model_input(image), "blue")[0]))


@pytest.mark.parametrize(
    "text, message",
    [
        ("purple", "Expected the attribute as one of red, green, blue"),
        ("", "Expected at least one attribute"),
        ("red, blue", "exactly one of red, green, blue"),
    ],
)
def test_unknown_names_are_refused(client, upload, text, message):
    with pytest.raises(AppError, match=message):
        client.predict(upload, False, text, api_name="/star_named")


def test_invalid_images_and_sliders_are_refused(client, upload, tmp_path):
    with pytest.raises(AppError, match="There is no image yet"):
        client.predict(None, False, api_name="/star_domains")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(AppError, match="broken.png cannot be read as an image"):
        client.predict(handle_file(str(tmp_path / "broken.png")), False, api_name="/star_domains")
    with pytest.raises(AppError, match="All of red, green, blue are 0"):
        client.predict(upload, False, 0, 0, 0, api_name="/star_mix")


@pytest.mark.parametrize("size, mode", [((1, 1), "RGB"), ((300, 40), "L"), ((20, 20), "RGBA")])
def test_images_of_any_size_and_mode(client, tmp_path, size, mode):
    Image.new(mode, size, "white" if mode == "L" else (200, 10, 10)).save(tmp_path / "image.png")
    shown_input, *_ = client.predict(handle_file(str(tmp_path / "image.png")), False, api_name="/star_domains")
    assert read_image(shown_input, SHAPE).shape == SHAPE


def test_endpoints(endpoints):
    assert endpoints("star") == {"domains", "mix", "named"}


class RecordingRuntime:
    """A runtime of two datasets that records the requested translations."""

    image_shape = (4, 4, 1)
    description = {
        "attributes": {"names": ["a", "b", "on", "x", "y"], "groups": [2, 1, 2], "datasets": [0, 0, 1]},
    }
    requested = None

    def run(self, name, image):
        return {"attributes": np.array([[0.3, 0.7, 0.9, 0.8, 0.2]], np.float32)}

    def translate(self, image, vectors, dataset):
        self.requested = [*(self.requested or []), (vectors[0].tolist(), dataset)]
        return image


def test_every_domain_of_several_datasets():
    runtime = RecordingRuntime()
    model = Domains(runtime)
    model.translate_to_all(np.zeros((4, 4, 1), np.float32))
    # the other attributes keep their predictions (b, on, x); "on" is flipped; each is of the dataset with its label
    assert runtime.requested == [
        ([1, 0, 1, 1, 0], 0),
        ([0, 1, 1, 1, 0], 0),
        ([0, 1, 0, 1, 0], 0),
        ([0, 1, 1, 1, 0], 1),
        ([0, 1, 1, 0, 1], 1),
    ]
    np.testing.assert_allclose(model.normalize_shares([0.5, 1.5, 0.3, 0.0, 2.0]), [0.25, 0.75, 0.3, 0, 1])
