"""Finds the datasets of `load` in a `tf.data` pipeline, so that the epoch of each can be set."""

import inspect
import types
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

# datasets of `load` and `multi_resolution` in use: a dataset that is returned by a function (of `flat_map` or
# `interleave`) can only be identified by its tensor
_LOADED: weakref.WeakSet = weakref.WeakSet()
# operations that iterate over their input once for all epochs, or several times per epoch
_REPEATING = {"CacheDataset": "cache()", "_SnapshotDataset": "snapshot()", "_RepeatDataset": "repeat()"}


def register(dataset: tf.data.Dataset) -> None:
    """Registers a dataset that has the attribute `epoch`."""
    _LOADED.add(dataset)


def loaded_in(data: Any) -> list[tf.data.Dataset]:
    """Finds the datasets of `load` and `multi_resolution` in a pipeline.

    An operation of `tf.data` returns a new dataset without the attribute `epoch`. Its iterators still read the variable
    of the original dataset, which therefore determines order, augmentation and binarization.

    Args:
        data: An argument of `fit`: a dataset after any operations (`map`, `take`, `zip`, `prefetch`, ...; a function of
            `flat_map` or `interleave` may return a loaded dataset unchanged), a distributed dataset, or anything else.
            Datasets that Python code reads (`from_generator`) are not found.

    Returns:
        The datasets without repetition. Each has `epoch`; those of `multi_resolution` also have `stage`.

    Raises:
        ValueError: If an operation on a loaded dataset repeats or stores one epoch (`repeat`, `cache`, `snapshot`), or
            a generator reads it, since all epochs would be equal.

    Example:
        >>> train = keras_gen.data.load("shapes", image_shape=(32, 32, 3), batch_size=64)  # doctest: +SKIP
        >>> loaded_in(train.map(lambda batch: batch["image"]).prefetch(2)) == [train]  # doctest: +SKIP
        True
    """
    if isinstance(data, types.GeneratorType):
        values = inspect.getgeneratorlocals(data).values()
        inputs = [value._dataset if isinstance(value, tf.data.Iterator) else value for value in values]
        if any(_find(value, []) for value in inputs):
            raise ValueError(_same_epochs("a Python generator"))
        return []
    repeating: list[str] = []
    datasets = _find(data, repeating)
    if repeating:
        raise ValueError(_same_epochs(repeating[0]))
    return datasets


def check_steps(loaded: Iterable[tf.data.Dataset], steps_per_epoch: int | None) -> None:
    """Checks that `steps_per_epoch` does not change the epochs of loaded datasets.

    Args:
        loaded: The result of `loaded_in`.
        steps_per_epoch: The argument of `fit`.

    Raises:
        ValueError: If both are present.
    """
    if steps_per_epoch is not None and list(loaded):
        raise ValueError(_same_epochs(f"steps_per_epoch={steps_per_epoch}"))


def _same_epochs(operation: str) -> str:
    return (
        f"Expected a dataset whose epochs differ; received one of keras_gen.data.load below {operation}, where order, "
        "augmentation and binarization would be the same in every epoch. Remove it; load(steps=N) sets the number of "
        "batches per epoch (the data are repeated if they have fewer), and load(cache='memory') caches the decoded "
        "images."
    )


def _find(data: Any, repeating: list[str]) -> list[tf.data.Dataset]:
    """Returns the loaded datasets in `data`; names of repeating operations on them are appended to `repeating`."""
    if isinstance(data, tf.distribute.DistributedDataset):
        parts = [data._original_dataset] if hasattr(data, "_original_dataset") else getattr(data, "_datasets", [])
        return _unique(dataset for part in parts for dataset in _find(part, repeating))
    if not isinstance(data, tf.data.Dataset):
        return []
    if hasattr(data, "epoch"):
        return [data]
    inputs = (*data._inputs(), *_returned_by_functions(data))
    datasets = _unique(dataset for part in inputs for dataset in _find(part, repeating))
    operation = _REPEATING.get(type(data).__name__)
    if datasets and operation and not (operation == "repeat()" and int(data._count) == 1):
        repeating.append(operation)
    return datasets


def _returned_by_functions(dataset: tf.data.Dataset) -> Iterator[tf.data.Dataset]:
    captured = [id(tensor) for function in dataset._functions() for tensor in function.function.captured_inputs]
    if captured:
        yield from (loaded for loaded in list(_LOADED) if id(loaded._variant_tensor) in captured)


def _unique(datasets: Iterable[tf.data.Dataset]) -> list[tf.data.Dataset]:
    return list({id(dataset): dataset for dataset in datasets}.values())
