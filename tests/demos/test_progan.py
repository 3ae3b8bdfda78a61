"""The tab of a Progressive GAN, called as a browser does, compared with the exported model."""

import numpy as np
import pytest
from gradio_client.exceptions import AppError
from PIL import Image

from demos.panels.stages import generate_at_every_stage, stages_of
from keras_gen.runtime import Runtime

from .conftest import export_small_model
from .test_latent import read_rgb

SHAPE = (16, 16, 3)
SETTINGS = {"base_filters": 8, "latent_size": 6, "num_classes": 3}


def export(runs):
    for epoch, color in ((1, "red"), (2, "blue")):
        folder = runs / "grown" / "samples"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), color).save(folder / f"epoch_000{epoch}.png")
    return export_small_model(runs, "grown", "progan", SHAPE, SETTINGS, prepare=lambda model: model.enter_phase(4))


SERVED = {"grown": export}


@pytest.fixture(scope="module")
def model(served_models):
    return Runtime(served_models["grown"].folder)


def test_one_file_generates_all_stages(model):
    assert list(stages_of(model).values()) == [(4, 4, 3), (8, 8, 3), SHAPE]
    labels = np.eye(3, dtype=np.float32)[[0, 1]]
    images = generate_at_every_stage(model, model.noise(2, 7), label=labels)
    assert images.shape == (2, 3, *SHAPE)
    np.testing.assert_array_equal(images[:, 2], model.generate(2, 7, label=[0, 1]))
    small = model.run("generate_4x4", **model.noise(2, 7), label=labels)["image"]
    np.testing.assert_array_equal(images[:, 0, ::4, ::4], small)


def test_a_row_for_each_noise_vector_and_a_column_for_each_stage(client):
    one, same, other = (read_rgb(client.predict(seed, 2, 1, 1.0, api_name="/grown_stages")) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert one.shape[1] > one.shape[0] and (one != other).any()


def test_growth_tab_has_the_pictures_of_training(client):
    for epoch, expected in ((1, (255, 0, 0)), (2, (0, 0, 255))):
        picture = read_rgb(client.predict(epoch, api_name="/grown_growth"))
        np.testing.assert_array_equal(picture, np.broadcast_to(expected, picture.shape))
    with pytest.raises(AppError, match="greater than maximum value 2"):
        client.predict(9, api_name="/grown_growth")


def test_samples_and_interpolation_are_available(client):
    assert read_rgb(client.predict(5, 4, 1, 1.0, api_name="/grown_generate")).ndim == 3
    assert len(client.predict(3, 8, 1, "arc", 3, 0.25, api_name="/grown_interpolate")) == 2
