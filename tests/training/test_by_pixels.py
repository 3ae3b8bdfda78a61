"""The head and the binarization of a new run, decided together by the training images, at the doors that users use."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from keras_gen import cli, train, zoo
from keras_gen.training.by_pixels import choose_by_pixels
from keras_gen.training.config import TrainConfig
from keras_gen.training.new_run import new_run
from tests.small import SMALL

PIXELS = zoo.get("vae").pixel_setting
OTHER = PIXELS.other
ONE_STEP = {**SMALL, "batch_size": 8, "steps": 1, "epochs": 1}


def digits(random) -> np.ndarray:
    """A bright bar with soft edges on black."""
    rows, columns = np.mgrid[:8, :8]
    return 255 * np.clip(2.0 - abs(rows - random.uniform(2, 5)), 0, 1) * (abs(columns - 4) < 3)


def one_bit(random) -> np.ndarray:
    return 255 * (digits(random) > 127)


def photo(random) -> np.ndarray:
    return np.clip(random.normal(128, 40, (8, 8)), 0, 255)


def color_photo(random) -> np.ndarray:
    return np.clip(random.normal(128, 40, (8, 8, 3)), 0, 255)


def two_level_color(random) -> np.ndarray:
    return 255.0 * random.integers(0, 2, (8, 8, 3))


KINDS = [
    (digits, "dynamic", "bernoulli", "nearly black and white"),
    (one_bit, "dynamic", "bernoulli", "nearly black and white"),
    (photo, None, OTHER, "gray values, not black and white"),
    (color_photo, None, OTHER, "colors, not of two levels"),
    (two_level_color, "dynamic", "bernoulli", "nearly of two levels"),
]


def draw(kind, count: int = 20) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.stack([np.round(kind(random)).astype(np.uint8) for _ in range(count)])


def write(folder, kind, form: str):
    images = draw(kind)
    if form == "array":
        np.save(folder / "images.npy", images)
        return folder / "images.npy"
    for index, image in enumerate(images):
        (folder / "images").mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / "images" / f"{index:02}.png")
    return folder / "images"


@pytest.mark.parametrize("form", ["array", "folder"])
@pytest.mark.parametrize(("kind", "binarize", "head", "reason"), KINDS)
def test_a_new_run_chooses_both_and_says_so(tmp_path, kind, binarize, head, reason, form):
    notes = []
    content = new_run(TrainConfig(system="vae", data=write(tmp_path, kind, form)), notes.append)
    assert (content["data"]["binarize"], content["settings"]["head"]) == (binarize, head)
    (note,) = [note for note in notes if "head=" in note]
    text = head if isinstance(head, str) else json.dumps(head)
    assert reason in note and f": head={text}. --set head=... and --binarize override this." in note


@pytest.mark.parametrize(
    ("kind", "given", "binarize", "head"),
    [
        (photo, {"binarize": "threshold"}, "threshold", "bernoulli"),
        (photo, {"binarize": "dynamic"}, "dynamic", "bernoulli"),
        (digits, {"binarize": None}, None, OTHER),  # gray edges remain
        (one_bit, {"binarize": None}, None, "bernoulli"),
        # `binarize_of` resolves "auto" for a head of the user's own choice
        (digits, {"settings": {"head": "normal"}}, "auto", "normal"),
        (photo, {"settings": {"head": "bernoulli"}}, "auto", "bernoulli"),
    ],
)
def test_what_the_user_chooses_stays(tmp_path, kind, given, binarize, head):
    content = new_run(TrainConfig(system="vae", data=write(tmp_path, kind, "array"), **given))
    assert (content["data"]["binarize"], content["settings"]["head"]) == (binarize, head)


def test_a_system_without_such_a_setting_is_not_measured(tmp_path):
    config = TrainConfig(system="autoencoder", data=tmp_path / "gone.npy")
    assert choose_by_pixels(config, zoo.get("autoencoder").pixel_setting, "train", (8, 8, 1)) is config


@pytest.mark.parametrize(("kind", "binarize", "head", "reason"), [KINDS[0], KINDS[2]])
def test_train_resume_and_the_runs_own_data_agree(tmp_path, capsys, kind, binarize, head, reason):
    run = train("vae", write(tmp_path, kind, "array"), tmp_path / "run", **{**ONE_STEP, "verbose": 2})
    assert capsys.readouterr().out.count(reason) == 1
    for _ in range(2):
        model, batch = run.load_model(), next(iter(run.dataset("validation")))
        assert (run.config["data"]["binarize"], run.config["settings"]["head"]) == (binarize, head)
        assert model.head == head and (model.likelihood.support == "binary") == (binarize is not None)
        assert (set(np.unique(batch["image"])) <= {0.0, 1.0}) == (binarize is not None)
        run = train(None, None, run.path, epochs=2, resume=True, verbose=0)
    assert model.train_steps == 2


def test_the_command_line_agrees(tmp_path):
    options = ("--steps", 1, "--epochs", 1, "--batch-size", 8, "--set", "network=mlp", "--set", "hidden_units=4")
    arguments = ("train", "vae", "--data", write(tmp_path, photo, "folder"), "--out", tmp_path / "run", *options)
    result = CliRunner().invoke(cli.app, [str(each) for each in arguments])
    assert result.exit_code == 0 and "head=" in result.output, result.output
    content = json.loads((tmp_path / "run" / "config.json").read_text())
    assert content["data"]["binarize"] is None and content["settings"]["head"] == OTHER


def test_without_images_the_head_suits_any_pixels():
    settings = {"network": "mlp", "hidden_units": 4, "latent_size": 2}
    for channels in (1, 3):
        assert zoo.build("vae", (8, 8, channels), **settings).head == OTHER


def test_fit_reports_gray_arrays_under_a_head_of_binary_pixels(caplog):
    model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=4, latent_size=2, head="bernoulli")
    model.fit(draw(digits)[..., None] / np.float32(255), verbose=0)
    assert not caplog.messages
    model.fit(draw(photo)[..., None] / np.float32(255), verbose=0)
    (message,) = caplog.messages
    assert "gray values, not black and white" in message and "head='bernoulli' is a likelihood of binary" in message


def test_two_sources_are_left_to_the_system(tmp_path):
    config = dataclasses.replace(TrainConfig(system="vae", data="mnist,usps"), settings={"head": None})
    assert choose_by_pixels(config, PIXELS, "train", (8, 8, 1)) is config
