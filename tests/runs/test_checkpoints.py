import json
import shutil

import keras
import numpy as np
import pytest

from keras_gen.runs.checkpoints import Checkpoints, DamagedStateError, State


def small_model(size=2):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(size)])
    model.compile(keras.optimizers.Adam(), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def fill(model, value):
    for variable in [*model.variables, *model.optimizer.variables]:
        variable.assign(np.full(variable.shape, value, variable.dtype))


def distinct_values(model):
    return {float(np.max(variable)) for variable in [*model.variables, *model.optimizer.variables[2:]]}


@pytest.fixture
def checkpoints(tmp_path):
    """Checkpoints after three epochs, of which two are kept; every number of a state equals its epoch."""
    checkpoints, model = Checkpoints(tmp_path / "states"), small_model()
    for epoch in (1, 2, 3):
        fill(model, epoch)
        checkpoints.save(model, State(epoch), {"rows": [{"epoch": epoch, "loss": float("nan")}]})
    return checkpoints


def test_last_two_states_are_kept_with_optimizer_and_record(checkpoints):
    files = ["epoch_0002.json", "epoch_0002.weights.h5", "epoch_0003.json", "epoch_0003.weights.h5"]
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == files
    assert checkpoints.states == [State(2), State(3)]
    model = small_model()
    checkpoints.restore(model, State(2))
    assert distinct_values(model) == {2.0} and checkpoints.record(State(2))["rows"][0]["epoch"] == 2


def test_a_state_within_an_epoch_is_ordered_between_epochs(checkpoints):
    fill(model := small_model(), 7)
    checkpoints.save(model, State(3, 12), {})
    assert checkpoints.states == [State(3), State(3, 12)]
    assert checkpoints.weights_file(State(3, 12)).name == "epoch_0003_step_00000012.weights.h5"
    checkpoints.save(model, State(4), {})
    assert checkpoints.states == [State(3, 12), State(4)]
    assert str(State(3, 12)) == "step 12 of epoch 4" and str(State(4)) == "epoch 4"


def test_a_missing_folder_has_no_states(tmp_path):
    assert Checkpoints(tmp_path / "none").states == [] and Checkpoints(tmp_path / "none").intact() == ({}, [])


@pytest.mark.parametrize("kind", ["weights_file", "record_file"])
def test_every_flipped_bit_is_detected(checkpoints, kind):
    file = getattr(checkpoints, kind)(State(3))
    content = bytearray(file.read_bytes())
    generator = np.random.default_rng(0)
    for position in [0, len(content) - 2, *generator.integers(0, len(content) - 2, 60)]:
        damaged = bytearray(content)
        damaged[position] ^= 1 << generator.integers(0, 8)
        file.write_bytes(damaged)
        if kind == "record_file" and _json_content(damaged) == _json_content(content):
            continue  # whitespace: the JSON content is the same
        with pytest.raises(DamagedStateError, match="epoch_0003"):
            checkpoints.record(State(3))
    intact, problems = checkpoints.intact()
    assert list(intact) == [State(2)] and len(problems) == 1


def _json_content(text):
    try:
        return json.loads(bytes(text).decode())
    except ValueError:
        return None


@pytest.mark.parametrize("size", [0, 100, 0.5, 0.99])
def test_a_truncated_state_is_detected(checkpoints, size):
    newest = checkpoints.weights_file(State(3))
    content = newest.read_bytes()
    newest.write_bytes(content[: size if isinstance(size, int) else int(size * len(content))])
    with pytest.raises(DamagedStateError, match="epoch_0003.weights.h5 is damaged: its content does not match"):
        checkpoints.record(State(3))


def test_swapped_states_are_detected(checkpoints):
    for suffix in (".json", ".weights.h5"):
        shutil.copy(checkpoints.folder / f"epoch_0002{suffix}", checkpoints.folder / f"epoch_0003{suffix}")
    with pytest.raises(DamagedStateError, match="epoch_0003.json is damaged"):
        checkpoints.record(State(3))
    checkpoints.weights_file(State(2)).unlink()
    with pytest.raises(DamagedStateError, match="epoch_0002.weights.h5 is missing"):
        checkpoints.record(State(2))


def test_files_of_a_killed_process_are_ignored_and_deleted(checkpoints):
    (checkpoints.folder / "epoch_0004.weights.h5").write_bytes(b"whole, but killed before the record")
    (checkpoints.folder / ".tmp-1-ab-epoch_0004.json").write_bytes(b"half")
    (checkpoints.folder / "epoch_0001.weights.h5").write_bytes(b"its record was deleted first")
    assert checkpoints.states == [State(2), State(3)]
    intact, problems = checkpoints.intact()
    assert list(intact) == checkpoints.states and problems == [
        f"{checkpoints.folder}/epoch_0004.weights.h5 has no record (epoch_0004.json)"
    ]
    checkpoints.clean()
    assert len(list(checkpoints.folder.iterdir())) == 4


def test_weights_without_a_first_record_are_no_problem(tmp_path):
    (tmp_path / "epoch_0000.weights.h5").write_bytes(b"whole or not")
    assert Checkpoints(tmp_path).intact() == ({}, [])


def test_restoring_a_model_of_another_structure_raises(checkpoints):
    with pytest.raises(ValueError, match=r"epoch_0003.weights.h5 is intact but does not fit the model"):
        checkpoints.restore(small_model(size=4), State(3))
