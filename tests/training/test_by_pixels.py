"""The head, the binarization and the flips of a new run, decided by the images, at the doors that users use."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from benchmarks.drawn_faces import draw_faces
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


def faces(folder, count: int = 64):
    """A folder of gray drawings that look like their mirror images."""
    folder.mkdir()
    for index, image in enumerate(draw_faces(count, 1)):
        Image.fromarray(image[..., 0]).save(folder / f"{index:02}.png")
    return folder


def signs(random, mirrored: bool = False) -> np.ndarray:
    """A colored letter F of any color, on any background."""
    letter = np.zeros((16, 16, 1))
    letter[3:13, 4:6] = letter[3:5, 4:12] = letter[7:9, 4:10] = 1
    letter = np.roll(letter, random.integers(-2, 3, 2), (0, 1))
    image = 255 * (letter * random.random(3) + (1 - letter) * random.random(3)) + random.normal(0, 3, (16, 16, 3))
    return np.clip(image[:, ::-1] if mirrored else image, 0, 255)


class TestFlips:
    """Photos are flipped by default, where mirrored ones look like the others."""

    @pytest.mark.parametrize("system", ["vae", "dcgan", "progan", "puzzlegan"])
    def test_photos_are_flipped(self, tmp_path, system):
        notes = []
        content = new_run(TrainConfig(system=system, data=faces(tmp_path / "faces"), image_size=32), notes.append)
        assert content["data"]["augment"] == ["flip"]
        (note,) = [note for note in notes if "--augment" in note]
        assert note.startswith("Mirrored images look like the others (a classifier recognizes the orientation of ")
        assert note.endswith("%): --augment flip. --augment none overrides this.")

    @pytest.mark.parametrize(
        ("kind", "reason"),
        [(digits, "The pixels are nearly binary"), (signs, "Mirrored images look unlike the others")],
    )
    def test_digits_and_letters_are_not(self, tmp_path, kind, reason):
        np.save(tmp_path / "images.npy", draw(kind, 64))
        notes = []
        content = new_run(TrainConfig(system="dcgan", data=tmp_path / "images.npy"), notes.append)
        (note,) = [note for note in notes if "--augment" in note]
        assert content["data"]["augment"] == [] and note.startswith(reason)
        assert note.endswith(": --augment none. --augment flip overrides this.")

    def test_each_of_two_domains_decides(self, tmp_path):
        random = np.random.default_rng(0)
        for name, mirrored in (("right", False), ("mirrored", True)):
            np.save(tmp_path / f"{name}.npy", np.stack([signs(random, mirrored) for _ in range(64)]).astype(np.uint8))
        pair = {"system": "cyclegan", "data": f"{tmp_path / 'right.npy'},{tmp_path / 'mirrored.npy'}"}
        assert new_run(TrainConfig(**pair))["data"]["augment"] == []
        for letter in "AB":
            (tmp_path / "both" / f"train{letter}").mkdir(parents=True)
            for index in range(64):
                image = signs(random, letter == "B").astype(np.uint8)
                Image.fromarray(image).save(tmp_path / "both" / f"train{letter}" / f"{index:02}.png")
        assert new_run(TrainConfig(system="cyclegan", data=tmp_path / "both"))["data"]["augment"] == []
        folder = faces(tmp_path / "faces")
        assert new_run(TrainConfig(system="cyclegan", data=f"{folder},{folder}"))["data"]["augment"] == ["flip"]

    @pytest.mark.parametrize("given", [(), ("shift", "flip")])
    def test_what_the_user_chooses_stays(self, tmp_path, given):
        notes = []
        config = TrainConfig(system="dcgan", data=faces(tmp_path / "faces"), augment=given)
        assert new_run(config, notes.append)["data"]["augment"] == list(given)
        assert not [note for note in notes if "--augment" in note]

    def test_a_paper_states_its_augmentations(self, tmp_path):
        folder = faces(tmp_path / "faces")
        chosen = {
            preset: new_run(TrainConfig(system="dcgan", data=folder, preset=preset))["data"]["augment"]
            for preset in ("paper", "small", "gpu")
        }
        assert chosen == {"paper": [], "small": ["flip"], "gpu": ["flip"]}

    @pytest.mark.parametrize(
        ("captions", "augment"),
        [(("a face", "a happy face"), ["flip"]), (("a face", "light from the Left"), []), (("facing us", "x"), [])],
    )
    def test_captions_that_name_a_side_prevent_flips(self, tmp_path, captions, augment):
        folder, notes = faces(tmp_path / "faces"), []
        rows = [f"{file.name},{captions[index % 2]}" for index, file in enumerate(sorted(folder.glob("*.png")))]
        (folder / "metadata.csv").write_text("\n".join(["file_name,caption", *rows]))
        content = new_run(TrainConfig(system="text2image", data=folder), notes.append)
        assert content["data"]["augment"] == augment
        (note,) = [note for note in notes if "--augment" in note]
        if not augment:
            side = "left" if "Left" in captions[1] else "facing"
            assert note.startswith(f"The labels, attributes or captions say '{side}': --augment none. --augment flip")

    def test_classes_that_name_a_side_prevent_flips_of_models_of_classes(self, tmp_path):
        folder = tmp_path / "classes"
        for name in ("turned_left", "turned_right"):
            folder.mkdir(exist_ok=True)
            faces(folder / name)
        augment = {
            classes: new_run(TrainConfig(system="dcgan", data=folder, settings={"num_classes": classes}))
            for classes in (None, 2)
        }
        assert augment[None]["data"]["augment"] == ["flip"] and augment[2]["data"]["augment"] == []
        assert new_run(TrainConfig(system="stargan", data=folder))["data"]["augment"] == []

    def test_rendered_images_are_neither_measured_nor_flipped(self):
        notes = []
        assert new_run(TrainConfig(system="dcgan", data="shapes"), notes.append)["data"]["augment"] == []
        assert not [note for note in notes if "--augment" in note]

    def test_train_resume_evaluation_and_the_command_line_agree(self, tmp_path):
        folder, small = faces(tmp_path / "faces"), {**ONE_STEP, "settings": {"hidden_units": 4, "latent_size": 2}}
        run = train("gan", folder, tmp_path / "run", **small)
        assert run.config["data"]["augment"] == ["flip"]
        plain = train("gan", folder, tmp_path / "plain", augment=(), **small)
        assert plain.config["data"]["augment"] == []
        first, second = (next(iter(each.dataset("train")))["image"].numpy() for each in (run, plain))
        flipped = (first != second).any((1, 2, 3))
        assert flipped.any() and not flipped.all()
        np.testing.assert_array_equal(first[flipped], second[flipped][:, :, ::-1])
        held_out = (next(iter(each.dataset("validation")))["image"].numpy() for each in (run, plain))
        np.testing.assert_array_equal(*held_out)
        assert train(None, None, run.path, epochs=2, resume=True, verbose=0).config["data"]["augment"] == ["flip"]
        options = ("--steps", 1, "--epochs", 1, "--batch-size", 8, "--augment", "none", "--set", "hidden_units=4")
        arguments = ("train", "gan", "--data", folder, "--out", tmp_path / "shell", *options)
        result = CliRunner().invoke(cli.app, [str(each) for each in arguments])
        assert result.exit_code == 0, result.output
        assert json.loads((tmp_path / "shell" / "config.json").read_text())["data"]["augment"] == []


def test_two_sources_are_left_to_the_system(tmp_path):
    config = dataclasses.replace(TrainConfig(system="vae", data="mnist,usps"), settings={"head": None})
    assert choose_by_pixels(config, PIXELS, "train", (8, 8, 1)) is config
