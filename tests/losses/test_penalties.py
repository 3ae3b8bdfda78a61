"""Penalties by name: units and weights of the papers, points of evaluation, and required noise."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.distributions import Noise
from keras_gen.losses import penalties

REAL, GENERATED = tf.constant([[3.0, 4.0]] * 2), tf.constant([[0.0, 8.0]] * 2)
RANDOM = np.random.default_rng(0)
NOISE = {"alpha": tf.constant([[0.0], [0.5]]), "perturbation": tf.constant([[0.0, 0.0], [0.0, 4.0]])}


def quadratic(x):
    """Returns ||x||^2 / 2, whose gradient at x has the norm ||x||."""
    return tf.reduce_sum(tf.square(x), axis=1) / 2


# the norm of dC/dx' with x' = 2 x - 1 is half of that of dC/dx: 5 becomes 2.5, and 8 becomes 4
@pytest.mark.parametrize(
    "penalty, expected",
    [
        ("wgan_gp", [10 * 9, 10 * (np.hypot(1.5, 6) / 2 - 1) ** 2]),
        ("r1", [5 * 2.5**2, 5 * 2.5**2]),
        ("r2", [5 * 16, 5 * 16]),
        ("dragan", [10 * 1.5**2, 10 * (np.hypot(3, 6) / 2 - 1) ** 2]),  # 4 + 0.5 * 0.5 * 2 * 4
        ({"name": "r1", "gamma": 1.0}, [2.5**2 / 2] * 2),
        ({"name": "wgan_gp", "weight": 1}, [9, (np.hypot(1.5, 6) / 2 - 1) ** 2]),
        ({"name": "wgan_gp", "weight": 1, "target": 3.0}, [1, (np.hypot(1.5, 6) / 2 - 3) ** 2]),
        ({"name": "dragan", "weight": 1, "scale": 1.0}, [1.5**2, (np.hypot(3, 8) / 2 - 1) ** 2]),
        ({"name": "dragan", "weight": 1, "target": 0.5}, [4, (np.hypot(3, 6) / 2 - 0.5) ** 2]),
    ],
)
def test_weighted_values(penalty, expected):
    losses = penalties.get(penalty).per_example(quadratic, REAL, GENERATED, NOISE, stddev=2.0)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


@pytest.mark.parametrize("name", penalties.PENALTIES)
def test_units_are_those_of_images_from_minus_one_to_one(name):
    """A penalty of images in [0, 1] equals the formula on the same images, scaled to [-1, 1] as the papers do."""
    real, generated = (RANDOM.random((3, 2), np.float32) for _ in range(2))
    noise = {"alpha": RANDOM.random((3, 1), np.float32), "perturbation": RANDOM.random((3, 2), np.float32)}
    weights = tf.constant([[1.0, -2.0], [0.5, 3.0]])

    def discriminator(scaled):  # of images in [-1, 1], as inside of a network
        return tf.reduce_sum(tf.tanh(tf.matmul(scaled, weights)), axis=1)

    penalty = penalties.get(name)
    actual = penalty.per_example(lambda x: discriminator(2.0 * x - 1.0), real, generated, noise, stddev=0.3)
    papers = penalty.formula(discriminator, 2.0 * real - 1.0, 2.0 * generated - 1.0, noise, 0.6)
    # one gradient norm is nearly 1, so its difference from 1 has few digits in float32
    np.testing.assert_allclose(actual, penalty.weight * papers, rtol=1e-5, atol=1e-6)


def test_required_noise():
    noise = {name: penalties.get(name).noise((4, 4, 3)) for name in penalties.PENALTIES}
    alpha = {"alpha": Noise("uniform", (1,))}
    assert noise == {
        "wgan_gp": alpha,
        "r1": {},
        "r2": {},
        "dragan": alpha | {"perturbation": Noise("normal", (4, 4, 3))},
    }
    assert [name for name in noise if penalties.get(name).needs_stddev] == ["dragan"]
    penalty = penalties.get("r1")
    assert penalties.get(penalty) is penalty


def test_errors():
    for penalty, message in [
        ("r3", "Expected penalty as one of wgan_gp, r1, r2, dragan.*; received 'r3'"),
        ({"gamma": 1.0}, "Expected penalty as one of"),
        ({"name": "r1", "weight": 1.0}, "Expected arguments of the penalty 'r1'; received"),
        ({"name": "r2", "gamma": 0.0}, "Expected a weight > 0"),
        ({"name": "dragan", "scale": 0}, "Expected scale > 0"),
        ({"name": "wgan_gp", "target": 0}, "Expected target > 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            penalties.get(penalty)
    with pytest.raises(ValueError, match="Expected alpha for the penalty 'wgan_gp'"):
        penalties.get("wgan_gp").per_example(quadratic, REAL, GENERATED, {})
    with pytest.raises(ValueError, match="Expected perturbation, stddev for the penalty 'dragan'"):
        penalties.get("dragan").per_example(quadratic, REAL, GENERATED, {"alpha": NOISE["alpha"]})
