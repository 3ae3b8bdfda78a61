"""Checks of tensor values inside a graph, and the short errors in which a failed check ends.

A graph can only assert: TensorFlow then raises an `InvalidArgumentError` with the trace of the whole graph. `require`
marks its assertions, and `short_errors` turns a marked one back into the error that says what to do. XLA has no
assertions, so nothing here is checked in a graph that XLA compiles.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import tensorflow as tf

ErrorFactory = TypeVar("ErrorFactory", bound=Callable[..., Exception])

# printed by TensorFlow as "assertion failed: [keras_gen] [kind] [detail] [number] [number]"
_MARK = "keras_gen"
_PATTERN = re.compile(r"assertion failed: \[keras_gen\] \[(\w+)\] \[([^\]]*)\]((?: \[[^\]]*\])*)")
# kind of a check -> (detail, *numbers) -> its error
_ERRORS: dict[str, Callable[..., Exception]] = {}


def error_for(kind: str) -> Callable[[ErrorFactory], ErrorFactory]:
    """Registers the decorated function or class as the one that builds the error of a kind of check.

    Args:
        kind: The name that `require` and `between` take; a word.

    Returns:
        A decorator for a callable (detail, *numbers) -> error.
    """

    def register(factory: ErrorFactory) -> ErrorFactory:
        _ERRORS[kind] = factory
        return factory

    return register


def require(condition: tf.Tensor, kind: str, detail: str, *numbers: tf.Tensor) -> list[tf.Operation]:
    """Checks a condition: at once in eager mode, in a graph when the step runs.

    Args:
        condition: A boolean scalar.
        kind: A kind of check, see `error_for`.
        detail: What the error is about, without brackets.
        *numbers: Scalars for the text of the error.

    Returns:
        The operations that must run before anything that depends on the condition, for `tf.control_dependencies`.

    Raises:
        Exception: The error of this kind, in eager mode.
    """
    if tf.executing_eagerly():
        if not bool(condition):
            raise _ERRORS[kind](detail, *map(float, numbers))
        return []
    return [tf.debugging.Assert(condition, [_MARK, kind, detail, *numbers])]


def between(kind: str, detail: str, values: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Returns the values after a check that all of them lie in [low, high].

    Args:
        kind: A kind of check, see `error_for`; its error receives the smallest and the largest value.
        detail: What the error is about, see `require`.
        values: Numbers of any shape; NaN lies in no interval.
        low: Smallest allowed value.
        high: Largest allowed value.

    Raises:
        Exception: The error of this kind: at once in eager mode, from `fit`, `evaluate` and `predict` otherwise.
    """
    values = tf.convert_to_tensor(values)
    # batches come from the CPU: a check on a GPU would make the step wait for the one before
    with tf.device("CPU:0"):
        # both extremes are NaN if one value is (on CPUs)
        smallest, largest = tf.reduce_min(values), tf.reduce_max(values)
        inside = (smallest >= tf.cast(low, values.dtype)) & (largest <= tf.cast(high, values.dtype))
        checks = require(inside, kind, detail, smallest, largest)
    with tf.control_dependencies(checks):
        return tf.identity(values)


def error_from(error: Exception) -> Exception | None:
    """Returns the short error behind a failed assertion of `require`, or None for any other error."""
    if not (match := _PATTERN.search(str(error))):
        return None
    kind, detail, numbers = match.groups()
    return _ERRORS[kind](detail, *map(float, re.findall(r"\[([^\]]*)\]", numbers)))


@contextlib.contextmanager
def short_errors() -> Iterator[None]:
    """Raises the short error of a failed `require` instead of TensorFlow's, which carries the trace of a graph."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if (short := error_from(error)) is None:
            raise
    else:
        return
    raise short
