"""Optimizers of players: a reset restores the initial state."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.models.core.player import reset_optimizer
from tests.replicas import two_replicas

# a MultiOptimizer and a LossScaleOptimizer wrap others
NAMES = sorted(
    name
    for name, each in vars(keras.optimizers).items()
    if isinstance(each, type)
    and issubclass(each, keras.optimizers.Optimizer)
    and name not in ("Optimizer", "MultiOptimizer", "LossScaleOptimizer")
)


def train(optimizer, steps: int = 3):
    """Trains a variable for some steps; returns it and the optimizer's initial state."""
    variable = keras.Variable(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), name="kernel")
    optimizer.build([variable])
    start = [np.array(each.numpy()) for each in optimizer.variables]
    for step in range(steps):
        optimizer.apply([tf.ones((3, 4)) * 0.1 * (step + 1)], [variable])
    return variable, start


def test_all_optimizers_of_keras_are_tested():
    assert {"Adam", "Nadam", "Adagrad", "Ftrl", "RMSprop", "SGD"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_reset_optimizer_equals_a_new_one(name):
    options = {"SGD": {"momentum": 0.9}, "Adagrad": {"initial_accumulator_value": 0.3}}.get(name, {})
    optimizer = getattr(keras.optimizers, name)(0.01, **options)
    variable, start = train(optimizer)
    optimizer.learning_rate = 0.25
    assert any((each.numpy() != value).any() for each, value in zip(optimizer.variables, start, strict=True))
    reset_optimizer(optimizer)
    assert float(optimizer.learning_rate) == 0.25
    new = getattr(keras.optimizers, name)(0.25, **options)
    new.build([variable])
    for actual, expected in zip(optimizer.variables, new.variables, strict=True):
        np.testing.assert_array_equal(actual.numpy(), expected.numpy(), err_msg=actual.path)
    # the next update equals that of a new optimizer
    before, updated = np.array(variable.numpy()), []
    for each in (optimizer, new):
        variable.assign(before)
        each.apply([tf.fill((3, 4), 0.3)], [variable])
        updated.append(np.array(variable.numpy()))
    np.testing.assert_array_equal(*updated)


def test_a_loss_scale_is_kept():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adagrad(0.01), initial_scale=8.0)
    train(optimizer)
    reset_optimizer(optimizer)
    assert float(optimizer.dynamic_scale) == 8.0
    accumulator = next(each for each in optimizer.inner_optimizer.variables if "accumulator" in each.path)
    np.testing.assert_array_equal(accumulator.numpy(), np.float32(np.full((3, 4), 0.1)))


def test_reset_on_every_replica():
    strategy = two_replicas()
    with strategy.scope():
        optimizer = keras.optimizers.Nadam(0.01)
        variable = keras.Variable(np.ones(3, np.float32))
        optimizer.build([variable])
    strategy.run(lambda: optimizer.apply([tf.ones(3)], [variable]))
    reset_optimizer(optimizer)
    for each in optimizer.variables:
        expected = 0.01 if each is optimizer._learning_rate else 1.0 if each is optimizer._u_product else 0.0
        for copy in strategy.experimental_local_results(each.value):
            np.testing.assert_array_equal(copy, np.full(each.shape, expected, np.float32))
