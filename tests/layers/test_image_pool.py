"""The pool of past images: it is filled first and exchanges images afterwards, without losing or mixing any."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import ImagePool
from tests.replicas import two_replicas


def images(*values) -> tf.Tensor:
    """Returns images of one pixel."""
    return tf.reshape(tf.constant(values, tf.float32), (-1, 1, 1, 1))


def values(tensor) -> list[float]:
    return np.asarray(tensor).ravel().tolist()


def test_images_are_stored_and_returned_until_the_pool_is_full():
    pool = ImagePool(4, (1, 1, 1))
    assert values(pool(images(1, 2, 3), coins=[0.0, 0.0, 0.0], slot_order=[0.1, 0.2, 0.3, 0.4])) == [1, 2, 3]
    assert values(pool.images) == [1, 2, 3, 0] and int(pool.count) == 3


def test_images_beyond_the_free_slots_are_exchanged_only_for_earlier_ones():
    pool = ImagePool(3, (1, 1, 1))
    pool(images(1, 2), coins=[0.0, 0.0], slot_order=[0.1, 0.2, 0.3])
    # row 0 fills slot 2; row 1 is assigned slot argsort[1] = 0 and is exchanged for 1
    out = pool(images(5, 6), coins=[0.0, 0.0], slot_order=[0.2, 0.5, 0.1])
    assert values(out) == [5, 1] and values(pool.images) == [6, 2, 5] and int(pool.count) == 3
    pool = ImagePool(3, (1, 1, 1))
    pool(images(1, 2), coins=[0.0, 0.0], slot_order=[0.1, 0.2, 0.3])
    # row 1 is assigned slot 2, which was empty before the call: no exchange
    assert values(pool(images(5, 6), coins=[0.0, 0.0], slot_order=[0.1, 0.3, 0.2])) == [5, 6]
    assert values(pool.images) == [1, 2, 5]


def test_a_full_pool_exchanges_images_with_a_uniform_below_one_half():
    pool = ImagePool(3, (1, 1, 1))
    pool(images(1, 2, 3), coins=[0.0] * 3, slot_order=[0.1, 0.2, 0.3])
    # the slots in order are 2, 0, 1: row 0 has slot 2 (not exchanged), row 1 has slot 0 (exchanged)
    out = pool(images(7, 8), coins=[0.5, 0.49], slot_order=[0.5, 0.9, 0.1])
    assert values(out) == [7, 1] and values(pool.images) == [8, 2, 3]
    out = pool(images(4, 5, 6), coins=[0.0] * 3, slot_order=[0.3, 0.1, 0.2])  # order 1, 2, 0
    assert values(out) == [2, 3, 8] and values(pool.images) == [6, 4, 5]


def test_half_of_the_returned_images_are_older_and_all_were_passed_in():
    pool, generator = ImagePool(50, (1, 1, 1)), np.random.default_rng(0)
    older, total, recorded = 0, 0, set()
    for step in range(300):
        inputs = np.arange(8) + 8.0 * step
        recorded |= set(inputs)
        out = values(pool(images(*inputs), coins=generator.random(8), slot_order=generator.random(50)))
        assert set(out) <= recorded and len(set(out)) == 8
        if step >= 7:  # the pool is full
            older, total = older + sum(value < inputs[0] for value in out), total + 8
    # 2,344 flips of a fair coin: the standard error is 0.0103
    assert older / total == pytest.approx(0.5, abs=0.04)


def test_no_gradient_and_no_half_precision():
    pool = ImagePool(2, (1, 1, 1))
    inputs = images(1.0)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        out = pool(tf.cast(inputs, tf.bfloat16), coins=[0.0], slot_order=[0.1, 0.2])
    assert tape.gradient(out, inputs) is None and out.dtype == tf.float32
    assert not pool.trainable_variables and len(pool.variables) == 2


def test_more_images_than_slots_raise():
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected a batch of at most 2 images"):
        ImagePool(2, (1, 1, 1))(images(1, 2, 3), coins=[0.0] * 3, slot_order=[0.1, 0.2])
    with pytest.raises(ValueError, match="Expected size as an integer >= 1; received 0"):
        ImagePool(0, (1, 1, 1))


def test_saving():
    pool = ImagePool(3, (1, 2, 1), name="past")
    again = ImagePool.from_config(pool.get_config())
    assert (again.size, again.image_shape, again.name) == (3, (1, 2, 1), "past")


def test_replicas_have_the_same_pool():
    keras.utils.clear_session()
    strategy = two_replicas()
    with strategy.scope():
        pool = ImagePool(3, (1, 1, 1))

    @tf.function
    def step(inputs, coins, slots):
        return strategy.run(lambda: pool(inputs, coins, slots))

    for inputs in (images(1, 2, 3), images(4, 5, 6)):
        out = step(inputs, tf.constant([0.1, 0.9, 0.1]), tf.constant([0.3, 0.1, 0.2]))
    first, second = strategy.experimental_local_results(out)
    assert values(first) == values(second) == [2, 5, 1]
    copies = strategy.experimental_local_results(pool.images.value)
    assert [values(copy) for copy in copies] == [[6, 4, 3]] * len(copies)
