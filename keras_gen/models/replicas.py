"""What several replicas cannot train with, refused before the first step."""

import keras
import tensorflow as tf

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
    found = []
    if batch_size is not None and batch_size % replicas:
        found.append(f"batch_size={batch_size} is for all {replicas} devices: it must be a multiple")
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
