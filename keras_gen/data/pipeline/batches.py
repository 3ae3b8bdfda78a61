"""Batches of an epoch as a function of (seed, epoch): order, pixels, augmentation and binarization.

Tables with random access and streams are in one module, since their batches must agree.
"""

import dataclasses
import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from ..info import ExampleStream, Images, Table
from .augment import augment
from .binarize import binarize
from .counter_rng import mix, seed_word

# batches that are computed in parallel, and ahead of time
PARALLEL = min(8, os.cpu_count() or 1)
PREFETCHED = 4


@dataclasses.dataclass(frozen=True)
class Plan:
    """The options of a pipeline; see the arguments of `keras_gen.data.load`.

    Attributes:
        batch_size: Examples per batch.
        seed: Seed of order, augmentation and binarization.
        shuffle: Whether the order changes from epoch to epoch.
        steps: Batches per epoch; None is one pass.
        drop_remainder: Whether a last, smaller batch is dropped.
        num_shards: Number of workers that share each epoch.
        shard_index: Index of this worker.
        augment: Names of augmentations.
        binarize: None, "dynamic" or "threshold".
        fields: Fields of a batch; None is all.
    """

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
        """Returns the number of examples per epoch in all shards.

        Args:
            count: Examples in the table.
        """
        return count if self.steps is None else self.steps * self.batch_size * self.num_shards

    def batches(self, count: int) -> int:
        """Returns the number of batches per epoch in this shard.

        Args:
            count: Examples in the table.
        """
        rows = self.rows(count)
        if self.drop_remainder:  # every shard has the same number of batches
            return rows // self.num_shards // self.batch_size
        return math.ceil(len(range(self.shard_index, rows, self.num_shards)) / self.batch_size)


def build(table: Table, plan: Plan) -> tuple[tf.data.Dataset, tf.Variable]:
    """Builds the dataset of a table.

    Args:
        table: The table.
        plan: The options of the pipeline.

    Returns:
        A finite dataset of dictionaries, and the int64 variable of the epoch, which an iterator reads when it starts.
    """
    epoch = counter()
    start = tf.data.Dataset.range(1).map(lambda _: epoch.read_value())
    if table.stream is not None:
        dataset = _stream_batches(start, table.stream, table.count, plan)
    else:
        dataset = _gather_batches(start, table, plan)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(plan.batches(table.num_examples)))
    return dataset.prefetch(PREFETCHED).with_options(options_of(plan.num_shards)), epoch


def options_of(num_shards: int) -> tf.data.Options:
    """Returns the options of a dataset for execution with and without a distribution strategy."""
    options = tf.data.Options()
    options.deterministic = True
    # The tuner wakes after 10, 20, 40, ... ms, and an iterator waits for it at the end: an epoch would take up to twice
    # as long.
    options.autotune.enabled = False
    policy = tf.data.experimental.AutoShardPolicy
    options.experimental_distribute.auto_shard_policy = policy.DATA if num_shards == 1 else policy.OFF
    return options


def epoch_order(count: int, length: int, epoch: tf.Tensor, *, seed: int, shuffle: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the order of the examples in an epoch.

    If the epoch is longer than the table, it consists of several passes, each with its own order.

    Args:
        count: Examples in the table.
        length: Examples in the epoch.
        epoch: int64 scalar.
        seed: Seed word of the order.
        shuffle: False keeps the order of the table.

    Returns:
        Index of the example and index of its pass within the epoch, both int64 [length].

    Example:
        >>> epoch_order(3, 5, tf.constant(0, tf.int64), seed=0, shuffle=False)[0].numpy()
        array([0, 1, 2, 0, 1])
    """
    passes = max(1, math.ceil(length / count))
    number = tf.range(passes, dtype=tf.int64)[:, None]
    index = tf.range(count, dtype=tf.int64)[None, :]
    if shuffle:
        keys = mix(seed, epoch, number, index)
        order = tf.cast(tf.argsort(_to_int64(keys), axis=-1), tf.int64)
    else:
        order = tf.repeat(index, passes, axis=0)
    number = tf.repeat(number, count, axis=1)
    return tf.reshape(order, [-1])[:length], tf.reshape(number, [-1])[:length]


def counter(name: str = "epoch") -> tf.Variable:
    """Creates an int64 variable on the CPU that is never mirrored, even in the scope of a strategy.

    A dataset cannot read a mirrored variable. Scopes are thread-local, so the variable is created in a new thread.

    Args:
        name: Name of the variable.
    """
    variables = []

    def create():
        with tf.init_scope(), tf.device("CPU:0"):
            variables.append(tf.Variable(0, dtype=tf.int64, trainable=False, name=name))

    thread = threading.Thread(target=create)
    thread.start()
    thread.join()
    return variables[0]


def _gather_batches(start: tf.data.Dataset, table: Table, plan: Plan) -> tf.data.Dataset:
    """Returns the batches of a table with random access."""
    readers = {field: _reader(images) for field, images in table.images.items() if _included(field, plan)}
    columns = {field: _constant(value) for field, value in table.columns.items() if _included(field, plan)}
    counts = {field: images.count for field, images in table.images.items()}
    owners = dict.fromkeys(columns, next(iter(counts))) | table.owners
    length = plan.rows(max(counts.values()))
    num_batches = plan.batches(max(counts.values()))
    local = len(range(plan.shard_index, length, plan.num_shards))
    equal_sizes = num_batches * plan.batch_size <= local

    def order(epoch):
        rows = {}
        for field, count in counts.items():
            seed = seed_word(plan.seed, f"order {field}")
            positions = epoch_order(count, length, epoch, seed=seed, shuffle=plan.shuffle)
            rows[field] = tuple(values[plan.shard_index :: plan.num_shards] for values in positions)
        return epoch, rows

    def split(epoch, rows):
        def slice_batch(number):
            first = number * plan.batch_size
            last = tf.minimum(first + plan.batch_size, local)
            part = tf.nest.map_structure(lambda values: values[first:last], rows)
            if equal_sizes:
                for values in tf.nest.flatten(part):
                    values.set_shape([plan.batch_size])
            return epoch, part

        return tf.data.Dataset.range(num_batches).map(slice_batch)

    def fetch(epoch, rows):
        batch = {}
        for field, read in readers.items():
            index, number = rows[field]
            batch[field] = _finish(field, read(index), (epoch, number, index), plan)
        for field, values in columns.items():
            batch[field] = tf.gather(values, rows[owners[field]][0])
        return batch

    return start.map(order).flat_map(split).map(fetch, num_parallel_calls=PARALLEL)


def _stream_batches(start: tf.data.Dataset, stream: ExampleStream, count: int, plan: Plan) -> tf.data.Dataset:
    """Returns the batches of a stream of `count` examples."""
    length = plan.rows(count)
    passes = max(1, math.ceil(length / count))
    word = seed_word(plan.seed, "order image")

    def one_pass(epoch, number):
        seeds = None
        if plan.shuffle:
            seeds = tf.stack([tf.constant(word, tf.int64), _to_int64(mix(word, epoch, number))])
        examples = stream(seeds)
        return examples.map(lambda index, record: (epoch, number, index, record))

    def one_epoch(epoch):
        numbers = tf.data.Dataset.range(passes)
        examples = numbers.flat_map(lambda number: one_pass(epoch, number)).take(length)
        return examples.shard(plan.num_shards, plan.shard_index) if plan.num_shards > 1 else examples

    def decode(epoch, number, index, record):
        row = stream.decode(record)
        return epoch, number, index, {field: value for field, value in row.items() if _included(field, plan)}

    def finish(epoch, number, index, rows):
        image = rows.get("image")
        if image is not None:
            rows = {**rows, "image": _finish("image", image, (epoch, number, index), plan)}
        return rows

    num_batches = plan.batches(count)
    rows = start.flat_map(one_epoch).map(decode, num_parallel_calls=PARALLEL)
    batches = rows.batch(plan.batch_size, drop_remainder=plan.drop_remainder or plan.steps is not None)
    return batches.take(num_batches).map(finish, num_parallel_calls=PARALLEL)


def _finish(field: str, image: tf.Tensor, counters: tuple[tf.Tensor, ...], plan: Plan) -> tf.Tensor:
    """Converts pixels to float32 in [0, 1], then augments and binarizes them.

    Args:
        field: The image field.
        image: uint8 or float32 [batch, h, w, c].
        counters: Epoch, pass and index of each example, which determine its random numbers.
        plan: The options of the pipeline.
    """
    if image.dtype == tf.uint8:
        image = tf.cast(image, tf.float32) / 255.0

    def keys(purpose: str) -> tf.Tensor:
        return mix(seed_word(plan.seed, f"{purpose} {field}"), *counters)

    image = augment(image, plan.augment, keys)
    return binarize(image, plan.binarize, keys)


def _reader(images: Images) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function from indices [n] to pixels [n, h, w, c]."""
    array = images.array
    if array is not None and not isinstance(array, np.memmap):
        pixels = _constant(array)
        return lambda index: tf.gather(pixels, index)
    if array is not None:
        shape, read_many = array.shape[1:], array.__getitem__
    else:
        shape = images.get(0).shape
        pool = ThreadPoolExecutor(min(16, os.cpu_count() or 1), thread_name_prefix="keras_gen_read")

        def read_many(index: np.ndarray) -> np.ndarray:
            return np.stack(list(pool.map(images.get, index)))

    def read(index):
        pixels = tf.numpy_function(lambda i: np.asarray(read_many(i)), [index], tf.as_dtype(images.dtype))
        return tf.ensure_shape(pixels, [index.shape[0], *shape])

    return read


def _constant(value: np.ndarray) -> tf.Tensor:
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(value)


def _to_int64(word: tf.Tensor) -> tf.Tensor:
    """Converts a uint64 to a non-negative int64."""
    return tf.cast(tf.bitwise.right_shift(word, tf.constant(1, tf.uint64)), tf.int64)


def _included(field: str, plan: Plan) -> bool:
    return plan.fields is None or field in plan.fields
