"""NaN and infinity in a game: whose they are, before they spread to the other players."""

import re

import tensorflow as tf

_MESSAGE = "keras_gen: the loss or a gradient of the player {name} is NaN or infinite"


def checked(name: str, loss: tf.Tensor, gradients: list, *, loss_alone: bool = False) -> list:
    """Stop before a player moves by a loss or gradients that are not finite: its weights stay as they were.

    Under XLA, which has no assertions, nothing is checked.

    Args:
        name: the player.
        loss: scalar.
        gradients: tensors or None.
        loss_alone: leave the gradients unchecked: under loss scaling the optimizer deals with infinite ones.

    Returns:
        The gradients, which can be had only when the check has passed.

    Raises:
        tf.errors.InvalidArgumentError: when the step runs; `player_in` reads the name from it.
    """
    # a sum is as finite as its terms, and takes one pass
    seen = [] if loss_alone else [g for g in gradients if g is not None]
    total = tf.add_n([loss, *(tf.cast(tf.reduce_sum(g), loss.dtype) for g in seen)])
    with tf.control_dependencies([tf.debugging.Assert(tf.math.is_finite(total), [_MESSAGE.format(name=name)])]):
        return [None if g is None else tf.identity(g) for g in gradients]


def player_in(error: Exception) -> str | None:
    """The player whose loss or gradient stopped the training, or None for any other error."""
    found = re.search(_MESSAGE.format(name=r"(\w+)"), str(error))
    return found and found.group(1)
