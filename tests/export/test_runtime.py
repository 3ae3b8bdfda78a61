"""The runtime: same numbers as Keras, no TensorFlow, and errors that say what does not fit."""

import ast
import json
import pathlib
import shutil
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_gen.distributions import Noise, draw_noise
from keras_gen.export import Runtime, runtime

from .conftest import CLASSES, SIZE, blobs

ROOT = pathlib.Path(__file__).parents[2]
# raises for every import of TensorFlow, Keras and what only they need, then runs the file named on the command line
BLOCKED = """
import runpy, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "tensorflow_probability", "tf_keras", "keras_gen", "PIL"):
            raise ImportError(f"{name} is not installed here")
sys.meta_path.insert(0, Blocker())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def device(folder, tmp_path_factory):
    """The export folder, copied to where nothing else is."""
    copy = tmp_path_factory.mktemp("device") / "model"
    shutil.copytree(folder, copy)
    return copy


def command_line(device, *arguments, code: int = 0) -> subprocess.CompletedProcess:
    """Run the copied runtime.py in a process that can import neither TensorFlow nor Keras."""
    command = [sys.executable, "-P", "-c", BLOCKED, "runtime.py", *map(str, arguments)]
    done = subprocess.run(command, cwd=device, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done


def test_generates_what_keras_generates_without_tensorflow(device, model):
    labels = [0, 1, 2, 0, 1]
    command_line(device, "--precision", "float32", "generate", "--num", 5, "--seed", 3, "--label", *labels,
                 "--out", "images.npy")  # fmt: skip
    images = np.load(device / "images.npy")
    np.testing.assert_allclose(images, model.generate(5, seed=3, label=labels), atol=1e-5)
    assert images.std() > 0.05  # images, and not a constant


def test_imports_numpy_and_litert_alone():
    """Read from the source: at the top the standard library and numpy; inside functions LiteRT and, optionally, PIL."""
    with open(runtime.__file__) as source:
        parsed = ast.parse(source.read())
    imported = set()
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module.split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"numpy", "ai_edge_litert", "PIL"}


def test_library_gives_it_without_tensorflow():
    code = (
        "import sys; from keras_gen.export import Runtime; print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.fixture(scope="module")
def named(device, tmp_path_factory):
    """The same export, whose classes are called 1, 2 and cat."""
    copy = tmp_path_factory.mktemp("named") / "model"
    shutil.copytree(device, copy)
    description = json.loads((copy / "model.json").read_text()) | {"labels": ["1", "2", "cat"]}
    description["digest"] = runtime.digest_of(description)
    (copy / "model.json").write_text(json.dumps(description))
    return copy


def test_classes_by_name(named):
    model = Runtime(named)
    for label, index in (("cat", 2), ("1", 0), (1, 1), (["cat", 1, "1"], [2, 1, 0])):
        num = len(label) if isinstance(label, list) else 3
        np.testing.assert_array_equal(model.generate(num, 4, label=label), model.generate(num, 4, label=index))
    np.testing.assert_array_equal(model.decode(np.zeros((1, 4)), label="2"), model.decode(np.zeros((1, 4)), label=1))
    for label in ("3", ["cat", "cta"]):
        with pytest.raises(ValueError, match="this model knows .*cat"):
            model.generate(2, 0, label=label)


def test_classes_by_name_on_the_command_line(named):
    model = Runtime(named)
    for texts, index in ((["cat"], 2), (["name:1"], 0), (["index:1", "2"], None), (["name:2,0"], [1, 0])):
        if index is None:  # 2 is a name, and the index of cat
            failed = command_line(named, "generate", "--num", 2, "--label", *texts, "--out", "no.npy", code=1)
            assert "2 is the name of class 1, and the index of class 'cat': write name:2 or index:2" in failed.stderr
            continue
        command_line(named, "generate", "--num", 2, "--seed", 1, "--label", *texts, "--out", "a.npy", "--overwrite")
        np.testing.assert_array_equal(np.load(named / "a.npy"), model.generate(2, 1, label=index))
    assert not (named / "no.npy").exists()


def test_nothing_is_overwritten_unasked(named, monkeypatch):
    monkeypatch.chdir(named)
    (named / "mine.png").write_bytes(b"mine")
    for name, message in (
        ("mine.png", "mine.png exists. Replace it (--overwrite), or choose another name (--out)"),
        ("a.gif", "expected a name that ends in .png, .npy, .jpg, .jpeg, .webp, .bmp, .tif, .tiff; received '.gif'"),
        ("a.jpg", "needs Pillow"),  # blocked there
    ):
        failed = command_line(named, "--folder", "gone", "generate", "--out", name, code=1)  # before it is opened
        assert message in failed.stderr
    assert (named / "mine.png").read_bytes() == b"mine"
    options = ["generate", "--num", "2", "--seed", "1", "--label", "cat"]
    for _ in range(2):
        runtime.main(["--folder", str(named), *options])
    assert (named / "generated.png").read_bytes() == (named / "generated_2.png").read_bytes()
    for name, format in (("a.jpg", "JPEG"), ("a.webp", "WEBP"), ("a.TIF", "TIFF"), ("a.bmp", "BMP")):
        runtime.main(["--folder", str(named), *options, "--out", name])
        with Image.open(name) as picture:
            assert picture.format == format and picture.size == (2 * (SIZE + 2) + 2, SIZE + 4)


def test_grid_as_png(device):
    command_line(device, "generate", "--num", 5, "--seed", 1, "--label", 2, "--out", "grid.png")
    with Image.open(device / "grid.png") as picture:
        found = np.asarray(picture)
    images = Runtime(device).generate(5, 1, label=2)
    np.testing.assert_array_equal(found, runtime.grid(images)[:, :, 0])
    assert found.shape == (2 * (SIZE + 2) + 2, 3 * (SIZE + 2) + 2)  # 5 images in 3 columns
    np.testing.assert_array_equal(found[2 : 2 + SIZE, 2 : 2 + SIZE], np.round(images[0, :, :, 0] * 255))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_read_back_bit_for_bit(tmp_path, channels):
    picture = np.random.default_rng(channels).integers(0, 256, (7, 5, channels), np.uint8)
    runtime.write_png(tmp_path / "a.png", picture)
    with Image.open(tmp_path / "a.png") as read:
        np.testing.assert_array_equal(np.asarray(read).reshape(picture.shape), picture)


def test_noise_is_the_librarys():
    specification = {
        "noise": Noise("normal", (3,)),
        "component": Noise("uniform", (1,)),
        "map": Noise("normal", (2, 2)),
    }
    inputs = [
        {"name": name, "stream": stream, "kind": each.kind, "shape": list(each.shape)}
        for stream, (name, each) in enumerate(specification.items())
    ]
    for seed in (0, 7, 2**63 - 1):
        expected = draw_noise(specification, 5, seed)
        drawn = runtime.draw_noise(inputs, 5, seed)
        assert list(drawn) == list(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(drawn[name], values)
    with pytest.raises(ValueError, match="0 <= seed < 2"):
        runtime.draw_noise(inputs, 1, -1)


def test_encode_decode_reconstruct_are_keras(device, model):
    exported = Runtime(device, precision="float32", threads=1)
    images, labels = blobs(3, seed=4), np.array([2, 0, 1])
    one_hot = np.eye(CLASSES, dtype=np.float32)[labels]
    z = exported.encode(images, label=labels)
    np.testing.assert_allclose(z, model.encode(images, one_hot), atol=1e-5)
    np.testing.assert_allclose(exported.decode(z, label=one_hot), model.decode(z, one_hot), atol=1e-5)
    np.testing.assert_allclose(
        exported.reconstruct(images, label=labels), model.reconstruct(images, one_hot), atol=1e-5
    )
    both = exported.run("encode", image=images, label=labels)
    assert list(both) == ["z", "scale"]
    scale = model.family.distribution(model.encoded(images, one_hot), model.latent_size).stddev()
    np.testing.assert_allclose(both["scale"], scale, atol=1e-5)


def test_rows_do_not_depend_on_their_batch(device):
    exported = Runtime(device)
    np.testing.assert_array_equal(exported.generate(1, 5, label=1), exported.generate(4, 5, label=1)[:1])


def test_files_in_and_out(device):
    np.save(device / "eight_bit.npy", np.round(blobs(2) * 255).astype(np.uint8))
    command_line(device, "reconstruct", "eight_bit.npy", "--label", 0, 1, "--out", "made.npy")
    exported = Runtime(device)
    images = np.round(blobs(2) * 255).astype(np.float32) / 255
    np.testing.assert_allclose(np.load(device / "made.npy"), exported.reconstruct(images, label=[0, 1]), atol=1e-6)
    command_line(device, "reconstruct", "eight_bit.npy", "--label", 0, 1, "--out", "pairs.png")
    with Image.open(device / "pairs.png") as picture:
        assert picture.size == (2 * (SIZE + 2) + 2, 2 * (SIZE + 2) + 2)  # originals above reconstructions
        np.testing.assert_array_equal(
            np.asarray(picture)[2 : 2 + SIZE, 2 : 2 + SIZE], np.round(images[0, ..., 0] * 255)
        )
    np.save(device / "z.npy", np.zeros((2, 4), np.float32))
    np.save(device / "label.npy", np.array([0, 1]))
    command_line(device, "run", "decode", "--input", "z=z.npy", "label=label.npy", "--out", "decoded.npz")
    with np.load(device / "decoded.npz") as outputs:
        np.testing.assert_array_equal(outputs["image"], exported.decode(np.zeros((2, 4)), label=[0, 1]))


def test_image_files_are_fitted_with_pillow(device, tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 15:45] = 255  # around the middle square, which is what the crop keeps
    Image.fromarray(wide).save(tmp_path / "wide.png")
    read = runtime.read_images([tmp_path / "wide.png"], (SIZE, SIZE, 1))
    assert read.shape == (1, SIZE, SIZE, 1) and read.min() == 1.0
    shutil.copy(tmp_path / "wide.png", device / "wide.png")
    failed = command_line(device, "reconstruct", "wide.png", "--label", 0, code=1)  # Pillow is blocked there
    assert "error: wide.png: image files need Pillow" in failed.stderr


def test_image_files_are_bounded_and_of_known_formats(tmp_path):
    """Neither an interpreter of PostScript nor a decoder of gigapixels is reached."""
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with pytest.raises(
        ValueError, match="a.png cannot be read as an image: expected PNG, JPEG, WEBP, BMP, GIF, TIFF; rec"
    ):
        runtime.read_images([tmp_path / "a.png"], (SIZE, SIZE, 1))
    header = b"IHDR" + (9000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    chunk = b"\0\0\0\r" + header + zlib.crc32(header).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\x10IDAT")
    with pytest.raises(ValueError, match="bomb.png: expected at most 50000000 pixels; received 9000 x 9000: make it"):
        runtime.read_images([tmp_path / "bomb.png"], (SIZE, SIZE, 1))
    with pytest.raises(FileNotFoundError, match="is no file"):
        runtime.read_images([tmp_path], (SIZE, SIZE, 1))


def test_before_each_batch_a_call_may_be_ended(device):
    calls = []

    def stop():
        calls.append(None)
        if len(calls) > 2:
            raise TimeoutError("long enough")

    exported = Runtime(device, before_batch=stop)
    assert exported.batch == 1
    exported.generate(2, 0, label=0)
    with pytest.raises(TimeoutError, match="long enough"):
        exported.generate(2, 0, label=0)
    calls.clear()
    assert exported.generate(1, 0, label=0).shape == (1, SIZE, SIZE, 1)  # it serves again


def test_command_line_tells(device):
    help_text = command_line(device, "--help").stdout
    assert "generate" in help_text and "example: python runtime.py generate" in help_text
    info = command_line(device, "info").stdout
    assert "Variational Autoencoder (vae), images 16x16x1, batch 1" in info
    assert "generate: noise normal [4], label label [3] -> image image [16, 16, 1]" in info
    measured = json.loads(command_line(device, "--threads", 1, "measure", "decode", "--repeats", 5).stdout)
    assert 0 < measured["fastest_ms"] <= measured["median_ms"]
    assert 10 < measured["peak_mb"] < 300  # TensorFlow alone would take 500 and more
    failed = command_line(device, "generate", "--num", 2, code=1)
    assert failed.stderr.splitlines()[-1] == "error: generate takes noise, label: label is missing"


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("upscale", {}, "Unknown endpoint 'upscale': this model has encode, decode, reconstruct, generate"),
        ("decode", {"z": np.zeros((1, 4))}, "label is missing"),
        ("decode", {"z": np.zeros((1, 4)), "label": 0, "seed": 1}, "seed is unknown"),
        ("decode", {"z": np.zeros((1, 5)), "label": 0}, r"must have the shape \[num, 4\]; received \[1, 5\]"),
        ("decode", {"z": np.zeros(4), "label": 0}, r"add the first axis: array\[None\]"),
        ("decode", {"z": np.full((1, 4), np.nan), "label": 0}, "not finite"),
        ("decode", {"z": np.zeros((1, 4)), "label": 3}, r"classes from 0 to 2; received 3"),
        ("decode", {"z": np.zeros((1, 4)), "label": [0.5]}, r"classes from 0 to 2; received \[0.5\]"),
        ("decode", {"z": np.zeros((2, 4)), "label": [0, 1, 2]}, "one common number of rows"),
        ("decode", {"z": np.zeros((0, 4)), "label": np.zeros((0, 3))}, "rows >= 1"),
        ("decode", {"z": np.array([["a"] * 4]), "label": 0}, "must be numbers"),
        ("encode", {"image": 255 * np.ones((1, 16, 16, 1)), "label": 0}, "between 0 and 1.*divide 8-bit images by 255"),
        ("encode", {"image": np.full((1, 16, 16, 1), 4095, np.uint16), "label": 0}, "4095; scale them, so that black"),
        ("encode", {"image": -np.ones((1, 16, 16, 1)), "label": 0}, r"from -1 to 1 here by \(x \+ 1\) / 2"),
        ("encode", {"image": np.full((1, 16, 16, 1), np.nan), "label": 0}, "image holds values that are not finite"),
        ("encode", {"image": "photo.png", "label": 0}, "image must be numbers"),
        ("generate", {"noise": np.zeros((1, 4)), "label": -1}, "classes from 0 to 2; received -1"),
    ],
)
def test_inputs_that_do_not_fit(device, signature, inputs, message):
    with pytest.raises(ValueError, match=message):
        Runtime(device).run(signature, **inputs)


def test_arguments_that_do_not_fit(device, tmp_path):
    with pytest.raises(ValueError, match="has no 'int4' model; it has int8, float32, float16, dynamic"):
        Runtime(device, precision="int4")
    with pytest.raises(ValueError, match="threads must be >= 1"):
        Runtime(device, threads=0)
    for num in (0, 2.5, True, "3"):
        with pytest.raises(ValueError, match="num must be >= 1 and an integer; received"):
            Runtime(device).generate(num)
    for seed in (-1, 1.5, 2**63, "a"):
        with pytest.raises(ValueError, match="seed must be an integer with 0 <= seed < 2..63; received"):
            Runtime(device).generate(1, seed, label=0)
    with pytest.raises(FileNotFoundError, match="expected an export folder"):
        Runtime(tmp_path)


def damaged(device, tmp_path, name: str, change) -> Runtime:
    copy = tmp_path / "copy"
    shutil.copytree(device, copy, ignore=shutil.ignore_patterns("saved_model"))
    file = copy / name
    file.write_bytes(change(file.read_bytes()))
    return Runtime(copy)


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.tflite", lambda content: content[:1000], "model.tflite is damaged: size: expected .* received 1000;"),
        ("model.tflite", flip, "model.tflite is damaged: SHA-256: expected"),
        ("model.json", lambda content: content[:100], "model.json is damaged .no valid JSON"),
        ("model.json", lambda content: b"[]", "content: expected an object; received a list of length 0"),
        ("model.json", lambda content: b'{"format": 1}', "format: expected 2; received 1; export it again"),
        ("model.json", lambda content: b'{"format": 2}', "system: expected an entry; received none"),
        (
            "model.json",
            lambda content: content.replace(b'"batch": 1,', b'"batch": "1",'),
            "batch: expected an integer from 1 to 65536; received '1'; copy or export it again",
        ),
        (
            "model.json",
            lambda content: content.replace(b'"stream": 0', b'"stream": 1'),
            "model.json is not as it was exported: digest: expected",
        ),
    ],
)
def test_damaged_files(device, tmp_path, name, change, message):
    with pytest.raises(ValueError, match=message):
        damaged(device, tmp_path, name, change)


def test_missing_model_file(device, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(device, copy, ignore=shutil.ignore_patterns("saved_model", "model.tflite"))
    with pytest.raises(FileNotFoundError, match="model.tflite does not exist, and model.json names it"):
        Runtime(copy)
    assert Runtime(copy, precision="float32").generate(1, 0, label=0).shape == (1, SIZE, SIZE, 1)


def test_no_flatbuffer_is_an_error(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"no model at all")
    with pytest.raises(ValueError, match="cannot be read as a TFLite model"):
        runtime.open_interpreter(tmp_path / "model.tflite")
