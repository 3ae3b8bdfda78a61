"""Packs of neighboring examples and their inverse."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import pack, repeat_per_example
from keras_gen.losses.packing import unpack


def test_vectors():
    assert pack(tf.constant([[1, 2], [3, 4], [5, 6], [7, 8]]), 2).numpy().tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("shape, size", [((6, 4, 5, 3), 3), ((4, 2, 2, 1), 2), ((4, 7), 4), ((3, 2, 2, 3), 1)])
def test_round_trip(shape, size):
    examples = np.random.default_rng(0).random(shape, np.float32)
    packs = pack(examples, size)
    channels = shape[-1]
    assert packs.shape == (shape[0] // size, *shape[1:-1], channels * size)
    for position in range(size):
        example = packs[..., position * channels : (position + 1) * channels]
        np.testing.assert_array_equal(example, examples[position::size])
    np.testing.assert_array_equal(unpack(packs, size), examples)


def test_unknown_batch():
    compiled = tf.function(lambda x: pack(x, 2), input_signature=[tf.TensorSpec([None, 2, 2, 3])])
    examples = np.random.default_rng(0).random((4, 2, 2, 3), np.float32)
    np.testing.assert_array_equal(compiled(examples), pack(examples, 2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected a batch that is a multiple of the pack size 2"):
        compiled(examples[:3])
    inverse = tf.function(lambda x: unpack(x, 2), input_signature=[tf.TensorSpec([None, 2, 2, 6])])
    np.testing.assert_array_equal(inverse(pack(examples, 2)), examples)


def test_spread_keeps_the_mean():
    values = tf.constant([1.0, 5.0, 3.0])
    np.testing.assert_array_equal(repeat_per_example(values, 2), [1, 1, 5, 5, 3, 3])
    assert float(tf.reduce_mean(repeat_per_example(values, 2))) == 3.0 == float(tf.reduce_mean(values))


def test_errors():
    with pytest.raises(ValueError, match="Expected a batch that is a multiple of the pack size 2; received 3 examples"):
        pack(tf.zeros([3, 4]), 2)
    with pytest.raises(ValueError, match="Expected examples .batch, ..., channels."):
        pack(tf.zeros([4]), 2)
    with pytest.raises(ValueError, match="one value per pack"):
        repeat_per_example(tf.zeros([4, 1]), 2)
    with pytest.raises(ValueError, match="static channels that are a multiple of 2"):
        unpack(tf.zeros([4, 3]), 2)
    for size in (0, 1.5):
        with pytest.raises(ValueError, match="Expected the pack size as an integer >= 1"):
            pack(tf.zeros([4, 1]), size)
        with pytest.raises(ValueError, match="Expected the pack size as an integer >= 1"):
            repeat_per_example(tf.zeros([4]), size)
