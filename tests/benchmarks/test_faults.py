"""The table of faults: counts, comparison of runs, and a small version, in which nothing may be lost."""

import random
import zipfile

import h5py
import numpy as np
import pytest

from benchmarks import faults
from benchmarks.faults import Fault
from benchmarks.toy_runs import compare


def state(folder, epoch, value, table="epoch,loss\n1,0.5\n"):
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "checkpoints" / f"epoch_{epoch:04d}.weights.h5", "w") as file:
        file["dense/0"] = np.array([1.0, value], np.float32)
    (folder / "metrics.csv").write_text(table)
    return folder


def test_differences_of_one_bit_and_missing_files_are_detected(tmp_path):
    reference = state(tmp_path / "reference", 2, 3.0)
    assert compare(state(tmp_path / "same", 2, 3.0), reference) == ([], 0.0)

    next_float = np.nextafter(np.float32(3), np.float32(4))
    differences, largest = compare(state(tmp_path / "bit", 2, next_float), reference)
    assert len(differences) == 1 and "dense/0 differs" in differences[0]
    assert largest == pytest.approx(2**-22 / 4)  # the spacing at 3, over 1 + 3
    assert compare(tmp_path / "bit", reference, 1e-5) == ([], largest)

    differences, _ = compare(state(tmp_path / "older", 1, 3.0), reference)
    assert [text.split(" is only")[0] for text in differences] == [
        f"checkpoints/epoch_000{epoch}.weights.h5" for epoch in (1, 2)
    ]
    differences, _ = compare(state(tmp_path / "table", 2, 3.0, "epoch,loss\n1,0.6\n"), reference, 1e-5)
    assert differences == ["metrics.csv: numbers differs by 0.067"]  # .1 / 1.5


def test_models_are_compared_without_counters_of_the_process(tmp_path):
    config = '{{"name": "dense_{0}", "inbound": ["dense_{0}", "dense_{1}"], "shared_object_id": {2}, "units": 4}}'
    texts = {
        "reference": config.format(1, 2, 140),
        "same": config.format(7, 9, 139),
        "swapped": config.format(1, 2, 140).replace('["dense_1", "dense_2"]', '["dense_2", "dense_1"]'),
        "units": config.format(1, 2, 140).replace('"units": 4', '"units": 5'),
    }
    for name, text in texts.items():
        state(tmp_path / name, 2, 3.0)
        with zipfile.ZipFile(tmp_path / name / "model.keras", "w") as archive:
            archive.write(tmp_path / name / "checkpoints" / "epoch_0002.weights.h5", "model.weights.h5")
            archive.writestr("config.json", text)
    assert compare(tmp_path / "same", tmp_path / "reference") == ([], 0.0)
    for name in ("swapped", "units"):
        assert compare(tmp_path / name, tmp_path / "reference")[0] == ["model.keras: config.json differs"]


def test_nan_is_a_difference_at_any_tolerance(tmp_path):
    reference = state(tmp_path / "reference", 2, 3.0)
    assert len(compare(state(tmp_path / "nan", 2, np.nan), reference, 1e-5)[0]) == 1


@pytest.mark.parametrize("name", faults.DAMAGES)
def test_damages_change_only_the_files_that_they_name(name, tmp_path):
    run, other = tmp_path / "run", tmp_path / "other"
    for folder, value in ((run, 1.0), (other, 2.0)):
        for epoch in (3, 4):
            state(folder, epoch, value + epoch)
            (folder / "checkpoints" / f"epoch_{epoch:04d}.json").write_text(f'{{"sha256": "{epoch}{value}"}}')
        (folder / "model.keras").write_bytes(np.random.default_rng(int(value)).bytes(1000))
    before = {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    touched = faults.damage_states(name, run, other, random.Random(0))
    after = {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    changed = {path for path in before if after.get(path) != before[path]}
    assert changed and after.keys() <= before.keys()
    if name == "all states missing":
        assert touched == ["checkpoints"] and not any(path.startswith("checkpoints") for path in after)
    else:  # a damaged digest also names the state, which cannot be verified
        assert changed <= {*touched, *(path.replace("weights.h5", "json") for path in touched)}
    if name.startswith("flipped bit in"):
        (path,) = changed
        pairs = zip(before[path], after[path], strict=True)
        assert sum((actual ^ expected).bit_count() for actual, expected in pairs) == 1


def test_table_counts_each_verdict():
    result = [
        Fault("signals", "SIGTERM, vae", "survived", "equal"),
        Fault("kills", "kill -9 of vae", "survived"),
        Fault("kills", "kill -9 of vae", "lost", "no state"),
        Fault("kills", "kill -9 of vae", "unbounded", "no end"),
    ]
    rows = faults.rows(result)
    assert [row["what"] for row in rows] == ["kill -9 of vae", "SIGTERM, vae"]  # in the order of the categories
    assert rows[0]["details"] == ["lost: no state", "unbounded: no end"]
    assert faults.table(rows).splitlines() == [
        "| fault | times | survived | lost | silently wrong | unbounded | unclear |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| kill -9 of vae | 3 | 1 | 1 | 0 | 1 | 0 |",
        "| SIGTERM, vae | 1 | 1 | 0 | 0 | 0 | 0 |",
        "| **all** | **4** | **2** | **1** | **0** | **1** | **0** |",
    ]


def test_plan_has_the_documented_numbers():
    assert sum(faults.DAMAGES.values()) == 100
    assert sum(sum(chains) for chains in faults.KILLS.values()) >= 60
    assert sum(faults.STARTS.values()) == 30
    assert len(faults.SIGNALS) >= 20 and len(faults.DISKS) == 10


@pytest.mark.slow  # one process that imports TensorFlow, and about fifteen runs: a minute
def test_small_version_loses_nothing():
    names = ["kills", "checkpoints", "starts", "signals", "exports", "hostile"]
    result = faults.inject(names, quick=True, jobs=1, report=lambda fault: None)
    assert {fault.category for fault in result} == set(names)
    assert [fault for fault in result if fault.verdict != faults.SURVIVED] == []
