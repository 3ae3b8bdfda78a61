"""Datasets whose image and batch sizes change from stage to stage, for progressive growing."""

import functools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from .batches import counter, options_of
from .epochs import register


def multi_resolution(datasets: Sequence[tf.data.Dataset]) -> tf.data.Dataset:
    """Combines several datasets to one that iterates over the dataset of the current stage.

    Args:
        datasets: Datasets of `load`, one per stage, with the same source, split and `steps`; shapes and batch sizes may
            differ.

    Returns:
        A dataset of `steps` batches. Every iterator reads the index of its dataset from the attribute `stage` (an int64
        `tf.Variable`) when it starts. `epoch.assign` sets the epoch of all datasets; `info` is that of the last one.

    Raises:
        ValueError: If their numbers of batches differ.

    Example:
        >>> options = {"batch_size": 64, "steps": 100}
        >>> small = keras_gen.data.load("shapes", image_shape=(4, 4, 3), **options)  # doctest: +SKIP
        >>> large = keras_gen.data.load("shapes", image_shape=(8, 8, 3), **options)  # doctest: +SKIP
        >>> keras_gen.data.multi_resolution([small, large]).stage.assign(1)  # doctest: +SKIP
    """
    lengths = [int(dataset.cardinality()) for dataset in datasets]
    if len(set(lengths)) != 1:
        raise ValueError(f"Expected datasets with the same number of batches; received {lengths}. Pass the same steps.")
    stage = counter("stage")

    def batches(current: tf.Tensor) -> tf.data.Dataset:
        parts = [
            dataset.take(tf.where(tf.equal(current, index), np.int64(lengths[0]), np.int64(0)))
            for index, dataset in enumerate(datasets)
        ]
        return functools.reduce(lambda first, second: first.concatenate(second), parts)

    combined = tf.data.Dataset.range(1).map(lambda _: stage.read_value()).flat_map(batches)
    combined = combined.apply(tf.data.experimental.assert_cardinality(lengths[0]))
    combined = combined.with_options(options_of(datasets[-1].shards))
    combined.stage, combined.info = stage, datasets[-1].info
    combined.epoch = _Epochs([dataset.epoch for dataset in datasets])
    register(combined)
    return combined


class _Epochs:
    """The epoch variables of several datasets, which are assigned together."""

    def __init__(self, variables: Sequence[tf.Variable]):
        self.variables = variables

    def assign(self, epoch: int | tf.Tensor) -> None:
        """Sets the epoch of every dataset."""
        for variable in self.variables:
            variable.assign(epoch)
