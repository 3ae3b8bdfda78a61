"""Distribution strategies: from a name to the devices that train, and communication between workers."""

import contextlib
import functools
import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from keras_gen.models.core.replicas import check_options as check_options

from .cluster import check_strategy, workers


def get(name: str = "auto") -> tf.distribute.Strategy:
    """Returns the strategy with a name. With several workers, call it before anything else runs on a device.

    Args:
        name: `"auto"` (`multiworker` where TF_CONFIG names workers, else `mirrored` with several GPUs, else
            `default`), `"default"` (one device), `"mirrored"` (all GPUs of this machine, or its logical CPUs),
            `"multiworker"` (the machines of TF_CONFIG) or `"tpu"` (TPU_NAME, or the local TPU).

    Raises:
        ValueError: for an unknown name, or where the devices are missing.

    Example:
        >>> with strategies.get("auto").scope():  # doctest: +SKIP
        ...     model = keras_gen.build("vae", (32, 32, 3))
    """
    check_strategy(name)
    if name == "auto":
        name = choose()
    if name == "mirrored":
        return _mirrored()
    if name == "multiworker":
        return _multiworker(os.environ["TF_CONFIG"])
    if name == "tpu":
        return _tpu()
    return tf.distribute.get_strategy()


def task_of(strategy: tf.distribute.Strategy) -> int:
    """Returns the number of this process among the workers; 0 is the chief, which writes the run directory.

    Args:
        strategy: the distribution strategy.
    """
    resolver = strategy.cluster_resolver
    if resolver is None or resolver.task_type in (None, "chief") or not strategy.extended._in_multi_worker_mode():
        return 0
    # the workers are numbered after a chief that has its own job
    return int(resolver.task_id) + (1 if "chief" in resolver.cluster_spec().jobs else 0)


class WorkerLostError(RuntimeError):
    """Another worker has ended or could not start, so this one cannot continue."""


def has_workers(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether several processes train together.

    Args:
        strategy: the distribution strategy.
    """
    return strategy.num_replicas_in_sync > 1 and strategy.extended._in_multi_worker_mode()


def gather(strategy: tf.distribute.Strategy, values: npt.ArrayLike) -> np.ndarray:
    """Collects numbers of all replicas at every worker; all workers must call it at the same point.

    Args:
        strategy: the distribution strategy.
        values: int32 [k], common to all replicas of this process, or [local replicas, k].

    Returns:
        int32 [replicas, k], in the order of the replicas.
    """
    own, count = np.atleast_2d(np.asarray(values, np.int32)), strategy.num_replicas_in_sync
    if not has_workers(strategy):  # all replicas belong to this process
        return np.broadcast_to(own, (count, own.shape[1]))
    local = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(own[context.replica_id_in_sync_group % len(own)])
    )
    return np.asarray(strategy.experimental_local_results(strategy.run(_collect, (local,)))[0])


@tf.function
def _collect(numbers: tf.Tensor) -> tf.Tensor:
    context = tf.distribute.get_replica_context()
    row = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync, dtype=tf.int32)
    return context.all_reduce(tf.distribute.ReduceOp.SUM, row[:, None] * numbers[None])


@contextlib.contextmanager
def together(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Returns a context for a block that all workers must finish without an error, or none continues.

    Nothing inside the block may wait for another worker.

    Args:
        strategy: the distribution strategy.

    Raises:
        WorkerLostError: where another worker has failed. The worker that failed raises its own error.
    """
    try:
        yield
    except Exception:
        if has_workers(strategy):
            gather(strategy, [1])
        raise
    if has_workers(strategy) and (failed := np.flatnonzero(gather(strategy, [0]))).size:
        raise WorkerLostError(
            f"Replica {', '.join(map(str, failed))} could not start: see the error of that worker. Start all workers "
            "again after fixing it"
        )


def describe(strategy: tf.distribute.Strategy) -> str:
    """Returns the devices in words: `"1 CPU"`, `"2 GPUs, mirrored"`.

    Args:
        strategy: the distribution strategy.
    """
    kind = "TPU" if "TPU" in type(strategy).__name__ else "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    count = strategy.num_replicas_in_sync
    how = "" if count == 1 else ", several workers" if strategy.extended._in_multi_worker_mode() else ", mirrored"
    return f"{count} {kind}{'' if count == 1 else 's'}{how}"


def choose() -> str:
    """Returns the name of the strategy that `"auto"` stands for on this machine."""
    if workers():
        return "multiworker"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "default"


@functools.cache
def _multiworker(cluster: str) -> tf.distribute.Strategy:
    # one strategy per process: a second one closes the connections of the first while other workers still use them
    return tf.distribute.MultiWorkerMirroredStrategy()


@functools.cache
def _mirrored() -> tf.distribute.Strategy:
    if tf.config.list_physical_devices("GPU"):
        return tf.distribute.MirroredStrategy()  # NCCL
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    # among logical CPUs the default collectives break steps_per_execution and a second strategy in the process
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=tf.distribute.ReductionToOneDevice())


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(os.environ.get("TPU_NAME", ""))
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except Exception as error:  # the resolver raises a ValueError, the connection a tf.errors.OpError
        raise ValueError(
            f"Expected a TPU with strategy='tpu'; received none (TPU_NAME={os.environ.get('TPU_NAME', '')!r}): "
            f"{str(error).splitlines()[0]}"
        ) from error
    return tf.distribute.TPUStrategy(resolver)
