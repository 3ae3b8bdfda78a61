"""The length of a training: updates or a time become epochs of a sensible number of steps."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from keras_gen.models.core.system import System

# a training has at least so many epochs, that is states, preview pictures and validations, and at most so many
MIN_EPOCHS, MAX_EPOCHS = 20, 100
# name of the part that follows the pretraining
TRAINING = ""
# so many passes for each of the least number of epochs count as one
ALMOST = 0.95
# the largest share of a time that is spent between the epochs, in validations, pictures and states
MAX_SHARE_BETWEEN_EPOCHS = 0.2


class Length(NamedTuple):
    """The length of a training.

    Attributes:
        epochs: Number of epochs.
        steps: Steps in an epoch; None is one pass over the data.
    """

    epochs: int
    steps: int | None


def length_of(updates: int, batches: int, *, steps: int | None = None, max_epochs: int = MAX_EPOCHS) -> Length:
    """Returns the epochs that a number of updates takes.

    An epoch is one pass over the data, where these are 20 to 100 epochs. With more data, an epoch is a part of a pass,
    so that there are 20. With few data, an epoch has several passes, so that there are 50.

    Args:
        updates: Number of updates, >= 1.
        batches: Batches in one pass over the data, >= 1.
        steps: Steps in an epoch that the user has chosen, or None.
        max_epochs: Number of passes above which an epoch has several of them, >= 1.

    Returns:
        The length; it has at least `updates` updates.

    Example:
        >>> [length_of(5600, batches) for batches in (141, 430, 2)]
        [Length(epochs=40, steps=None), Length(epochs=20, steps=280), Length(epochs=50, steps=112)]
    """
    if steps is not None:
        return Length(math.ceil(updates / steps), steps)
    min_epochs, passes = min(MIN_EPOCHS, max_epochs), updates / batches
    if passes < ALMOST * min_epochs:
        steps = math.ceil(updates / min_epochs)
    elif passes > max_epochs:
        steps = math.ceil(updates / max(min_epochs, max_epochs // 2))
    return Length(math.ceil(updates / (steps or batches)), steps)


def pretraining_epochs(updates: Mapping[str, int], steps: int, requested: int | None = None) -> dict[str, int]:
    """Returns stage of the pretraining -> its epochs, without stages of no epochs.

    Args:
        updates: Stage -> number of updates.
        steps: Steps in an epoch.
        requested: Epochs of every stage that the user has chosen, or None.
    """
    counts = {name: math.ceil(count / steps) if requested is None else requested for name, count in updates.items()}
    return {name: epochs for name, epochs in counts.items() if epochs}


def follow_length(
    system: System, settings: Mapping[str, Any], image_shape: tuple[int, int, int], length: Length, batch_size: int
) -> dict[str, Any]:
    """Returns the settings that follow from the length of the training and have their default value so far.

    Args:
        system: The system.
        settings: All settings.
        image_shape: (height, width, channels) of the images.
        length: The length; `steps` is a number.
        batch_size: Images in a step.
    """
    if system.schedule is None or length.steps is None:
        return {}
    following = system.schedule(settings, image_shape, length.epochs, length.steps, batch_size)
    return {name: value for name, value in following.items() if settings[name] == system.settings[name]}


class Speed(NamedTuple):
    """The measured speed of a training.

    Attributes:
        step: Seconds of a step.
        between: Seconds between two epochs: validation, pictures and states.
        start: Seconds until the first step runs.
    """

    step: float
    between: float
    start: float


class Part(NamedTuple):
    """A stage of the pretraining, or the training that follows.

    Attributes:
        name: Name of the stage; `TRAINING` for the training.
        updates: Its default number of updates.
        speed: Its speed.
    """

    name: str
    updates: int
    speed: Speed


class Plan(NamedTuple):
    """The length of a training that fits into a time.

    Attributes:
        length: The length of the training.
        pretraining: Stage of the pretraining -> its epochs.
        seconds: The expected time of both.
    """

    length: Length
    pretraining: dict[str, int]
    seconds: float


def fit_into(
    seconds: float,
    parts: list[Part],
    batches: int,
    *,
    steps: int | None = None,
    pretraining: int | None = None,
    min_epochs: int = 1,
) -> Plan:
    """Returns the longest training that takes at most a number of seconds; the shortest one, if it takes longer.

    The updates of all parts are their defaults times one factor. There are fewer epochs than `MIN_EPOCHS` where more
    would spend over `MAX_SHARE_BETWEEN_EPOCHS` of the time between epochs.

    Args:
        seconds: The time.
        parts: The stages of the pretraining in order, then the training.
        batches: Batches in one pass over the data, >= 1.
        steps: Steps in an epoch that the user has chosen, or None.
        pretraining: Epochs of every stage of the pretraining that the user has chosen, or None.
        min_epochs: Least number of epochs that the model needs, such as one for each of its phases.
    """
    between = parts[-1].speed.between
    affordable = int(MAX_SHARE_BETWEEN_EPOCHS * seconds / between) if between > 0 else MAX_EPOCHS
    max_epochs = max(min_epochs, min(affordable, MAX_EPOCHS), 1)

    def plan(factor: float) -> Plan:
        updates = {part.name: max(1, int(factor * part.updates)) for part in parts}
        length = length_of(updates.pop(TRAINING), batches, steps=steps, max_epochs=max_epochs)
        own_steps = length.steps or batches
        epochs = pretraining_epochs(updates, own_steps, pretraining)
        expected = sum(
            part.speed.start + count * (own_steps * part.speed.step + part.speed.between)
            for part in parts
            if (count := {**epochs, TRAINING: length.epochs}.get(part.name))
        )
        return Plan(length, epochs, expected)

    low, high = 0.0, 1.0
    while plan(high).seconds <= seconds:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if plan(middle).seconds <= seconds else (low, middle)
    return plan(low)
