"""The phases of progressive growing, and the callback that advances a model from one to the next."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import keras
import tensorflow as tf

Number = TypeVar("Number", int, float)


class Phase(NamedTuple):
    """A part of the training at one resolution.

    Attributes:
        stage: Index of the resolution; 0 is the smallest.
        fading: True while the stage's layers fade in (alpha rises from 0 to 1); False in a stabilization phase.
    """

    stage: int
    fading: bool


def phases(stages: int) -> list[Phase]:
    """Returns all phases in order: the first resolution, then fade-in and stabilization of each further one.

    Args:
        stages: Number of resolutions, >= 1.

    Example:
        >>> [tuple(phase) for phase in phases(2)]
        [(0, False), (1, True), (1, False)]
    """
    return [Phase((index + 1) // 2, index % 2 == 1) for index in range(2 * stages - 1)]


def by_resolution(name: str, values: Mapping[int | str, Number], resolutions: list[int]) -> dict[int, Number]:
    """Returns a setting with its keys as integers (JSON has strings).

    Args:
        name: Name of the setting, for errors.
        values: Smaller side of a stage in pixels -> value > 0.
        resolutions: The smaller sides of all stages.

    Raises:
        ValueError: For a key that is no stage's resolution, or a value that is not above 0.
    """
    by_number = {int(resolution): value for resolution, value in values.items()}
    if unknown := sorted(set(by_number) - set(resolutions)):
        raise ValueError(
            f"Expected {name} for the resolutions {', '.join(map(str, resolutions))}; received "
            f"{', '.join(map(str, unknown))}"
        )
    if any(not value > 0 for value in by_number.values()):
        raise ValueError(f"Expected values above 0 in {name}; received {dict(values)!r}")
    return by_number


class Growth(keras.callbacks.Callback):
    """A callback that advances a `ProgressiveGAN` to its next phase at the beginning of an epoch.

    It does so once the phase has processed its number of images. `ProgressiveGAN.fit` adds the callback. An epoch never
    spans two phases: their lengths are rounded up to full epochs.

    Args:
        stages: Variables that the datasets of `keras_gen.data.multi_resolution` read their stage from.
    """

    def __init__(self, stages: Sequence[tf.Variable] = ()):
        super().__init__()
        self.stages, self.announced = stages, None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if not self.model.within_epoch:  # an epoch never spans two phases, also if it was interrupted
            self.model.grow()
        for stage in self.stages:
            stage.assign(self.model.phase.stage)
        if self.model.phase != self.announced and (self.params or {}).get("verbose"):
            print(f"Epoch {epoch + 1}: {self.model.describe_phase()}")
        self.announced = self.model.phase

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.model.refit_heads()  # this callback is the first: those that save the model run later
