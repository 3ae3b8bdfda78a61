"""What stops a step: a graph can only assert, and what reaches the user is a short error that says what to do.

Under XLA, which has no assertions, nothing here is checked.
"""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

from .inputs import range_error, values_error

# printed by TensorFlow as "assertion failed: [keras_gen] [kind] [detail] [number] [number]"
_MARK = "keras_gen"
_PATTERN = re.compile(r"assertion failed: \[keras_gen\] \[(\w+)\] \[([^\]]*)\]((?: \[[^\]]*\])*)")


class PlayerError(FloatingPointError):
    """The loss or a gradient of a player is NaN or infinite; its weights are those before the step.

    Attributes:
        player: its name.
    """

    def __init__(self, player: str):
        super().__init__(
            f"The loss or a gradient of the player {player!r} became NaN or infinite. Try a smaller learning rate, "
            "float32 instead of mixed precision, or another loss or penalty"
        )
        self.player = player


# kind of an assertion -> the error that its detail and numbers make
_ERRORS = {"player": PlayerError, "images": range_error, "values": values_error}


def require(condition: tf.Tensor, kind: str, detail: str, *numbers: tf.Tensor) -> list[tf.Operation]:
    """Stop where a condition does not hold: at once in eager mode, else when the step runs.

    Args:
        condition: a boolean scalar.
        kind: a key of `_ERRORS`.
        detail: what the error is about, without brackets.
        numbers: scalars for the error's text.

    Returns:
        What must run before anything that depends on the condition, for `tf.control_dependencies`.

    Raises:
        ValueError, FloatingPointError: in eager mode.
    """
    if tf.executing_eagerly():
        if not bool(condition):
            raise _ERRORS[kind](detail, *map(float, numbers))
        return []
    return [tf.debugging.Assert(condition, [_MARK, kind, detail, *numbers])]


def error_from(error: Exception) -> Exception | None:
    """The short error behind an assertion of `require` that failed, or None for any other error."""
    if not (found := _PATTERN.search(str(error))):
        return None
    kind, detail, numbers = found.groups()
    return _ERRORS[kind](detail, *map(float, re.findall(r"\[([^\]]*)\]", numbers)))


@contextlib.contextmanager
def short_errors() -> Iterator[None]:
    """Raise what `require` found, in place of TensorFlow's error with the trace of a graph."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if (short := error_from(error)) is None:
            raise
    else:
        return
    raise short


def between(kind: str, detail: str, values: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Values that lie between two numbers, both included: the same values, once this has been checked.

    Args:
        kind, detail: of the error, see `require`.
        values: numbers of any shape; NaN lies nowhere.
        low, high: the bounds.

    Raises:
        ValueError: out of `fit`, `evaluate` and `predict`, or at once in eager mode.
    """
    values = tf.convert_to_tensor(values)
    # where batches come from: on a GPU the step would wait for the one before
    with tf.device("CPU:0"):
        # the extremes are NaN where one value is (on CPUs)
        smallest, largest = tf.reduce_min(values), tf.reduce_max(values)
        inside = (smallest >= tf.cast(low, values.dtype)) & (largest <= tf.cast(high, values.dtype))
        checks = require(inside, kind, detail, smallest, largest)
    with tf.control_dependencies(checks):
        return tf.identity(values)


def check_finite(name: str, loss: tf.Tensor, gradients: list, *, loss_alone: bool = False) -> list:
    """Stop before a player moves by a loss or gradients that are not finite: its weights stay as they were.

    Args:
        name: the player.
        loss: scalar.
        gradients: tensors or None.
        loss_alone: leave the gradients unchecked: under loss scaling the optimizer deals with infinite ones.

    Returns:
        The gradients, which can be had only when the check has passed.

    Raises:
        PlayerError: out of `fit`.
    """
    # a sum is as finite as its terms, and takes one pass
    seen = [] if loss_alone else [g for g in gradients if g is not None]
    total = tf.add_n([loss, *(tf.cast(tf.reduce_sum(g), loss.dtype) for g in seen)])
    with tf.control_dependencies(require(tf.math.is_finite(total), "player", name)):
        return [None if g is None else tf.identity(g) for g in gradients]
