"""Another example of the batch for each one, the same on any number of replicas."""

import tensorflow as tf

from .placement import Place


def partners(values: tf.Tensor, place: Place) -> tf.Tensor:
    """For each example the next one of the global batch; the first one follows the last.

    Args:
        values: [rows, ...], without a gradient.
        place: where the rows lie in the global batch.

    Returns:
        [rows, ...]. In a batch of one, the example itself.
    """
    values = tf.stop_gradient(values)
    if place.replicas == 1:
        return tf.roll(values, -1, axis=0)
    rows = tf.maximum(place.rows, 1)  # as `Place.filled`
    own = place.own(values)
    before, after = place.first, place.total - place.first - place.rows
    padding = [[before, after], *([[0, 0]] * (values.shape.rank - 1))]
    everyone = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.pad(own, padding))
    return tf.gather(everyone, (place.first + tf.range(rows) + 1) % place.total)
