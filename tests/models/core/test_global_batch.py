"""Rows, statistics and noise of two replicas, combined, equal those of one device."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.models import BatchNoise, GlobalBatch
from tests.replicas import two_replicas

VALUES = np.arange(10, dtype=np.float32).reshape(5, 2)
KINDS = (0, 1, 0, 1, 1)
SEED = (3, 4)


def on_one_device() -> dict:
    global_batch = GlobalBatch(tf.constant(5))
    batch_noise = BatchNoise(tf.constant(SEED), global_batch)
    values, kinds = tf.constant(VALUES), tf.constant(KINDS)
    return {
        "first": batch_noise.normal([2]),
        "second": batch_noise.normal([3, 1]),
        "third": batch_noise.uniform([2]),
        "shared": batch_noise.global_uniform([4]),
        "shuffled": batch_noise.shuffle(values),
        "exchanged": batch_noise.shuffle(values, within=kinds),
    }


def on_two_replicas(rows: tuple[int, int]) -> list[dict]:
    """Returns the results of each replica; `rows` are their numbers of the five rows."""
    strategy = two_replicas()
    shares = [tf.constant(VALUES[: rows[0]]), tf.constant(VALUES[rows[0] :])]
    values = strategy.experimental_distribute_values_from_function(
        lambda context: shares[context.replica_id_in_sync_group]
    )

    @tf.function
    def step(values):
        global_batch = GlobalBatch(tf.shape(values)[0])
        batch_noise = BatchNoise(tf.constant(SEED), global_batch)
        values = global_batch.pad_if_empty({"values": values})["values"]
        return {
            "total": global_batch.total,
            "position": global_batch.first,
            "filled": values,
            "mean": global_batch.mean(values),
            "share": global_batch.scale_loss(values[:, 0]),
            "slope": _slope(global_batch, values),
            "first": batch_noise.normal([2]),
            "second": batch_noise.normal([3, 1]),
            "third": batch_noise.uniform([2]),
            "shared": batch_noise.global_uniform([4]),
            "gathered": global_batch.gather(values),
            "part": global_batch.local_slice(global_batch.gather(values)),
            "shuffled": batch_noise.shuffle(values),
            "exchanged": batch_noise.shuffle(
                values, within=tf.gather(tf.constant(KINDS), tf.cast(values[:, 0], tf.int32) // 2)
            ),
        }

    results = strategy.run(step, args=(values,))
    return [{name: value.values[i].numpy() for name, value in results.items()} for i in range(2)]


def _slope(global_batch, values):
    """Returns the gradient, with respect to this replica's rows, of sum_i,j x_i (x_j)^2 over all replicas' rows."""
    with tf.GradientTape() as tape:
        tape.watch(values)
        others = tf.reduce_sum(tf.square(global_batch.gather(values[:, 0])))
        loss = global_batch.scale_loss(values[:, 0] * others)
    return tape.gradient(loss, values)[:, 0]


@pytest.mark.parametrize("rows", [(3, 2), (4, 1), (5, 0)])
def test_two_replicas_equal_one_device(rows):
    one, two = on_one_device(), on_two_replicas(rows)
    for replica, result in enumerate(two):
        assert result["total"] == 5
        assert result["position"] == (0, rows[0])[replica]
        np.testing.assert_allclose(result["mean"], VALUES.mean(0))
        assert len(result["filled"]) == max(rows[replica], 1)
        local_rows, x = np.split(VALUES, rows[:1])[replica], VALUES[:, 0]
        # d/dx_k of (sum_i x_i)(sum_j x_j^2) / 5
        slope = (np.sum(x**2) + 2 * local_rows[:, 0] * np.sum(x)) / 5
        np.testing.assert_allclose(result["slope"][: rows[replica]], slope, rtol=1e-6)
        np.testing.assert_array_equal(result["gathered"], VALUES)
        # a replica without rows receives a row of the other replica, as it does with noise
        np.testing.assert_array_equal(result["part"][: rows[replica]], local_rows)
        assert len(result["part"]) == max(rows[replica], 1)
        np.testing.assert_array_equal(result["shared"], one["shared"])
    assert sum(result["share"] for result in two) == pytest.approx(VALUES[:, 0].mean())
    for name in ("first", "second", "third", "shuffled", "exchanged"):
        joined = np.concatenate([result[name][:count] for result, count in zip(two, rows, strict=True)])
        np.testing.assert_array_equal(joined, one[name])
        assert all(len(result[name]) == max(count, 1) for result, count in zip(two, rows, strict=True))


def test_every_call_draws_new_noise():
    noise = on_one_device()
    assert abs(noise["first"].numpy().ravel()[0] - noise["second"].numpy().ravel()[0]) > 1e-3
    again = on_one_device()
    np.testing.assert_array_equal(noise["first"], again["first"])  # two calls with the same seed


def test_one_device():
    global_batch = GlobalBatch(tf.constant(5))
    assert (global_batch.replicas, int(global_batch.total), int(global_batch.first)) == (1, 5, 0)
    assert float(global_batch.scale_loss(tf.constant([1.0, 2.0, 3.0, 4.0, 5.0]))) == 3.0
    np.testing.assert_allclose(global_batch.mean(tf.constant(VALUES)), VALUES.mean(0))


def test_mean_has_no_gradient_and_scale_loss_has_one():
    values = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(values)
        global_batch = GlobalBatch(tf.constant(3))
        mean, share = global_batch.mean(values), global_batch.scale_loss(values)
    assert tape.gradient(mean, values) is None
    np.testing.assert_allclose(tape.gradient(share, values), [1 / 3] * 3)


def test_noise_has_the_stated_distribution():
    batch_noise = BatchNoise(tf.constant([1, 2]), GlobalBatch(tf.constant(5000)))
    normal, uniform = batch_noise.normal([2]).numpy(), batch_noise.uniform([2]).numpy()
    # 10,000 numbers: the mean has standard error .01, the variance .014
    assert abs(normal.mean()) < 0.045 and abs(normal.var() - 1) < 0.06
    assert uniform.min() >= 0 and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.013


def test_a_shuffle_is_a_permutation_within_groups():
    orders, exchanges = set(), set()
    for seed in range(40):
        batch_noise = BatchNoise(tf.constant((seed, 0)), GlobalBatch(tf.constant(5)))
        order = batch_noise.shuffle(tf.range(5)).numpy()
        assert sorted(order) == [0, 1, 2, 3, 4]
        orders.add(tuple(order))
        within = batch_noise.shuffle(tf.range(5), within=tf.constant(KINDS)).numpy()
        assert sorted(within) == [0, 1, 2, 3, 4] and [KINDS[row] for row in within] == list(KINDS)
        exchanges.add(tuple(within))
    # 40 of 120 orders, and of 2! * 3! = 12: all of them but with probability 12 * (11 / 12)^40 < 0.4; 6 are sure enough
    assert len(orders) > 20 and len(exchanges) > 6
