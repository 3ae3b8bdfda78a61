"""Data whose images and batches change in size from stage to stage, for models that grow."""

import functools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from .batches import counter, options_of
from .epochs import register


def multi_resolution(datasets: Sequence[tf.data.Dataset]) -> tf.data.Dataset:
    """Several data sets as one that is another one from stage to stage.

    Args:
        datasets: made by `load` with the same source, split and `steps`, each for one stage; shapes and batch sizes
            may differ.

    Returns:
        A data set of `steps` batches, of the data set whose number its attribute `stage` (an int64 `tf.Variable`)
        holds when an iterator makes its first batch. `epoch.assign` sets the epoch of all; `info` is the last one's.

    Raises:
        ValueError: where their lengths differ.
    """
    lengths = [int(dataset.cardinality()) for dataset in datasets]
    if len(set(lengths)) != 1:
        raise ValueError(f"Staged data sets have as many batches, by the same steps; received {lengths}")
    stage = counter("stage")

    def batches(number):
        parts = [
            dataset.take(tf.where(tf.equal(number, index), np.int64(lengths[0]), np.int64(0)))
            for index, dataset in enumerate(datasets)
        ]
        return functools.reduce(lambda before, after: before.concatenate(after), parts)

    chosen = tf.data.Dataset.range(1).map(lambda _: stage.read_value()).flat_map(batches)
    chosen = chosen.apply(tf.data.experimental.assert_cardinality(lengths[0]))
    made = chosen.with_options(options_of(datasets[-1].shards))
    made.stage, made.epoch, made.info = stage, _Epochs([each.epoch for each in datasets]), datasets[-1].info
    register(made)
    return made


class _Epochs:
    """The epochs of several data sets, set together."""

    def __init__(self, variables: list[tf.Variable]):
        self.variables = variables

    def assign(self, epoch) -> None:
        for variable in self.variables:
            variable.assign(epoch)
