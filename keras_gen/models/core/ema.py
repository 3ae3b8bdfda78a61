"""The exponential moving average (EMA) of a network's weights, stored in a clone of the network."""

import keras
import tensorflow as tf


def clone_for_ema(network: keras.Model) -> keras.Model:
    """Returns a network of the same structure and weights that is not trained."""
    clone = type(network).from_config(network.get_config())
    clone.set_weights(network.get_weights())
    clone.trainable = False
    return clone


def update_ema(average: keras.Model, network: keras.Model, steps: tf.Tensor, decay: float) -> None:
    """Updates the moving average of a network after a training step.

    Weights are averaged, average = d * average + (1 - d) * network with d = min(decay, (1 + steps) / (10 + steps)), so
    that the initial weights soon lose their influence. Moving statistics, which are averages already, are copied.

    Args:
        average: The clone of the network, see `clone_for_ema`.
        network: The network that is trained.
        steps: Training steps before this one; an integer scalar.
        decay: The decay d, in [0, 1).

    Reference:
        Yazici et al. 2018, The Unusual Effectiveness of Averaging in GAN Training, arXiv:1806.04498.
    """
    steps = tf.cast(steps, tf.float32)
    rate = 1.0 - tf.minimum(decay, (1.0 + steps) / (10.0 + steps))
    trained = {id(variable) for variable in network.trainable_variables}
    updates = [
        (target.value, _average if id(source) in trained else _copy, source.value)
        for target, source in zip(average.variables, network.variables, strict=True)
    ]
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        for target, update, source in updates:
            update(target, source, rate)
        return

    def update_all_replicas(strategy, rate):
        for target, update, source in updates:
            strategy.extended.update(target, update, (source, rate), group=False)

    context.merge_call(update_all_replicas, args=(rate,))


def _average(target: tf.Variable, source: tf.Tensor, rate: tf.Tensor) -> None:
    target.assign_add(tf.cast(rate, target.dtype) * (source - target))


def _copy(target: tf.Variable, source: tf.Tensor, rate: tf.Tensor) -> None:
    target.assign(source)
