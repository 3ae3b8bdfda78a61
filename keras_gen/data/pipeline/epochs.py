"""The loaded datasets that a dataset is made of, so that each of them receives the number of the epoch."""

import inspect
import types
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

# datasets of `load` and `multi_resolution` that are in use: one that a function returns (`flat_map`, `interleave`) is known there
# by its tensor alone
_LOADED: weakref.WeakSet = weakref.WeakSet()
# operations that pass over what is below them once, or several times in one epoch
_KEEPING = {"CacheDataset": "cache()", "_SnapshotDataset": "snapshot()", "_RepeatDataset": "repeat()"}


def register(dataset: tf.data.Dataset) -> None:
    """Remember a dataset that has the attribute `epoch`."""
    _LOADED.add(dataset)


def loaded_in(data: Any) -> list[tf.data.Dataset]:
    """Find the datasets of `load` and `multi_resolution` that a dataset is made of.

    An operation of `tf.data` returns a new dataset without the attribute `epoch`. The variable behind it is still read
    in every pass, so that order, augmentation and binarization change from epoch to epoch where it is assigned.

    Args:
        data: what `fit` is given: a dataset that operations may have been applied to (`map`, `take`, `zip`,
            `prefetch`, ...; a function of `flat_map` or `interleave` may return a loaded one as it is), a dataset that
            a strategy has distributed, or anything else, in which nothing is found. What a function calls from Python
            (`from_generator`) cannot be looked into.

    Returns:
        The datasets, each once. Each has `epoch`, those of `multi_resolution` also `stage`.

    Raises:
        ValueError: where an operation above a loaded dataset repeats or keeps one epoch of it (`repeat`, `cache`,
            `snapshot`), or a generator reads it: its epochs would be the same.

    Example:
        >>> train = keras_gen.data.load("shapes", image_shape=(32, 32, 3), batch_size=64)
        >>> loaded_in(train.map(lambda batch: batch["image"]).prefetch(2)) == [train]
        True
    """
    if isinstance(data, types.GeneratorType):
        names = inspect.getgeneratorlocals(data).values()
        read = [value._dataset if isinstance(value, tf.data.Iterator) else value for value in names]
        if any(_found_below(value, []) for value in read):
            raise ValueError(_explained("a Python generator"))
        return []
    keeping: list[str] = []
    found = _found_below(data, keeping)
    if keeping:
        raise ValueError(_explained(keeping[0]))
    return found


def check_steps(loaded: Iterable[tf.data.Dataset], steps_per_epoch: int | None) -> None:
    """Raise a ValueError where `steps_per_epoch` would cut the epochs of a loaded dataset in other places."""
    if steps_per_epoch is not None and list(loaded):
        raise ValueError(_explained(f"steps_per_epoch={steps_per_epoch}"))


def _explained(what: str) -> str:
    return (
        f"Expected a dataset whose epochs differ; received one of keras_gen.data.load below {what}, where order, "
        "augmentation and binarization would stay those of one epoch. Leave it out; load(steps=N) sets the number of "
        "batches in an epoch (the data are passed more than once where they have fewer), and load(cache='memory') "
        "holds the decoded images."
    )


def _found_below(data: Any, keeping: list[str]) -> list[tf.data.Dataset]:
    """The loaded datasets in `data`; the name of an operation above one of them goes into `keeping`."""
    if isinstance(data, tf.distribute.DistributedDataset):
        parts = [data._original_dataset] if hasattr(data, "_original_dataset") else getattr(data, "_datasets", [])
        return _each_once(found for part in parts for found in _found_below(part, keeping))
    if not isinstance(data, tf.data.Dataset):
        return []
    if hasattr(data, "epoch"):
        return [data]
    found = _each_once(
        each for part in (*data._inputs(), *_returned_by_functions(data)) for each in _found_below(part, keeping)
    )
    operation = _KEEPING.get(type(data).__name__)
    if found and operation and not (operation == "repeat()" and int(data._count) == 1):
        keeping.append(operation)
    return found


def _returned_by_functions(dataset: tf.data.Dataset) -> Iterator[tf.data.Dataset]:
    captured = [id(tensor) for function in dataset._functions() for tensor in function.function.captured_inputs]
    if captured:
        yield from (each for each in list(_LOADED) if id(each._variant_tensor) in captured)


def _each_once(datasets: Iterable[tf.data.Dataset]) -> list[tf.data.Dataset]:
    return list({id(each): each for each in datasets}.values())
