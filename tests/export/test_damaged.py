"""Damaged exports: each is refused by an error that names the file, or gives the images of the intact one."""

import json
import shutil

import numpy as np
import pytest

from benchmarks.damaged_exports import NUM_DAMAGES, damage_export
from keras_gen.distributions import noise
from keras_gen.export import Runtime, read_parity, runtime
from keras_gen.models.core import endpoint as endpoints

from .test_runtime import command_line


@pytest.fixture(scope="module")
def images(folder):
    return Runtime(folder, threads=1).generate(2, seed=3, label=[1, 2])


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the export that a test may damage."""
    return shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("saved_model"))


def reseal(folder) -> bool:
    """Give a damaged description the digest of its content, where it still is an object."""
    try:
        content = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps({**content, "digest": runtime.digest_of(content)}))
    except (OSError, ValueError, TypeError, RecursionError):
        return False
    return True


def test_every_damage_is_refused_or_harmless(folder, images, tmp_path):
    assert NUM_DAMAGES >= 100
    refused, descriptions = 0, set()
    for index in range(NUM_DAMAGES):
        copy = tmp_path / str(index)
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("saved_model"))
        what = damage_export(copy, index)
        descriptions.add(what)
        try:
            found = Runtime(copy, threads=1).generate(2, seed=3, label=[1, 2])
        except (ValueError, FileNotFoundError) as error:
            refused += 1
            assert any(str(copy / name) in str(error) for name in ("model.json", "model.tflite")), (what, error)
        else:
            np.testing.assert_array_equal(found, images, what)
        # with a digest of its own the entries alone decide: images may differ then, but no other error may occur
        if reseal(copy):
            try:
                Runtime(copy, threads=1).generate(2, seed=3, label=[1, 2])
            except (ValueError, FileNotFoundError):
                pass
        shutil.rmtree(copy)
    assert len(descriptions) == NUM_DAMAGES
    assert refused >= NUM_DAMAGES - 2  # of those that change nothing but the text


def test_the_same_index_is_the_same_damage(folder, tmp_path):
    for index in (30, NUM_DAMAGES - 1):
        first, second = (shutil.copytree(folder, tmp_path / f"{index}{name}") for name in "ab")
        assert damage_export(first, index) == damage_export(second, index)
        assert (first / "model.json").read_bytes() == (second / "model.json").read_bytes()
    with pytest.raises(ValueError, match=f"index from 0 to {NUM_DAMAGES - 1}; received {NUM_DAMAGES}"):
        damage_export(first, NUM_DAMAGES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["noise"]["inputs"][0].update(kind="cauchy"),
         r"noise.inputs\[0\].kind: expected one of normal, uniform, uniform_symmetric, one_hot; received 'cauchy'"),
        (lambda content: content["noise"]["inputs"][0].update(kind="uniform"),
         r"noise.inputs of noise: expected normal of shape \[4\], as signatures.generate.inputs.noise has it"),
        (lambda content: content["signatures"]["decode"]["inputs"]["z"].update(shape=[4, -1]),
         r"signatures.decode.inputs.z.shape\[1\]: expected an integer from 1 to 2147483647; received -1"),
        (lambda content: content["signatures"]["decode"]["inputs"]["label"].update(range=[0, 7]),
         r"signatures.decode.inputs.label.range: expected \[0, 1\], as for label; received '\[0, 7\]'"),
        (lambda content: content["files"]["int8"].update(file="../model.tflite"),
         "files.int8.file: expected the name of a .tflite file in the same folder; received '../model.tflite'"),
        (lambda content: content.update(preferred="int4"), "preferred: expected int8, float32, .*; received 'int4'"),
        (lambda content: content.update(image_shape=[8, 8, 1]),
         r"image_shape: expected \[16, 16, 1\], as generate gives"),
        (lambda content: content.update(text={"vocabulary": ["a", "a"], "length": 3}),
         "text.vocabulary: expected different words; received '1 repeated'"),
        (lambda content: content.update(attributes={"names": ["a"], "groups": [2], "datasets": []}),
         r"attributes.groups: expected sizes with the sum 1; received '\[2\]'"),
    ],
)  # fmt: skip
def test_entries_that_contradict_each_other(copy, change, message):
    content = json.loads((copy / "model.json").read_text())
    change(content)
    (copy / "model.json").write_text(json.dumps(content))
    assert reseal(copy)
    with pytest.raises(ValueError, match=f"{copy / 'model.json'} is damaged: {message}.*; copy or export it again"):
        Runtime(copy)


def test_a_model_of_another_export_is_refused(copy):
    """Also where size and digest are those of the other model: the names and shapes of its ports are not."""
    content = json.loads((copy / "model.json").read_text())
    del content["signatures"]["encode"]["outputs"]["scale"]
    (copy / "model.json").write_text(json.dumps(content))
    assert reseal(copy)
    with pytest.raises(ValueError, match="model.tflite and model.json come from different exports: signature encode"):
        Runtime(copy)
    content["signatures"]["encode"]["outputs"]["scale"] = {"shape": [5], "kind": "value", "range": None}
    (copy / "model.json").write_text(json.dumps(content))
    assert reseal(copy)
    with pytest.raises(ValueError, match=r"encode.outputs.scale: expected the shape \[1, 5\]; received \[1, 4\]"):
        Runtime(copy).encode(np.zeros((1, 16, 16, 1)), label=0)


def test_the_command_line_says_it_without_a_traceback(copy):
    text = (copy / "model.json").read_text()
    (copy / "model.json").write_text(text.replace('"kind": "normal"', '"kind": "uniform"'))
    failed = command_line(copy, "generate", "--num", 1, "--label", 0, "--out", "images.npy", code=1)
    assert failed.stderr.startswith("error: ") and "Traceback" not in failed.stderr
    assert "model.json is damaged: signatures." in failed.stderr and not (copy / "images.npy").exists()


def test_kinds_and_ranges_are_the_librarys():
    assert runtime.NOISE_KINDS == noise.KINDS
    ranges = {kind: endpoints.Port((1,), kind).range for kind in endpoints.KINDS}
    assert {kind: limits and list(limits) for kind, limits in ranges.items()} == runtime.KINDS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda parity: parity["files"].update(int4=parity["files"]["int8"]),
         "files: expected the precisions .*; received 'int4'"),
        (lambda parity: parity["kinds"].pop("decode"), r"kinds.decode.image: expected an entry; received none"),
        (lambda parity: parity["files"]["int8"]["endpoints"]["decode"]["image"].update(max="small"),
         "files.int8.endpoints.decode.image.max: expected a finite number; received 'small'"),
    ],
)  # fmt: skip
def test_a_damaged_parity_is_refused(copy, parity, change, message):
    assert read_parity(copy) == parity
    damaged = json.loads(json.dumps(parity))
    change(damaged)
    (copy / "parity.json").write_text(json.dumps(damaged))
    with pytest.raises(ValueError, match=f"{copy / 'parity.json'} is damaged: {message}"):
        read_parity(copy)


def flat_zip(path):
    np.savez(path.with_suffix(".npz"), a=np.zeros(3))
    path.with_suffix(".npz").rename(path)


def promising(path):
    """A header of 1 TB, and no data."""
    np.lib.format.write_array_header_1_0(
        file := open(path, "wb"), {"descr": "<f4", "fortran_order": False, "shape": (2**38,)}
    )
    file.close()


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no array"),
        flat_zip,
        promising,
        lambda path: np.save(path, np.array([{}], object), allow_pickle=True),
    ],
    ids=["empty", "text", "npz", "promising", "objects"],
)
def test_arrays_that_cannot_be_read(folder, tmp_path, write):
    write(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="a.npy cannot be read as a numpy array"):
        runtime.read_images([tmp_path / "a.npy"], (16, 16, 1))


def test_arrays_of_another_shape(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 8, 8, 1)))
    with pytest.raises(ValueError, match=r"a.npy: expected images of the shape \[num, 16, 16, 1\]; received \[2, 8"):
        runtime.read_images([tmp_path / "a.npy"], (16, 16, 1))
