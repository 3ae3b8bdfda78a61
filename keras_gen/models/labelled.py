"""Models that may be told a class."""

import numpy as np
import tensorflow as tf


class Labelled:
    """What a model with an optional class shares: labels of a batch, and the `label` of `generate`.

    Attributes:
        num_classes: classes to condition on, or None.
    """

    num_classes: int | None = None

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
        label = tf.cast(tf.reshape(label, [-1]), tf.int32)
        known = tf.reduce_all((label >= 0) & (label < self.num_classes))
        # one_hot would make a row of zeros of a class that is not there (XLA leaves this check out)
        tf.debugging.Assert(known, [f"Expected labels from 0 to {self.num_classes - 1}; received", label])
        return tf.one_hot(label, self.num_classes)

    def conditions_of(self, num: int, *, label=None, **unknown) -> dict:
        if not self.num_classes:
            return super().conditions_of(num, **unknown, **({} if label is None else {"label": label}))
        if unknown:
            raise ValueError(f"This model takes the condition label alone; received {', '.join(sorted(unknown))}")
        if label is None:
            raise ValueError(f"This model is conditional: pass label=, classes 0 to {self.num_classes - 1}")
        labels = np.asarray(label)
        if labels.shape not in ((), (1,), (num,)):
            raise ValueError(f"Expected one label, or {num} (one for each image); received the shape {labels.shape}")
        labels = np.broadcast_to(labels, (num,))
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(f"label must be integers from 0 to {self.num_classes - 1}; received {label!r}")
        return {"label": np.eye(self.num_classes, dtype=np.float32)[labels]}
