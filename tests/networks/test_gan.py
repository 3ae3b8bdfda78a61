"""Fully connected generator and discriminator: ranges, maxout, labels, packing."""

import keras
import numpy as np
import pytest

from keras_gen import networks


def test_images_lie_between_0_and_1_and_vectors_are_unbounded():
    noise = 100 * np.random.default_rng(0).standard_normal((64, 3)).astype(np.float32)
    images = networks.mlp_generator(3, (4, 6, 2), hidden_units=(8,))(noise).numpy()
    assert images.shape == (64, 4, 6, 2) and 0 <= images.min() < 0.1 and 0.9 < images.max() <= 1
    vectors = networks.mlp_generator(3, (2,), hidden_units=(8,))(noise).numpy()
    assert vectors.shape == (64, 2) and np.abs(vectors).max() > 1 and vectors.min() < 0


def test_maxout_is_the_largest_of_its_linear_functions():
    model = networks.mlp_discriminator((3,), hidden_units=(4,), pieces=5)
    first, last = (layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    first.bias.assign(np.linspace(-4, -2, 20))
    x = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    linear = x @ first.kernel.numpy() + first.bias.numpy()
    hidden = linear.reshape(7, 5, 4).max(axis=1)
    np.testing.assert_allclose(model(x), hidden @ last.kernel.numpy() + last.bias.numpy(), rtol=1e-4, atol=1e-6)
    assert (hidden < 0).any()  # a ReLU would have none


def test_default_units():
    # 784 inputs, twice 240 units of 5 pieces, one logit; 100 inputs, twice 1,200 units, 784 pixels
    assert networks.mlp_discriminator((28, 28, 1)).count_params() == 785 * 1200 + 241 * 1200 + 241
    assert networks.mlp_generator(100, (28, 28, 1)).count_params() == 101 * 1200 + 1201 * 1200 + 1201 * 784


def test_dropout_only_in_training():
    keras.utils.set_random_seed(0)
    model = networks.mlp_discriminator((4,), hidden_units=(64,), activation="tanh", dropout=0.5, input_dropout=0.2)
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [0.2, 0.5]
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(model(x), model(x))
    assert np.abs(model(x, training=True) - model(x, training=True)).max() > 1e-3


def test_labels_and_packing():
    generator = networks.mlp_generator(3, (4, 4, 1), hidden_units=(8,), num_classes=5)
    noise, labels = np.ones((2, 3), np.float32), np.eye(5, dtype=np.float32)[[0, 1]]
    images = generator([noise, labels]).numpy()
    assert np.abs(images[0] - images[1]).max() > 1e-3
    assert [each.name for each in generator.inputs] == ["z", "label"]

    model = networks.mlp_discriminator((4, 4, 1), hidden_units=(8,), num_classes=5, packing=2)
    assert [tuple(each.shape) for each in model.inputs] == [(None, 4, 4, 2), (None, 10)]
    packed = np.random.default_rng(0).random((1, 4, 4, 2)).astype(np.float32)
    pair = np.concatenate([labels[:1], labels[1:]], axis=1)
    other = np.concatenate([labels[:1], labels[:1]], axis=1)
    logit = model([packed, pair])
    assert logit.shape == (1, 1)
    assert np.abs(model([packed, other]) - logit).max() > 1e-4  # the second label has an effect
    packed[..., 1] = 1 - packed[..., 1]
    assert np.abs(model([packed, pair]) - logit).max() > 1e-4  # and so does the second image
    assert networks.mlp_discriminator((2,), hidden_units=(8,), packing=3).input_shape == (None, 6)


@pytest.mark.parametrize("build", [lambda s: networks.mlp_generator(3, s), networks.mlp_discriminator])
def test_shapes_of_another_rank(build):
    with pytest.raises(ValueError, match=r"\(height, width, channels\) for images or \(n,\) for vectors; .*\(4, 4\)"):
        build((4, 4))


@pytest.mark.parametrize("packing", [0, 1.5])
def test_packing_is_a_whole_number(packing):
    with pytest.raises(ValueError, match="Expected packing as an integer >= 1"):
        networks.mlp_discriminator((2,), packing=packing)
