import pathlib

import keras
import numpy as np
import pytest

from keras_gen import zoo
from keras_gen.training import config as plan
from keras_gen.training.source import SourceInfo

EMPTY = {field: None for field in plan.Request.__dataclass_fields__} | {
    "strategy": "auto", "binarize": "auto", "settings": {}, "view": {},
}  # fmt: skip


def request(**given):
    return plan.Request(**{**EMPTY, **given})


@pytest.fixture
def npz(tmp_path):
    path = tmp_path / "toy.npz"
    np.savez(path, image=np.zeros((50, 8, 8, 1), np.uint8))
    return path


@pytest.fixture
def began(npz):
    """config.json of a run on 50 images of 8x8."""
    return plan.new(request(system="vae", data=npz, settings={"beta": 2.0}, batch_size=16)) | {}


@pytest.mark.parametrize(
    "size, channels, rendered, asked, expected",
    [
        ((28, 28), 1, False, None, (28, 28, 1)),  # MNIST's own
        ((64, 64), 3, True, None, (32, 32, 3)),  # shapes are drawn at 64, the system's size is 32
        ((218, 178), 3, False, None, (32, 32, 3)),  # not square
        ((65, 65), 3, False, None, (32, 32, 3)),  # larger than 64
        (None, 4, False, None, (32, 32, 3)),  # differing sizes, transparency
        ((28, 28), 1, False, (64, 48), (64, 48, 1)),
    ],
)
def test_the_size_is_the_sources_own_where_it_has_a_usable_one(size, channels, rendered, asked, expected):
    assert plan.image_shape_of(SourceInfo({}, size, channels, rendered), asked, 32) == expected


@pytest.mark.parametrize(
    "sizes, expected",
    [
        ({"train": 20000, "test": 2000}, ("train[:-2000]", "train[-2000:]", "test")),
        ({"train": 60000, "test": 10000}, ("train[:-5000]", "train[-5000:]", "test")),  # at most 5,000
        ({"train": 50000, "validation": 10000, "test": 10000}, ("train", "validation", "test")),
        ({"train": 9}, ("train", None, None)),
        ({"all": 100}, ("all[:-10]", "all[-10:]", None)),
    ],
)
def test_validation_is_the_sources_own_or_the_end_of_training(sizes, expected):
    splits = plan.splits_of(SourceInfo(sizes, None, 3))
    assert (splits["train"], splits["validation"], splits["test"]) == expected


@pytest.mark.parametrize(
    "key, channels, settings, expected",
    [
        ("vae", 1, {}, "auto"),
        ("vae", 3, {}, None),
        ("vae", 1, {"head": "discretized_logistic_mixture"}, None),
        ("autoencoder", 1, {}, None),
    ],
)
def test_pixels_are_made_binary_where_the_head_is_a_likelihood_of_binary_pixels(key, channels, settings, expected):
    model = zoo.build(key, (8, 8, channels), network="mlp", hidden_units=4, latent_size=2, **settings)
    assert plan.binarize_of(model, "auto") == expected
    assert plan.binarize_of(model, "threshold") == "threshold" and plan.binarize_of(model, None) is None


def test_a_new_configuration_states_every_setting(began, npz):
    assert began["settings"] == {**zoo.get("vae").settings, "beta": 2.0}
    assert began["data"] == {
        "source": str(npz),
        "splits": {"train": "train[:-5]", "validation": "train[-5:]", "test": None},
        "slices": "random",
        "binarize": "auto",
        "augment": [],
    }
    assert began["image_shape"] == [8, 8, 1] and began["versions"]["keras"] == keras.__version__
    assert began["training"] == {
        "epochs": 20, "steps": None, "batch_size": 16, "seed": 0, "precision": "float32", "strategy": "auto",
        "patience": None, "learning_rate": 0.002, "decay": None, "initial_weights": None,
    }  # fmt: skip


def test_a_resumed_run_may_change_its_length_and_place(began):
    changed = plan.resumed(request(epochs=30, patience=3, strategy="mirrored", data_dir="/elsewhere"), began)
    assert {name: value for name, value in changed["training"].items() if value != began["training"][name]} == {
        "epochs": 30, "patience": 3, "strategy": "mirrored",
    }  # fmt: skip
    assert changed["data"] == {**began["data"], "data_dir": "/elsewhere"}
    same = dict(system="vae", data=began["data"]["source"], batch_size=16, image_size=(8, 8), settings={"beta": 2.0})
    assert plan.resumed(request(**same), began) == began


def test_patches_of_shapes_are_cut_from_objects_that_tell_their_place():
    began = plan.new(request(system="puzzlegan", data="shapes"))
    assert began["data"]["source"] == "shapes/placed"
    assert plan.resumed(request(system="puzzlegan", data="shapes"), began) == began
    anywhere = plan.new(request(system="puzzlegan", data="shapes/full"))
    with pytest.raises(ValueError, match="data is 'shapes/full', received 'shapes/placed'"):
        plan.resumed(request(data="shapes"), anywhere)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"system": "autoencoder"}, "system is 'vae', received 'autoencoder'"),
        ({"data": "mnist"}, "received 'mnist'"),
        ({"batch_size": 32, "seed": 1}, "batch_size is 16, received 32; seed is 0, received 1"),
        ({"settings": {"beta": 1.0}}, "setting beta is 2.0, received 1.0"),
        ({"image_size": (16, 16)}, r"image_size is \(8, 8\), received \(16, 16\)"),
        ({"augment": ("flip",)}, r"augment is \(\), received \('flip',\)"),
        ({"precision": "mixed_bfloat16"}, "precision is 'float32', received 'mixed_bfloat16'"),
        ({"steps": 5}, "steps is None, received 5"),
    ],
)
def test_a_resumed_run_goes_on_as_it_began(began, given, message):
    with pytest.raises(ValueError, match=f"goes on as it began: .*{message}"):
        plan.resumed(request(**given), began)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"system": "gone"}, "Unknown system 'gone': expected one of"),
        ({"settings": {"betta": 1}}, r"Unknown setting betta for 'vae': it takes .*beta \(default 1.0\)"),
        ({"epochs": 0}, "epochs must be an integer >= 1; received 0"),
        ({"batch_size": 2.5}, "batch_size must be an integer >= 1; received 2.5"),
        ({"learning_rate": -1.0}, "learning_rate must be > 0; received -1.0"),
        ({"precision": "float64"}, "Unknown precision 'float64': expected one of float32, mixed_bfloat16"),
        ({"system": None}, "A new run needs a system"),
        ({"system": 3}, "Expected a key of the zoo .* or a keras_gen.GenerativeModel; received 3"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(npz, given, message):
    with pytest.raises(ValueError, match=message):
        plan.new(request(**{"system": "vae", "data": npz, **given}))


def test_a_model_of_ones_own_is_taken_as_it_is(npz):
    model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=4, latent_size=2)
    config = plan.new(request(system=model, data=npz))
    assert config["system"] == "VAE" and config["settings"] == {} and config["image_shape"] == [8, 8, 1]
    with pytest.raises(ValueError, match="learning_rate belongs to the building of a model; this VAE is built already"):
        request(system=model, data=npz, learning_rate=0.1)
    raw = type(model)(model.encoder, model.decoder)
    with pytest.raises(ValueError, match="The VAE is not compiled: call model.compile"):
        request(system=raw, data=npz)


def test_image_sizes():
    assert plan.size_of(None) is None and plan.size_of(32) == (32, 32) and plan.size_of([32, 48]) == (32, 48)
    for wrong in (0, (32,), (32, 3.5)):
        with pytest.raises(ValueError, match="image_size must be a positive number of pixels"):
            plan.size_of(wrong)


def test_files_are_remembered_from_everywhere_and_names_as_they_are(tmp_path, monkeypatch, npz):
    monkeypatch.chdir(tmp_path)
    assert plan.place_of("toy.npz") == str(npz) and plan.place_of(pathlib.Path("toy.npz")) == str(npz)
    (tmp_path / "mnist").mkdir()
    assert plan.place_of("mnist") == "mnist"  # a bare name is a TFDS set
    assert plan.place_of("./mnist") == str(tmp_path / "mnist")
    assert plan.place_of("celeb_a_hq/256") == "celeb_a_hq/256"


def test_two_domains_are_split_in_parts_of_each():
    source = SourceInfo({"train": 60000, "test": 10000}, None, 1, smaller={"train": 7291, "test": 2007})
    assert plan.splits_of(source) == {"train": "train[:90%]", "validation": "train[90%:]", "test": "test"}
    few = SourceInfo({"train": 60000}, None, 1, smaller={"train": 9})
    assert plan.splits_of(few) == {"train": "train", "validation": None, "test": None}
