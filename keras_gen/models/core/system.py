"""The declaration of a system: its model, settings, data and length of training.

This module imports neither Keras nor TensorFlow, so that systems and their settings can be listed quickly.
"""

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_gen import models

_SECTION = re.compile(r"[A-Z]\w*:")  # "Args:", "Returns:", ... of a Google-style docstring
_ARGUMENT = re.compile(r"(\w+)(?: \([^)]*\))?: *(.*)")


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
        learning_rate_multipliers: Player -> factor of its learning rate; 1 for players that are not named.
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

    @property
    def setting_descriptions(self) -> dict[str, str]:
        """Setting -> its description in the docstring of `create`, in one line; empty where it has none."""
        function = self.create
        while isinstance(function, functools.partial):
            function = function.func
        described = argument_descriptions(inspect.getdoc(function) or "")
        return {name: described.get(name, "") for name in self.settings}


def argument_descriptions(docstring: str) -> dict[str, str]:
    """Returns the entries of the `Args:` section of a Google-style docstring.

    Args:
        docstring: The docstring without its indentation, see `inspect.getdoc`.

    Returns:
        Argument -> its description, with line breaks replaced by spaces.

    Example:
        >>> argument_descriptions("Adds.\\n\\nArgs:\\n    a: A number,\\n        >= 0.\\n    b: Another.")
        {'a': 'A number, >= 0.', 'b': 'Another.'}
    """
    _, _, section = docstring.partition("\nArgs:\n")
    descriptions: dict[str, list[str]] = {}
    indent = None
    for line in section.splitlines():
        if _SECTION.match(line):
            break
        text = line.strip()
        if not text:
            continue
        depth = len(line) - len(line.lstrip())
        indent = depth if indent is None else indent
        entry = _ARGUMENT.match(text) if depth == indent else None
        if entry:
            descriptions[entry[1]] = [entry[2]]
        elif descriptions:
            descriptions[next(reversed(descriptions))].append(text)
    return {name: " ".join(lines).strip() for name, lines in descriptions.items()}
