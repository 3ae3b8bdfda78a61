"""`train` on class folders named 1 to 3, and the files written by `sample` and `data`."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import keras_gen
from keras_gen import cli, data, outputs, pictures
from keras_gen.runs import Run

NAMES = ("1", "2", "3")


def check_refused(result, *parts):
    assert result.exit_code == 2 and result.stderr.startswith("error: "), result.output
    assert all(part in result.stderr for part in parts), result.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """A conditional GAN on 6x8 images in the folders 1, 2 and 3, trained for one step."""
    folder = tmp_path_factory.mktemp("classes")
    random = np.random.default_rng(0)
    for name in NAMES:
        (folder / "images" / name).mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(0, 256, (6, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / name / f"{number}.png")
    line = f"train gan --data {folder / 'images'} --out {folder / 'run'} --epochs 1 --steps 1 --batch-size 8 "
    line += "--image-size 6x8 --set hidden_units=4 --set latent_size=2 --set num_classes=3 --quiet"
    result = CliRunner().invoke(cli.app, line.split())
    assert result.exit_code == 0, result.output
    return Run.open(folder / "run")


@pytest.fixture(scope="module")
def model(run):
    return run.load_model()


def test_a_run_stores_the_names_of_its_classes(run, model):
    assert model.label_names == NAMES and model.image_shape == (6, 8, 1)
    assert run.config["names"] == {"label": list(NAMES)}
    assert 'model.generate(16, seed=1, label="1")' in run.card_file.read_text()
    first, *others = (model.generate(3, seed=1, label=label) for label in ("2", 1, ["2", 1, np.int64(1)], ["2"] * 3))
    assert all((first == other).all() for other in others)
    assert (first != model.generate(3, seed=1, label="1")).any()
    with pytest.raises(ValueError, match="as one of 1, 2, 3 .or an index from 0 to 2.; received '0'"):
        model.generate(1, label="0")
    with pytest.raises(ValueError, match="Expected labels as integers from 0 to 2; received 3"):
        model.generate(1, label=3)


def test_preview_picture_has_the_names_of_the_classes(run, model):
    with Image.open(run.samples / "epoch_0001.png") as file:
        picture = np.asarray(file)
    images = model.generate(64, seed=0, label=np.arange(64) % 3)
    expected = pictures.grid(images, scale=11, labels=[NAMES[index % 3] for index in range(64)])
    assert picture.shape[:2] == (expected.shape[0] + 8 + 8 + 18, expected.shape[1] + 2 * 8)
    assert (picture[26:-8, 8:-8, 0] == expected[..., 0]).all()


def test_ambiguous_labels_on_the_command_line_are_refused(call, run, model, tmp_path):
    check_refused(call("sample", run.path, "--label", 1, "--out", tmp_path / "a.npy"),
            "1 is the name of class 0, and the index of class '2': write name:1 or index:1")  # fmt: skip
    check_refused(
        call("sample", run.path, "--label", "cat", "--out", tmp_path / "a.npy"), "Expected the class as one of 1, 2, 3"
    )
    assert not list(tmp_path.iterdir())
    for number, (text, index, name) in enumerate(
        (("name:1", 0, "1"), ("index:1", 1, "2"), ("3", 2, "3"), ("0", 0, "1"))
    ):
        out = tmp_path / f"{number}.npy"
        result = call("sample", run.path, "--num", 2, "--seed", 5, "--label", text, "--out", out)
        assert result.stdout == f"{out}: 2 images, seed 5, label {name}\n"
        np.testing.assert_array_equal(np.load(out), model.generate(2, seed=5, label=index))


def test_default_names_describe_the_images_and_are_unique(call, run):
    for label in ("name:1", "3", "3"):
        assert call("sample", run.path, "--num", 2, "--label", label).exit_code == 0
    names = sorted(path.name for path in run.samples.glob("seed*"))
    assert names == ["seed_0_label_3.png", "seed_0_label_3_2.png", "seed_0_label_name-1.png"]


@pytest.mark.parametrize("suffix, format", [(name, format) for name, (format, _) in pictures.FORMATS.items()])
def test_format_depends_on_the_suffix(tmp_path, suffix, format):
    images = np.random.default_rng(0).random((4, 6, 8, 3), np.float32)
    outputs.write_file(tmp_path / f"a{suffix}", images, scale=2)
    with Image.open(tmp_path / f"a{suffix}") as read:
        assert read.format == format
        error = np.abs(np.asarray(read).astype(int) - pictures.grid(images, scale=2))
    assert error.mean() <= (9 if format == "JPEG" else 0)  # for noise


def test_unknown_formats_and_existing_files_are_refused_early(call, run, tmp_path):
    (tmp_path / "a.png").write_bytes(b"mine")
    listed = ".png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff, .npy"
    for command in (("sample", tmp_path / "gone"), ("data", tmp_path / "gone")):
        check_refused(call(*command, "--out", tmp_path / "a.gif"), f"a name that ends in {listed}; received '.gif'")
        check_refused(call(*command, "--out", tmp_path / "a.png"), "a.png exists. Replace it (--overwrite), or choose")
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    assert call("sample", run.path, "--num", 1, "--label", 3, "--out", tmp_path / "a.png", "--overwrite").exit_code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    source = run.config["data"]["source"]
    assert call("data", source, "--image-size", "6x8", "--num", 4, "--out", tmp_path / "b.npy").exit_code == 0
    assert np.load(tmp_path / "b.npy").shape == (4, 6, 8, 1)


def test_a_folder_of_samples_is_a_data_source(call, run, model, tmp_path):
    out = tmp_path / "samples"
    line = ("sample", run.path, "--num", 3, "--seed", 2, "--label", "3,0,name:2", "--out", out)
    assert call(*line).exit_code == 0
    assert (out / "metadata.csv").read_text().split() == [
        "file_name,label",
        "00001.png,3",
        "00002.png,1",
        "00003.png,2",
    ]
    batch = next(iter(data.load(out, "train", image_shape=(6, 8, 1), batch_size=3, shuffle=False)))
    expected = pictures.to_uint8(model.generate(3, seed=2, label=[2, 0, 1]))
    np.testing.assert_array_equal(np.rint(255 * batch["image"].numpy()), expected)
    assert batch["label"].numpy().tolist() == [3, 1, 2]
    check_refused(call(*line), "is not empty. Replace its images (--overwrite)")
    assert call(*line[:2], "--num", 1, "--label", 3, "--out", out, "--overwrite").exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["00001.png", "metadata.csv"]
    (out / "mine.txt").write_text("mine")
    check_refused(call(*line, "--overwrite"), "contains mine.txt: it was not written by this command")
    assert (out / "00001.png").is_file()


def test_a_model_without_stored_names_has_no_names(model):
    old = type(model).from_config({key: value for key, value in model.get_config().items() if key != "label_names"})
    assert old.label_names is None and old.generate(1, label=2).shape == (1, 6, 8, 1)
    with pytest.raises(ValueError, match="Expected the class as an index from 0 to 2"):
        old.generate(1, label="2")


def test_unsupported_image_sizes_are_refused(call, run, tmp_path):
    line = ("--data", run.config["data"]["source"], "--out", tmp_path / "run", "--quiet")
    for system, size, part in (
        ("dcgan", "17x29", "halve to 4 or more (28, 32, 48, 64, ...); received (17, 29, 1): resize the images "
         "(--image-size 16x28)"),
        ("stargan", "30x18", "multiples of 4 and at least 12 (num_downsamples=2), such as --image-size 32x16"),
        ("progan", "20x30", "Choose a size such as 32, 48, 64, 96, 128 or 48x64"),
        ("vae", "1,2", "such as 48x64, for --image-size; received '1,2'"),
    ):  # fmt: skip
        check_refused(call("train", system, *line, "--image-size", size), part)
    grid = ("--set", "layout=grid", "--image-size", "20x31")
    check_refused(
        call("train", "puzzlegan", *line, *grid),
        "multiples of 3, for 3 x 3 tiles; received 20x31: resize them, for example with --image-size 24x36",
    )
    assert not (tmp_path / "run").exists()


def test_python_api_accepts_sizes():
    with pytest.raises(ValueError, match="positive number of pixels, or .height, width."):
        keras_gen.train("vae", "shapes", "unused", image_size=(48, 64, 3))
