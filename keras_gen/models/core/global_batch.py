"""The position of a replica's rows in the global batch, and the noise of these rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_gen.distributions.noise import Noise


class GlobalBatch:
    """The position of this replica's rows in the global batch of one step.

    The end of an epoch may leave a replica without a row, and TensorFlow's gradient of a convolution fails on none.
    `pad_if_empty` adds a row of zeros on such a replica; `valid_rows`, and with it every sum here, ignores that row.

    Args:
        rows: Number of examples on this replica, an integer scalar.

    Attributes:
        rows: Number of examples on this replica.
        total: Number of examples on all replicas.
        first: Index of this replica's first row in the global batch.
        replicas: Number of replicas, a Python integer.
    """

    def __init__(self, rows: tf.Tensor):
        self.rows = tf.cast(rows, tf.int32)
        context = tf.distribute.get_replica_context()
        self.replicas = context.num_replicas_in_sync
        if self.replicas == 1:
            self.total, self.first = self.rows, tf.constant(0)
        else:
            own = tf.one_hot(context.replica_id_in_sync_group, self.replicas, dtype=tf.int32)
            counts = context.all_reduce(tf.distribute.ReduceOp.SUM, own * self.rows)
            self.total = tf.reduce_sum(counts)
            self.first = tf.reduce_sum(counts * tf.cast(tf.range(self.replicas) < _replica(context), tf.int32))

    def pad_if_empty(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Returns the batch {name: [rows, ...]}, with one row of zeros if this replica has none."""
        return batch if self.replicas == 1 else {name: pad_if_empty(value) for name, value in batch.items()}

    def valid_rows(self, values: tf.Tensor) -> tf.Tensor:
        """Returns values [rows, ...] without the row of `pad_if_empty`."""
        return values if self.replicas == 1 else values[: self.rows]

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the mean of values [rows, ...] over the examples of all replicas, without a gradient: [...]."""
        total = tf.reduce_sum(tf.stop_gradient(self.valid_rows(values)), axis=0)
        if self.replicas > 1:
            total = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, total)
        return total / tf.cast(self.total, values.dtype)

    def differentiable_mean(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the mean of values [rows] over the examples of all replicas, a scalar with a gradient."""
        total = tf.reduce_sum(self.valid_rows(values))
        if self.replicas > 1:
            total = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, total)
        return total / tf.cast(self.total, values.dtype)

    def gather(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the values of all replicas' examples in order, on each replica: [rows, ...] -> [total, ...].

        The gradient reaches every replica's rows: each replica's loss may depend on all of them.

        Args:
            values: [rows, ...].
        """
        if self.replicas == 1:
            return values
        values = self.valid_rows(values)
        others = [[self.first, self.total - self.first - tf.shape(values)[0]], *[[0, 0]] * (values.shape.rank - 1)]
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.pad(values, others))

    def local_slice(self, values: tf.Tensor) -> tf.Tensor:
        """Returns this replica's rows of values [total, ...]: [rows, ...], one row on a replica without examples."""
        if self.replicas == 1:
            return values
        rows = tf.maximum(self.rows, 1)
        first = tf.minimum(self.first, self.total - rows)
        return values[first : first + rows]

    def scale_loss(self, values: tf.Tensor) -> tf.Tensor:
        """Returns this replica's part of the mean loss: sum(values) / total.

        Keras's optimizers SUM the gradients of the replicas.

        Args:
            values: Per-example losses, [rows].
        """
        return tf.reduce_sum(self.valid_rows(values)) / tf.cast(self.total, values.dtype)


def pad_if_empty(values: tf.Tensor) -> tf.Tensor:
    """Returns values [rows, ...], or one row of zeros if there are none: [max(rows, 1), ...].

    Args:
        values: [rows, ...].
    """
    shape = tf.shape(values)
    missing = 1 - tf.minimum(shape[0], 1)
    return tf.concat([values, tf.zeros(tf.concat([[missing], shape[1:]], 0), values.dtype)], 0)


class BatchNoise:
    """The noise of one forward pass: drawn for the global batch and cut to this replica's rows.

    Several replicas together therefore use exactly the noise of one device. Every call draws new noise.

    Args:
        seed: Seed of the forward pass, int32 [2].
        global_batch: The position of this replica's rows.
    """

    def __init__(self, seed: tf.Tensor, global_batch: GlobalBatch):
        self.seed, self.global_batch, self.calls = seed, global_batch, 0

    def normal(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns standard normal noise, float32 [rows, *shape]."""
        return self._draw(tf.random.stateless_normal, shape)

    def uniform(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns uniform noise on [0, 1), float32 [rows, *shape]."""
        return self._draw(tf.random.stateless_uniform, shape)

    def uniform_symmetric(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns uniform noise on [-1, 1), float32 [rows, *shape]."""
        return 2.0 * self.uniform(shape) - 1.0

    def one_hot(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns one of `shape[0]` equally likely classes for each row, one-hot float32 [rows, shape[0]]."""
        index = tf.cast(self.uniform([]) * shape[0], tf.int32)
        return tf.one_hot(tf.minimum(index, shape[0] - 1), shape[0])

    def global_uniform(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns uniform noise on [0, 1) that is the same on every replica, float32 [*shape]."""
        return tf.random.stateless_uniform(shape, self._next_seed(), alg="philox")

    def shuffle(self, values: tf.Tensor, within: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the rows of the global batch in a random order, each once, without a gradient: [rows, ...].

        Args:
            values: [rows, ...].
            within: Groups, integers [rows]: rows are only exchanged within a group. None is one group.
        """
        order = tf.argsort(self.global_uniform([self.global_batch.total]))
        if within is not None:
            groups = self.global_batch.gather(within)
            slots, by_group = tf.argsort(groups, stable=True), tf.argsort(tf.gather(groups, order), stable=True)
            order = tf.scatter_nd(slots[:, None], tf.gather(order, by_group), [self.global_batch.total])
        return self.global_batch.local_slice(tf.gather(self.global_batch.gather(tf.stop_gradient(values)), order))

    def noise(self, specification: Mapping[str, Noise]) -> dict[str, tf.Tensor]:
        """Returns base noise, {name: [rows, *shape]}.

        Args:
            specification: {name: `keras_gen.distributions.Noise`}.
        """
        return {name: getattr(self, noise.kind)(noise.shape) for name, noise in specification.items()}

    def _draw(self, function: Callable[..., tf.Tensor], shape: Sequence[int]) -> tf.Tensor:
        return self.global_batch.local_slice(
            function([self.global_batch.total, *shape], self._next_seed(), alg="philox")
        )

    def _next_seed(self) -> tf.Tensor:
        # philox by name, here and above: the default algorithm depends on the device. XLA converts the same bits to
        # other floats, so a run with jit_compile has other noise of the same distribution
        seed = tf.random.fold_in(self.seed, self.calls, alg="philox")
        self.calls += 1
        return seed


def _replica(context) -> tf.Tensor:
    return tf.cast(context.replica_id_in_sync_group, tf.int32)
