"""Damaged descriptions: an error names the file, or the images are those of the intact export."""

import json
import shutil

import numpy as np
import pytest

from benchmarks.damaged_exports import NUM_DAMAGES, damage_export
from keras_gen.export import export_model
from keras_gen.models.core import endpoint as endpoints
from keras_gen.runtime import Runtime
from keras_gen.runtime.description import KINDS, digest_of


@pytest.fixture(scope="module")
def images(folder):
    return Runtime(folder, threads=1).generate(2, seed=3, label=[1, 2])


def update_digest(folder) -> bool:
    """Writes the digest of a damaged description into it; returns False if it is no longer a JSON object."""
    try:
        content = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps({**content, "digest": digest_of(content)}))
    except (OSError, ValueError, TypeError, RecursionError):
        return False
    return True


def test_every_damage_is_refused_or_harmless(folder, images, tmp_path):
    assert NUM_DAMAGES >= 100
    refused, descriptions = 0, set()
    for index in range(NUM_DAMAGES):
        copy = tmp_path / str(index)
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("saved_model"))
        damage = damage_export(copy, index)
        descriptions.add(damage)
        try:
            received = Runtime(copy, threads=1).generate(2, seed=3, label=[1, 2])
        except (ValueError, FileNotFoundError) as error:
            refused += 1
            assert any(str(copy / name) in str(error) for name in ("model.json", "model.tflite")), (damage, error)
        else:
            np.testing.assert_array_equal(received, images, damage)
        # with a valid digest, only the entries can be checked: images may differ, but other errors must not occur
        if update_digest(copy):
            try:
                Runtime(copy, threads=1).generate(2, seed=3, label=[1, 2])
            except (ValueError, FileNotFoundError):
                pass
        shutil.rmtree(copy)
    assert len(descriptions) == NUM_DAMAGES
    assert refused >= NUM_DAMAGES - 2  # a few damages change only the formatting


def test_damage_is_determined_by_its_index(folder, tmp_path):
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
         r"noise.inputs of noise: expected normal of shape \[4\], as in signatures.generate.inputs.noise"),
        (lambda content: content["signatures"]["decode"]["inputs"]["z"].update(shape=[4, -1]),
         r"signatures.decode.inputs.z.shape\[1\]: expected an integer from 1 to 2147483647; received -1"),
        (lambda content: content["signatures"]["decode"]["inputs"]["label"].update(range=[0, 7]),
         r"signatures.decode.inputs.label.range: expected \[0, 1\] for label; received '\[0, 7\]'"),
        (lambda content: content["files"]["int8"].update(file="../model.tflite"),
         "files.int8.file: expected the name of a .tflite file in the same folder; received '../model.tflite'"),
        (lambda content: content.update(preferred="int4"), "preferred: expected int8, float32, .*; received 'int4'"),
        (lambda content: content.update(image_shape=[8, 8, 1]),
         r"image_shape: expected \[16, 16, 1\], the output of generate"),
        (lambda content: content.update(text={"vocabulary": ["a", "a"], "length": 3}),
         "text.vocabulary: expected different words; received '1 repeated'"),
        (lambda content: content.update(attributes={"names": ["a"], "groups": [2], "datasets": []}),
         r"attributes.groups: expected sizes with the sum 1; received '\[2\]'"),
    ],
)  # fmt: skip
def test_invalid_or_contradictory_entries_are_refused(copied, change, message):
    content = json.loads((copied / "model.json").read_text())
    change(content)
    (copied / "model.json").write_text(json.dumps(content))
    assert update_digest(copied)
    with pytest.raises(ValueError, match=f"{copied / 'model.json'} is damaged: {message}.*; copy or export it again"):
        Runtime(copied)


def test_port_ranges_agree_with_the_runtime():
    ranges = {kind: endpoints.Port((1,), kind).range for kind in KINDS}
    assert {kind: limits and list(limits) for kind, limits in ranges.items()} == KINDS


def open_damaged(device, tmp_path, name: str, change) -> Runtime:
    copy = tmp_path / "copy"
    shutil.copytree(device, copy, ignore=shutil.ignore_patterns("saved_model"))
    file = copy / name
    file.write_bytes(change(file.read_bytes()))
    return Runtime(copy)


def flip_byte(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.tflite", lambda content: content[:1000], "model.tflite is damaged: size: expected .* received 1000;"),
        ("model.tflite", flip_byte, "model.tflite is damaged: SHA-256: expected"),
        ("model.json", lambda content: content[:100], "model.json is damaged .no valid JSON"),
        ("model.json", lambda content: b"[]", "content: expected an object; received a list of length 0"),
        ("model.json", lambda content: b'{"format": 2}', "format: expected 3; received 2; export the model again"),
        ("model.json", lambda content: b'{"format": 3}', "system: expected an entry; received none"),
        (
            "model.json",
            lambda content: content.replace(b'"batch": 1,', b'"batch": "1",'),
            "batch: expected an integer from 1 to 65536; received '1'; copy or export it again",
        ),
        (
            "model.json",
            lambda content: content.replace(b'"stream": 0', b'"stream": 1'),
            "model.json was changed after the export: digest: expected",
        ),
    ],
)
def test_damaged_files_are_refused(device, tmp_path, name, change, message):
    with pytest.raises(ValueError, match=message):
        open_damaged(device, tmp_path, name, change)


def test_invalid_value_ranges_are_refused(identity, tmp_path):
    options = {"calibration": np.zeros((1, 8, 8, 1)), "format": "tflite", "quantize": "none"}
    folder = export_model(identity, tmp_path / "export", value_range=(0, 4095), **options)
    assert Runtime(folder).preprocessing == {"value_range": [0.0, 4095.0]}
    description = json.loads((folder / "model.json").read_text())
    for value, message in (
        ([4095, 0], "value_range: expected the number that is black, then a larger one that is white; received"),
        ([0], "value_range: expected a list of length 2 to 2"),
        (["0", "1"], r"value_range\[0\]: expected a finite number"),
    ):
        description["value_range"] = value
        description["digest"] = digest_of(description)
        (folder / "model.json").write_text(json.dumps(description))
        with pytest.raises(ValueError, match=message):
            Runtime(folder)
