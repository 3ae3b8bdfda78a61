"""Every preset builds and takes a training step; the weights of `paper` are those that were published."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import zoo
from keras_gen.zoo.weights import weights_of
from tests.toys import TOYS

# Publications round to three digits (2e-4 to 3e-3); biases and scales of normalizations differ by 5e-4, and the toy has
# an attribute less than CelebA (4e-4).
TOLERANCE = 5e-3


def step(key: str, preset: str, image_shape: tuple[int, int, int], num: int) -> keras.Model:
    """Trains a preset for one step on `num` images, checks that it learns, and returns the model."""
    keras.backend.clear_session()
    toy = dataclasses.replace(TOYS[key], image_shape=image_shape)
    derived = {name: toy.settings[name] for name in toy.derived_settings}
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(zoo.get(key, preset).precision)
    try:
        model = zoo.build(key, image_shape, preset=preset, seed=1, **derived)
        before = {variable.path: variable.numpy() for variable in model.trainable_variables}
        batch = {name: tf.constant(column) for name, column in toy.columns(num).items()}
        logs = model.train_step(batch)  # eager: nothing is traced
    finally:
        keras.config.set_dtype_policy(former)
    assert all(np.isfinite(value) for value in logs.values()), logs
    for name in weights_of(model):
        variables = getattr(model, name).trainable_variables
        changed = [(before[variable.path] != variable.numpy()).any() for variable in variables]
        assert any(changed) or not variables, f"{name} does not learn"
    return model


@pytest.mark.parametrize("key", zoo.SYSTEMS)
def test_small_takes_a_step(key):
    step(key, "small", (16, 16, TOYS[key].image_shape[2]), num=4)


@pytest.mark.slow
@pytest.mark.parametrize("key", zoo.SYSTEMS)
def test_gpu_takes_a_step_at_a_small_size(key):
    step(key, "gpu", (16, 16, TOYS[key].image_shape[2]), num=4)


@pytest.mark.slow
@pytest.mark.parametrize("key", zoo.SYSTEMS)
def test_paper_takes_a_step_at_full_size_and_has_the_published_weights(key):
    paper = zoo.get(key).presets["paper"]
    # one or two images for each update of the critic; ProGAN begins with its smallest stage
    model = step(key, "paper", paper.image_shape, num={"cyclegan": 1, "stargan": 5}.get(key, 2))
    counted = weights_of(model)
    assert {name: counted[name] for name in paper.weights} == pytest.approx(dict(paper.weights), rel=TOLERANCE)
