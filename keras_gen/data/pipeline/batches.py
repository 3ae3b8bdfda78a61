"""Batches of an epoch as a function of (seed, epoch): the order, the pixels, augmentation and binarization.

Images in memory and streamed records stand beside each other, as they must give the same batches.
"""

import dataclasses
import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from ..info import Images, Table
from .augment import augment
from .binarize import binarize
from .counter_rng import mix, seed_word

# batches made at once, and batches made ahead
PARALLEL = min(8, os.cpu_count() or 1)
PREFETCHED = 4


@dataclasses.dataclass(frozen=True)
class Plan:
    """How the examples become batches; the arguments of `load` after checking."""

    batch_size: int
    seed: int
    shuffle: bool
    steps: int | None = None
    drop_remainder: bool = False
    num_shards: int = 1
    shard_index: int = 0
    augment: tuple[str, ...] = ()
    binarize: str | None = None
    fields: tuple[str, ...] | None = None

    def rows(self, count: int) -> int:
        """Examples of one epoch over all shards."""
        return count if self.steps is None else self.steps * self.batch_size * self.num_shards

    def batches(self, count: int) -> int:
        """Batches of one epoch in this shard."""
        rows = self.rows(count)
        if self.drop_remainder:  # every shard makes the same number of batches
            return rows // self.num_shards // self.batch_size
        return math.ceil(len(range(self.shard_index, rows, self.num_shards)) / self.batch_size)


def build(table: Table, plan: Plan) -> tuple[tf.data.Dataset, tf.Variable]:
    """Make the data set of one table.

    Args:
        table: a resolved source.
        plan: batch size, order, augmentation.

    Returns:
        A finite data set of dictionaries, and the int64 variable that holds the number of the epoch: it is read anew
        by every iterator, when its first batch is made.
    """
    epoch = counter()
    start = tf.data.Dataset.range(1).map(lambda _: epoch.read_value())
    if table.stream is not None:
        dataset, count = _streamed(start, table, plan), table.count
    else:
        dataset, count = _gathered(start, table, plan), max(images.count for images in table.images.values())
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(plan.batches(count)))
    return dataset.prefetch(PREFETCHED).with_options(options_of(plan.num_shards)), epoch


def options_of(num_shards: int) -> tf.data.Options:
    """How a data set is run, by itself and under a strategy."""
    options = tf.data.Options()
    options.deterministic = True
    # The tuner wakes after 10, 20, 40, ... ms and an iterator ends only when it does: every epoch would last up to
    # twice as long as its work.
    options.autotune.enabled = False
    policy = tf.data.experimental.AutoShardPolicy
    options.experimental_distribute.auto_shard_policy = policy.DATA if num_shards == 1 else policy.OFF
    return options


def epoch_order(count: int, length: int, epoch: tf.Tensor, *, seed: int, shuffle: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Say which example stands at each place of an epoch.

    An epoch longer than the set is several passes, each in an order of its own.

    Args:
        count: examples in the set.
        length: places in the epoch.
        epoch: int64 scalar.
        seed: seed word of the order.
        shuffle: False keeps the set's order.

    Returns:
        Index of the example and number of its pass within the epoch, both int64 [length].

    Example:
        >>> epoch_order(3, 5, tf.constant(0, tf.int64), seed=0, shuffle=False)[0].numpy()
        array([0, 1, 2, 0, 1])
    """
    passes = max(1, math.ceil(length / count))
    number = tf.range(passes, dtype=tf.int64)[:, None]
    index = tf.range(count, dtype=tf.int64)[None, :]
    if shuffle:
        keys = mix(seed, epoch, number, index)
        order = tf.argsort(tf.cast(tf.bitwise.right_shift(keys, tf.constant(1, tf.uint64)), tf.int64), axis=-1)
        order = tf.cast(order, tf.int64)
    else:
        order = tf.repeat(index, passes, axis=0)
    number = tf.repeat(number, count, axis=1)
    return tf.reshape(order, [-1])[:length], tf.reshape(number, [-1])[:length]


def counter(name: str = "epoch") -> tf.Variable:
    """Make a plain variable on the CPU, also where the caller stands in the scope of a strategy.

    Scopes belong to a thread: in a thread of its own the variable is never mirrored, which a data set could not read.
    """
    made = []

    def make():
        with tf.init_scope(), tf.device("CPU:0"):
            made.append(tf.Variable(0, dtype=tf.int64, trainable=False, name=name))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


def _gathered(start: tf.data.Dataset, table: Table, plan: Plan) -> tf.data.Dataset:
    """Batches of a table with random access."""
    readers = {field: _reader(images) for field, images in table.images.items() if _wanted(field, plan)}
    columns = {field: _constant(value) for field, value in table.columns.items() if _wanted(field, plan)}
    counts = {field: images.count for field, images in table.images.items()}
    owners = dict.fromkeys(columns, next(iter(counts))) | table.owners
    length = plan.rows(max(counts.values()))
    num_batches = plan.batches(max(counts.values()))
    local = len(range(plan.shard_index, length, plan.num_shards))
    even = num_batches * plan.batch_size <= local

    def order(epoch):
        rows = {}
        for field, count in counts.items():
            seed = seed_word(plan.seed, f"order {field}")
            places = epoch_order(count, length, epoch, seed=seed, shuffle=plan.shuffle)
            rows[field] = tuple(place[plan.shard_index :: plan.num_shards] for place in places)
        return epoch, rows

    def cut(epoch, rows):
        def one(number):
            first = number * plan.batch_size
            last = tf.minimum(first + plan.batch_size, local)
            part = tf.nest.map_structure(lambda place: place[first:last], rows)
            if even:
                for place in tf.nest.flatten(part):
                    place.set_shape([plan.batch_size])
            return epoch, part

        return tf.data.Dataset.range(num_batches).map(one)

    def fetch(epoch, rows):
        batch = {}
        for field, read in readers.items():
            index, number = rows[field]
            batch[field] = _finish(field, read(index), (epoch, number, index), plan)
        for field, values in columns.items():
            batch[field] = tf.gather(values, rows[owners[field]][0])
        return batch

    return start.map(order).flat_map(cut).map(fetch, num_parallel_calls=PARALLEL)


def _streamed(start: tf.data.Dataset, table: Table, plan: Plan) -> tf.data.Dataset:
    """Batches of a table whose examples come in sequence."""
    length = plan.rows(table.count)
    passes = max(1, math.ceil(length / table.count))
    word = seed_word(plan.seed, "order image")

    def one_pass(epoch, number):
        seeds = None
        if plan.shuffle:
            seeds = tf.stack([tf.constant(word, tf.int64), _signed(mix(word, epoch, number))])
        examples = table.stream(seeds)
        return examples.map(lambda index, record: (epoch, number, index, record))

    def whole(epoch):
        numbers = tf.data.Dataset.range(passes)
        examples = numbers.flat_map(lambda number: one_pass(epoch, number)).take(length)
        return examples.shard(plan.num_shards, plan.shard_index) if plan.num_shards > 1 else examples

    def decode(epoch, number, index, record):
        row = table.stream.decode(record)
        return epoch, number, index, {field: value for field, value in row.items() if _wanted(field, plan)}

    def finish(epoch, number, index, rows):
        image = rows.get("image")
        if image is not None:
            rows = {**rows, "image": _finish("image", image, (epoch, number, index), plan)}
        return rows

    num_batches = plan.batches(table.count)
    rows = start.flat_map(whole).map(decode, num_parallel_calls=PARALLEL)
    batches = rows.batch(plan.batch_size, drop_remainder=plan.drop_remainder or plan.steps is not None)
    return batches.take(num_batches).map(finish, num_parallel_calls=PARALLEL)


def _finish(field: str, image: tf.Tensor, places: tuple[tf.Tensor, ...], plan: Plan) -> tf.Tensor:
    """Turn pixels into float32 in [0, 1], augmented and binarized by numbers that belong to each example."""
    if image.dtype == tf.uint8:
        image = tf.cast(image, tf.float32) / 255.0

    def keys(purpose: str) -> tf.Tensor:
        return mix(seed_word(plan.seed, f"{purpose} {field}"), *places)

    image = augment(image, plan.augment, keys)
    return binarize(image, plan.binarize, keys)


def _reader(images: Images) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function from indices [n] to pixels [n, h, w, c]."""
    array = images.array
    if array is not None and not isinstance(array, np.memmap):
        held = _constant(array)
        return lambda index: tf.gather(held, index)
    if array is not None:
        shape, read_many = array.shape[1:], array.__getitem__
    else:
        shape = images.read(0).shape
        pool = ThreadPoolExecutor(min(16, os.cpu_count() or 1), thread_name_prefix="keras_gen_read")

        def read_many(index):
            return np.stack(list(pool.map(images.read, index)))

    def read(index):
        pixels = tf.numpy_function(lambda i: np.asarray(read_many(i)), [index], tf.as_dtype(images.dtype))
        return tf.ensure_shape(pixels, [index.shape[0], *shape])

    return read


def _constant(value: np.ndarray) -> tf.Tensor:
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(value)


def _signed(word: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.bitwise.right_shift(word, tf.constant(1, tf.uint64)), tf.int64)


def _wanted(field: str, plan: Plan) -> bool:
    return plan.fields is None or field in plan.fields
