"""Every weight of a loss has an effect: it scales a term relative to the other terms of the same player.

With Adam the scale of a whole loss has no effect, so a common weight of all terms of a player would have none.
"""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import zoo
from tests.toy import BATCH
from tests.toys import TOYS

R1, WGAN_GP = {"name": "r1", "gamma": 4.0}, {"name": "wgan_gp", "weight": 40.0, "target": 0.5}
DRIFT = {"name": "wasserstein", "drift": 0.1}
# system -> settings that are doubled together, the first of them in `make test`, all in `make test-all`
CASES = {
    # doubling both would have no effect on a separate player of the information loss
    "infogan": [{"category_weight": 1.0, "code_weight": 0.1}, {"category_weight": 1.0}, {"code_weight": 0.1}],
    "stargan": [{"classification_weight": 1.0}, {"reconstruction_weight": 10.0}, {"penalty_weight": 10.0}],
    "cyclegan": [
        *({"cycle_weight": 10.0}, {"identity_weight": 5.0}, {"adversarial_weight": 1.0}),
        {"semantic_weight": 1.0},
    ],
    "puzzlegan": [{"spatial_weight": 10.0}, {"adversarial_weight": 1.0}, {"appearance_weight": 50.0}],
    "text2image": [{"style_weight": 0.01}, {"matching_weight": 1.0}, {"penalty": R1}],
    "gan": [{"penalty": R1}],
    "progan": [{"objective": DRIFT}, {"penalty": WGAN_GP}],
    "vae": [{"beta": 1.0}],
}
PARAMS = [
    pytest.param(key, case, id=f"{key}-{'+'.join(case)}", marks=() if case is CASES[key][0] else pytest.mark.slow)
    for key in CASES
    for case in CASES[key]
]
# Relative difference of the steps. Measured: 0.004 (a term of a batch of four captions) to 0.3, and 2e-10 for an
# InfoGAN with a separate player of the information loss.
MIN_DIFFERENCE = 1e-3


def doubled(value):
    """Returns a number times two, or a dict with its weight times two."""
    if isinstance(value, dict):
        return {name: 2 * each if name in ("gamma", "weight", "drift") else each for name, each in value.items()}
    return 2 * value


def classifier(shape) -> keras.Model:
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(3)])


def train(key: str, settings: dict, steps: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Returns all weights before and after some steps of Adam, as vectors."""
    keras.utils.clear_session()
    toy = TOYS[key]
    if "semantic_weight" in settings:
        keras.utils.set_random_seed(1)
        settings = {**settings, "classifier": classifier(toy.image_shape)}
    toy = dataclasses.replace(toy, settings={**toy.settings, **settings})
    model = toy.build(keras.optimizers.Adam(1e-3, epsilon=1e-12))
    start = weights(model)
    batch = next(iter(tf.data.Dataset.from_tensor_slices(toy.columns()).batch(BATCH)))
    for _ in range(steps):  # eager: nothing is traced
        model.train_step(batch)
    return start, weights(model)


def weights(model) -> np.ndarray:
    return np.concatenate([np.ravel(variable.numpy()) for variable in model.trainable_variables])


def test_all_loss_weights_are_listed():
    for key in zoo.SYSTEMS:
        settings = zoo.get(key).settings
        weights_of_losses = {
            name for name in settings if name.endswith("_weight") and name != "min_weight" or name == "beta"
        }
        weights_of_losses |= {name for name in ("penalty", "objective") if isinstance(settings.get(name), dict)}
        assert weights_of_losses == {name for case in CASES.get(key, ()) for name in case}, key


@pytest.mark.parametrize("key, settings", PARAMS)
def test_doubling_a_loss_weight_changes_the_training(key, settings):
    start, once = train(key, settings)
    _, twice = train(key, {name: doubled(value) for name, value in settings.items()})
    assert np.abs(twice - once).mean() > MIN_DIFFERENCE * np.abs(once - start).mean()
