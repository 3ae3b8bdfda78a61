"""The tab of a conditional GAN, called as a browser does, compared with the exported model."""

import numpy as np
import pytest
from gradio_client.exceptions import AppError

from demos.panels.truncation import truncate_noise, truncation_field
from keras_gen import pictures
from keras_gen.runtime import Runtime

from .conftest import export_small_model
from .test_latent import read_image, read_rgb, rgb

SHAPE = (12, 12, 1)
SETTINGS = {"hidden_units": 8, "latent_size": 6, "num_classes": 3}


SERVED = {"gan": lambda runs: export_small_model(runs, "gan", "gan", SHAPE, SETTINGS)}


@pytest.fixture(scope="module")
def model(served_models):
    return Runtime(served_models["gan"].folder)


def sheet_of(images, columns, path):
    factor = (read_rgb(path).shape[1] - (columns + 1) * 2) // (columns * SHAPE[1])
    return np.broadcast_to(pictures.grid(images, columns, scale=factor), read_rgb(path).shape)


def test_truncation_scales_the_noise(client, model):
    for scale in (1.0, 0.4):
        path = client.predict(5, 4, 2, scale, api_name="/gan_generate")
        noise = np.float32(scale) * model.noise(4, 5)["noise"]
        expected = model.run("generate", noise=noise, label=np.full(4, 2))["image"]
        np.testing.assert_array_equal(read_rgb(path), sheet_of(expected, 2, path))


@pytest.mark.parametrize("scale", [0.0, 1.5])
def test_invalid_truncation_is_refused(client, model, scale):
    with pytest.raises((AppError, ValueError)):
        client.predict(5, 4, 2, scale, api_name="/gan_generate")
    with pytest.raises(ValueError, match=r"Expected a truncation scale in \(0, 1\]"):
        truncate_noise(model, 4, 5, scale)


class Mixture:
    """Noise of a mixture: a normal input, and a uniform input that selects the component."""

    description = {"noise": {"inputs": [{"name": "noise", "kind": "normal"}, {"name": "component", "kind": "uniform"}]}}

    def noise(self, num, seed):
        return {"noise": np.full((num, 2), 2.0, np.float32), "component": np.full((num, 1), 0.5, np.float32)}


class Uniform(Mixture):
    description = {"noise": {"inputs": [{"name": "noise", "kind": "uniform"}]}}


def test_only_normal_noise_can_be_truncated():
    noise = truncate_noise(Mixture(), 3, 0, 0.5)
    np.testing.assert_array_equal(noise["noise"], np.ones((3, 2)))
    np.testing.assert_array_equal(noise["component"], np.full((3, 1), 0.5))
    assert truncation_field(Uniform()).get_block_name() == "state"


def test_seeds_are_interpolated_on_an_arc(client, model):
    strip, at_position = client.predict(3, 8, 1, "arc", 3, 0.25, api_name="/gan_interpolate")
    first, second = (model.noise(1, seed)["noise"][0].astype(np.float64) for seed in (3, 8))
    angle = np.arccos(first @ second / np.linalg.norm(first) / np.linalg.norm(second))

    def at(t):
        return (np.sin((1 - t) * angle) * first + np.sin(t * angle) * second) / np.sin(angle)

    def images(noise):
        return model.run("generate", noise=np.float32(noise), label=np.full(len(noise), 1))["image"]

    # the strip is rounded to 8 bits: weights that differ by float32's rounding may move a pixel by one level
    expected = sheet_of(images([first, at(0.5), second]), 3, strip)
    np.testing.assert_allclose(read_rgb(strip).astype(int), expected, atol=1)
    np.testing.assert_allclose(read_image(at_position, SHAPE).astype(int), rgb(images([at(0.25)])[0]), atol=1)
    np.testing.assert_array_equal(
        read_rgb(client.predict(3, 8, 1, "arc", 0.25, api_name="/gan_position")), read_rgb(at_position)
    )
    straight = client.predict(3, 8, 1, "line", 0.25, api_name="/gan_position")
    expected = rgb(images([0.75 * first + 0.25 * second])[0])
    np.testing.assert_allclose(read_image(straight, SHAPE).astype(int), expected, atol=1)
    assert np.abs(read_rgb(straight).astype(int) - read_rgb(at_position)).max() > 1


def test_class_is_constant_and_has_an_effect(client):
    one, other = (client.predict(3, 8, label, "arc", 0.0, api_name="/gan_position") for label in (0, 2))
    assert np.abs(read_rgb(one).astype(int) - read_rgb(other)).max() > 1
    with pytest.raises((AppError, ValueError), match="curve"):
        client.predict(3, 8, 0, "curve", 0.5, api_name="/gan_position")
    with pytest.raises(AppError, match="To is empty"):
        client.predict(3, None, 0, "arc", 0.5, api_name="/gan_position")


def test_endpoints(endpoints):
    assert endpoints("gan") == {"generate", "interpolate", "position"}
