"""Models that may be conditioned on a class."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.runtime.names import indices_of

from .endpoint import Port
from .generative_model import GenerativeModel
from .graph_checks import between


def class_indices(label: Any, classes: int, lowest: int = 0) -> tf.Tensor:
    """Returns labels as int32 [batch] after a check: `tf.one_hot` would turn any out-of-range class into zeros.

    Args:
        label: Integers from `lowest` to `classes` - 1, [batch] or [batch, 1].
        classes: Number of classes.
        lowest: Smallest label; -1 if an example may have no class.

    Raises:
        ValueError: For labels that are no integers; for labels out of range when the step runs, see `between`.
    """
    label = tf.convert_to_tensor(label)
    if not label.dtype.is_integer:
        raise ValueError(
            f"Expected integer labels from {lowest} to {classes - 1}; received {label.dtype.name}: numbers become "
            "labels with astype('int32'), names with numpy.unique(names, return_inverse=True)[1]"
        )
    label = between("values", f"labels from {lowest} to {classes - 1}", label, lowest, classes - 1)
    return tf.cast(tf.reshape(label, [-1]), tf.int32)


class ClassConditional(GenerativeModel):
    """A model with an optional class: labels of batches, and the condition `label` of `generate`.

    To be inherited before the model's base.

    Args:
        label_names: Names of the classes 0, 1, ..., under which `generate` also takes them; `keras_gen.train` sets the
            names in the data. None if the classes have no names.
        **kwargs: As for `GenerativeModel`.

    Attributes:
        num_classes: Number of classes to condition on, or None.
    """

    num_classes: int | None = None
    label_setting = "num_classes"

    def __init__(self, *, label_names: Sequence[str] | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.label_names = None if label_names is None else tuple(map(str, label_names))

    @property
    def label_classes(self) -> int | None:
        """Number of classes of a batch's `label`, or None."""
        return self.num_classes

    def set_names(self, names: Mapping[str, Sequence[str]]) -> None:
        """Stores the names of the classes."""
        super().set_names(names)
        if self.num_classes and "label" in names:
            self.label_names = tuple(names["label"])

    def names_of(self, labels: Iterable[int]) -> list[str] | None:
        """Returns the name of each label, or its number if it has none; None if no class has a name.

        Args:
            labels: Classes, integers >= 0.
        """
        if not self.label_names:
            return None
        return [self.label_names[label] if label < len(self.label_names) else str(label) for label in labels]

    def preview_conditions(self, num: int, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the conditions of samples for a preview picture: all classes in turn.

        Args:
            num: Number of samples.
            batch: A batch of the data.
        """
        return {"label": np.arange(num) % self.num_classes} if self.num_classes else {}

    def label_of(self, batch: Mapping[str, Any]) -> tf.Tensor | None:
        """Returns a batch's labels one-hot, float32 [batch, num_classes]; None for a model without classes.

        Args:
            batch: {field: values}; `label` is [batch], [batch, 1] or one-hot [batch, num_classes].

        Raises:
            ValueError: For a batch without `label`, labels of another shape, or out-of-range classes.
        """
        if not self.num_classes:
            return None
        if "label" not in batch:
            raise ValueError(
                f"Expected a batch with 'label' for num_classes={self.num_classes}; received {sorted(batch)}"
            )
        label = tf.convert_to_tensor(batch["label"])
        if label.shape.rank == 2 and label.shape[1] == self.num_classes:
            return tf.cast(label, tf.float32)
        if label.shape.rank != 1 and label.shape[1:] != [1]:
            raise ValueError(
                f"Expected labels [batch], or one-hot [batch, {self.num_classes}]; received the shape {label.shape}"
            )
        return tf.one_hot(class_indices(label, self.num_classes), self.num_classes)

    def condition_ports(self) -> dict[str, Port]:
        """Returns `label`, one-hot, of a model with classes."""
        label = {"label": Port((self.num_classes,), "label")} if self.num_classes else {}
        return {**label, **super().condition_ports()}

    def condition_names(self) -> tuple[str, ...]:
        """Returns `label`, of a model with classes."""
        return (*(("label",) if self.num_classes else ()), *super().condition_names())

    def conditions_of(self, num: int, *, label: Any = None, **conditions: Any) -> dict[str, np.ndarray]:
        """Returns `label` one-hot, float32 [num, num_classes].

        Args:
            num: Number of images.
            label: A class as an index or a name, or `num` of them; required by a model with classes.
            **conditions: Other conditions, see `GenerativeModel.conditions_of`.

        Raises:
            ValueError: For a label of a model without classes, a missing label, or out-of-range classes.
        """
        others = super().conditions_of(num, **conditions)
        if not self.num_classes:
            if label is not None:
                remedy = ""
                if self.label_setting == "num_classes":
                    remedy = ", or train a model with num_classes=... on images with labels"
                raise ValueError(
                    f"Expected no label: this {type(self).__name__} was built without classes; received "
                    f"label={label!r}: leave it out{remedy}"
                )
            return others
        if label is None:
            raise ValueError(
                f"Expected label=, a class from 0 to {self.num_classes - 1}, for a model that is conditioned on "
                "classes; received none"
            )
        labels = np.asarray(indices_of("class", label, self.label_names, self.num_classes))
        if labels.shape not in ((), (1,), (num,)):
            raise ValueError(f"Expected one label, or {num} (one for each image); received the shape {labels.shape}")
        labels = np.broadcast_to(labels, (num,))
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(f"Expected labels as integers from 0 to {self.num_classes - 1}; received {label!r}")
        return {"label": np.eye(self.num_classes, dtype=np.float32)[labels], **others}
