"""The attribute vector of StarGAN: its groups, the datasets that label them, and the names of its entries."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.runtime.attributes import attribute_vectors


@dataclasses.dataclass(frozen=True)
class AttributeSchema:
    """The layout of an attribute vector with n entries in groups.

    A group of k >= 2 entries is one-hot: k mutually exclusive domains. A group of size 1 is a binary attribute. With
    several datasets, each dataset labels its own groups; the entries of all other groups are 0 in its examples.

    Attributes:
        groups: sizes of the groups, each >= 1.
        datasets: index of the dataset that labels each group, numbered 0, 1, ... without a gap; empty for one dataset.
        names: unique names of the n entries; empty numbers them.

    Raises:
        ValueError: for sizes below 1, datasets that are not numbered consecutively, or names that are not unique.

    Example:
        >>> AttributeSchema((3,), names=("red", "green", "blue")).vectors(["blue", ("red",)], 2)[0]
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """

    groups: tuple[int, ...]
    datasets: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self):
        groups, datasets = tuple(self.groups), tuple(self.datasets or ())
        if not groups or any(not isinstance(size, (int, np.integer)) or size < 1 for size in groups):
            raise ValueError(f"Expected groups as sizes >= 1, such as [8] or [1, 1, 1]; received {self.groups!r}")
        if datasets and (len(datasets) != len(groups) or sorted(set(datasets)) != list(range(max(datasets) + 1))):
            raise ValueError(
                f"Expected datasets with one index for each of the {len(groups)} groups, numbered 0, 1, ... without a "
                f"gap; received {self.datasets!r}"
            )
        names = tuple(map(str, self.names or range(sum(groups))))
        if len(names) != sum(groups) or len(set(names)) != len(names):
            raise ValueError(
                f"Expected {sum(groups)} unique names, one for each entry of the groups {groups}; received "
                f"{', '.join(names)}"
            )
        for field, value in (("groups", groups), ("datasets", datasets), ("names", names)):
            object.__setattr__(self, field, value)

    @property
    def size(self) -> int:
        """The number of entries n."""
        return sum(self.groups)

    @property
    def num_datasets(self) -> int:
        """The number of datasets, >= 1."""
        return max(self.datasets, default=0) + 1

    @property
    def known_groups(self) -> np.ndarray:
        """A float32 mask [num_datasets, groups]: 1 where a dataset labels a group."""
        datasets = np.array(self.datasets or [0] * len(self.groups))
        return (np.arange(self.num_datasets)[:, None] == datasets).astype(np.float32)

    @property
    def known_entries(self) -> np.ndarray:
        """A float32 mask [num_datasets, n]: 1 where a dataset labels an entry."""
        return np.repeat(self.known_groups, self.groups, axis=1)

    @property
    def group_of(self) -> np.ndarray:
        """The group index of each entry, int [n]."""
        return np.repeat(np.arange(len(self.groups)), self.groups)

    def describe(self) -> dict[str, list]:
        """Returns the schema as JSON, in the form that model.json stores it."""
        return {"names": list(self.names), "groups": list(self.groups), "datasets": list(self.datasets)}

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns probabilities [batch, n] of logits [batch, n]: a softmax per exclusive group, a sigmoid otherwise."""
        if set(self.groups) == {1}:
            return tf.nn.sigmoid(logits)
        if len(self.groups) == 1:
            return tf.nn.softmax(logits)
        parts, start = [], 0
        for size in self.groups:
            part = logits[:, start : start + size]
            part = tf.nn.softmax(part) if size > 1 else tf.nn.sigmoid(part)
            parts.append(tf.pad(part, [[0, 0], [start, self.size - start - size]]))
            start += size
        # a sum and not tf.concat: in an int8 file the parts of a concatenation share one scale, which the softmax's
        # kernel does not follow
        return tf.add_n(parts)

    def most_probable(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns the most probable vectors, float32 [num, n], for probabilities [num, n]."""
        vectors, start = np.zeros(probabilities.shape, np.float32), 0
        for size in self.groups:
            part = probabilities[:, start : start + size]
            vectors[:, start : start + size] = np.eye(size)[part.argmax(1)] if size > 1 else part > 0.5
            start += size
        return vectors

    def with_entry(self, vectors: np.ndarray, entry: int) -> np.ndarray:
        """Returns vectors [num, n] in which one entry is changed.

        The entry of an exclusive group becomes the domain of its group; a binary attribute is flipped.
        """
        vectors, group = np.array(vectors, np.float32), self.group_of == self.group_of[entry]
        flipped = 1 - vectors[:, entry]
        vectors[:, group] = 0
        vectors[:, entry] = 1 if group.sum() > 1 else flipped
        return vectors

    def vectors(self, attributes: Any, num: int, dataset: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Returns the attribute vectors that names or numbers describe, and the dataset of each vector.

        Args:
            attributes: a name; a tuple of names, with exactly one of every exclusive group and any number of binary
                attributes, which are set to 1; a vector [n] in [0, 1]; or a list (or an array [num, n]) with one of
                these for each image.
            num: number of images, >= 1.
            dataset: index of the dataset that vectors belong to; required for vectors if there are several datasets.
                The dataset of names follows from the names.

        Returns:
            float32 [num, n], and int32 [num].

        Raises:
            ValueError: for an unknown name, names that contradict each other, or another shape or number.
        """
        return attribute_vectors(self.describe(), attributes, num, dataset)
