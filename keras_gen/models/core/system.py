"""The declaration of a system: its model, settings, data, pretraining and defaults of training.

This module imports neither Keras nor TensorFlow, so that systems and their settings can be listed quickly.
"""

import copy
import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_gen import models

# attributes of a system that a preset may replace
TRAINING = (
    *("image_size", "batch_size", "epochs", "updates", "steps", "learning_rate", "learning_rate_multipliers"),
    *("optimizer", "betas", "decay", "augment", "precision"),
)
# a run on fewer training images has the system's `small_data` settings
SMALL_DATA = 5_000
_SECTION = re.compile(r"[A-Z]\w*:")  # "Args:", "Returns:", ... of a Google-style docstring
_ARGUMENT = re.compile(r"(\w+)(?: \([^)]*\))?: *(.*)")


@dataclasses.dataclass(frozen=True)
class PretrainingStage:
    """A model that is trained before the system's own model, which starts from its weights.

    Attributes:
        name: The stage's name in messages. The trained model is saved as `<name>.keras` in the run directory.
        description: What the stage trains, for messages: a noun phrase.
        updates: (settings) -> default number of updates, or None if a run with these settings does not have the stage.
        build: (model, image_shape, seed, settings) -> the compiled model of the stage. `model` is the system's model,
            which has already loaded the stages before this one. It loads the trained result by
            `model.load_pretrained(stage_model)`.
    """

    name: str
    description: str
    updates: Callable[[Mapping[str, Any]], int | None]
    build: Callable[
        ["models.GenerativeModel", tuple[int, int, int], int | None, Mapping[str, Any]], "models.GenerativeModel"
    ]


@dataclasses.dataclass(frozen=True)
class DefaultView:
    """Options of a system's view for data that meet a condition, where a run does not give its own.

    Attributes:
        options: Options of `--view`, such as `{"attributes": ["color"]}`.
        dataset: The name of the dataset, such as `"shapes"`; None for any data.
        attributes: Names of attributes that the data must have.
    """

    options: Mapping[str, Any]
    dataset: str | None = None
    attributes: tuple[str, ...] = ()

    def applies(self, dataset: str | None, attributes: Collection[str]) -> bool:
        """Returns whether data of this name and with these attributes meet the condition."""
        return self.dataset in (None, dataset) and set(self.attributes).issubset(attributes)


@dataclasses.dataclass(frozen=True)
class PixelSetting:
    """A setting that a new run chooses by the pixels of the training images, where the user does not.

    Attributes:
        name: The setting. Its default is None, which stands for `other` where no images are known (`zoo.build`).
        binary: The value for images whose pixels are nearly all black or white; the run binarizes them.
        other: The value for all other images.
    """

    name: str
    binary: str | dict
    other: str | dict


@dataclasses.dataclass(frozen=True)
class Preset:
    """Settings and defaults of training under a name, such as those of a system's paper.

    What a user gives takes precedence. `weights` are trainable weights of the networks that are built with `settings`.

    Attributes:
        description: The preset in one sentence.
        settings: Setting of the system -> default.
        training: Attribute of `System` in `TRAINING` -> default. The length is either `epochs` or `updates`.
        image_shape: (height, width, channels) at which the networks are counted and `weights` was published.
        weights: Network -> number of its weights in the paper or its authors' code; None where neither states one.
        sources: Where settings, defaults and numbers come from, such as "arXiv:1711.09020, section 5.2".
        departures: How the preset differs from the paper, and why; one sentence or two each.

    Raises:
        ValueError: For an unknown default of training, or a length both in epochs and in updates.
    """

    description: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    image_shape: tuple[int, int, int] = (28, 28, 1)
    weights: Mapping[str, int | None] = dataclasses.field(default_factory=dict)
    sources: tuple[str, ...] = ()
    departures: tuple[str, ...] = ()

    def __post_init__(self):
        if unknown := sorted(set(self.training) - set(TRAINING)):
            raise ValueError(f"Expected defaults of training among {', '.join(TRAINING)}; received {unknown}")
        if {"epochs", "updates"} <= set(self.training):
            raise ValueError(f"Expected either epochs or updates; received both: {dict(self.training)}")


@dataclasses.dataclass(frozen=True)
class System:
    """A system of the zoo: how its model is built, and what is special about its data and training.

    Attributes:
        key: Name on the command line.
        title: Name in texts, such as the model card.
        paper: Authors, year and arXiv id.
        create: (image_shape, seed, **settings) -> the model, not yet compiled. Its keyword arguments are the settings.
        data: Datasets that suit the system; the first is the default.
        endpoints: Names of the functions that it exports.
        image_size: Default height and width, in pixels, for data whose images have no common size.
        photo_size: The same for photos that are at least this large.
        batch_size: Default batch size.
        updates: Default length of the training: the number of updates, which are training steps of one batch.
        epochs: Default number of epochs, instead of `updates`; None for none.
        steps: Default number of batches in an epoch; None for one that follows from the length.
        schedule: (settings, image_shape, epochs, steps in an epoch, batch size) -> the settings that follow from the
            length of the training, such as the lengths of its phases. They replace defaults, not settings that a run
            states. None for a system without such settings.
        learning_rate: Default learning rate.
        optimizer: Name of the optimizer in `keras.optimizers`, and its arguments besides the learning rate, such as
            {"name": "SGD", "momentum": 0.9}; `players` has arguments of single players, {player: {argument: value}}.
            None is Adam with `betas`.
        betas: Adam's decay rates of the first and second moment.
        learning_rate_multipliers: Player -> factor of its learning rate; 1 for players that are not named.
        drop_remainder: Whether a smaller last batch is dropped, because the model needs batches of one size (batch
            normalization, packing, several updates of the critic).
        view: What the model sees of a dataset: `"images"`, `"patches"` of them, two `"domains"`, images with
            `"attributes"`, or images with `"captions"`.
        default_views: Options of the view for known data; the first that applies is used.
        dataset_variants: Name of a dataset -> the variant of it that the system is trained on.
        decay: Fraction of the epochs after which the learning rate falls linearly to 0; None keeps it constant.
        augment: Default augmentations of the training images. None flips photos, where mirrored images look like the
            others; see `keras_gen.training.by_pixels`.
        precision: Default dtype policy.
        pretraining: Models that are trained first, in this order.
        pixel_setting: A setting that depends on the pixels of the training images; None for none.
        small_data: Settings of a new run on fewer than `SMALL_DATA` training images, where neither the user nor the
            preset states any of them.
        demo: Name of the module in `demos/` that shows an exported model of the system; None for the demo that suits
            the exported endpoints.
        compare_with: Key of a system whose exported model the demos also show next to this system's; None for none.
        presets: Name of a preset -> the preset.
        example_settings: Examples of settings that a run derives from its data, with which a model can be built and its
            weights counted without data.
    """

    key: str
    title: str
    paper: str
    create: "Callable[..., models.GenerativeModel]"
    data: tuple[str, ...]
    endpoints: tuple[str, ...]
    image_size: int = 32
    photo_size: int = 32
    batch_size: int = 128
    updates: int = 5_600
    epochs: int | None = None
    steps: int | None = None
    schedule: Callable[[Mapping[str, Any], tuple[int, int, int], int, int, int], dict[str, Any]] | None = None
    learning_rate: float = 2e-3
    optimizer: Mapping[str, Any] | None = None
    betas: tuple[float, float] = (0.9, 0.999)
    learning_rate_multipliers: Mapping[str, float] = dataclasses.field(default_factory=dict)
    drop_remainder: bool = False
    view: str = "images"
    default_views: tuple[DefaultView, ...] = ()
    dataset_variants: Mapping[str, str] = dataclasses.field(default_factory=dict)
    decay: float | None = None
    augment: tuple[str, ...] | None = None
    precision: str = "float32"
    pretraining: tuple[PretrainingStage, ...] = ()
    pixel_setting: PixelSetting | None = None
    small_data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    demo: str | None = None
    compare_with: str | None = None
    presets: Mapping[str, Preset] = dataclasses.field(default_factory=dict)
    example_settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def with_preset(self, name: str | None) -> "System":
        """Returns the system with the settings and the defaults of training of a preset.

        Args:
            name: One of `presets`; None returns the system unchanged.

        Raises:
            ValueError: For an unknown preset.
        """
        if name is None:
            return self
        if name not in self.presets:
            known = f"one of the presets of {self.key!r}, {', '.join(self.presets)}" if self.presets else "no preset"
            raise ValueError(f"Expected {known}; received {name!r}")
        preset = self.presets[name]
        length = {"epochs": None} if "updates" in preset.training else {}
        create = functools.partial(self.create, **preset.settings) if preset.settings else self.create
        return dataclasses.replace(self, create=create, **{**length, **preset.training})

    @property
    def optimizer_options(self) -> dict[str, Any]:
        """`optimizer`, or Adam's name and its arguments."""
        return dict(self.optimizer or {"name": "Adam", "beta_1": self.betas[0], "beta_2": self.betas[1]})

    @property
    def settings(self) -> dict[str, Any]:
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

    def default_view(self, dataset: str | None = None, attributes: Collection[str] = ()) -> dict[str, Any]:
        """Returns the options of the view for data of this name and with these attributes; empty without a default."""
        options = (view.options for view in self.default_views if view.applies(dataset, attributes))
        return copy.deepcopy(dict(next(options, {})))

    def pretraining_updates(self, settings: Mapping[str, Any]) -> dict[str, int]:
        """Returns the default updates of every stage that a run with these settings has, by name, in their order."""
        updates = {stage.name: stage.updates(settings) for stage in self.pretraining}
        return {name: count for name, count in updates.items() if count is not None}


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
