"""The runtime computes the same numbers as Keras, without TensorFlow; also as the copied package of an export."""

import ast
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import keras_gen.runtime
from keras_gen.runtime import Runtime
from tests.export.conftest import CLASSES, SIZE, blobs

from .device import command_line

PACKAGE = pathlib.Path(keras_gen.runtime.__file__).parent
ROOT = PACKAGE.parents[1]


def test_generates_the_same_images_as_keras_without_tensorflow(device, model):
    labels = [0, 1, 2, 0, 1]
    command_line(device, "--precision", "float32", "generate", "--num", 5, "--seed", 3, "--label", *labels,
                 "--out", "images.npy")  # fmt: skip
    images = np.load(device / "images.npy")
    np.testing.assert_allclose(images, model.generate(5, seed=3, label=labels), atol=1e-5)
    assert images.std() > 0.05  # not a constant


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_imports_numpy_litert_and_pillow_only(path):
    """By the source: other modules of the package relatively, numpy, and inside functions LiteRT and Pillow.

    `image_file` imports Pillow at the top, and is itself imported inside functions.
    """
    parsed = ast.parse(path.read_text())
    imported, at_top = set(), set()
    for node in ast.walk(parsed):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1
            names = [] if node.level else [node.module]
            assert node.module != "image_file" or node not in parsed.body
        imported |= {name.split(".")[0] for name in names}
        if node in parsed.body:
            at_top |= {name.split(".")[0] for name in names}
    assert imported - set(sys.stdlib_module_names) <= {"numpy", "ai_edge_litert", "PIL"}
    assert at_top - set(sys.stdlib_module_names) <= ({"numpy", "PIL"} if path.stem == "image_file" else {"numpy"})


def test_importing_the_runtime_loads_neither_tensorflow_nor_keras():
    code = "import sys; from keras_gen.runtime import Runtime; print({'tensorflow', 'keras', 'PIL'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert process.stdout.strip() == "set()"


def run_python(*arguments, cwd: pathlib.Path, path: pathlib.Path | None = None) -> str:
    """Runs Python as a user of an export would, and returns its output."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, *map(str, arguments)]
    process = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_copied_package_works_from_any_working_directory(device, tmp_path):
    """The package is run as a module in the folder or on the path, by its path, and imported."""
    arguments = ("generate", "--num", 2, "--seed", 1, "--label", 0, "--overwrite", "--out", tmp_path / "images.npy")
    expected = Runtime(device).generate(2, seed=1, label=0)
    for start in (
        {"arguments": ("-m", "runtime", *arguments), "cwd": device},
        {"arguments": ("-m", "runtime", *arguments), "cwd": tmp_path, "path": device},
        {"arguments": (device / "runtime", *arguments), "cwd": tmp_path},
        {"arguments": ("-P", os.path.relpath(device / "runtime", tmp_path), *arguments), "cwd": tmp_path},
        {"arguments": ("-m", "keras_gen.runtime", "--folder", device, *arguments), "cwd": tmp_path, "path": ROOT},
    ):
        (tmp_path / "images.npy").unlink(missing_ok=True)
        run_python(*start["arguments"], cwd=start["cwd"], path=start.get("path"))
        np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), expected)
    script = "import runtime; print(runtime.__file__, runtime.Runtime().generate(1, 1, label=0).shape)"
    for cwd, path in ((device, None), (tmp_path, device)):
        output = run_python("-c", script, cwd=cwd, path=path)
        assert output.split()[0] == str(device / "runtime" / "__init__.py") and f"(1, {SIZE}, {SIZE}, 1)" in output


def test_classes_by_name(renamed):
    model = Runtime(renamed)
    for label, index in (("cat", 2), ("1", 0), (1, 1), (["cat", 1, "1"], [2, 1, 0])):
        num = len(label) if isinstance(label, list) else 3
        np.testing.assert_array_equal(model.generate(num, 4, label=label), model.generate(num, 4, label=index))
    np.testing.assert_array_equal(model.decode(np.zeros((1, 4)), label="2"), model.decode(np.zeros((1, 4)), label=1))
    for label in ("3", ["cat", "cta"]):
        with pytest.raises(ValueError, match="Expected the class as one of .*cat"):
            model.generate(2, 0, label=label)


def test_encode_decode_reconstruct_equal_keras(device, model):
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


def test_before_batch_can_stop_a_call(device):
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
    assert exported.generate(1, 0, label=0).shape == (1, SIZE, SIZE, 1)  # the runtime can be used again


def test_arguments_out_of_range_are_refused(device, tmp_path):
    with pytest.raises(ValueError, match="expected a precision of int8, float32, float16, dynamic; received 'int4'"):
        Runtime(device, precision="int4")
    with pytest.raises(ValueError, match="Expected threads as an integer >= 1; received 0"):
        Runtime(device, threads=0)
    for num in (0, 2.5, True, "3"):
        with pytest.raises(ValueError, match="Expected num as an integer >= 1; received"):
            Runtime(device).generate(num)
    for seed in (-1, 1.5, 2**63, "a"):
        with pytest.raises(ValueError, match="Expected seed as an integer with 0 <= seed < 2..63; received"):
            Runtime(device).generate(1, seed, label=0)
    with pytest.raises(FileNotFoundError, match="expected an export folder"):
        Runtime(tmp_path)
