"""The length of a training in a benchmark: its steps or its processor time, and the learning rates until then."""

import types

import keras
import numpy as np
import pytest

from benchmarks import budget
from benchmarks.budget import Budget
from keras_gen.models.core.player import Optimizers


@pytest.fixture
def clock(monkeypatch):
    clock = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(budget.time, "process_time", lambda: clock.now)
    return clock


def begin(callback: Budget) -> tuple[types.SimpleNamespace, list[keras.optimizers.Optimizer]]:
    """Starts a callback with a model of two players, and returns the model and its optimizers."""
    optimizers = {"discriminator": keras.optimizers.Adam(0.2), "generator": keras.optimizers.Adam(1.0)}
    model = types.SimpleNamespace(optimizer=Optimizers(optimizers), stop_training=False)
    callback.set_model(model)
    callback.on_train_begin()
    return model, list(optimizers.values())


def rates(optimizers) -> list[float]:
    return [float(each.learning_rate) for each in optimizers]


def test_rates_fall_over_the_second_half_of_a_time_that_ends_training(clock):
    callback = Budget(100.0)
    model, optimizers = begin(callback)
    for now, share in ((5.0, 1.0), (50.0, 1.0), (80.0, 0.5), (100.0, 0.1)):  # measured from the end of the first step
        clock.now = now
        callback.on_train_batch_end(0)
        np.testing.assert_allclose(rates(optimizers), [0.2 * share, share], rtol=1e-5)
        assert not model.stop_training
    clock.now = 105.0
    callback.on_train_batch_end(0)
    assert model.stop_training and callback.done == 5 and rates(optimizers) == [0.0, 0.0]


def test_excluded_time_does_not_count(clock):
    callback = Budget(100.0)
    model, _ = begin(callback)
    callback.on_train_batch_end(0)
    clock.now = 130.0
    callback.exclude(40.0)
    callback.on_train_batch_end(1)
    assert callback.spent == 90.0 and not model.stop_training


def test_steps_end_training(clock):
    callback = Budget(steps=4)
    model, optimizers = begin(callback)
    for share, stops in ((1.0, False), (1.0, False), (0.5, False), (0.0, True)):
        callback.on_train_batch_end(0)
        np.testing.assert_allclose(rates(optimizers), [0.2 * share, share], rtol=1e-6)
        assert model.stop_training == stops


@pytest.mark.parametrize("options", [{}, {"seconds": 1.0, "steps": 1}])
def test_either_a_time_or_steps_are_given(options):
    with pytest.raises(ValueError, match="Expected either seconds or steps; received"):
        Budget(**options)
