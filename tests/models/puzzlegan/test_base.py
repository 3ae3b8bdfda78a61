"""The common base of both Puzzle-GANs: `roll_batch` gives each example the next one of the global batch."""

import numpy as np
import tensorflow as tf

from keras_gen.models.core.global_batch import GlobalBatch
from keras_gen.models.puzzlegan.base import roll_batch
from tests.replicas import two_replicas

VALUES = np.arange(10, dtype=np.float32).reshape(5, 2)


def test_roll_batch():
    np.testing.assert_array_equal(
        roll_batch(tf.constant(VALUES), GlobalBatch(tf.constant(5))), np.roll(VALUES, -1, axis=0)
    )
    np.testing.assert_array_equal(roll_batch(tf.constant(VALUES[:1]), GlobalBatch(tf.constant(1))), VALUES[:1])


def _roll_on_two_replicas(first: int):
    """Returns the rolled rows of two replicas, of which the first has `first` rows."""
    strategy = two_replicas()
    parts = [tf.constant(VALUES[:first]), tf.constant(VALUES[first:])]

    @tf.function
    def run():
        def replica(rows):
            global_batch = GlobalBatch(tf.shape(rows)[0])
            padded = global_batch.pad_if_empty({"values": rows})["values"]
            return global_batch.valid_rows(roll_batch(padded, global_batch))

        values = strategy.experimental_distribute_values_from_function(lambda c: parts[c.replica_id_in_sync_group])
        return strategy.experimental_local_results(strategy.run(replica, args=(values,)))

    return np.concatenate(run())


def test_roll_batch_on_two_replicas():
    expected = np.roll(VALUES, -1, axis=0)
    np.testing.assert_array_equal(_roll_on_two_replicas(3), expected)
    np.testing.assert_array_equal(_roll_on_two_replicas(5), expected)  # the second replica has no row
