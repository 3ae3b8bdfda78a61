"""The vector of attributes that StarGAN is told: groups, the data sets that know them, and names."""

import dataclasses

import numpy as np
import tensorflow as tf

from keras_gen.runtime.attributes import attribute_vectors


@dataclasses.dataclass(frozen=True)
class Attributes:
    """A vector of n entries in groups.

    A group of k >= 2 entries holds exclusive domains, one of which is 1; a group of 1 an attribute of its own, 0 or 1.
    With several data sets, each knows its own groups: an example has the vector of its set, and zeros elsewhere.

    Attributes:
        groups: sizes, each >= 1.
        datasets: of each group the set that knows it, 0, 1, ... without a gap; empty where there is one set.
        names: of the n entries, each another.

    Example:
        >>> Attributes((3,), names=("red", "green", "blue")).vectors(["blue", ("red",)], 2)[0]
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """

    groups: tuple[int, ...]
    datasets: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self):
        groups, sets = tuple(self.groups), tuple(self.datasets or ())
        if not groups or any(not isinstance(size, (int, np.integer)) or size < 1 for size in groups):
            raise ValueError(f"groups must be sizes >= 1, such as [8] or [1, 1, 1]; received {self.groups!r}")
        if sets and (len(sets) != len(groups) or sorted(set(sets)) != list(range(max(sets) + 1))):
            raise ValueError(
                f"datasets must name the set of each of the {len(groups)} groups, as 0, 1, ... without a gap; received "
                f"{self.datasets!r}"
            )
        names = tuple(map(str, self.names or range(sum(groups))))
        if len(names) != sum(groups) or len(set(names)) != len(names):
            raise ValueError(
                f"The groups {groups} have {sum(groups)} entries: they need as many names, each another; received "
                f"{', '.join(names)}"
            )
        for name, value in (("groups", groups), ("datasets", sets), ("names", names)):
            object.__setattr__(self, name, value)

    @property
    def size(self) -> int:
        """n, entries of the vector."""
        return sum(self.groups)

    @property
    def sets(self) -> int:
        """Data sets, >= 1."""
        return max(self.datasets, default=0) + 1

    @property
    def known_groups(self) -> np.ndarray:
        """1 where a set knows a group: float32 [sets, groups]."""
        return (np.arange(self.sets)[:, None] == np.array(self.datasets or [0] * len(self.groups))).astype(np.float32)

    @property
    def known(self) -> np.ndarray:
        """1 where a set knows an entry: float32 [sets, n]."""
        return np.repeat(self.known_groups, self.groups, axis=1)

    @property
    def group_of(self) -> np.ndarray:
        """The group of each entry, int [n]."""
        return np.repeat(np.arange(len(self.groups)), self.groups)

    def describe(self) -> dict:
        """As model.json has it."""
        return {"names": list(self.names), "groups": list(self.groups), "datasets": list(self.datasets)}

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """Logits [batch, n] -> a softmax in groups of exclusive domains, sigmoids elsewhere: [batch, n]."""
        if set(self.groups) == {1}:
            return tf.nn.sigmoid(logits)
        if len(self.groups) == 1:
            return tf.nn.softmax(logits)
        found, start = [], 0
        for size in self.groups:
            part = logits[:, start : start + size]
            part = tf.nn.softmax(part) if size > 1 else tf.nn.sigmoid(part)
            found.append(tf.pad(part, [[0, 0], [start, self.size - start - size]]))
            start += size
        # a sum and not tf.concat: in an int8 file the parts of a concatenation share one scale, which the softmax's
        # kernel does not follow
        return tf.add_n(found)

    def decided(self, probabilities: np.ndarray) -> np.ndarray:
        """Probabilities [num, n] -> the most probable vector: float32 [num, n]."""
        vectors, start = np.zeros(probabilities.shape, np.float32), 0
        for size in self.groups:
            part = probabilities[:, start : start + size]
            vectors[:, start : start + size] = np.eye(size)[part.argmax(1)] if size > 1 else part > 0.5
            start += size
        return vectors

    def chosen(self, vectors: np.ndarray, entry: int) -> np.ndarray:
        """Vectors [num, n] with an entry chosen: the domain in place of its group's, the attribute turned over."""
        vectors, group = np.array(vectors, np.float32), self.group_of == self.group_of[entry]
        turned = 1 - vectors[:, entry]
        vectors[:, group] = 0
        vectors[:, entry] = 1 if group.sum() > 1 else turned
        return vectors

    def vectors(self, wanted, num: int, dataset: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """What a person asks for -> vectors, and the sets that they are of.

        Args:
            wanted: a name; a tuple of names, one of every group of exclusive domains and of the other attributes those
                that are on; a vector [n] in [0, 1]; or a list (or an array [num, n]) with one of these for each image.
            num: images, >= 1.
            dataset: the set that vectors are of; due where there are several. Names tell theirs.

        Returns:
            float32 [num, n], and int32 [num].

        Raises:
            ValueError: for an unknown name, names that do not fit together, or another shape or number.
        """
        return attribute_vectors(self.describe(), wanted, num, dataset)
