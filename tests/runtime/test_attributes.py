"""An exported StarGAN of two datasets: attribute names and vectors have the same effect in Keras and the runtime."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_gen import translation, zoo
from keras_gen.export import export_model
from keras_gen.export.examples import endpoint_inputs
from keras_gen.runtime import Runtime
from keras_gen.runtime.attributes import attribute_vectors
from tests.export.conftest import blobs

from .device import command_line

NAMES = ["black", "blond", "young", "angry", "happy"]
GROUPS, DATASETS = [2, 1, 2], [0, 0, 1]
# requested attributes and their dataset
REQUESTED = [
    ("blond", None),
    (("black", "young"), None),
    (["happy", ("young", "blond"), ["angry"]], None),
    (np.eye(5)[:3], 0),
    ([0.5, 0.5, 0, 0, 0], 0),
    (np.eye(5)[4], 1),
]


@pytest.fixture(scope="module")
def stargan():
    settings = {"base_filters": 4, "blocks": 1, "num_downsamples": 1, "discriminator_filters": 4, "residual": True}
    return zoo.build("stargan", (8, 8, 1), groups=GROUPS, datasets=DATASETS, attribute_names=NAMES, **settings)


@pytest.fixture(scope="module")
def columns():
    attributes = np.eye(5, dtype=np.float32)
    return {"image": blobs(5, size=8), "attributes": attributes, "dataset": (np.arange(5) > 2).astype(np.int32)}


@pytest.fixture(scope="module")
def runtime(stargan, columns, tmp_path_factory):
    folder = tmp_path_factory.mktemp("star") / "export"
    return Runtime(export_model(stargan, folder, calibration=columns, format="tflite", quantize="none"))


def test_description_has_the_attribute_schema(runtime):
    assert runtime.description["attributes"] == {"names": NAMES, "groups": GROUPS, "datasets": DATASETS}
    inputs = runtime.signatures["translate"]["inputs"]
    assert {name: port["shape"] for name, port in inputs.items()} == {
        "image": [8, 8, 1],
        "attributes": [5],
        "dataset": [2],
    }
    assert inputs["attributes"]["kind"] == "attributes" and inputs["attributes"]["range"] == [0, 1]


@pytest.mark.parametrize("requested, dataset", REQUESTED)
def test_runtime_and_keras_translate_alike(stargan, runtime, columns, requested, dataset):
    images = columns["image"][:3]
    expected = stargan.translate(images, requested, dataset=dataset)
    np.testing.assert_allclose(runtime.translate(images, requested, dataset), expected, atol=1e-5)


@pytest.mark.parametrize(
    "requested, dataset, vectors, datasets",
    [
        ("blond", None, [[0, 1, 0, 0, 0]] * 2, [0, 0]),
        (("black", "young"), None, [[1, 0, 1, 0, 0]] * 2, [0, 0]),
        ({"young", "blond"}, None, [[0, 1, 1, 0, 0]] * 2, [0, 0]),
        (["happy", ("young", "blond")], None, [[0, 0, 0, 0, 1], [0, 1, 1, 0, 0]], [1, 0]),
        (np.array([[1, 0, 0, 0, 0], [0, 1, 1, 0, 0]]), 0, [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0]], [0, 0]),
        ([0.5, 0.5, 0, 0, 0], 1, [[0.5, 0.5, 0, 0, 0]] * 2, [1, 1]),
    ],
)
def test_vectors_by_hand(requested, dataset, vectors, datasets):
    schema = {"names": NAMES, "groups": GROUPS, "datasets": DATASETS}
    received, received_datasets = attribute_vectors(schema, requested, 2, dataset)
    assert received.dtype == np.float32 and received.tolist() == vectors
    assert received_datasets.dtype == np.int32 and received_datasets.tolist() == datasets


@pytest.mark.parametrize(
    "requested, message",
    [
        ("red", "Expected the attribute as one of black, blond, young, angry, happy .*; received 'red'"),
        ((), "Expected at least one attribute of black, blond, .*; received none"),
        (("black", "happy"), "Expected attributes of one dataset; received black, happy of different datasets"),
        ("young", "Expected exactly one of black, blond; received none"),
        (["black"], "for 3 images, or one for all; received 1"),
        (np.eye(5)[0], "Expected the dataset of an attribute vector, dataset=0 to 1; received None"),
        (np.zeros(4), "a vector of 5 numbers"),
    ],
)
def test_keras_and_the_runtime_raise_the_same_errors(stargan, runtime, columns, requested, message):
    for translate in (stargan.translate, runtime.translate):
        with pytest.raises(ValueError, match=message):
            translate(columns["image"][:3], requested)


def test_classify(stargan, runtime, columns):
    probabilities = runtime.run("classify", image=columns["image"][:3])["attributes"]
    np.testing.assert_allclose(probabilities, stargan.classify(columns["image"][:3]), atol=1e-5)
    np.testing.assert_allclose(probabilities[:, [0, 3]] + probabilities[:, [1, 4]], 1, atol=1e-5)


def test_translation_from_the_command_line(runtime, columns):
    np.save(runtime.folder / "images.npy", columns["image"][:2])

    command_line(runtime.folder, "translate", "images.npy", "--attributes", "blond", "young", "--out", "out.npy")
    expected = runtime.translate(columns["image"][:2], ("blond", "young"))
    np.testing.assert_allclose(np.load(runtime.folder / "out.npy"), expected, atol=1e-6)
    refused = command_line(runtime.folder, "translate", "images.npy", "--attributes", "red", code=1)
    assert "error: Expected the attribute as one of black" in refused.stderr and "received 'red'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_attributes_for_calibration(stargan, columns):
    inputs = endpoint_inputs(stargan, stargan.endpoints(), columns, seed=0)["translate"]
    np.testing.assert_array_equal(inputs["attributes"], columns["attributes"])  # the attributes of the same row
    np.testing.assert_array_equal(inputs["dataset"].argmax(1), columns["dataset"])
    one = zoo.build("stargan", (12, 12, 1), groups=[3], base_filters=2, blocks=1, discriminator_filters=2)
    label = np.arange(40) % 3
    inputs = endpoint_inputs(one, one.endpoints(), {"image": blobs(40, size=12), "label": label}, seed=0)["translate"]
    assert inputs["attributes"].sum(0).tolist() == [14, 13, 13]  # a permutation
    assert (inputs["attributes"].argmax(1) != label).any()


def test_files_are_translated_with_an_export(runtime, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8), dtype=np.uint8)
    for name, image in zip(("a.png", "b.bmp"), pixels, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    result = translation.translate(runtime.folder, [tmp_path], tmp_path / "out", attributes="blond,young", batch_size=1)
    assert [file.name for file in result.written] == ["a.png", "b.bmp"] and not result.failed
    expected = runtime.translate(pixels[..., None] / np.float32(255), ("blond", "young"))
    for file, image in zip(result.written, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), np.rint(255 * image[..., 0]))
    with pytest.raises(ValueError, match="received angry, young of different datasets"):
        translation.translate(runtime.folder, [tmp_path / "a.png"], tmp_path / "no", attributes="angry,young")


def test_translation_with_an_export_needs_no_tensorflow(runtime, tmp_path):
    Image.new("L", (8, 8), 90).save(tmp_path / "a.png")
    program = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "from keras_gen import cli\n"
        f"cli.app(['translate', {str(runtime.folder)!r}, {str(tmp_path / 'a.png')!r}, '--attributes', 'happy', "
        f"'--out', {str(tmp_path / 'out')!r}])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "a.png").is_file()
