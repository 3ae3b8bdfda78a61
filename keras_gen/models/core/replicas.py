"""What several replicas cannot train with, refused before the first step."""

from collections.abc import Iterator

import keras
import tensorflow as tf

from keras_gen.layers import MinibatchStandardDeviation

# Keras clips each replica's gradients before their sum is taken, which is another update than that of one device
_CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")
_IN_CONDITION = {  # these let the optimizer update inside a condition, where replicas cannot exchange gradients
    "gradient_accumulation_steps": "train with a larger batch instead",
    "ema_overwrite_frequency": "leave it None: the averages are kept, and do not replace the weights",
}


def check_options(model: keras.Model, strategy: tf.distribute.Strategy, batch_size: int | None = None) -> None:
    """Refuse options that would fail under a strategy, or train another model than one device would.

    Args:
        model: a compiled one; another is left to `fit`, which refuses it.
        strategy: the one that it was compiled under.
        batch_size: examples in a step, over all replicas; None leaves it unchecked.

    Raises:
        ValueError: naming every such option and what to do.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1 or not model.compiled:
        return
    found = [] if batch_size is None else list(_batch_problems(model, replicas, batch_size))
    if model.jit_compile is True:
        found.append("jit_compile=True (XLA) works on one device alone; compile with jit_compile=False")
    if model.steps_per_execution > 1 and strategy.extended._in_multi_worker_mode():
        found.append(
            f"steps_per_execution={model.steps_per_execution} fails with several workers; compile with "
            "steps_per_execution=1"
        )
    for optimizer in getattr(model.optimizer, "optimizers", [model.optimizer]):
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        for name in _CLIPPING:
            if getattr(optimizer, name, None) is not None:
                found.append(
                    f"{name}={getattr(optimizer, name)} of the optimizer {optimizer.name!r} would clip each device's "
                    "gradients before they are added up; leave it out and lower the learning rate instead"
                )
        for name, remedy in _IN_CONDITION.items():
            if getattr(optimizer, name, None) is not None:
                value = getattr(optimizer, name)
                found.append(f"{name}={value} of the optimizer {optimizer.name!r} fails on several devices; {remedy}")
    if found:
        raise ValueError(
            f"Expected options that {replicas} devices can train with; received: {'. '.join(found)}. "
            "Or train on one device (strategy='default')"
        )


def _batch_problems(model: keras.Model, replicas: int, batch_size: int) -> Iterator[str]:
    """What is wrong with the batch size, also with those of a growing model's stages."""
    groups = {layer.group_size for layer in model._flatten_layers() if isinstance(layer, MinibatchStandardDeviation)}
    # a step's batch is divided among a player's updates
    updates = max((player.updates for player in getattr(model, "players", list)()), default=1)
    for size in sorted({batch_size, *(stage["batch_size"] for stage in model.data_stages(batch_size))}):
        if size % replicas:
            yield f"batch_size={size} is for all {replicas} devices: it must be a multiple"
        for group in sorted(groups):
            if size % (replicas * updates * group):  # other groups than on one device, without an error
                yield (
                    f"batch_size={size} must be a multiple of {replicas * updates * group}, so that the groups of "
                    f"{group} images of the minibatch standard deviation lie inside a device"
                )
