"""Inputs for calibration and comparison: from the data if possible, else sampled as in `generate`."""

import numpy as np
import pytest

from keras_gen.distributions import draw_noise
from keras_gen.export.examples import choose_examples, columns_of, endpoint_inputs
from keras_gen.models import Endpoint, Port

from .conftest import CLASSES, blobs


@pytest.fixture(scope="module")
def inputs(model):
    data = {"image": blobs(40), "label": np.arange(40) % CLASSES}
    return data, endpoint_inputs(model, model.endpoints(), data, seed=5)


def test_every_endpoint_has_inputs_of_its_shapes(model, inputs):
    _, arrays = inputs
    for endpoint in model.endpoints():
        assert {name: array.shape for name, array in arrays[endpoint.name].items()} == {
            name: (40, *port.shape) for name, port in endpoint.inputs.items()
        }


def test_inputs_are_images_labels_and_noise(model, inputs):
    data, arrays = inputs
    np.testing.assert_array_equal(arrays["encode"]["image"], data["image"])
    np.testing.assert_array_equal(arrays["decode"]["label"].argmax(1), data["label"])
    np.testing.assert_array_equal(arrays["generate"]["noise"], draw_noise(model.noise(), 40, 5)["noise"])


def test_half_of_the_codes_are_posterior_samples_and_half_prior_samples(model, inputs):
    data, arrays = inputs
    codes = arrays["decode"]["z"]
    one_hot = np.eye(CLASSES, dtype=np.float32)[data["label"]]
    np.testing.assert_allclose(codes[::2], model.encode(data["image"], one_hot)[::2], atol=1e-6)
    np.testing.assert_allclose(codes[1::2], draw_noise(model.noise(), 40, 5)["noise"][1::2], atol=1e-6)


def test_a_column_is_used_for_the_input_of_its_name(model):
    endpoint = Endpoint("restore", None, {"mask": Port((2, 2), "value")}, {})
    data = {"image": blobs(32), "mask": np.ones((32, 2, 2))}
    assert endpoint_inputs(model, [endpoint], data, 0)["restore"]["mask"].all()
    with pytest.raises(
        ValueError, match="Expected a column for the input 'mask' of restore .*; received the columns image"
    ):
        endpoint_inputs(model, [endpoint], {"image": blobs(32)}, 0)


def test_columns_from_arrays_and_from_batches():
    images, labels = blobs(50), np.arange(50)
    batches = [{"image": images[i : i + 20], "label": labels[i : i + 20]} for i in (0, 20, 40)]
    for data in (iter(batches), {"image": images, "label": labels}):
        columns = columns_of(data, 45)
        assert len(np.unique(columns["label"])) == 45
        np.testing.assert_array_equal(columns["image"], images[columns["label"]])  # rows stay together
    assert len(columns_of(images[:1], 40)["image"]) == 1


def test_examples_contain_every_class_of_a_sorted_source():
    data = {"image": np.zeros((1000, 2, 2, 1)), "label": np.repeat(np.arange(10), 100)}
    chosen = choose_examples(columns_of(data, 192))
    assert set(chosen.calibration["label"]) == set(chosen.comparison["label"]) == set(range(10))
    again, other = choose_examples(columns_of(data, 192)), choose_examples(columns_of(data, 192, seed=1))
    np.testing.assert_array_equal(chosen.comparison["label"], again.comparison["label"])
    assert (chosen.comparison["label"] != other.comparison["label"]).any()


@pytest.mark.parametrize(
    ("train", "validation", "batch", "num_calibrated", "compared", "rows"),
    [  # rows: of calibration and comparison
        (1, 0, 1, 1, {"train": 1}, (32, 32)),
        (1, 1, 1, 1, {"validation": 1, "train": 1}, (32, 32)),
        (5, 1, 8, 5, {"validation": 1, "train": 5}, (32, 32)),
        (18, 2, 64, 18, {"validation": 2, "train": 18}, (64, 32)),
        (58, 6, 1, 32, {"validation": 6, "train": 26}, (32, 32)),
        (90, 10, 1, 60, {"validation": 10, "train": 30}, (60, 40)),
        (192, 10, 1, 128, {"validation": 10, "train": 54}, (128, 64)),
        (192, 64, 100, 128, {"validation": 64}, (200, 64)),
        (192, 0, 1, 128, {"train": 64}, (128, 64)),
        (40, 64, 1, 40, {"validation": 64}, (40, 64)),
    ],
)
def test_examples_from_any_number_of_images(train, validation, batch, num_calibrated, compared, rows):
    columns = {"image": np.arange(train)}
    chosen = choose_examples(columns, {"image": 1000 + np.arange(validation)} if validation else None, batch=batch)
    assert chosen.images == {"calibration": {"train": num_calibrated}, "comparison": compared}
    calibration, comparison = chosen.calibration["image"], chosen.comparison["image"]
    assert (len(calibration), len(comparison)) == rows
    assert len(np.unique(calibration)) == num_calibrated and calibration.max() < 1000
    assert len(np.unique(comparison)) == sum(compared.values())
    assert (np.unique(comparison) >= 1000).sum() == compared.get("validation", 0)
    if num_calibrated + compared.get("train", 0) <= train:
        assert not set(calibration) & set(comparison)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((0, 8, 8, 1)), "at least one image; received none"),
        ([], "at least one image; received an iterable without batches"),
        (np.full((3, 8, 8, 1), 255.0), "'image' from 0 to 1; received 255 to 255; scale them to .0, 1."),
        (np.full((3, 8, 8, 1), 255, np.uint8), "received 255 to 255; divide 8-bit images by 255"),
        (np.full((3, 8, 8, 1), -0.5), "received -0.5 to -0.5"),
        (np.full((3, 8, 8, 1), np.nan), "finite values of 'image' from 0 to 1; received NaN"),
        ({"label": np.zeros(40)}, "batches with 'image'"),
        (None, "received None"),
        ([(blobs(32), np.zeros(32))], "batches that are dicts with 'image'; received tuple"),
        (np.zeros((40, 8, 8)), "Expected images .num, height, width, channels"),
    ],
)
def test_invalid_data_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        columns_of(data, 64)
