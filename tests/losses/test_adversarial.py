"""Adversarial objectives by hand: losses of known logits, and theoretical values of the value function."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import Objective, adversarial
from keras_gen.losses.adversarial import OBJECTIVES, WITH_LABEL_SMOOTHING

LOG3 = math.log(3)  # the logit of 3/4
LOG4 = math.log(4)


def means(real, generated) -> dict:
    return {"real_mean": tf.reduce_mean(real), "generated_mean": tf.reduce_mean(generated)}


@pytest.mark.parametrize(
    "name, real, generated, discriminator, generator",
    [
        # D = 3/4, 1/2 on real and 1/4, 3/4 on generated examples
        ("minimax", [LOG3, 0], [-LOG3, LOG3], [2 * math.log(4 / 3), math.log(8)], [math.log(3 / 4), math.log(1 / 4)]),
        ("non_saturating", [LOG3, 0], [-LOG3, LOG3], [2 * math.log(4 / 3), math.log(8)], [LOG4, math.log(4 / 3)]),
        ("least_squares", [3, 0.5], [-1, 2], [2.5, 2.125], [2, 0.5]),
        ("hinge", [3, 0.5], [-1.5, 2], [0, 3.5], [1.5, -2]),
        ("wasserstein", [3, 0.5], [-1.5, 2], [-4.5, 1.5], [1.5, -2]),
        # means log 3 and 0: D(r) = 9/10, 1/2 and D(g) = 1/4, 1/4
        (
            "relativistic_average", [2 * LOG3, 0], [0, 0],
            [math.log(10 / 9 * 4 / 3), math.log(2 * 4 / 3)], [math.log(4 * 10), math.log(4 * 2)],
        ),
    ],
)  # fmt: skip
def test_losses(name, real, generated, discriminator, generator):
    objective = adversarial.get(name)
    real, generated = tf.constant(real, tf.float32), tf.constant(generated, tf.float32)
    statistics = means(real, generated) if objective.needs_means else {}
    inputs = {"real_logits": real} if objective.generator_needs_real else {}
    np.testing.assert_allclose(objective.discriminator(real, generated, **statistics), discriminator, rtol=1e-6)
    np.testing.assert_allclose(objective.generator(generated, **inputs, **statistics), generator, rtol=1e-6)
    # unneeded arguments are ignored
    statistics = means(real, generated)
    np.testing.assert_allclose(objective.generator(generated, real_logits=real, **statistics), generator, rtol=1e-6)


@pytest.mark.parametrize(
    "name, discriminator",
    [
        ("minimax", [-0.8 * math.log(3 / 4) - 0.2 * math.log(1 / 4) + math.log(2)]),
        ("non_saturating", [-0.8 * math.log(3 / 4) - 0.2 * math.log(1 / 4) + math.log(2)]),
        ("relativistic_average", [-0.8 * math.log(3 / 4) - 0.2 * math.log(1 / 4) + math.log(4 / 3)]),
        ("least_squares", [(LOG3 - 0.8) ** 2 / 2]),
    ],
)
def test_smoothing_is_one_sided_and_only_in_the_discriminators_loss(name, discriminator):
    smooth, plain = adversarial.get({"name": name, "label_smoothing": 0.2}), adversarial.get(name)
    real, generated = tf.constant([LOG3]), tf.constant([0.0])
    statistics = means(real, generated)
    np.testing.assert_allclose(smooth.discriminator(real, generated, **statistics), discriminator, rtol=1e-6)
    np.testing.assert_array_equal(
        smooth.generator(generated, real_logits=real, **statistics),
        plain.generator(generated, real_logits=real, **statistics),
    )


def test_value_function_of_minimax():
    objective = adversarial.get("minimax")
    zeros = tf.zeros([3])
    np.testing.assert_allclose(-objective.discriminator(zeros, zeros), [-LOG4] * 3, rtol=1e-6)
    # p = (1/4, 1/4, 1/2) and q = (1/2, 1/4, 1/4) as samples of their exact frequencies; D* = p / (p + q)
    p, q = np.array([0.25, 0.25, 0.5]), np.array([0.5, 0.25, 0.25])
    optimal = np.log(p / q).astype(np.float32)
    value = -tf.reduce_mean(objective.discriminator(optimal[[0, 1, 2, 2]], optimal[[0, 0, 1, 2]]))
    middle = (p + q) / 2
    divergence = (p @ np.log(p / middle) + q @ np.log(q / middle)) / 2
    np.testing.assert_allclose(value, 2 * divergence - LOG4, rtol=1e-6)


def test_minimax_is_zero_sum():
    objective, real = adversarial.get("minimax"), tf.constant([0.3, 0.3, 0.3])
    generated = tf.constant([-4.0, 0.0, 5.0])
    total = objective.discriminator(real, generated) + objective.generator(generated)
    # the terms of the generator cancel
    np.testing.assert_allclose(total, [math.log(1 + math.exp(-0.3))] * 3, rtol=1e-5)


def test_gradients_at_a_confident_discriminator():
    gradient = {}
    for name in ("minimax", "non_saturating", "least_squares", "hinge", "wasserstein"):
        logits = tf.constant([-10.0])
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = adversarial.get(name).generator(logits)
        gradient[name] = float(tape.gradient(loss, logits)[0])
    low = 1 / (1 + math.exp(10))  # D = 4.5e-5
    expected = {"minimax": -low, "non_saturating": -(1 - low), "least_squares": -11, "hinge": -1, "wasserstein": -1}
    assert gradient == pytest.approx(expected, rel=1e-5)


def test_large_logits_stay_finite():
    large = tf.constant([1e5, -1e5])
    for name in OBJECTIVES:
        objective = adversarial.get(name)
        statistics = means(large, -large)
        for loss in (
            objective.discriminator(large, -large, **statistics),
            objective.generator(-large, real_logits=large, **statistics),
        ):
            assert np.isfinite(loss).all(), name


def test_relativistic_gradient_includes_that_of_the_means():
    objective = adversarial.get("relativistic_average")
    real, generated = tf.constant([0.7, -0.2, 1.5]), tf.constant([-0.4, 0.9, 0.1])
    with tf.GradientTape() as tape:
        tape.watch(generated)
        loss = tf.reduce_mean(objective.generator(generated, real_logits=real, **means(real, generated)))
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    r, g = real.numpy(), generated.numpy()
    expected = (-sigmoid(r.mean() - g) - sigmoid(r - g.mean()).mean()) / 3
    np.testing.assert_allclose(tape.gradient(loss, generated), expected, rtol=1e-5)


def test_relativistic_losses_ignore_a_common_shift():
    objective = adversarial.get("relativistic_average")
    real, generated = tf.constant([0.7, -0.2]), tf.constant([-0.4, 0.9])
    losses = [
        objective.discriminator(real + shift, generated + shift, **means(real + shift, generated + shift))
        for shift in (0.0, 3.0)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_accuracy(name):
    objective = adversarial.get(name)
    high, low, same = tf.constant([2.0, 3.0]), tf.constant([-2.0, -1.0]), tf.constant([0.2, 0.2])
    np.testing.assert_array_equal(objective.accuracy(high, low, **means(high, low)), [1, 1])
    np.testing.assert_array_equal(objective.accuracy(low, high, **means(low, high)), [0, 0])
    # a constant discriminator is correct half of the time
    for constant in (same, same - 2.0, same + 2.0):
        np.testing.assert_array_equal(objective.accuracy(constant, constant, **means(constant, constant)), [0.5, 0.5])


@pytest.mark.parametrize(
    "name, accuracy, signs",
    [
        ("minimax", [1, 0.5, 0.5], [1, -1, 1]),  # boundary 0
        ("least_squares", [1, 0.5, 1], [1, -1, 1]),  # 1/2
        ("wasserstein", [1, 0.5, 0.5], [1, -1, 1]),  # (0.5 + 0) / 2, the midpoint of the means
        ("relativistic_average", [1, 0.5, 1], [1, -1, 1]),  # 0 for real and 0.5 for generated examples
    ],
)
def test_accuracy_boundaries(name, accuracy, signs):
    real, generated = tf.constant([1.1, -0.2, 0.6]), tf.constant([-1.0, -0.6, 0.4])
    objective, logit_means = adversarial.get(name), {"real_mean": 0.5, "generated_mean": 0.0}
    np.testing.assert_array_equal(objective.accuracy(real, generated, **logit_means), accuracy)
    np.testing.assert_array_equal(objective.real_signs(real, generated, **logit_means), signs)


def test_a_real_logit_on_the_boundary_has_no_sign():
    for name, boundary in (("hinge", 0.0), ("least_squares", 0.5), ("wasserstein", 1.5)):
        logits = tf.constant([boundary, boundary + 0.1, boundary - 0.1])
        signs = adversarial.get(name).real_signs(logits, logits, real_mean=2.0, generated_mean=1.0)
        np.testing.assert_array_equal(signs, [0, 1, -1])


@pytest.mark.parametrize("name", ["minimax", "non_saturating", "least_squares"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_boundary_is_the_optimal_logit_where_both_densities_are_equal(name, smoothing):
    objective = adversarial.get({"name": name, "label_smoothing": smoothing})
    boundary = tf.constant([objective.boundaries(None)[0]])
    with tf.GradientTape() as tape:
        tape.watch(boundary)
        loss = objective.discriminator(boundary, boundary)
    np.testing.assert_allclose(tape.gradient(loss, boundary), [0], atol=1e-6)


def test_declared_properties():
    objectives = {name: adversarial.get(name) for name in OBJECTIVES}
    assert [name for name, objective in objectives.items() if objective.needs_means] == ["relativistic_average"]
    assert [name for name, objective in objectives.items() if objective.generator_needs_real] == [
        "relativistic_average"
    ]
    assert all(objective.name == name for name, objective in objectives.items())
    assert adversarial.get(objectives["hinge"]) is objectives["hinge"]


def test_float32_from_bfloat16():
    low = tf.constant([0.5, -0.5], tf.bfloat16)
    for name in OBJECTIVES:
        objective = adversarial.get(name)
        assert objective.discriminator(low, low, **means(low, low)).dtype == tf.float32
        assert objective.generator(low, real_logits=low, **means(low, low)).dtype == tf.float32


@pytest.mark.parametrize("name", OBJECTIVES)
def test_shapes_that_would_broadcast(name):
    objective, logits = adversarial.get(name), tf.zeros([3])
    zero = {"real_mean": 0.0, "generated_mean": 0.0}
    with pytest.raises(ValueError, match=r"Expected real_logits as a vector \[batch\].*received the shape \(3, 1\)"):
        objective.discriminator(tf.zeros([3, 1]), logits, **zero)
    with pytest.raises(ValueError, match="Expected generated_logits as a vector"):
        objective.generator(tf.zeros([3, 1]), real_logits=logits, **zero)
    with pytest.raises(ValueError, match="as many real as generated logits for the objective .*; received 1 and 3"):
        objective.discriminator(tf.zeros([1]), logits, **zero)
    vector = tf.TensorSpec([None])
    compiled = tf.function(lambda r, g: objective.discriminator(r, g, **zero), input_signature=[vector, vector])
    assert compiled(logits, logits).shape == [3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many real as generated logits"):
        compiled(tf.zeros([1]), logits)


def test_missing_statistics():
    objective, logits = adversarial.get("relativistic_average"), tf.zeros([2])
    with pytest.raises(ValueError, match="Expected real_mean and generated_mean"):
        objective.discriminator(logits, logits, real_mean=0.0)
    with pytest.raises(ValueError, match="Expected real_logits"):
        objective.generator(logits, real_mean=0.0, generated_mean=0.0)
    with pytest.raises(ValueError, match="Expected generated_mean as a scalar"):
        objective.discriminator(logits, logits, real_mean=0.0, generated_mean=logits)
    with pytest.raises(ValueError, match="Expected real_mean"):
        adversarial.get("wasserstein").accuracy(logits, logits)


@pytest.mark.parametrize(
    "objective, message",
    [
        ("goodfellow", "Expected objective as one of minimax, non_saturating.*; received 'goodfellow'"),
        ({"label_smoothing": 0.1}, "Expected objective as one of"),
        (
            {"name": "hinge", "label_smoothing": 0.1},
            "Expected label_smoothing with one of minimax.*; received it with 'hinge', which has no labels",
        ),
        ({"name": "wasserstein", "label_smoothing": 0.1}, "which has no labels"),
        ({"name": "minimax", "margin": 1}, "Expected arguments of the objective 'minimax'; received"),
    ],
)
def test_unknown(objective, message):
    with pytest.raises(ValueError, match=message):
        adversarial.get(objective)


@pytest.mark.parametrize("name", WITH_LABEL_SMOOTHING)
@pytest.mark.parametrize("smoothing", [-0.1, 0.5, 0.9])
def test_smoothing_out_of_range(name, smoothing):
    with pytest.raises(ValueError, match=f"Expected label_smoothing in .0, 0.5. for the objective '{name}'; received"):
        adversarial.get({"name": name, "label_smoothing": smoothing})


def test_custom_objective():
    custom = Objective("custom", lambda x: x.generated - x.real, lambda x: -x.generated, lambda x: (0.0, 0.0))
    np.testing.assert_array_equal(adversarial.get(custom).discriminator(tf.ones([2]), tf.zeros([2])), [-1, -1])


def test_drift_of_the_wasserstein_critic():
    real, generated = tf.constant([2.0, -1.0]), tf.constant([0.5, 3.0])
    plain, drifting = (adversarial.get({"name": "wasserstein", "drift": drift}) for drift in (0.0, 0.1))
    np.testing.assert_allclose(plain.discriminator(real, generated), [-1.5, 4.0])
    np.testing.assert_allclose(drifting.discriminator(real, generated), [-1.5 + 0.4, 4.0 + 0.1])
    np.testing.assert_array_equal(drifting.generator(generated), plain.generator(generated))
    with pytest.raises(ValueError, match="Expected drift >= 0"):
        adversarial.get({"name": "wasserstein", "drift": -1})
