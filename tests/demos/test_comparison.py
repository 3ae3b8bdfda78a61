"""The comparison of an autoencoder with a VAE: both get the same noise and the same upload."""

import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from demos.app import comparable_pairs
from demos.comparison import build_demo, comparable
from keras_gen import pictures

from .conftest import SERVED as SERVED
from .test_latent import random_image, read_image, read_rgb, rgb


def test_both_models_decode_the_same_noise(client, models):
    for name, path in zip(("ae", "vae"), client.predict(3, 2, 1, api_name="/compare_generate"), strict=True):
        model, picture = models[name], read_rgb(path)
        noise = models["vae"].noise(2, 3)["noise"]  # a standard normal prior: the noise is the code
        np.testing.assert_array_equal(model.noise(2, 3)["noise"], noise)
        factor = (picture.shape[1] - 3 * 2) // (2 * 12)
        expected = pictures.grid(model.decode(noise, label=np.array([1, 1])), 2, scale=factor)
        np.testing.assert_array_equal(picture[..., :1], expected)


def test_both_models_reconstruct_the_same_upload(client, models, tmp_path):
    image = random_image((12, 12, 1))
    Image.fromarray(image[..., 0]).save(tmp_path / "image.png")
    upload = handle_file(str(tmp_path / "image.png"))
    model_input, *outputs, errors = client.predict(upload, False, 2, api_name="/compare_reconstruct")
    np.testing.assert_array_equal(read_image(model_input, (12, 12)), rgb(image))
    lines = errors.splitlines()
    for name, path, line in zip(("ae", "vae"), outputs, lines, strict=True):
        real = image[None].astype(np.float32) / 255
        expected = models[name].reconstruct(real, label=2)
        np.testing.assert_array_equal(read_image(path, (12, 12)), rgb(expected[0]))
        assert f"MSE {np.mean((real.astype(np.float64) - expected) ** 2):.4f}" in line
    assert [line.partition(":")[0] for line in lines] == ["Autoencoder", "Variational Autoencoder"]


def test_a_generated_image_has_the_models_size(client):
    image, _ = client.predict(0, api_name="/compare_generated")
    assert read_image(image, (12, 12)).shape == (12, 12, 3)


def test_a_missing_upload_is_refused(client):
    with pytest.raises(AppError, match="There is no image yet"):
        client.predict(None, False, 0, api_name="/compare_reconstruct")


def test_only_models_with_the_same_inputs_are_compared(artifacts, models):
    ae, vae, flat = artifacts
    assert comparable(models["ae"].description, models["vae"].description)
    assert not comparable(models["ae"].description, models["flat"].description)
    with pytest.raises(ValueError, match="Expected two models with the same image shape"):
        build_demo(ae.folder, flat.folder)
    described = {artifact: models[artifact.name].description for artifact in (flat, vae, ae)}
    assert comparable_pairs(described) == [(ae, vae)]
    assert comparable_pairs({flat: described[flat], ae: described[ae]}) == []
