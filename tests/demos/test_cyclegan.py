"""The tab of CycleGAN, called as a browser does, compared with the exported model."""

import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from demos.artifacts import Artifact
from demos.panels.translation import cycle_text, shape_of
from keras_gen import zoo
from keras_gen.export import export_model
from keras_gen.runtime import Runtime, command_line

from .test_latent import random_image, read_image, rgb

A, B = (12, 12, 1), (16, 20, 3)


def export(runs):
    generator = np.random.default_rng(0)
    model = zoo.build("cyclegan", A, domain_b=B, base_filters=4, blocks=1, num_downsamples=1)
    # larger weights, so that the output depends on the image
    model.set_weights([weight + generator.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    model.set_names({"domains": ["ink", "photo"]})
    data = {f"domain_{name}": generator.random((3, *shape), np.float32) for name, shape in (("a", A), ("b", B))}
    folder = runs / "cycle" / "export"
    export_model(model, folder, calibration=data, format="tflite", quantize="none", title="CycleGAN")
    return Artifact("cycle", folder)


SERVED = {"cycle": export}


@pytest.fixture(scope="module")
def model(served_models):
    return Runtime(served_models["cycle"].folder)


@pytest.mark.parametrize("domain, other", ["ab", "ba"])
def test_translation_and_cycle_reconstruction(client, model, tmp_path, domain, other):
    shape = {"a": A, "b": B}[domain]
    assert shape_of(model, domain) == shape
    image = random_image(shape)
    Image.fromarray(image.squeeze()).save(tmp_path / "image.png")
    upload = handle_file(str(tmp_path / "image.png"))
    model_input, translation, cycle, error = client.predict(upload, False, api_name=f"/cycle_{domain}_to_{other}")
    real = image.astype(np.float32) / 255
    expected = model.run(f"{domain}_to_{other}", **{f"domain_{domain}": real[None]})[f"domain_{other}"]
    again = model.run(f"{other}_to_{domain}", **{f"domain_{other}": expected})[f"domain_{domain}"]
    np.testing.assert_array_equal(read_image(model_input, shape), rgb(real))
    np.testing.assert_array_equal(read_image(translation, expected.shape[1:]), rgb(expected[0]))
    np.testing.assert_array_equal(read_image(cycle, shape), rgb(again[0]))
    assert error == cycle_text(real, again[0])


def test_cycle_error_by_hand():
    text = cycle_text(np.zeros((2, 2, 1)), np.array([0.0, 0.5, 0.25, 0.25]).reshape(2, 2, 1))
    assert text == "mean 0.2500, largest 0.5000 (of 1)"


def test_tab_has_the_names_of_the_domains(client, model):
    assert model.description["domains"] == ["ink", "photo"]
    labels = {each["props"].get("label") for each in client.config["components"]}
    assert {"ink to photo", "photo to ink", "Image of domain ink", "As photo", "Back in ink"} <= labels


def test_runtime_translates_into_a_domain_by_name(model, tmp_path):
    image = random_image(A)
    Image.fromarray(image.squeeze()).save(tmp_path / "a.png")
    for to in ("photo", "B"):
        command_line.main(["--folder", str(model.folder), "translate", str(tmp_path / "a.png"), "--to", to,
                      "--out", str(tmp_path / f"{to}.npy")])  # fmt: skip
        expected = model.run("a_to_b", domain_a=image[None] / np.float32(255))["domain_b"]
        np.testing.assert_allclose(np.load(tmp_path / f"{to}.npy"), expected, atol=1e-6)
    with pytest.raises(ValueError, match="Expected the domain as one of photo, ink .*; received 'photos'"):
        command_line.main(["--folder", str(model.folder), "translate", str(tmp_path / "a.png"), "--to", "photos"])


def test_gray_uploads_can_be_inverted(client, tmp_path):
    Image.fromarray(np.full((12, 12), 55, np.uint8)).save(tmp_path / "gray.png")
    model_input = client.predict(handle_file(str(tmp_path / "gray.png")), True, api_name="/cycle_a_to_b")[0]
    assert (read_image(model_input, A) == 200).all()


@pytest.mark.parametrize("mode, size", [("L", (1, 1)), ("RGBA", (40, 3)), ("I;16", (5, 9)), ("P", (700, 900))])
def test_unusual_images_are_translated(client, tmp_path, mode, size):
    Image.new(mode, size).save(tmp_path / "image.png")
    upload = handle_file(str(tmp_path / "image.png"))
    translation, cycle = client.predict(upload, False, api_name="/cycle_b_to_a")[1:3]
    assert read_image(translation, A).shape == (12, 12, 3) and read_image(cycle, B).shape == (16, 20, 3)


def test_unreadable_images_are_refused(client, tmp_path):
    with pytest.raises(AppError, match="There is no image yet"):
        client.predict(None, False, api_name="/cycle_a_to_b")
    Image.new("L", (8000, 8000)).save(tmp_path / "large.png")
    with pytest.raises(
        AppError, match="^large.png cannot be .*: 8,000 x 8,000 are 64,000,000 pixels; expected at most 50"
    ):
        client.predict(handle_file(str(tmp_path / "large.png")), False, api_name="/cycle_a_to_b")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(AppError, match="text.png cannot be read as an image"):
        client.predict(handle_file(str(tmp_path / "text.png")), False, api_name="/cycle_b_to_a")


def test_endpoints(endpoints):
    assert endpoints("cycle") == {"a_to_b", "b_to_a"}
