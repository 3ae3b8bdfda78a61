"""Models that may be told a class."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from keras_gen.names import indices_of

from .finite_check import between


def class_indices(label: tf.Tensor, classes: int, lowest: int = 0) -> tf.Tensor:
    """Labels [batch] or [batch, 1] as int32 [batch], once they have been checked: one_hot makes zeros of any others.

    Args:
        label: integers from `lowest` to `classes - 1`.
        classes: how many there are.
        lowest: -1 where an example may have no class.

    Raises:
        ValueError: for labels that are no integers; for others when the step runs, see `faults.between`.
    """
    label = tf.convert_to_tensor(label)
    if not label.dtype.is_integer:
        raise ValueError(
            f"Expected integer labels from {lowest} to {classes - 1}; received {label.dtype.name}: numbers become "
            "labels with astype('int32'), names with numpy.unique(names, return_inverse=True)[1]"
        )
    label = between("values", f"labels from {lowest} to {classes - 1}", label, lowest, classes - 1)
    return tf.cast(tf.reshape(label, [-1]), tf.int32)


class ClassConditional:
    """What a model with an optional class shares: labels of a batch, and the `label` of `generate`.

    Args:
        label_names: names of the classes 0, 1, ..., so that `generate` takes them; `keras_gen.train` sets those of the
            data. None where they have none.

    Attributes:
        num_classes: classes to condition on, or None.
    """

    num_classes: int | None = None
    label_setting = "num_classes"

    def __init__(self, *, label_names: Sequence[str] | None = None, **kwargs):
        super().__init__(**kwargs)
        self.label_names = None if label_names is None else tuple(map(str, label_names))

    @property
    def label_classes(self):
        return self.num_classes

    def take_names(self, names: Mapping[str, Sequence[str]]) -> None:
        if self.num_classes and "label" in names:
            self.label_names = tuple(names["label"])

    def names_of(self, labels: Iterable[int]) -> list[str] | None:
        """The name of each label, its number where it has none; None where no class has a name."""
        if not self.label_names:
            return None
        return [self.label_names[label] if label < len(self.label_names) else str(label) for label in labels]

    def get_config(self) -> dict:
        return {**super().get_config(), "label_names": self.label_names}

    def label_of(self, batch: dict) -> tf.Tensor | None:
        """One-hot labels float32 [batch, num_classes], or None for a model without classes."""
        if not self.num_classes:
            return None
        if "label" not in batch:
            raise ValueError(
                f"A model with num_classes={self.num_classes} needs 'label'; the batch has {sorted(batch)}"
            )
        label = tf.convert_to_tensor(batch["label"])
        if label.shape.rank == 2 and label.shape[1] == self.num_classes:
            return tf.cast(label, tf.float32)
        if label.shape.rank != 1 and label.shape[1:] != [1]:
            raise ValueError(
                f"Expected labels [batch], or one-hot [batch, {self.num_classes}]; received the shape {label.shape}"
            )
        return tf.one_hot(class_indices(label, self.num_classes), self.num_classes)

    def conditions_of(self, num: int, *, label=None, **unknown) -> dict:
        if not self.num_classes:
            if label is not None:
                remedy = ""
                if self.label_setting == "num_classes":
                    remedy = ", or train a model with num_classes=... on images with labels"
                raise ValueError(
                    f"This {type(self).__name__} was built without classes and takes no label; received "
                    f"label={label!r}: leave it out{remedy}"
                )
            return super().conditions_of(num, **unknown)
        if unknown:
            raise ValueError(f"This model takes the condition label alone; received {', '.join(sorted(unknown))}")
        if label is None:
            raise ValueError(f"This model is conditional: pass label=, classes 0 to {self.num_classes - 1}")
        labels = np.asarray(indices_of("class", label, self.label_names, self.num_classes))
        if labels.shape not in ((), (1,), (num,)):
            raise ValueError(f"Expected one label, or {num} (one for each image); received the shape {labels.shape}")
        labels = np.broadcast_to(labels, (num,))
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(f"label must be integers from 0 to {self.num_classes - 1}; received {label!r}")
        return {"label": np.eye(self.num_classes, dtype=np.float32)[labels]}
