"""The exponential moving average of a network, kept in a twin of it."""

import keras
import tensorflow as tf


def clone_for_ema(network: keras.Model) -> keras.Model:
    """A network of the same structure and values that is not trained."""
    twin = type(network).from_config(network.get_config())
    twin.set_weights(network.get_weights())
    twin.trainable = False
    return twin


def update_ema(twin: keras.Model, network: keras.Model, steps: tf.Tensor, decay: float) -> None:
    """Move a twin one step after its network.

    Weights are averaged, twin = d * twin + (1 - d) * network, with d = min(decay, (1 + steps) / (10 + steps)), so that
    the first values are soon forgotten; moving statistics, averages already, are copied.

    Args:
        twin: made by `clone_for_ema`.
        network: what is trained.
        steps: steps done before this one, integer.
        decay: in [0, 1).

    Reference:
        Yazici et al. 2018, The Unusual Effectiveness of Averaging in GAN Training, arXiv:1806.04498.
    """
    steps = tf.cast(steps, tf.float32)
    rate = 1.0 - tf.minimum(decay, (1.0 + steps) / (10.0 + steps))
    trained = {id(variable) for variable in network.trainable_variables}
    moves = [
        (mine.value, _average if id(theirs) in trained else _copy, theirs.value)
        for mine, theirs in zip(twin.variables, network.variables, strict=True)
    ]
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        for mine, function, theirs in moves:
            function(mine, theirs, rate)
        return

    def on_all_replicas(strategy, rate):
        for mine, function, theirs in moves:
            strategy.extended.update(mine, function, (theirs, rate), group=False)

    context.merge_call(on_all_replicas, args=(rate,))


def _average(mine: tf.Variable, theirs: tf.Tensor, rate: tf.Tensor) -> None:
    mine.assign_add(tf.cast(rate, mine.dtype) * (theirs - mine))


def _copy(mine: tf.Variable, theirs: tf.Tensor, rate: tf.Tensor) -> None:
    mine.assign(theirs)
