"""Options that do not work on several replicas, refused before the first step."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import tensorflow as tf

from keras_gen.layers import MinibatchStandardDeviation

from .player import Optimizers, inner_optimizer
from .protocols import HasPlayers

if TYPE_CHECKING:
    from .generative_model import GenerativeModel

# Keras clips each replica's gradients before they are summed, which differs from the update on one device
_CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")
# these let the optimizer update inside a condition, where replicas cannot exchange gradients
_IN_CONDITION = {
    "gradient_accumulation_steps": "train with a larger batch instead",
    "ema_overwrite_frequency": "leave it None: the averages then do not replace the weights",
}


def check_options(model: "GenerativeModel", strategy: tf.distribute.Strategy, batch_size: int | None = None) -> None:
    """Refuses options that fail under a strategy, or with which several devices train another model than one does.

    Args:
        model: The model; one that is not compiled is not checked, since `fit` refuses it.
        strategy: The strategy under which the model was compiled.
        batch_size: Examples in a step, over all replicas; None is not checked.

    Raises:
        ValueError: With all such options and what to do about each.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1 or not model.compiled:
        return
    problems = [] if batch_size is None else list(_batch_problems(model, replicas, batch_size))
    if model.jit_compile is True:
        problems.append("jit_compile=True (XLA) only works on one device; compile with jit_compile=False")
    if model.steps_per_execution > 1 and strategy.extended._in_multi_worker_mode():
        problems.append(
            f"steps_per_execution={model.steps_per_execution} fails with several workers; compile with "
            "steps_per_execution=1"
        )
    optimizers = model.optimizer.optimizers if isinstance(model.optimizer, Optimizers) else [model.optimizer]
    for optimizer in map(inner_optimizer, optimizers):
        for name in _CLIPPING:
            if (value := getattr(optimizer, name, None)) is not None:
                problems.append(
                    f"{name}={value} of the optimizer {optimizer.name!r} would clip each device's gradients before "
                    "they are summed; leave it out and lower the learning rate instead"
                )
        for name, remedy in _IN_CONDITION.items():
            if (value := getattr(optimizer, name, None)) is not None:
                problems.append(
                    f"{name}={value} of the optimizer {optimizer.name!r} fails on several devices; {remedy}"
                )
    if problems:
        raise ValueError(
            f"Expected options that {replicas} devices can train with; received: {'. '.join(problems)}. "
            "Or train on one device (strategy='default')"
        )


def _batch_problems(model: "GenerativeModel", replicas: int, batch_size: int) -> Iterator[str]:
    """Yields the problems of the batch size, including the batch sizes of a growing model's stages."""
    groups = {layer.group_size for layer in model._flatten_layers() if isinstance(layer, MinibatchStandardDeviation)}
    # a step's batch is split among the updates of a player
    updates = max(player.updates for player in model.players()) if isinstance(model, HasPlayers) else 1
    for size in sorted({batch_size, *(stage["batch_size"] for stage in model.data_stages(batch_size))}):
        if size % replicas:
            yield f"batch_size={size} is for all {replicas} devices: it must be a multiple"
        for group in sorted(groups):
            if size % (replicas * updates * group):  # the groups would differ from those of one device
                yield (
                    f"batch_size={size} must be a multiple of {replicas * updates * group}, so that the groups of "
                    f"{group} images of the minibatch standard deviation lie inside a device"
                )
