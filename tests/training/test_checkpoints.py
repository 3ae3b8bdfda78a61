import keras
import numpy as np
import pytest

from keras_gen.training.checkpoints import Checkpoints


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
        checkpoints.save(model, epoch)
    return checkpoints


def test_the_last_two_states_are_kept_and_the_newest_is_restored_with_its_optimizer(kept):
    assert sorted(path.name for path in kept.folder.iterdir()) == ["epoch_0002.weights.h5", "epoch_0003.weights.h5"]
    model = small()
    assert kept.restore(model) == 3 and values(model) == {3.0}


def test_nothing_kept_is_the_beginning(tmp_path):
    assert Checkpoints(tmp_path / "none").restore(small()) == 0


@pytest.mark.parametrize("size", [0, 100, 0.5, 0.99])
def test_a_truncated_state_is_passed_over_and_removed(kept, size):
    newest = kept.folder / "epoch_0003.weights.h5"
    content = newest.read_bytes()
    newest.write_bytes(content[: size if isinstance(size, int) else int(size * len(content))])
    model = small()
    assert kept.restore(model) == 2 and values(model) == {2.0} and kept.epochs == [2]


def test_a_state_that_is_being_written_does_not_count(kept):
    (kept.folder / "unfinished.weights.h5").write_bytes(b"half")
    assert kept.epochs == [2, 3]


def test_a_worker_that_is_ahead_goes_back(kept):
    model = small()
    assert kept.restore(model, latest=2) == 2 and values(model) == {2.0} and kept.epochs == [2]


def test_where_no_state_fits_the_message_says_why(kept):
    with pytest.raises(ValueError, match=r"No state under .*start again with --overwrite.*epoch_0003.*epoch_0002"):
        kept.restore(small(size=4))
