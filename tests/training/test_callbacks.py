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


def run_epochs(callbacks, model, losses):
    """Simulates epochs with these validation losses; returns the epoch in which the training stopped, or None."""
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


def test_model_of_the_best_epoch_is_saved(tmp_path, model):
    history = History(tmp_path / "metrics.csv")
    run_epochs([LogToCSV(history), SaveBestModel(history, "val_loss", runs.Run(tmp_path, {}))], model, [3, 1, 2, 1])
    assert keras.saving.load_model(tmp_path / "model.keras").layers[0].kernel.numpy().item() == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.csv", "model.keras"]


def test_without_a_metric_the_last_epoch_is_saved(tmp_path, model):
    history = History(tmp_path / "metrics.csv")
    run_epochs([LogToCSV(history), SaveBestModel(history, None, runs.Run(tmp_path, {}))], model, [3, 1, 2])
    assert keras.saving.load_model(tmp_path / "model.keras").layers[0].kernel.numpy().item() == 3


def test_patience_counts_epochs_since_the_best_across_a_resume(tmp_path, model):
    history = History(tmp_path / "metrics.csv")
    callbacks = [LogToCSV(history), EarlyStop(history, "val_loss", 2)]
    assert run_epochs(callbacks, model, [3, 1, 2]) is None
    resumed = History(tmp_path / "metrics.csv", history.rows)
    callback = EarlyStop(resumed, "val_loss", 2)
    callback.set_model(model)
    resumed.append(4, {"val_loss": 1.5})
    callback.on_epoch_end(3)
    assert model.stop_training
    history = History(tmp_path / "forever.csv")
    assert run_epochs([LogToCSV(history), EarlyStop(history, "val_loss", None)], model, range(50)) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_stops_the_training_and_names_the_step(value):
    callback = StopOnNaN()
    callback.on_epoch_begin(2)
    callback.on_train_batch_end(0, {"loss": 1.0})
    with pytest.raises(FloatingPointError, match=f"'kl' became {value} in step 5 of epoch 3.*smaller learning rate"):
        callback.on_train_batch_end(4, {"loss": 1.0, "kl": value})
    with pytest.raises(FloatingPointError, match="'val_loss' became .* in the validation after epoch 3"):
        callback.on_epoch_end(2, {"loss": 1.0, "val_loss": value})


def test_diagnoses_are_reported_when_they_begin_and_end():
    messages = []
    callback = ReportDiagnostics(messages.append)
    model = types.SimpleNamespace(diagnose=lambda logs: {"it burns": "red"} if logs["heat"] > 1 else {})
    callback.set_model(model)
    for epoch, heat in enumerate([2.0, 0.0, 2.0, 3.0, 0.5]):  # epoch 1 is ignored: it ends before step 100
        model.train_steps = 60 * (epoch + 1)
        callback.on_epoch_end(epoch, {"heat": np.float32(heat)})
    assert messages == ["Epoch 3: it burns: red.", "Epoch 5: no longer: it burns."]


def test_linear_decay_is_constant_then_falls_to_zero():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    rates = []
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: rates.append(float(model.optimizer.learning_rate)))
    # a resumed run starts with the learning rate of the state; the callback knows the initial one
    model.optimizer.learning_rate = 0.1
    model.fit(
        np.ones((2, 1)), np.ones((2, 1)), epochs=6, callbacks=[LinearDecay(0.5, [(0, 6)], [0.5]), record], verbose=0
    )
    # (E - e) / (E - b E) = 3/3, 2/3, 1/3 from epoch 3 on
    np.testing.assert_allclose(rates, [0.5, 0.5, 0.5, 0.5, 1 / 3, 1 / 6], rtol=1e-6)


def factors(schedule, begin: float = 0.5) -> list[float]:
    decay = LinearDecay(begin, schedule, [1.0])
    return [decay.factor(epoch) for epoch in range(schedule[-1][1])]


class TestRescheduled:
    """Runs that are continued with another number of epochs."""

    def test_a_decay_that_has_begun_continues_linearly_to_0(self):
        result = factors(rescheduled(0.5, [[0, 30]], 40, begun=30))
        assert result[:30] == factors([[0, 30]]) and result[29] == pytest.approx(1 / 15)
        # from 1/15 at epoch 29 to 0 at epoch 40
        np.testing.assert_allclose(result[30:], [(40 - epoch) / 11 / 15 for epoch in range(30, 40)], rtol=1e-12)

    @pytest.mark.parametrize("begun", [0, 1, 4, 5])
    def test_before_the_decay_the_whole_schedule_is_replaced(self, begun):
        assert rescheduled(0.5, [[0, 10]], 20, begun) == [[0, 20]]

    def test_with_fewer_epochs_a_late_decay_starts_at_once(self):
        result = factors(rescheduled(0.5, [[0, 20]], 12, begun=10))
        np.testing.assert_allclose(result, [1.0] * 10 + [2 / 3, 1 / 3], rtol=1e-12)

    def test_repeated_changes(self):
        schedule = [[0, 4]]
        for begun, epochs in ((4, 6), (6, 9), (7, 20), (7, 12)):  # no epoch of the schedule of 20 was begun
            schedule = rescheduled(0.5, schedule, epochs, begun)
        assert schedule == [[0, 4], [4, 6], [6, 9], [7, 12]]
        result = factors(schedule)
        assert result[:4] == factors([[0, 4]]) and result[:7] == factors(schedule[:3])[:7]
        assert (np.diff(result) <= 0).all() and result[-1] > 0
        # linearly to 0 from the last factor that is already used
        np.testing.assert_allclose(result[7:], [result[6] * (12 - epoch) / 6 for epoch in range(7, 12)], rtol=1e-12)
