"""Penalties by name: the papers' weights, the points they are taken at, and the noise they ask for."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.distributions import Noise
from keras_gen.losses import penalties

REAL, GENERATED = tf.constant([[3.0, 4.0]] * 2), tf.constant([[0.0, 8.0]] * 2)
NOISE = {"alpha": tf.constant([[0.0], [0.5]]), "perturbation": tf.constant([[0.0, 0.0], [0.0, 4.0]])}


def quadratic(x):
    """||x||^2 / 2, whose slope at x is ||x||."""
    return tf.reduce_sum(tf.square(x), axis=1) / 2


@pytest.mark.parametrize(
    "penalty, expected",
    [
        ("wgan_gp", [10 * 49, 10 * (np.hypot(1.5, 6) - 1) ** 2]),
        ("r1", [5 * 25, 5 * 25]),
        ("r2", [5 * 64, 5 * 64]),
        ("dragan", [10 * 16, 10 * (np.hypot(3, 6) - 1) ** 2]),  # 4 + 0.5 * 0.5 * 2 * 4
        ({"name": "r1", "gamma": 1.0}, [12.5, 12.5]),
        ({"name": "wgan_gp", "weight": 1}, [49, (np.hypot(1.5, 6) - 1) ** 2]),
        ({"name": "dragan", "weight": 1, "scale": 1.0}, [16, (np.hypot(3, 8) - 1) ** 2]),
    ],
)
def test_weighted_values(penalty, expected):
    rows = penalties.get(penalty).rows(quadratic, REAL, GENERATED, NOISE, deviation=2.0)
    np.testing.assert_allclose(rows, expected, rtol=1e-6)


def test_the_noise_asked_for():
    asked = {name: penalties.get(name).noise((4, 4, 3)) for name in penalties.PENALTIES}
    alpha = {"alpha": Noise("uniform", (1,))}
    assert asked == {
        "wgan_gp": alpha,
        "r1": {},
        "r2": {},
        "dragan": alpha | {"perturbation": Noise("normal", (4, 4, 3))},
    }
    assert [name for name in asked if penalties.get(name).needs_deviation] == ["dragan"]
    mine = penalties.get("r1")
    assert penalties.get(mine) is mine


def test_errors():
    for penalty, message in [
        ("r3", "Unknown penalty 'r3': expected one of wgan_gp, r1, r2, dragan"),
        ({"gamma": 1.0}, "Unknown penalty"),
        ({"name": "r1", "weight": 1.0}, "'r1' does not take the arguments"),
        ({"name": "r2", "gamma": 0.0}, "weight must be > 0"),
        ({"name": "dragan", "scale": 0}, "scale must be > 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            penalties.get(penalty)
    with pytest.raises(ValueError, match="'wgan_gp' needs alpha"):
        penalties.get("wgan_gp").rows(quadratic, REAL, GENERATED, {})
    with pytest.raises(ValueError, match="'dragan' needs perturbation, deviation"):
        penalties.get("dragan").rows(quadratic, REAL, GENERATED, {"alpha": NOISE["alpha"]})
