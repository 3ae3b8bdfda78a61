"""`keras-gen check`, at the command line."""

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

from keras_gen import cli, files, runs
from keras_gen.check import check as check_run
from keras_gen.check import repair
from keras_gen.export import export
from keras_gen.runs import checkpoints


@pytest.fixture(scope="module")
def toy_export(toy_run, tmp_path_factory):
    return export(
        toy_run, format=("tflite", "saved_model"), quantize="none", out=tmp_path_factory.mktemp("export") / "export"
    )


@pytest.fixture
def copied(toy_run, toy_export, tmp_path):
    shutil.copytree(toy_run.path, tmp_path / "run")
    shutil.copytree(toy_export, tmp_path / "run" / "export")
    runs.write_json(tmp_path / "run" / "evaluation.json", {})
    return tmp_path / "run"


def check(*arguments):
    result = CliRunner().invoke(cli.app, ["check", *map(str, arguments)], env={"COLUMNS": "400"})
    return result.exit_code, result.output


def damaged_parts(path):
    return [finding.part for finding in check_run(path) if not finding.fine]


def test_an_intact_run_has_no_findings(copied):
    assert damaged_parts(copied) == []
    code, text = check(copied)
    assert code == 0 and "the state after epoch 4" in text and "damaged" not in text


@pytest.mark.parametrize(
    "part",
    [
        *("config.json", "metrics.csv", "model.keras", "evaluation.json", "export/model.tflite", "export/model.json"),
        *("export/runtime/noise.py", "export/requirements.txt", "export/saved_model/saved_model.pb"),
        *("export/parity.json", "checkpoints/epoch_0003.json", "checkpoints/epoch_0004.weights.h5"),
    ],
)
@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
def test_damage_is_found_with_a_remedy(copied, part, how):
    file = copied / part
    content = bytearray(file.read_bytes())
    if how == "missing":
        file.unlink()
    elif how == "flipped":
        content[len(content) // 2] ^= 0x80  # invalid UTF-8 in a text file
        file.write_bytes(content)
    else:
        file.write_bytes(content[: len(content) // 2])
    result = damaged_parts(copied)
    if how == "missing" and part in ("evaluation.json", "checkpoints/epoch_0003.json"):
        assert not result  # these files are optional
        return
    assert result and result[0].split("/")[0] == part.split("/")[0]
    assert all(finding.remedy for finding in check_run(copied) if not finding.fine)
    assert check(copied)[0] == 1


def test_an_edited_config_and_states_are_repaired_from_the_newest_intact_state(copied):
    full = {name: (copied / name).read_text() for name in ("config.json", "metrics.csv")}
    config = json.loads(full["config.json"])
    (copied / "config.json").write_text(json.dumps({**config, "settings": {**config["settings"], "hidden_units": 9}}))
    (copied / "metrics.csv").write_text("epoch,loss\n1,")
    (copied / "checkpoints" / "epoch_0003.weights.h5").write_bytes(b"")
    (copied / f"{files.SCRATCH}1-a-model.keras").write_bytes(b"half")
    code, text = check(copied)
    assert code == 1 and "settings.hidden_units is 9, expected 8" in text and "keras-gen check RUN --repair" in text
    (copied / "config.json").write_text('{"format": 2')
    with pytest.raises(ValueError, match="config.json is not valid JSON.*keras-gen check .* --repair"):
        runs.Run.open(copied)
    (copied / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="has no config.json.*keras-gen check .* --repair"):
        runs.Run.open(copied)
    code, text = check(copied, "--repair")
    assert code == 0 and "config.json: restored from epoch 4" in text and "epoch_0003" in text
    assert {name: (copied / name).read_text() for name in full} == full
    assert sorted(path.name for path in (copied / "checkpoints").iterdir()) == [
        "epoch_0004.json",
        "epoch_0004.weights.h5",
    ]


def test_states_are_not_deleted_if_none_is_intact(copied):
    for file in (copied / "checkpoints").glob("*.h5"):
        file.write_bytes(b"")
    before = sorted(copied.rglob("*"))
    assert check(copied, "--repair")[0] == 1
    assert sorted(copied.rglob("*")) == before


def test_a_run_of_another_format_must_be_trained_again(copied):
    for file in (copied / "config.json", *(copied / "checkpoints").glob("*.json")):
        content = json.loads(file.read_text())
        inner = content.get("content", content) | {"format": 1}
        if "content" in content:
            inner = {"sha256": checkpoints._digest(inner), "content": inner}
        file.write_text(json.dumps(inner))
    code, text = check(copied)
    assert code == 1 and "Expected format 2 in" in text and "received 1" in text and "Train again" in text


def test_a_run_in_use_is_not_repaired(copied):
    with runs.lock(copied):
        assert f"in use by process {os.getpid()}" in check(copied)[1]
        with pytest.raises(runs.RunInUseError):
            repair(copied)


def test_a_directory_without_a_run_is_refused(tmp_path):
    code, text = check(tmp_path)
    assert code == 2 and "Expected a run directory that `keras-gen train` has written" in text
