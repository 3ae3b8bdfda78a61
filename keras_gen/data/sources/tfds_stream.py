"""A stream of a TFDS dataset that is decoded on demand, in an order that is determined by seeds."""

from typing import Any

import numpy as np
import tensorflow as tf

from ..resize import Resize
from ..slices import split_names

# bytes of encoded examples in the shuffle buffer of a stream
SHUFFLE_BYTES = 256 << 20


class TFDSStream:
    """The examples of a split, decoded on demand, in an order that is determined by (seed, epoch, pass).

    Files are read in a permuted order, several at a time, into a shuffle buffer of encoded examples.

    Args:
        builder: A prepared `tfds.core.DatasetBuilder`.
        split: A TFDS split.
        resize: Target shape of the images.
        mapping: Field -> (feature, kind) of `map_features`.
        scale: Factor of the pixels.

    Raises:
        ValueError: If the dataset is not stored as TFRecord files.
    """

    def __init__(self, builder: Any, split: str, resize: Resize, mapping: dict[str, tuple[str, str]], scale: int):
        info = builder.info
        if info.file_format.value != "tfrecord":
            raise ValueError(
                f"Expected a dataset that is stored as tfrecord for cache=None; received {info.full_name}, stored as "
                f"{info.file_format.value}. Pass cache='disk' or cache='memory'."
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
        self.features, self.resize, self.mapping, self.scale = info.features, resize, mapping, scale

    def __call__(self, seeds: tf.Tensor | None) -> tf.data.Dataset:
        """Returns a dataset of (index, encoded example).

        Args:
            seeds: int64 [2]; None for the order of the files.
        """
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
        return _shuffled(mixed, self.buffer, seeds[1])

    def decode(self, record: tf.Tensor) -> dict[str, tf.Tensor]:
        """Decodes one example and resizes its image."""
        example = self.features.deserialize_example(record)
        row = {}
        for field, (key, kind) in self.mapping.items():
            value = example[key]
            if kind == "image":
                row[field] = tf.numpy_function(self._resize, [value], tf.uint8)
                row[field].set_shape(self.resize.image_shape)
            elif kind == "flags":
                row[field] = tf.stack([tf.cast(value[name], tf.float32) for name in sorted(value)])
            elif kind == "texts":
                row[field] = value["text"][0]
            else:
                row[field] = cast(value, kind)
        return row

    def _resize(self, image: np.ndarray) -> np.ndarray:
        return self.resize(image * np.uint8(self.scale))


def cast(value: Any, kind: str) -> Any:
    """Casts a NumPy value or a tensor: labels and booleans to int32, floats and vectors to float32.

    Args:
        value: The value of a feature.
        kind: Its kind in `map_features`.
    """
    to = tf.cast if isinstance(value, tf.Tensor) else lambda v, t: np.asarray(v).astype(t.as_numpy_dtype)
    dtype = tf.as_dtype(getattr(value, "dtype", None)) if kind == "number" else None
    if kind == "label" or dtype == tf.bool:
        return to(value, tf.int32)
    if kind == "vector" or (dtype is not None and dtype.is_floating):
        return to(value, tf.float32)
    return value


def _shuffled(dataset: tf.data.Dataset, buffer: int, seed: tf.Tensor) -> tf.data.Dataset:
    """Shuffles with this seed alone: `Dataset.shuffle` combines it with the global seed, and fails if that is 0.

    This is called while tf.data traces a function, whose graph has its own copy of the global seed.
    """
    graph = tf.compat.v1.get_default_graph()
    global_seed, graph.seed = graph.seed, None
    try:
        return dataset.shuffle(buffer, seed=seed, reshuffle_each_iteration=False)
    finally:
        graph.seed = global_seed
