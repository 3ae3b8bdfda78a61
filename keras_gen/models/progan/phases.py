"""When a Progressive GAN grows: its phases, and the callback that goes from one to the next."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf


class Phase(NamedTuple):
    """A part of the training at one resolution.

    Attributes:
        stage: 0 for the smallest resolution.
        fading: whether the stage's layers fade in (alpha goes from 0 to 1), or all are there (stabilization).
    """

    stage: int
    fading: bool


def phases(stages: int) -> list[Phase]:
    """All phases, in order: the first resolution, then of each further one the fade-in and the stabilization.

    Example:
        >>> [tuple(phase) for phase in phases(2)]
        [(0, False), (1, True), (1, False)]
    """
    return [Phase((index + 1) // 2, index % 2 == 1) for index in range(2 * stages - 1)]


def by_side(name: str, values: Mapping, sides: list[int]) -> dict[int, float]:
    """Keys as numbers (JSON has texts), each a stage's side, and values above 0."""
    found = {int(side): value for side, value in values.items()}
    if unknown := sorted(set(found) - set(sides)):
        raise ValueError(f"{name}: {', '.join(map(str, unknown))} is no stage; these have sides of {sides} pixels")
    if any(not value > 0 for value in found.values()):
        raise ValueError(f"{name} must be above 0; received {dict(values)!r}")
    return found


class Growth(keras.callbacks.Callback):
    """Lets a `ProgressiveGAN` grow at the beginning of an epoch, once its phase has shown as many images as it should.

    `ProgressiveGAN.fit` adds it. An epoch never spans two phases: their lengths are rounded up to whole epochs.

    Args:
        stages: variables that datasets of `keras_gen.data.multi_resolution` read.
    """

    def __init__(self, stages: Sequence[tf.Variable] = ()):
        super().__init__()
        self.stages, self.said = stages, None

    def on_epoch_begin(self, epoch, logs=None):
        if not self.model.within_epoch:  # an epoch never spans two phases, also where it was interrupted
            self.model.grow()
        for each in self.stages:
            each.assign(self.model.phase.stage)
        if self.model.phase != self.said and self.params.get("verbose"):
            print(f"Epoch {epoch + 1}: {self.model.phase_line()}")
        self.said = self.model.phase

    def on_epoch_end(self, epoch, logs=None):
        # before callbacks that save: this one is the first
        self.model.refit()
