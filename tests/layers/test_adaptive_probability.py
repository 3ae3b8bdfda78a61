"""The adaptive probability of augmentations: its steps by hand, its bounds, replicas and saving."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import AdaptiveProbability
from tests.replicas import two_replicas


def after(adaptive: AdaptiveProbability, signs, count: int = 10) -> list[float]:
    """Returns the probability after each call."""
    return [round(float(adaptive.update(sign, count)), 6) for sign in signs]


def test_it_changes_after_every_four_calls_by_their_images():
    adaptive = AdaptiveProbability(target=0.6, images=400)
    assert after(adaptive, [1.0] * 9) == [0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2]
    # the mean of the four is 0.4 (the call before, and three): below the target
    assert after(adaptive, [0.0, 0.3, 0.3]) == [0.2, 0.2, 0.1]


def test_the_mean_weighs_images_not_calls():
    adaptive = AdaptiveProbability(target=0.6, images=100)
    for sign, count in ((1.0, 7), (0.0, 1), (0.0, 1)):
        adaptive.update(sign, count)
    assert float(adaptive.update(0.0, 1)) == pytest.approx(0.1)  # 7 of 10 signs, above 0.6


def test_it_stays_from_0_to_1():
    adaptive = AdaptiveProbability(images=100)
    assert after(adaptive, [-1.0] * 4) == [0] * 4
    assert max(after(adaptive, [1.0] * 60)) == 1


def test_at_the_target_it_does_not_change():
    adaptive = AdaptiveProbability(target=0.5, images=40)
    assert after(adaptive, [1.0, 0.0, 1.0, 0.0]) == [0] * 4


def test_two_replicas_equal_one_device():
    strategy = two_replicas()
    with strategy.scope():
        adaptive = AdaptiveProbability(images=400)

    @tf.function
    def step():
        strategy.run(lambda: adaptive.update(0.9, 10))

    for _ in range(6):
        step()
    one = AdaptiveProbability(images=400)
    after(one, [0.9] * 6)
    for ours, theirs in zip(adaptive.variables, one.variables, strict=True):
        for local in strategy.experimental_local_results(ours.value):
            np.testing.assert_allclose(local, np.asarray(theirs), rtol=1e-6)


def test_its_configuration_is_saved():
    adaptive = AdaptiveProbability(target=0.5, images=7)
    config = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(adaptive)).get_config()
    assert (config["target"], config["images"]) == (0.5, 7) and not adaptive.trainable_variables


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(({"target": value}, r"target in \(0, 1\)") for value in (0, 1, "high", True, float("nan"))),
        *(({"images": value}, "images as an integer >= 1") for value in (0, 1.5, True)),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=f"Expected {message}; received"):
        AdaptiveProbability(**options)
