"""A StarGAN of two data sets, exported: names and vectors mean the same to Keras and to the runtime."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_gen import translation, zoo
from keras_gen.export import Runtime, export_model
from keras_gen.export.examples import endpoint_inputs
from keras_gen.export.runtime import attribute_vectors

from .conftest import blobs

NAMES = ["black", "blond", "young", "angry", "happy"]
GROUPS, DATASETS = [2, 1, 2], [0, 0, 1]
# what is asked for, and of which set
WANTED = [
    ("blond", None),
    (("black", "young"), None),
    (["happy", ("young", "blond"), ["angry"]], None),
    (np.eye(5)[:3], 0),
    ([0.5, 0.5, 0, 0, 0], 0),
    (np.eye(5)[4], 1),
]


@pytest.fixture(scope="module")
def star():
    settings = {"base_filters": 4, "blocks": 1, "num_downsamples": 1, "discriminator_filters": 4, "residual": True}
    return zoo.build("stargan", (8, 8, 1), groups=GROUPS, datasets=DATASETS, attribute_names=NAMES, **settings)


@pytest.fixture(scope="module")
def columns():
    attributes = np.eye(5, dtype=np.float32)
    return {"image": blobs(5, size=8), "attributes": attributes, "dataset": (np.arange(5) > 2).astype(np.int32)}


@pytest.fixture(scope="module")
def runtime(star, columns, tmp_path_factory):
    folder = tmp_path_factory.mktemp("star") / "export"
    return Runtime(export_model(star, folder, calibration=columns, format="tflite", quantize="none"))


def test_the_names_travel(runtime):
    assert runtime.description["attributes"] == {"names": NAMES, "groups": GROUPS, "datasets": DATASETS}
    inputs = runtime.signatures["translate"]["inputs"]
    assert {name: port["shape"] for name, port in inputs.items()} == {
        "image": [8, 8, 1],
        "attributes": [5],
        "dataset": [2],
    }
    assert inputs["attributes"]["kind"] == "attributes" and inputs["attributes"]["range"] == [0, 1]


@pytest.mark.parametrize("wanted, dataset", WANTED)
def test_the_runtime_translates_as_keras(star, runtime, columns, wanted, dataset):
    images = columns["image"][:3]
    expected = star.translate(images, wanted, dataset=dataset)
    np.testing.assert_allclose(runtime.translate(images, wanted, dataset), expected, atol=1e-5)
    for ours, theirs in zip(
        attribute_vectors(runtime.description["attributes"], wanted, 3, dataset),
        star.vocabulary.vectors(wanted, 3, dataset),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "wanted, message",
    [
        ("red", "Unknown attribute 'red': this model knows black, blond, young, angry, happy"),
        ((), "No attribute: this model knows"),
        (("black", "happy"), "different data sets"),
        ("young", "exactly one of black, blond"),
        (["black"], "for 3 images, or one for all; received 1"),
        (np.eye(5)[0], "which data set a vector is of"),
        (np.zeros(4), "a vector of 5 numbers"),
    ],
)
def test_both_refuse_alike(star, runtime, columns, wanted, message):
    for translate in (star.translate, runtime.translate):
        with pytest.raises(ValueError, match=message):
            translate(columns["image"][:3], wanted)


def test_classify(star, runtime, columns):
    found = runtime.run("classify", image=columns["image"][:3])["attributes"]
    np.testing.assert_allclose(found, star.classify(columns["image"][:3]), atol=1e-5)
    np.testing.assert_allclose(found[:, [0, 3]] + found[:, [1, 4]], 1, atol=1e-5)


def test_from_the_command_line(runtime, columns):
    np.save(runtime.folder / "images.npy", columns["image"][:2])

    def run(*arguments):
        command = [sys.executable, "runtime.py", "translate", "images.npy", "--attributes", *arguments]
        return subprocess.run(command, cwd=runtime.folder, capture_output=True, text=True)

    assert run("blond", "young", "--out", "made.npy").returncode == 0
    made = np.load(runtime.folder / "made.npy")
    np.testing.assert_allclose(made, runtime.translate(columns["image"][:2], ("blond", "young")), atol=1e-6)
    refused = run("red")
    assert refused.returncode == 1 and "error: Unknown attribute 'red'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_targets_to_calibrate_on(star, columns):
    made = endpoint_inputs(star, star.endpoints(), columns, seed=0)["translate"]
    np.testing.assert_array_equal(made["attributes"], columns["attributes"])  # of several sets, each its own
    np.testing.assert_array_equal(made["dataset"].argmax(1), columns["dataset"])
    one = zoo.build("stargan", (12, 12, 1), groups=[3], base_filters=2, blocks=1, discriminator_filters=2)
    label = np.arange(40) % 3
    made = endpoint_inputs(one, one.endpoints(), {"image": blobs(40, size=12), "label": label}, seed=0)["translate"]
    assert made["attributes"].sum(0).tolist() == [14, 13, 13]  # the same ones, in another order
    assert (made["attributes"].argmax(1) != label).any()


def test_files_through_an_export(runtime, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8), dtype=np.uint8)
    for name, image in zip(("a.png", "b.bmp"), pixels, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    done = translation.translate(runtime.folder, [tmp_path], tmp_path / "out", attributes="blond,young", batch_size=1)
    assert [file.name for file in done.written] == ["a.png", "b.bmp"] and not done.failed
    expected = runtime.translate(pixels[..., None] / np.float32(255), ("blond", "young"))
    for file, image in zip(done.written, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), np.rint(255 * image[..., 0]))
    with pytest.raises(ValueError, match="angry, young are attributes of different data sets"):
        translation.translate(runtime.folder, [tmp_path / "a.png"], tmp_path / "no", attributes="angry,young")


def test_an_export_needs_no_tensorflow(runtime, tmp_path):
    Image.new("L", (8, 8), 90).save(tmp_path / "a.png")
    program = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "from keras_gen import cli\n"
        f"cli.app(['translate', {str(runtime.folder)!r}, {str(tmp_path / 'a.png')!r}, '--attributes', 'happy', "
        f"'--out', {str(tmp_path / 'out')!r}])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "a.png").is_file()
