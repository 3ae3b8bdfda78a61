"""The pool of past images: filled first, then exchanged, and nothing is lost or mixed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import ImagePool
from tests.replicas import two_replicas


def images(*values) -> tf.Tensor:
    """Images of one pixel."""
    return tf.reshape(tf.constant(values, tf.float32), (-1, 1, 1, 1))


def values(tensor) -> list[float]:
    return np.asarray(tensor).ravel().tolist()


def test_while_there_is_room_images_come_out_themselves_and_stay():
    pool = ImagePool(4, (1, 1, 1))
    assert values(pool(images(1, 2, 3), coins=[0.0, 0.0, 0.0], places=[0.1, 0.2, 0.3, 0.4])) == [1, 2, 3]
    assert values(pool.images) == [1, 2, 3, 0] and int(pool.count) == 3


def test_the_row_that_finds_no_room_meets_only_what_was_stored_before():
    pool = ImagePool(3, (1, 1, 1))
    pool(images(1, 2), coins=[0.0, 0.0], places=[0.1, 0.2, 0.3])
    # row 0 fills place 2; row 1 meets place argsort[1] = 0 and is exchanged for 1
    out = pool(images(5, 6), coins=[0.0, 0.0], places=[0.2, 0.5, 0.1])
    assert values(out) == [5, 1] and values(pool.images) == [6, 2, 5] and int(pool.count) == 3
    pool = ImagePool(3, (1, 1, 1))
    pool(images(1, 2), coins=[0.0, 0.0], places=[0.1, 0.2, 0.3])
    # row 1 meets place 2, which was empty before: no exchange
    assert values(pool(images(5, 6), coins=[0.0, 0.0], places=[0.1, 0.3, 0.2])) == [5, 6]
    assert values(pool.images) == [1, 2, 5]


def test_a_full_pool_exchanges_where_the_coin_says_so():
    pool = ImagePool(3, (1, 1, 1))
    pool(images(1, 2, 3), coins=[0.0] * 3, places=[0.1, 0.2, 0.3])
    # the order of the places is 2, 0, 1: row 0 meets place 2 (coin: stays), row 1 meets place 0 (coin: exchanged)
    out = pool(images(7, 8), coins=[0.5, 0.49], places=[0.5, 0.9, 0.1])
    assert values(out) == [7, 1] and values(pool.images) == [8, 2, 3]
    out = pool(images(4, 5, 6), coins=[0.0] * 3, places=[0.3, 0.1, 0.2])  # order 1, 2, 0
    assert values(out) == [2, 3, 8] and values(pool.images) == [6, 4, 5]


def test_half_of_what_comes_out_is_older_and_all_of_it_was_put_in():
    pool, generator = ImagePool(50, (1, 1, 1)), np.random.default_rng(0)
    older, total, seen = 0, 0, set()
    for step in range(300):
        given = np.arange(8) + 8.0 * step
        seen |= set(given)
        out = values(pool(images(*given), coins=generator.random(8), places=generator.random(50)))
        assert set(out) <= seen and len(set(out)) == 8
        if step >= 7:  # full
            older, total = older + sum(value < given[0] for value in out), total + 8
    # a fair coin, 2,344 throws: a standard error of 0.0103
    assert older / total == pytest.approx(0.5, abs=0.04)


def test_no_gradient_and_no_half_precision():
    pool = ImagePool(2, (1, 1, 1))
    given = images(1.0)
    with tf.GradientTape() as tape:
        tape.watch(given)
        out = pool(tf.cast(given, tf.bfloat16), coins=[0.0], places=[0.1, 0.2])
    assert tape.gradient(out, given) is None and out.dtype == tf.float32
    assert not pool.trainable_variables and len(pool.variables) == 2


def test_more_images_than_places_are_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="must not be larger than the pool"):
        ImagePool(2, (1, 1, 1))(images(1, 2, 3), coins=[0.0] * 3, places=[0.1, 0.2])
    with pytest.raises(ValueError, match="size must be an integer >= 1; received 0"):
        ImagePool(0, (1, 1, 1))


def test_saving():
    pool = ImagePool(3, (1, 2, 1), name="past")
    again = ImagePool.from_config(pool.get_config())
    assert (again.size, again.image_shape, again.name) == (3, (1, 2, 1), "past")


def test_replicas_keep_the_same_pool():
    keras.utils.clear_session()
    strategy = two_replicas()
    with strategy.scope():
        pool = ImagePool(3, (1, 1, 1))

    @tf.function
    def step(given, coins, places):
        return strategy.run(lambda: pool(given, coins, places))

    for given in (images(1, 2, 3), images(4, 5, 6)):
        out = step(given, tf.constant([0.1, 0.9, 0.1]), tf.constant([0.3, 0.1, 0.2]))
    first, second = strategy.experimental_local_results(out)
    assert values(first) == values(second) == [2, 5, 1]
    copies = strategy.experimental_local_results(pool.images.value)
    assert [values(copy) for copy in copies] == [[6, 4, 3]] * len(copies)
