"""Moving averages of a classifier's accuracy and of its labels, group by group, which show whether it learns."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.losses import group_accuracy

from ..core.global_batch import GlobalBatch
from ..core.host import host_value

DECAY = 0.99  # about the last hundred batches count


@keras.saving.register_keras_serializable("keras_gen")
class ClassifierStatistics(keras.layers.Layer):
    """Accuracy of a classifier, and shares of the values of each group of attributes, over the recent batches.

    All averages have the decay `DECAY` per batch. They are kept in the layer's variables and saved with the model.

    Args:
        groups: sizes of the groups, see `AttributeSchema`.
        **kwargs: name and dtype.
    """

    def __init__(self, groups: Sequence[int], **kwargs: Any):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        self.groups = tuple(groups)
        options = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        # sums over labeled examples: with several datasets, a batch need not label all groups
        self.examples = self.add_weight(name="examples", shape=(len(self.groups),), **options)
        self.correct = self.add_weight(name="correct", shape=(len(self.groups),), **options)
        self.labels = self.add_weight(name="labels", shape=(sum(self.groups),), **options)
        self.built = True

    def update(
        self, logits: tf.Tensor, attributes: tf.Tensor, known: tf.Tensor | None, global_batch: GlobalBatch
    ) -> None:
        """Adds a batch.

        Args:
            logits: [batch, n].
            attributes: true attributes [batch, n], 0 where they are unknown.
            known: 1 for the groups that count, [batch, groups]; None counts all.
            global_batch: the batch, over whose replicas the averages are taken.
        """
        accuracy = tf.stack(
            [
                group_accuracy(group_logits, labels, [size])
                for size, group_logits, labels in zip(
                    self.groups, tf.split(logits, self.groups, 1), tf.split(attributes, self.groups, 1), strict=True
                )
            ],
            axis=1,
        )
        known = tf.ones_like(accuracy) if known is None else tf.cast(known, tf.float32)
        averages = ((self.examples, known), (self.correct, known * accuracy), (self.labels, attributes))
        for variable, values in averages:
            mean = global_batch.mean(tf.cast(values, tf.float32))
            variable.assign(DECAY * tf.convert_to_tensor(variable) + (1 - DECAY) * mean)

    def accuracy(self) -> np.ndarray:
        """Returns the accuracy in each group, [groups]; NaN for a group without an example."""
        with np.errstate(invalid="ignore"):
            return host_value(self.correct) / host_value(self.examples)

    def shares(self) -> list[np.ndarray]:
        """Returns the shares of the values of each group: [k] for k classes, [2] for a binary attribute (0 and 1).

        They are equal for a group without an example.
        """
        shares = []
        parts = np.split(host_value(self.labels), np.cumsum(self.groups)[:-1])
        for labels, examples in zip(parts, host_value(self.examples), strict=True):
            values = [examples - labels[0], labels[0]] if len(labels) == 1 else labels
            shares.append(np.array(values) / examples if examples else np.full(len(values), 1 / len(values)))
        return shares
