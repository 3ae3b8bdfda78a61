"""The declaration of a system: its model, settings, data and length of training.

This module imports neither Keras nor TensorFlow, so that systems and their settings can be listed quickly.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_gen import models


@dataclasses.dataclass(frozen=True)
class System:
    """One row of the zoo.

    Attributes:
        key: its name on the command line.
        title, paper: what to call it and where it comes from.
        create: (image_shape, seed, **settings) -> model, not yet compiled. Its keyword arguments are the settings.
        data: sources that suit it, the first one the default.
        image_size: default height and width for sources whose images have no size of their own.
        batch_size, epochs, learning_rate, betas: defaults of training (Adam).
        steps: batches in an epoch by default; None is one pass over the data.
        learning_rate_multipliers: player -> how many times `learning_rate` it learns at; 1 for those that are not named.
        endpoints: names of what it exports.
        generative: whether samples are meant to look like the data.
        drop_remainder: a last, smaller batch is left out (batch normalization, packing and critics' parts want whole
            ones).
        view: what it sees of a data set: `"images"` as they are, `"patches"` of them, two `"domains"`, images with
            `"attributes"`, or images with `"captions"`.
        decay: part of the epochs after which the learning rate falls linearly towards 0; None keeps it.
        pretraining: (settings) -> name of each stage that is trained before the system itself -> its epochs.
    """

    key: str
    title: str
    paper: str
    create: "Callable[..., models.GenerativeModel]"
    data: tuple[str, ...]
    endpoints: tuple[str, ...]
    image_size: int = 32
    batch_size: int = 128
    epochs: int = 20
    steps: int | None = None
    learning_rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    learning_rate_multipliers: dict[str, float] = dataclasses.field(default_factory=dict)
    generative: bool = True
    drop_remainder: bool = False
    view: str = "images"
    decay: float | None = None
    pretraining: Callable[[Mapping], dict[str, int]] = lambda settings: {}

    @property
    def settings(self) -> dict:
        """Setting -> default, as `zoo.build(key, ..., **settings)` and `keras-gen train --set` take them."""
        parameters = inspect.signature(self.create).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
