import types

import keras
import numpy as np
import pytest

from keras_gen import runs
from keras_gen.runs.history import History
from keras_gen.training.callbacks import (
    EarlyStop,
    LinearDecay,
    LogToCSV,
    ReportDiagnostics,
    SaveBestModel,
    StopOnNaN,
    rescheduled,
)


@pytest.fixture
def model():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])


def finish(callbacks, model, losses):
    """Let epochs end with these validation losses; returns the epoch in which training stopped, or None."""
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        model.layers[0].kernel.assign([[epoch + 1.0]])
        for callback in callbacks:
            callback.set_model(model)
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch + 1
    return None


def test_the_saved_model_is_that_of_the_best_epoch(tmp_path, model):
    history = History(tmp_path / "metrics.csv")
    finish([LogToCSV(history), SaveBestModel(history, "val_loss", runs.Run(tmp_path, {}))], model, [3, 1, 2, 1])
    assert keras.saving.load_model(tmp_path / "model.keras").layers[0].kernel.numpy().item() == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.csv", "model.keras"]


def test_without_a_metric_the_last_epoch_is_saved(tmp_path, model):
    history = History(tmp_path / "metrics.csv")
    finish([LogToCSV(history), SaveBestModel(history, None, runs.Run(tmp_path, {}))], model, [3, 1, 2])
    assert keras.saving.load_model(tmp_path / "model.keras").layers[0].kernel.numpy().item() == 3


def test_patience_counts_epochs_since_the_best_also_over_a_resume(tmp_path, model):
    history = History(tmp_path / "metrics.csv")
    waiting = [LogToCSV(history), EarlyStop(history, "val_loss", 2)]
    assert finish(waiting, model, [3, 1, 2]) is None
    resumed = History(tmp_path / "metrics.csv", history.rows)
    callback = EarlyStop(resumed, "val_loss", 2)
    callback.set_model(model)
    resumed.append(4, {"val_loss": 1.5})
    callback.on_epoch_end(3)
    assert model.stop_training
    history = History(tmp_path / "forever.csv")
    assert finish([LogToCSV(history), EarlyStop(history, "val_loss", None)], model, range(50)) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_stops_and_says_where(value):
    callback = StopOnNaN()
    callback.on_epoch_begin(2)
    callback.on_train_batch_end(0, {"loss": 1.0})
    with pytest.raises(FloatingPointError, match=f"'kl' became {value} in step 5 of epoch 3.*smaller learning rate"):
        callback.on_train_batch_end(4, {"loss": 1.0, "kl": value})
    with pytest.raises(FloatingPointError, match="'val_loss' became .* in the validation after epoch 3"):
        callback.on_epoch_end(2, {"loss": 1.0, "val_loss": value})


def test_trouble_is_told_when_it_begins_and_when_it_is_over():
    told = []
    callback = ReportDiagnostics(told.append)
    model = types.SimpleNamespace(trouble=lambda logs: {"it burns": "red"} if logs["heat"] > 1 else {})
    callback.set_model(model)
    for epoch, heat in enumerate([2.0, 0.0, 2.0, 3.0, 0.5]):  # the first is before the game has begun
        model.train_steps = 60 * (epoch + 1)
        callback.on_epoch_end(epoch, {"heat": np.float32(heat)})
    assert told == ["Epoch 3: it burns: red.", "Epoch 5: no longer: it burns."]


def test_linear_decay_keeps_the_rate_then_falls_towards_zero():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    seen = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(float(model.optimizer.learning_rate)))
    # a resumed run begins with the rate that the state holds; the callback knows the first one
    model.optimizer.learning_rate = 0.1
    model.fit(
        np.ones((2, 1)), np.ones((2, 1)), epochs=6, callbacks=[LinearDecay(0.5, [(0, 6)], [0.5]), keep], verbose=0
    )
    # (E - e) / (E - b E) = 3/3, 2/3, 1/3 from epoch 3 on
    np.testing.assert_allclose(seen, [0.5, 0.5, 0.5, 0.5, 1 / 3, 1 / 6], rtol=1e-6)


def factors(schedule, begin: float = 0.5) -> list[float]:
    decay = LinearDecay(begin, schedule, [1.0])
    return [decay.factor(epoch) for epoch in range(schedule[-1][1])]


class TestRescheduled:
    """A run that is continued with another number of epochs."""

    def test_a_decay_that_has_begun_continues_in_a_straight_line_to_0(self):
        made = factors(rescheduled(0.5, [[0, 30]], 40, begun=30))
        assert made[:30] == factors([[0, 30]]) and made[29] == pytest.approx(1 / 15)
        # from 1/15 at epoch 29 to 0 at epoch 40
        np.testing.assert_allclose(made[30:], [(40 - epoch) / 11 / 15 for epoch in range(30, 40)], rtol=1e-12)

    @pytest.mark.parametrize("begun", [0, 1, 4, 5])
    def test_before_the_decay_it_is_as_if_all_epochs_had_been_planned(self, begun):
        assert rescheduled(0.5, [[0, 10]], 20, begun) == [[0, 20]]

    def test_fewer_epochs_begin_the_decay_at_once_where_it_should_have_begun(self):
        made = factors(rescheduled(0.5, [[0, 20]], 12, begun=10))
        np.testing.assert_allclose(made, [1.0] * 10 + [2 / 3, 1 / 3], rtol=1e-12)

    def test_again_and_again(self):
        schedule = [[0, 4]]
        for begun, epochs in ((4, 6), (6, 9), (7, 20), (7, 12)):  # no epoch was begun of the 20
            schedule = rescheduled(0.5, schedule, epochs, begun)
        assert schedule == [[0, 4], [4, 6], [6, 9], [7, 12]]
        made = factors(schedule)
        assert made[:4] == factors([[0, 4]]) and made[:7] == factors(schedule[:3])[:7]
        assert (np.diff(made) <= 0).all() and made[-1] > 0
        # a straight line from the last factor that stays to 0
        np.testing.assert_allclose(made[7:], [made[6] * (12 - epoch) / 6 for epoch in range(7, 12)], rtol=1e-12)
