import functools

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data.info import Images, Table
from keras_gen.data.pipeline.batches import Plan, build, epoch_order
from keras_gen.data.pipeline.counter_rng import seed_word

from .test_counter_rng import mix_in_python

COUNT = 53
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 4, 4, 1), np.uint8)
TABLE = Table(
    images={"image": Images(COUNT, np.dtype(np.uint8), array=PIXELS)},
    columns={"label": np.arange(COUNT, dtype=np.int32)},
    names={},
    fingerprint="",
)


def plan(**changes):
    return Plan(**{"batch_size": 10, "seed": 3, "shuffle": True, **changes})


@functools.cache
def build_cached(plan):
    return build(TABLE, plan)


def rows_of(table=TABLE, epoch=0, **changes):
    """Returns one epoch: the labels of each batch, and all images."""
    dataset, epoch_variable = build_cached(plan(**changes)) if table is TABLE else build(table, plan(**changes))
    epoch_variable.assign(epoch)
    batches = list(dataset.as_numpy_iterator())
    assert len(batches) == dataset.cardinality()
    return [batch["label"] for batch in batches], np.concatenate([batch["image"] for batch in batches])


def test_order_is_a_known_function_of_seed_and_epoch():
    """The expected order is computed with Python integers, so it depends on no process, machine or earlier epoch."""
    for epoch in (0, 5):
        keys = [mix_in_python(seed_word(3, "order image"), epoch, 0, i) >> 1 for i in range(COUNT)]
        labels, images = rows_of(epoch=epoch)
        assert np.concatenate(labels).tolist() == np.argsort(keys).tolist()
        np.testing.assert_array_equal(images, np.float32(PIXELS[np.argsort(keys)]) / 255)


def test_epochs_are_distinct_reproducible_permutations():
    cases = [(seed, epoch) for seed in (3, 4) for epoch in (0, 1, 2)]
    orders = {(seed, epoch): tuple(np.concatenate(rows_of(epoch=epoch, seed=seed)[0])) for seed, epoch in cases}
    assert all(sorted(order) == list(range(COUNT)) for order in orders.values())
    assert len(set(orders.values())) == 6
    dataset, epoch_variable = build(TABLE, plan())  # a new dataset
    for epoch in (2, 0, 2, 1):
        epoch_variable.assign(epoch)
        again = np.concatenate([batch["label"] for batch in dataset.as_numpy_iterator()])
        assert tuple(again) == orders[3, epoch]


def test_first_example_is_uniform_over_the_dataset():
    one = tf.function(lambda epoch: epoch_order(8, 8, epoch, seed=1, shuffle=True)[0][0])
    first = [int(one(tf.constant(epoch, tf.int64))) for epoch in range(800)]
    counts = np.bincount(first, minlength=8)
    # chi-square with 7 degrees of freedom: mean 7, standard deviation 3.7; the bound is six of them
    assert ((counts - 100) ** 2 / 100).sum() < 7 + 6 * 3.7


def test_without_shuffle_every_epoch_keeps_the_stored_order():
    for epoch in (0, 3):
        assert np.concatenate(rows_of(epoch=epoch, shuffle=False)[0]).tolist() == list(range(COUNT))


@pytest.mark.parametrize("steps, passes", [(2, 1), (12, 3)])
def test_steps_repeat_the_dataset_in_new_orders(steps, passes):
    labels, _ = rows_of(steps=steps)
    assert [len(batch) for batch in labels] == [10] * steps
    order = np.concatenate(labels)
    full = [tuple(order[i * COUNT : (i + 1) * COUNT]) for i in range(len(order) // COUNT)]
    assert all(sorted(part) == list(range(COUNT)) for part in full) and len(set(full)) == len(full) == passes - 1
    assert np.bincount(order, minlength=COUNT).max() <= passes


@pytest.mark.parametrize("drop, sizes", [(False, [10] * 5 + [3]), (True, [10] * 5)])
def test_last_batch_is_smaller_or_dropped(drop, sizes):
    assert [len(batch) for batch in rows_of(drop_remainder=drop)[0]] == sizes
    assert build_cached(plan(drop_remainder=drop))[0].element_spec["image"].shape[0] == (10 if drop else None)


def test_shards_partition_the_epoch():
    options = {"augment": ("flip",), "binarize": "dynamic", "epoch": 4}
    full, images = rows_of(**options)
    for i in range(3):
        labels, pixels = rows_of(**options, num_shards=3, shard_index=i)
        np.testing.assert_array_equal(np.concatenate(labels), np.concatenate(full)[i::3])
        np.testing.assert_array_equal(pixels, images[i::3])  # augmented and binarized as on one worker


def test_drop_remainder_gives_shards_of_equal_length():
    for shards in (2, 3, 4):
        plans = [plan(num_shards=shards, shard_index=i, drop_remainder=True) for i in range(shards)]
        assert {each.batches(COUNT) for each in plans} == {COUNT // shards // 10}
    assert [len(batch) for batch in rows_of(num_shards=3, shard_index=2, drop_remainder=True)[0]] == [10]


def test_augmentation_and_binarization_depend_on_the_epoch_but_not_the_batch_size():
    options = {"augment": ("flip",), "binarize": "dynamic"}
    _, first = rows_of(**options)
    _, again = rows_of(**options, batch_size=7)
    np.testing.assert_array_equal(first, again)
    order = np.concatenate(rows_of(**options)[0]), np.concatenate(rows_of(**options, epoch=4)[0])
    by_example = first[np.argsort(order[0])], rows_of(**options, epoch=4)[1][np.argsort(order[1])]
    assert (by_example[0] != by_example[1]).mean() > 0.1
    _, twice = rows_of(**options, steps=11, shuffle=False)  # the second pass of an epoch has new noise
    assert (twice[:COUNT] != twice[COUNT : 2 * COUNT]).mean() > 0.1


def test_binarized_pixels_are_1_with_their_value_as_probability():
    draws = np.stack([rows_of(shuffle=False, binarize="dynamic", epoch=e)[1] for e in range(20)])
    assert set(np.unique(draws)) == {0.0, 1.0}
    p = PIXELS / 255.0
    z = (draws.mean(0) - p) / np.sqrt(np.maximum(p * (1 - p), 1e-9) / 20)
    z = z[(p > 0.1) & (p < 0.9)]  # where the mean of 20 draws is nearly normal
    assert abs(z).max() < 5 and abs(z.mean()) < 5 / np.sqrt(z.size) and abs(z.var() - 1) < 0.3
    assert (draws[:, p == 0] == 0).all() and (draws[:, p == 1] == 1).all()


def test_two_domains_are_shuffled_independently_and_the_smaller_repeats():
    small = Images(20, np.dtype(np.uint8), array=np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1))
    large = Images(COUNT, np.dtype(np.uint8), array=np.arange(COUNT, dtype=np.uint8).reshape(COUNT, 1, 1, 1))
    dataset, epoch_variable = build(Table({"domain_a": small, "domain_b": large}, {}, {}, ""), plan())

    def epoch_pairs(epoch):
        epoch_variable.assign(epoch)
        batches = list(dataset.as_numpy_iterator())
        return [
            np.rint(255 * np.concatenate([batch[field] for batch in batches]).ravel()).astype(int).tolist()
            for field in ("domain_a", "domain_b")
        ]

    a, b = epoch_pairs(0)
    assert sorted(b) == list(range(COUNT)) and len(a) == COUNT
    assert sorted(a[:20]) == sorted(a[20:40]) == list(range(20)) and a[:20] != a[20:40]
    # another epoch repeats 2.7 of its 53 pairs (out of 1,060 possible ones) on average
    assert len(set(zip(a, b, strict=True)) & set(zip(*epoch_pairs(1), strict=True))) < 15


def test_memory_disk_and_no_cache_give_the_same_batches(tmp_path):
    np.save(tmp_path / "pixels.npy", PIXELS)
    mapped = Images(COUNT, PIXELS.dtype, array=np.load(tmp_path / "pixels.npy", mmap_mode="r"))
    read = Images(COUNT, PIXELS.dtype, read=lambda i: PIXELS[i])
    expected = rows_of(augment=("flip",), binarize="dynamic", epoch=2)
    for images in (mapped, read):
        table = Table({"image": images}, TABLE.columns, {}, "")
        result = rows_of(table, augment=("flip",), binarize="dynamic", epoch=2)
        np.testing.assert_array_equal(np.concatenate(result[0]), np.concatenate(expected[0]))
        np.testing.assert_array_equal(result[1], expected[1])


def test_two_replicas_share_the_batches_of_one_device():
    devices = ["CPU:0", "CPU:1"]
    strategy = tf.distribute.MirroredStrategy(devices, cross_device_ops=tf.distribute.ReductionToOneDevice())
    with strategy.scope():  # the epoch must be a plain variable, not a mirrored one
        dataset, epoch_variable = build(TABLE, plan())
    distributed = strategy.experimental_distribute_dataset(dataset)
    for epoch in (0, 2):
        epoch_variable.assign(epoch)
        result = [strategy.experimental_local_results(batch["label"]) for batch in distributed]
        expected, _ = rows_of(epoch=epoch)
        assert [sorted(np.concatenate([part.numpy() for part in parts])) for parts in result] == [
            sorted(w) for w in expected
        ]
        assert all(len(parts[0]) == 5 for parts in result[:5])
