"""Inputs for calibration and comparison: real where they can be, drawn as `generate` draws them where not."""

import numpy as np
import pytest

from keras_gen.distributions import draw_noise
from keras_gen.export.examples import columns_of, endpoint_inputs
from keras_gen.models import Endpoint, Port

from .conftest import CLASSES, blobs


@pytest.fixture(scope="module")
def inputs(model):
    data = {"image": blobs(40), "label": np.arange(40) % CLASSES}
    return data, endpoint_inputs(model, model.endpoints(), data, seed=5)


def test_every_endpoint_is_served(model, inputs):
    _, made = inputs
    for endpoint in model.endpoints():
        assert {name: array.shape for name, array in made[endpoint.name].items()} == {
            name: (40, *port.shape) for name, port in endpoint.inputs.items()
        }


def test_images_labels_and_noise(model, inputs):
    data, made = inputs
    np.testing.assert_array_equal(made["encode"]["image"], data["image"])
    np.testing.assert_array_equal(made["decode"]["label"].argmax(1), data["label"])
    np.testing.assert_array_equal(made["generate"]["noise"], draw_noise(model.noise(), 40, 5)["noise"])


def test_codes_are_half_posterior_half_prior(model, inputs):
    data, made = inputs
    codes = made["decode"]["z"]
    one_hot = np.eye(CLASSES, dtype=np.float32)[data["label"]]
    np.testing.assert_allclose(codes[::2], model.encode(data["image"], one_hot)[::2], atol=1e-6)
    np.testing.assert_allclose(codes[1::2], draw_noise(model.noise(), 40, 5)["noise"][1::2], atol=1e-6)


def test_a_column_serves_the_input_of_its_name(model):
    endpoint = Endpoint("mend", None, {"mask": Port((2, 2), "value")}, {})
    data = {"image": blobs(32), "mask": np.ones((32, 2, 2))}
    assert endpoint_inputs(model, [endpoint], data, 0)["mend"]["mask"].all()
    with pytest.raises(ValueError, match="mend takes 'mask' .*has no such column; it has image"):
        endpoint_inputs(model, [endpoint], {"image": blobs(32)}, 0)


def test_columns_of_arrays_and_batches():
    images, labels = blobs(50), np.arange(50)
    np.testing.assert_array_equal(columns_of(images, 40)["image"], images[:40])
    batches = [{"image": images[i : i + 20], "label": labels[i : i + 20]} for i in (0, 20, 40)]
    taken = columns_of(iter(batches), 45)
    np.testing.assert_array_equal(taken["image"], images[:45])
    np.testing.assert_array_equal(taken["label"], labels[:45])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((31, 8, 8, 1)), "at least 32 images; received 31"),
        (np.full((32, 8, 8, 1), 255.0), "between 0 and 1; received values from 255"),
        ({"label": np.zeros(40)}, "batches with 'image'"),
        (None, "received None"),
        ([(blobs(32), np.zeros(32))], "batches that are dicts with 'image'; received tuple"),
        (np.zeros((40, 8, 8)), "Expected images .num, height, width, channels"),
    ],
)
def test_data_that_does_not_fit(data, message):
    with pytest.raises(ValueError, match=message):
        columns_of(data, 64)
