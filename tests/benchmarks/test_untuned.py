"""The benchmark of data that systems were not tuned on: its data, scores and commands, with a toy as the library."""

import argparse
import gzip
import io
import json
import time

import numpy as np
import pytest
from PIL import Image

from benchmarks import record, untuned
from benchmarks.drawn_faces import draw_described_faces, draw_faces

# a version of the library whose `train` is busy until it is ended, or ends at once, and whose other commands invert
TOY = """
import json, pathlib, signal, sys
import numpy as np
from PIL import Image

command, *arguments = sys.argv[1:]
out = pathlib.Path(arguments[arguments.index("--out") + 1])
out.mkdir(parents=True)
if command == "train":
    training = {"batch_size": 4, "epochs": 3, "steps": 5, "minutes": None}
    (out / "config.json").write_text(json.dumps({"image_shape": [32, 32, 1], "training": training}))
    (out / "metrics.csv").write_text("epoch\\n1\\n2\\n")
    (out / "arguments.json").write_text(json.dumps(arguments))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    while "--busy" in arguments:
        pass
else:
    for file in sorted(pathlib.Path(arguments[1]).glob("*.png")):
        Image.fromarray(255 - np.asarray(Image.open(file))).save(out / file.name)
"""


@pytest.fixture
def checkout(tmp_path) -> untuned.Checkout:
    package = tmp_path / "toy" / "keras_gen"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(TOY)
    return untuned.Checkout(package.parent, tmp_path / "log.txt")


def test_numbers_of_faces_describe_the_images():
    images, numbers = draw_described_faces(400, seed=3)
    assert np.array_equal(images, draw_faces(400, seed=3))
    pixels = images[..., 0].astype(np.float32)
    left, right = (pixels[:, 14:20, columns].mean((1, 2)) for columns in (slice(9, 14), slice(18, 23)))
    assert np.corrcoef(numbers["light"], right - left)[0, 1] > 0.8
    assert np.corrcoef(numbers["tone"], pixels[:, 16:20, 14:18].mean((1, 2)))[0, 1] > 0.8
    assert np.corrcoef(numbers["background"], pixels[:, :3].mean((1, 2)))[0, 1] > 0.8


def test_domains_differ_in_the_hair_alone(tmp_path):
    data = untuned.hair(tmp_path / "hair", argparse.Namespace())
    assert {path.name for path in data.source.iterdir()} == {"trainA", "trainB", "testA", "testB"}
    assert len(list((data.source / "testB").iterdir())) == len(data.test["B"])
    top, chin = ({domain: images[:, rows, 12:20].mean() for domain, images in data.train.items()}
                 for rows in (slice(6, 9), slice(20, 24)))  # fmt: skip
    assert top["B"] - top["A"] > 20 > 5 * abs(chin["B"] - chin["A"])


def test_psnr_by_hand():
    real = np.zeros((2, 8, 8, 3), np.uint8)
    restored = real + np.uint8([51, 255]).reshape(2, 1, 1, 1)  # errors of 0.2 and 1
    expected = (-10 * np.log10(0.04) + 0) / 2
    assert untuned.psnr(real, restored) == pytest.approx(expected, rel=1e-5)
    # half of the size: resized to that of the files
    assert untuned.psnr(real, restored[:, ::2, ::2]) == pytest.approx(expected, rel=1e-5)


def test_picture_is_small_and_has_all_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(untuned, "MAX_BYTES", 20_000)
    noise = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), np.uint8)
    untuned.save_picture(tmp_path / "picture.png", [noise, noise[:, :16, :16]])
    assert (tmp_path / "picture.png").stat().st_size <= 20_000
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (10 * 34 + 2, 2 * 34 + 2)


def test_row_with_a_toy(tmp_path, monkeypatch, checkout):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setitem(
        untuned.DATA, "toy", lambda folder, args: untuned.Prepared(tmp_path, {"": images}, {"": images})
    )
    monkeypatch.setitem(untuned.ROWS, "puzzlegan_toy", ("puzzlegan", "toy"))
    images = np.full((12, 32, 32, 1), 102, np.uint8)  # inverted: 153, an error of 0.2
    args = argparse.Namespace(
        label="before", again=False, folder=tmp_path / "files", checkout=checkout.folder, options="--set a=b",
        stop_after=None,
    )  # fmt: skip
    untuned.run_row("puzzlegan_toy", args)
    run = json.loads((tmp_path / "results" / "untuned.json").read_text())["runs"]["puzzlegan_toy"]["before"]
    assert run["psnr"] == pytest.approx(-10 * np.log10(0.04), abs=0.01)
    assert (run["finished_epochs"], run["epochs"], run["stopped_after"]) == (2, 3, None)
    assert run["command"] == f"keras-gen train puzzlegan --data {tmp_path.name} --set a=b"
    arguments = json.loads((tmp_path / "files" / "runs" / "puzzlegan_toy_before" / "arguments.json").read_text())
    assert arguments[0] == "puzzlegan" and arguments[-2:] == ["--set", "a=b"]
    assert "| `puzzlegan_toy` | before | 32 | 2 of 3 epochs, of 5 batches of 4 |" in untuned.table()
    picture = Image.open(tmp_path / "results" / "pictures" / "untuned_puzzlegan_toy_before.png")
    assert np.asarray(picture.convert("L"))[[5, 40], 5].tolist() == [102, 153]


class Identity:
    """A version of the library that translates images into themselves, or into the images of a folder."""

    def __init__(self, translations=None):
        self.translations = translations or {}

    def command(self, command, run, source, *options):
        out, target = options[1], options[3]
        untuned.shutil.copytree(self.translations.get(target, source), out)
        return 0


@pytest.mark.parametrize("is_true", [False, True])
def test_translations_are_classified_and_compared_with_the_true_ones(tmp_path, is_true):
    generator, splits = np.random.default_rng(0), []
    for num in (64, 12):
        dark = generator.integers(0, 60, (num, 16, 16, 3), np.uint8)
        splits.append({"A": dark, "B": dark + np.uint8(150)})
    data = untuned.Prepared(tmp_path, *splits, is_paired=True)
    for domain in "AB":
        untuned._write(tmp_path / "true" / domain, splits[1][domain])
    translations = {domain: tmp_path / "true" / domain for domain in "AB"} if is_true else {}
    (tmp_path / "work").mkdir()
    scores: dict = {}
    rows = untuned._translate(Identity(translations), data, tmp_path, tmp_path / "work", scores)
    assert scores["accuracy_real"] == 1 and len(rows) == 4
    for direction in ("A_to_B", "B_to_A"):
        assert scores[f"accuracy_{direction}"] == is_true
        assert scores[f"error_{direction}"] == (0 if is_true else 1)
        assert scores[f"change_{direction}"] == pytest.approx(150 / 255 if is_true else 0, abs=1e-4)


def test_training_ends_after_its_processor_time(tmp_path, checkout):
    before = time.process_time()
    result = untuned.train(checkout, "vae", tmp_path, tmp_path / "run", ["--busy"], stop_after=0.5)
    assert result["stopped_after"] == 0.5 and time.process_time() - before < 0.5  # this process waits
    assert result["processor_minutes"] >= 0.5 / 60 - 0.01


def test_failed_training_names_its_log(tmp_path, checkout):
    (checkout.folder / "keras_gen" / "__main__.py").write_text("raise ValueError('no such data')")
    with pytest.raises(SystemExit, match=r"exit status 0 of the training; received 1\. See .*log\.txt"):
        untuned.train(checkout, "vae", tmp_path, tmp_path / "run", [], stop_after=None)
    assert "no such data" in checkout.log.read_text()


def test_digits_are_read_from_the_files(tmp_path):
    images, labels = np.arange(2 * 784, dtype=np.uint8), np.uint8([7, 3])
    for name in ("train", "t10k"):
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + images.tobytes()))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + labels.tobytes()))
    data = untuned.digits(tmp_path / "digits", argparse.Namespace(mnist=tmp_path))
    with np.load(io.BytesIO(data.source.read_bytes())) as arrays:
        assert arrays["y_test"].tolist() == [7, 3]
        assert np.array_equal(arrays["x_train"][1].ravel(), images[784:])
