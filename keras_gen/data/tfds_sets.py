"""Image sets of TensorFlow Datasets: what a builder holds, and its examples in memory, on disk or as a stream."""

import hashlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from .fit import Fit
from .info import Images, Table
from .splits import split_names
from .store import Store

# One stream holds this many bytes of encoded examples to shuffle among.
SHUFFLE_BYTES = 256 << 20


def read_tfds(builder: Any, split: str, fit: Fit, *, cache: str, store: Store) -> Table:
    """Read a split of a prepared TFDS builder.

    Class labels become int32 (`label`, with their names), other scalars and vectors keep their names, a dictionary of
    yes/no features becomes one float32 vector (`attributes`), strings stay strings. What fits none of these (boxes in
    varying number, masks, audio) is left out and named in `left_out`.

    Args:
        builder: a `tfds.core.DatasetBuilder` whose data are prepared.
        split: a TFDS split description.
        fit: what the images are brought to.
        cache: "memory", "disk" or "none" (stream).
        store: where decoded images are kept.

    Returns:
        A `Table`.

    Raises:
        ValueError: no `image` feature, an unknown split, channels that cannot be converted.
    """
    check_split(builder, split)
    mapping, names, left_out = map_features(builder)
    info = builder.info.splits[split]
    parts = [(pathlib.Path(part.filename).name, part.skip, part.take) for part in info.file_instructions]
    identity = [builder.info.full_name, info.num_examples, info.num_bytes, parts]
    fingerprint = hashlib.sha256(json.dumps([*identity, fit.__dict__], default=str).encode()).hexdigest()
    scale = _scale(builder, split)
    common = {"names": names, "fingerprint": fingerprint, "left_out": left_out}

    if cache == "none":
        stream = _Stream(builder, split, fit, mapping, scale)
        return Table({}, {}, stream=stream, count=info.num_examples, **common)
    rows = (_row(example, mapping, fit, scale) for example in _examples(builder, split))
    arrays, _ = store.collect(rows, info.num_examples, cache, fingerprint)
    image = arrays.pop("image")
    return Table({"image": Images(len(image), image.dtype, array=image)}, arrays, **common)


def check_split(builder: Any, split: str) -> None:
    """Raise a ValueError that lists the known splits unless `split` can be read."""
    known = {name: part.num_examples for name, part in builder.info.splits.items()}
    listed = ", ".join(f"{name} ({count:,})" for name, count in known.items())
    unknown = [name for name in split_names(split) if name not in known]
    if unknown:
        raise ValueError(f"{builder.name} has no split {unknown[0]!r} (asked for {split!r}). Known splits: {listed}.")
    try:
        count = builder.info.splits[split].num_examples
    except Exception as error:  # TFDS raises AssertionError or ValueError, by the kind of mistake
        raise ValueError(
            f"split={split!r} cannot be read: {error}. Write a name with an optional slice, such as 'train[:90%]' or "
            f"'train[-1000:]'. Known splits: {listed}."
        ) from error
    if count == 0:
        raise ValueError(f"split={split!r} selects no example. Known splits: {listed}.")


def map_features(builder: Any) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Say what becomes of each feature.

    Returns:
        (field -> (feature, kind)), value names by field, names of the features that are left out. Kinds: image, label,
        number, vector, flags, text.
    """
    import tensorflow_datasets as tfds

    features = builder.info.features
    known = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    if not isinstance(known.get("image"), tfds.features.Image):
        held = ", ".join(known) or type(features).__name__
        raise ValueError(f"{builder.name} has no feature `image` with pictures. Its features: {held}.")
    mapping, names, left_out = {"image": ("image", "image")}, {}, []
    for key, feature in known.items():
        if key == "image":
            continue
        if isinstance(feature, tfds.features.ClassLabel):
            mapping[key] = (key, "label")
            if feature.names:
                names[key] = tuple(feature.names)
        elif isinstance(feature, tfds.features.FeaturesDict) and all(f.shape == () for f in feature.values()):
            mapping[key] = (key, "flags")
            names[key] = tuple(feature.keys())
        elif not isinstance(feature, tfds.features.Tensor) or isinstance(
            feature, (tfds.features.Image, tfds.features.Audio)
        ):
            left_out.append(key)
        elif feature.shape == () and feature.np_dtype.kind in "biuf":
            mapping[key] = (key, "number")
        elif feature.shape == ():
            mapping[key] = (key, "text")
        elif len(feature.shape) == 1 and feature.shape[0] is not None and feature.np_dtype.kind in "biuf":
            mapping[key] = (key, "vector")
        else:
            left_out.append(key)
    return mapping, names, tuple(left_out)


def _scale(builder: Any, split: str) -> int:
    """Return 255 for sets that store binary images as 0 and 1 (binarized_mnist), else 1."""
    dataset = builder.as_dataset(split=split, shuffle_files=False).take(64)
    return 255 if all(example["image"].max() <= 1 for example in dataset.as_numpy_iterator()) else 1


def _examples(builder: Any, split: str) -> Iterator[dict[str, Any]]:
    import tensorflow_datasets as tfds

    config = tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)    # in the order of the files
    dataset = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
    if not all(spec.shape.is_fully_defined() for spec in tf.nest.flatten(dataset.element_spec)):
        yield from dataset.as_numpy_iterator()
        return
    for batch in dataset.batch(512).prefetch(2).as_numpy_iterator():     # ten times as fast as one by one
        for i in range(len(batch["image"])):
            yield _pick(batch, i)


def _pick(batch: dict[str, Any], i: int) -> dict[str, Any]:
    return {key: _pick(value, i) if isinstance(value, dict) else value[i] for key, value in batch.items()}


def _row(example: dict[str, Any], mapping: dict[str, tuple[str, str]], fit: Fit, scale: int) -> dict[str, Any]:
    row = {}
    for field, (key, kind) in mapping.items():
        value = example[key]
        if kind == "image":
            row[field] = fit(value * np.uint8(scale))
        elif kind == "flags":
            row[field] = np.array([float(flag) for flag in value.values()], np.float32)
        else:
            row[field] = _cast(value, kind)
    return row


def _cast(value: Any, kind: str) -> Any:
    """int32 for labels, float32 for vectors; works on numpy values and on tensors."""
    cast = tf.cast if isinstance(value, tf.Tensor) else lambda v, t: np.asarray(v).astype(t.as_numpy_dtype)
    dtype = tf.as_dtype(getattr(value, "dtype", None)) if kind == "number" else None
    if kind == "label" or dtype == tf.bool:
        return cast(value, tf.int32)
    if kind == "vector" or (dtype is not None and dtype.is_floating):
        return cast(value, tf.float32)
    return value


class _Stream:
    """The examples of a split, decoded as they are needed, in an order that (seed, epoch, pass) decide.

    Files are read in a permuted order, several at a time, into a shuffle buffer of encoded examples.
    """

    def __init__(self, builder: Any, split: str, fit: Fit, mapping: dict[str, tuple[str, str]], scale: int):
        info = builder.info
        if info.file_format.value != "tfrecord":
            raise ValueError(
                f"{info.full_name} is stored as {info.file_format.value}; only tfrecord can be streamed. "
                f"Load it with cache='disk' or cache='memory'."
            )
        parts = info.splits[split].file_instructions
        takes = [part.take if part.take >= 0 else part.examples_in_shard - part.skip for part in parts]
        self.files = [str(part.filename) for part in parts]
        self.skips = np.array([part.skip for part in parts], np.int64)
        self.takes = np.array(takes, np.int64)
        self.starts = np.concatenate([[0], np.cumsum(takes)[:-1]]).astype(np.int64)
        whole = [info.splits[name] for name in split_names(split)]
        size = sum(part.num_bytes for part in whole) / max(1, sum(part.num_examples for part in whole))
        self.buffer = int(min(sum(takes), max(1000, SHUFFLE_BYTES / max(1.0, size))))
        self.features, self.fit, self.mapping, self.scale = info.features, fit, mapping, scale

    def __call__(self, seeds: tf.Tensor | None) -> tf.data.Dataset:
        """Return (index, encoded example) pairs; `seeds` is int64 [2], or None for the order of the files."""
        order = tf.range(len(self.files))
        if seeds is not None:
            order = tf.random.experimental.stateless_shuffle(order, seed=seeds, alg="philox")
        parts = tf.data.Dataset.from_tensor_slices(
            tuple(tf.gather(column, order) for column in (self.files, self.skips, self.takes, self.starts))
        )

        def read(file, skip, take, start):
            records = tf.data.TFRecordDataset(file).skip(skip).take(take)
            return records.enumerate(start)

        if seeds is None:
            return parts.flat_map(read)
        mixed = parts.interleave(read, cycle_length=16, block_length=16)
        return mixed.shuffle(self.buffer, seed=seeds[1], reshuffle_each_iteration=False)

    def decode(self, record: tf.Tensor) -> dict[str, tf.Tensor]:
        """Decode one example and fit its image."""
        example = self.features.deserialize_example(record)
        row = {}
        for field, (key, kind) in self.mapping.items():
            value = example[key]
            if kind == "image":
                row[field] = tf.numpy_function(lambda image: self.fit(image * np.uint8(self.scale)), [value], tf.uint8)
                row[field].set_shape(self.fit.image_shape)
            elif kind == "flags":
                row[field] = tf.stack([tf.cast(flag, tf.float32) for flag in value.values()])
            else:
                row[field] = _cast(value, kind)
        return row
