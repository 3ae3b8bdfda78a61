"""The training of the default feature network, at a tiny size."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import feature_network
from benchmarks.feature_network import (
    DAMAGE_WEIGHT,
    MAX_DEGREES,
    batch_of,
    build,
    damage,
    features_of,
    folded,
    loss_of,
    train,
    with_damage,
)
from keras_gen.evaluation.features.small_network import apply_network


@pytest.fixture(scope="module")
def sets():
    generator = np.random.default_rng(0)
    images = generator.random((40, 32, 32, 3)).astype(np.float32)
    classes = {
        "shapes": dict.fromkeys(feature_network.SHAPE_FACTORS, generator.integers(0, 3, 40)),
        "digits": {"digit": generator.integers(0, 10, 40)},
        "emoji": {"group": np.full(40, -1), "subgroup": np.arange(40), "tone": np.zeros(40, int)},
    }
    return {name: (images, labels) for name, labels in classes.items()}


def test_degrees_are_those_of_the_damage():
    images = np.zeros((200, 32, 32, 3), np.float32)
    images[:, 8:24, 8:24] = 0.5
    others = np.ones_like(images)
    damaged, degrees = damage(images, others, np.random.default_rng(0))
    assert ((degrees > 0).sum(axis=1) == 1).all() and degrees.max() <= 1
    blurs, noises, mixtures = (degrees[:, kind] > 0 for kind in range(3))
    assert min(blurs.sum(), noises.sum(), mixtures.sum()) > 40
    # a blur conserves the mean, a mixture with 1 moves the corner to its fraction
    np.testing.assert_allclose(damaged[blurs].mean((1, 2, 3)), images[0].mean(), rtol=1e-3)
    np.testing.assert_allclose(damaged[mixtures][:, 0, 0, 0], 0.5 * degrees[mixtures, 2] ** 2, rtol=1e-4)
    center = damaged[noises][:, 12:20, 12:20]
    small = degrees[noises, 1] < 0.5  # without clipping
    np.testing.assert_allclose(center[small].std(axis=(1, 2, 3)), degrees[noises, 1][small] ** 2, rtol=0.3)


def test_targets_of_a_batch(sets):
    images, targets = batch_of(sets, np.random.default_rng(0))
    whole = sum(feature_network.BATCH.values())
    assert images.shape == (whole + feature_network.DAMAGED, 32, 32, 3)
    assert (targets["kind"][:whole] == 0).all() and (targets["kind"][whole:] > 0).all()
    # a class belongs to the images of its source, before damage
    rows = np.cumsum([0, *feature_network.BATCH.values()])
    for head, index in (("shape", 0), ("digit", 1), ("subgroup", 2)):
        known = np.flatnonzero(targets[head] >= 0)
        np.testing.assert_array_equal(known, np.arange(rows[index], rows[index + 1]))
    assert (targets["group"] == -1).all()


def test_unknown_classes_have_no_loss(sets):
    images, targets = batch_of(sets, np.random.default_rng(0))
    _, model, classes = build()
    outputs = model(images)
    other = {**outputs, "group": outputs["group"] + 7.0 * tf.one_hot(0, 10)}
    first, second = (float(loss_of(each, targets, tf.constant(images))) for each in (outputs, other))
    assert first == pytest.approx(second)
    assert set(outputs) == {*classes, "degrees", "thumbnail"}


def test_folding_changes_nothing(sets):
    keras.utils.set_random_seed(0)
    trunk, model, _ = build()
    train(model, sets, 3, seed=0)
    images = sets["shapes"][0]
    np.testing.assert_allclose(apply_network(tf.constant(images), folded(trunk)), trunk(images), atol=1e-3)


def test_damage_is_predicted_by_the_last_layer():
    """Gray images have neither blur nor mixtures, and even random filters show their noise."""
    generator = np.random.default_rng(0)
    images = np.full((300, 32, 32, 3), 0.5, np.float32)
    shapes = [(3, 3, 3, 4), *[(3, 3, 4, 4)] * 4]
    layers = [(generator.normal(0, 0.3, shape).astype(np.float32), np.zeros(4, np.float32)) for shape in shapes]
    layers.append((generator.normal(0, 0.3, (64, 64)).astype(np.float32), np.zeros(64, np.float32)))
    extended, explained = with_damage(layers, {"gray": (images, {})}, 0)
    assert set(explained) == set(MAX_DEGREES) and explained["noise"] > 0.8
    outputs = features_of(images, extended)
    # the features are the same, and whole images have no damage
    np.testing.assert_array_equal(outputs[:, :64], features_of(images, layers))
    noisy = np.clip(images + generator.standard_normal(images.shape).astype(np.float32), 0, 1)
    assert np.abs(outputs[:, 64:].mean(axis=0) / DAMAGE_WEIGHT).max() < 0.25
    assert features_of(noisy, extended)[:, 65].mean() / DAMAGE_WEIGHT > 0.5
