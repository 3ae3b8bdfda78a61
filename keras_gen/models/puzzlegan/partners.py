"""Another example of the batch for each one, the same on any number of replicas."""

import tensorflow as tf

from ..core.global_batch import GlobalBatch


def roll_batch(values: tf.Tensor, global_batch: GlobalBatch) -> tf.Tensor:
    """For each example the next one of the global batch; the first one follows the last.

    Args:
        values: [rows, ...], taken without a gradient.
        global_batch: where the rows lie in the global batch.

    Returns:
        [rows, ...]. In a batch of one, the example itself.
    """
    return global_batch.local_slice(tf.roll(global_batch.gather(tf.stop_gradient(values)), -1, axis=0))
