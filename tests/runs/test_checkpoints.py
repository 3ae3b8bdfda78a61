import json
import shutil

import keras
import numpy as np
import pytest

from keras_gen.runs.checkpoints import Checkpoints, DamagedStateError, State


def small(size=2):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(size)])
    model.compile(keras.optimizers.Adam(), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def fill(model, value):
    for variable in [*model.variables, *model.optimizer.variables]:
        variable.assign(np.full(variable.shape, value, variable.dtype))


def values(model):
    return {float(np.max(variable)) for variable in [*model.variables, *model.optimizer.variables[2:]]}


@pytest.fixture
def kept(tmp_path):
    """The states after epochs 2 and 3 of three, in which every number is that of the epoch."""
    checkpoints, model = Checkpoints(tmp_path / "states"), small()
    for epoch in (1, 2, 3):
        fill(model, epoch)
        checkpoints.save(model, State(epoch), {"rows": [{"epoch": epoch, "loss": float("nan")}]})
    return checkpoints


def test_the_last_two_states_are_kept_with_their_optimizers_and_records(kept):
    files = ["epoch_0002.json", "epoch_0002.weights.h5", "epoch_0003.json", "epoch_0003.weights.h5"]
    assert sorted(path.name for path in kept.folder.iterdir()) == files
    assert kept.states == [State(2), State(3)]
    model = small()
    kept.restore(model, State(2))
    assert values(model) == {2.0} and kept.record(State(2))["rows"][0]["epoch"] == 2


def test_a_state_within_an_epoch_lies_between_two_epochs(kept):
    fill(model := small(), 7)
    kept.save(model, State(3, 12), {})
    assert kept.states == [State(3), State(3, 12)]
    assert kept.weights_file(State(3, 12)).name == "epoch_0003_step_00000012.weights.h5"
    kept.save(model, State(4), {})
    assert kept.states == [State(3, 12), State(4)]
    assert str(State(3, 12)) == "step 12 of epoch 4" and str(State(4)) == "epoch 4"


def test_without_a_state_training_starts_at_the_beginning(tmp_path):
    assert Checkpoints(tmp_path / "none").states == [] and Checkpoints(tmp_path / "none").intact() == ({}, [])


@pytest.mark.parametrize("kind", ["weights_file", "record_file"])
def test_every_flipped_bit_is_found(kept, kind):
    file = getattr(kept, kind)(State(3))
    content = bytearray(file.read_bytes())
    generator = np.random.default_rng(0)
    for place in [0, len(content) - 2, *generator.integers(0, len(content) - 2, 60)]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << generator.integers(0, 8)
        file.write_bytes(damaged)
        if kind == "record_file" and _content(damaged) == _content(content):
            continue  # a space that JSON does not read
        with pytest.raises(DamagedStateError, match="epoch_0003"):
            kept.record(State(3))
    intact, problems = kept.intact()
    assert list(intact) == [State(2)] and len(problems) == 1


def _content(text):
    try:
        return json.loads(bytes(text).decode())
    except ValueError:
        return None


@pytest.mark.parametrize("size", [0, 100, 0.5, 0.99])
def test_a_truncated_state_is_found(kept, size):
    newest = kept.weights_file(State(3))
    content = newest.read_bytes()
    newest.write_bytes(content[: size if isinstance(size, int) else int(size * len(content))])
    with pytest.raises(DamagedStateError, match="epoch_0003.weights.h5 is damaged: its content does not match"):
        kept.record(State(3))


def test_states_that_are_swapped_are_found(kept):
    for suffix in (".json", ".weights.h5"):
        shutil.copy(kept.folder / f"epoch_0002{suffix}", kept.folder / f"epoch_0003{suffix}")
    with pytest.raises(DamagedStateError, match="epoch_0003.json is damaged"):
        kept.record(State(3))
    kept.weights_file(State(2)).unlink()
    with pytest.raises(DamagedStateError, match="epoch_0002.weights.h5 is missing"):
        kept.record(State(2))


def test_remains_of_a_killed_process_do_not_count_and_are_deleted(kept):
    (kept.folder / "epoch_0004.weights.h5").write_bytes(b"whole, but killed before the record")
    (kept.folder / ".tmp-1-ab-epoch_0004.json").write_bytes(b"half")
    (kept.folder / "epoch_0001.weights.h5").write_bytes(b"its record was deleted first")
    assert kept.states == [State(2), State(3)]
    intact, problems = kept.intact()
    assert list(intact) == kept.states and problems == [
        f"{kept.folder}/epoch_0004.weights.h5 has no record (epoch_0004.json)"
    ]
    kept.clean()
    assert len(list(kept.folder.iterdir())) == 4


def test_killed_before_the_first_record_nothing_is_lost(tmp_path):
    (tmp_path / "epoch_0000.weights.h5").write_bytes(b"whole or not")
    assert Checkpoints(tmp_path).intact() == ({}, [])


def test_a_model_of_another_structure_is_named(kept):
    with pytest.raises(ValueError, match=r"epoch_0003.weights.h5 is intact but does not fit the model"):
        kept.restore(small(size=4), State(3))
