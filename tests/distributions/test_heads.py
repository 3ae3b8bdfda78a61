"""Heads: decoder outputs as distributions over images, against numpy and scipy."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.distributions import heads

from .test_discretized_logistic import exact_masses

ALL = [
    ("bernoulli", 1),
    ("bernoulli", 3),
    ("normal", 3),
    ({"name": "normal", "scale": None}, 3),
    ({"name": "normal", "scale": "shared"}, 3),
    ({"name": "normal", "scale": 0.5, "squash": False}, 3),
    ("discretized_logistic_mixture", 1),
    ({"name": "discretized_logistic_mixture", "components": 5}, 3),
]


def parameters(head, channels, seed=0, leading=(2,)) -> np.ndarray:
    outputs = heads.get(head).outputs(channels)
    return np.random.default_rng(seed).normal(size=(*leading, 4, 5, outputs)).astype(np.float32)


def images(channels, seed=1) -> np.ndarray:
    return (np.random.default_rng(seed).integers(0, 256, (2, 4, 5, channels)) / 255).astype(np.float32)


def distribution(head, raw):
    """The distribution of a decoder's output, with a shared scale at its initial value."""
    head = heads.get(head)
    return head.distribution(raw, *(() if head.initial_log_scale is None else (head.initial_log_scale,)))


def softplus(x):
    return np.logaddexp(0, x)


@pytest.mark.parametrize("head, channels", ALL)
def test_shapes(head, channels):
    raw = parameters(head, channels)
    assert distribution(head, raw).log_prob(images(channels)).shape == [2]
    assert distribution(head, raw).event_shape == [4, 5, channels]
    # codes of several samples have a leading axis
    assert distribution(head, np.stack([raw] * 3)).log_prob(images(channels)[None]).shape == [3, 2]


@pytest.mark.parametrize("head, channels", ALL)
def test_images_are_in_range(head, channels):
    extreme, head = 50 * parameters(head, channels), heads.get(head)
    image = head.image(tf.constant(extreme)).numpy()
    assert image.shape == (2, 4, 5, channels) and image.dtype == np.float32
    assert image.min() >= 0 and image.max() <= 1
    assert image.std() > 0.1  # not constant


def test_bernoulli():
    logits = parameters("bernoulli", 1)
    binary = (images(1) > 0.5).astype(np.float32)
    p = special.expit(logits.astype(np.float64))
    by_hand = (binary * np.log(p) + (1 - binary) * np.log(1 - p)).sum((1, 2, 3))
    head = heads.get("bernoulli")
    np.testing.assert_allclose(head.distribution(logits).log_prob(binary), by_hand, rtol=1e-5)
    np.testing.assert_allclose(head.image(tf.constant(logits)), p, rtol=1e-5)
    assert np.isfinite(head.distribution(logits * 1e4).log_prob(binary)).all()


@pytest.mark.parametrize("scale", [0.1, 0.5])
def test_normal_with_a_fixed_scale(scale):
    raw, x = parameters("normal", 3), images(3)
    head = heads.get({"name": "normal", "scale": scale})
    by_hand = stats.norm.logpdf(x, special.expit(raw), scale).sum((1, 2, 3))
    np.testing.assert_allclose(head.distribution(raw).log_prob(x), by_hand, rtol=1e-5)
    np.testing.assert_allclose(head.image(tf.constant(raw)), special.expit(raw), rtol=1e-5)


def test_normal_with_a_learned_scale():
    name = {"name": "normal", "scale": None}
    raw, x = parameters(name, 3), images(3)
    mean, scale = special.expit(raw[..., :3]), 1e-3 + softplus(raw[..., 3:] - 2)
    by_hand = stats.norm.logpdf(x, mean, scale).sum((1, 2, 3))
    np.testing.assert_allclose(heads.get(name).distribution(raw).log_prob(x), by_hand, rtol=1e-4)  # 1 / scale^2
    np.testing.assert_allclose(heads.get(name).image(tf.constant(raw)), mean, rtol=1e-5)
    floor = heads.get(name).distribution(np.full((1, 2, 2, 2), -1e4, np.float32))
    np.testing.assert_allclose(floor.stddev(), np.full((1, 2, 2, 1), 1e-3), rtol=1e-5)


SHARED = {"name": "normal", "scale": "shared"}


def test_normal_with_a_shared_scale():
    raw, x, head = parameters("normal", 3), images(3), heads.get(SHARED)
    scale = 1e-3 + np.exp(-1.7)
    by_hand = stats.norm.logpdf(x, special.expit(raw), scale).sum((1, 2, 3))
    np.testing.assert_allclose(head.distribution(raw, -1.7).log_prob(x), by_hand, rtol=1e-5)
    np.testing.assert_allclose(head.image(tf.constant(raw)), special.expit(raw), rtol=1e-5)
    assert head.outputs(3) == 3 and head.initial_log_scale == math.log(0.1)


def test_a_shared_scale_is_a_density():
    head, logit = heads.get(SHARED), np.zeros((1, 1, 1, 1), np.float32)
    steps = np.linspace(-1, 2, 30_001, dtype=np.float32).reshape(-1, 1, 1, 1)  # 5 scales around the mean of 1/2
    density = np.exp(head.distribution(logit, math.log(0.3)).log_prob(steps))
    assert float(density.sum() * 3 / 30_000) == pytest.approx(1, abs=1e-4)


def test_the_best_shared_scale_is_the_root_mean_squared_error():
    raw, x, head = parameters("normal", 1), images(1), heads.get(SHARED)
    best = np.sqrt(np.mean((x - special.expit(raw)) ** 2))
    log_scale = tf.Variable(math.log(best - 1e-3))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(head.distribution(raw, log_scale).log_prob(x))
    assert float(tape.gradient(total, log_scale)) == pytest.approx(0, abs=1e-2)  # a sum of 40 terms of order 1
    for other in (0.9 * best, 1.1 * best):
        assert float(tf.reduce_sum(head.distribution(raw, math.log(other - 1e-3)).log_prob(x))) < float(total)


def test_normal_without_squashing_is_linear():
    head = heads.get({"name": "normal", "scale": 0.2, "squash": False})
    raw, x = parameters("normal", 1), images(1)
    np.testing.assert_allclose(head.distribution(raw).mean(), raw)
    by_hand = stats.norm.logpdf(x, raw, 0.2).sum((1, 2, 3))
    np.testing.assert_allclose(head.distribution(raw).log_prob(x), by_hand, rtol=1e-5)
    np.testing.assert_allclose(head.image(tf.constant(raw)), np.clip(raw, 0, 1))


@pytest.mark.parametrize("components, channels", [(1, 1), (3, 1), (3, 3)])
def test_mixture_by_direct_sums(components, channels):
    name = {"name": "discretized_logistic_mixture", "components": components}
    raw, x = parameters(name, channels), images(channels)
    logits = raw[..., :components].astype(np.float64)
    weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    raw_loc = raw[..., components : components * (1 + channels)].reshape(2, 4, 5, components, channels)
    initial_logits = {1: [0.0], 3: [-1.5, 0.0, 1.5]}[components]
    loc = 1 / (1 + np.exp(-(raw_loc + np.array(initial_logits)[:, None])))
    scale = 1e-3 + softplus(raw[..., components * (1 + channels) :].reshape(2, 4, 5, components, channels) - 2)
    level = np.round(x * 255).astype(int)
    total = np.zeros(2)
    for index in np.ndindex(2, 4, 5):
        pixel = 0.0
        for k in range(components):
            product = math.prod(
                exact_masses(loc[(*index, k, c)], scale[(*index, k, c)])[level[(*index, c)]] for c in range(channels)
            )
            pixel += weights[(*index, k)] * product
        total[index[0]] += math.log(pixel)
    head = heads.get(name)
    np.testing.assert_allclose(head.distribution(raw).log_prob(x), total, rtol=1e-5)  # float32, 20 pixels
    image = (weights[..., None] * loc).sum(-2)
    np.testing.assert_allclose(head.image(tf.constant(raw)), image, rtol=1e-5, atol=1e-6)


def test_a_mixture_pixel_is_a_distribution():
    head = heads.get("discretized_logistic_mixture")
    raw = tf.constant(np.random.default_rng(3).normal(size=(1, 1, 1, 9)).astype(np.float32))
    every_level = (np.arange(256, dtype=np.float32) / 255).reshape(256, 1, 1, 1)
    total = tf.reduce_sum(tf.exp(head.distribution(raw).log_prob(every_level)))
    assert float(total) == pytest.approx(1.0, abs=1e-4)


def test_support():
    assert [heads.get(name).support for name in heads.HEADS] == ["binary", "continuous", "8-bit"]


@pytest.mark.parametrize(
    "head, message",
    [
        ("gauss", "Expected head as one of bernoulli, normal, discretized_logistic_mixture.*; received 'gauss'"),
        ({"scale": 1.0}, "Expected head as one of"),
        ({"name": "normal", "sigma": 1.0}, "Expected arguments of the head 'normal'; received"),
        ({"name": "normal", "scale": 0.0}, "Expected scale > 0, 'shared' .* or None .*; received 0.0"),
        ({"name": "normal", "scale": "learned"}, "Expected scale > 0, 'shared' .* or None .*; received 'learned'"),
        ({"name": "discretized_logistic_mixture", "components": 0}, "Expected components >= 1"),
    ],
)
def test_errors(head, message):
    with pytest.raises(ValueError, match=message):
        heads.get(head)
