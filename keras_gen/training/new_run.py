"""The content of a new run's config.json, resolved from the options, the system's defaults and the data source."""

import dataclasses
import datetime
import functools
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from keras_gen import data, runs, zoo
from keras_gen.data.value_range import PLAIN, as_stored
from keras_gen.models.core.system import SMALL_DATA
from keras_gen.options import as_json
from keras_gen.progress import counted, report
from keras_gen.startup import starting

from .amounts import batch_size_of, count_of
from .by_pixels import choose_by_pixels
from .config import TrainConfig
from .source import SourceInfo, crop_note, image_shape_of, inspect_source, resize_note, splits_of
from .views import LIMITS, RESIZE_OPTIONS, View, source_of, view_of

if TYPE_CHECKING:
    from keras_gen.models import GenerativeModel

# options of which at most one determines the length of a training
LENGTHS = ("epochs", "updates", "minutes")


def new_run(config: TrainConfig, show_note: Callable[[str], None] = lambda note: None) -> dict[str, Any]:
    """Returns the content of a new run's config.json.

    `binarize` may still be "auto", see `binarize_of`. Without `epochs`, the number of epochs follows from that of the
    batches, when the data are loaded.

    Args:
        config: the options.
        show_note: called with every sentence about the data that the user should know.

    Returns:
        The content of config.json, in which every default is replaced by the value that is used.

    Raises:
        ValueError: for an unknown system, setting or source, or options that do not fit together.
    """
    if config.system is None or config.data is None:
        raise ValueError(
            "Expected a system and data for a new run; received none. Give both, or continue a run with resume=True "
            "(--resume)"
        )
    if config.initial_weights is not None:
        runs.check_weights(pathlib.Path(config.initial_weights))
    own = config.own_model
    declared = None if own is not None else zoo.get(str(config.system), config.preset)
    system = declared or zoo.System  # the class has the general defaults
    settings = {} if own is not None else complete_settings(str(config.system), config.settings, config.preset)
    _check_length(config)
    _check_pretraining(config, settings)
    name = source_of(config.system_name, config.data)
    limits = _options_of_every_view(config, LIMITS)
    source = inspect_source(name, config.data_dir, value_range=config.value_range, **limits)
    view = _view(config, name, source)
    splits = splits_of(source)
    shape = None if own is None else own.image_shape
    requested = config.image_size or _size_of_preset(config)
    shape = shape or image_shape_of(source, requested, system.image_size, system.photo_size)
    cropped = crop_note(source.sizes, shape[:2]) if config.view.get("crop") != "pad" else None
    resized = resize_note(source, shape[:2]) if own is None and requested is None else None
    for note in filter(None, (*source.notes, cropped, resized)):
        show_note(note)
    value_range = source.value_range if source.value_range not in PLAIN else None
    has_length = config.epochs or config.updates or config.minutes
    epochs = config.epochs if has_length else system.epochs
    steps = config.steps or system.steps
    resolved = dataclasses.replace(
        config,
        data=absolute_source(name),
        epochs=epochs,
        updates=config.updates if config.updates or epochs or config.minutes else system.updates,
        steps=steps,
        batch_size=batch_size_of(
            config.batch_size,
            system.batch_size,
            source=source,
            split=splits["train"],
            drop_remainder=system.drop_remainder,
            steps=steps,
            repeats=epochs is None,
        ),
        seed=config.seed or 0,
        augment=system.augment if config.augment is None else config.augment,  # None: by the images
        value_range=config.value_range or (None if value_range is None else tuple(as_stored(value_range))),
        view={**_options_of_every_view(config), **view.options},
    )
    if declared is not None:
        resolved = dataclasses.replace(
            resolved,
            precision=config.precision or declared.precision,
            learning_rate=config.learning_rate or declared.learning_rate,
            settings=settings
            | {key: value for key, value in view.settings.items() if key not in config.settings}
            | _small_data(config, declared, count_of(source, splits["train"]), show_note),
        )
        names = None if source.rendered else _names_in_use(resolved, source)
        resolved = choose_by_pixels(resolved, declared.pixel_setting, splits["train"], shape, show_note, names)
    resolved = dataclasses.replace(resolved, augment=resolved.augment or ())
    content = resolved.to_json()
    content["data"] |= {"splits": splits, "slices": "random", "drop_remainder": system.drop_remainder}
    content["training"]["decay"] = None if declared is None else declared.decay
    if declared is not None:
        content["training"]["optimizer"] = declared.optimizer_options
        content["training"]["learning_rate_multipliers"] = dict(declared.learning_rate_multipliers)
    elif own is not None:
        content["training"]["precision"] = own.dtype_policy.name
    return {
        "format": runs.FORMAT,
        "system": content["system"],
        "preset": content["preset"],
        "image_shape": list(shape),
        "settings": content["settings"],
        "data": content["data"],
        "training": content["training"],
        "versions": runs.versions(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _small_data(
    config: TrainConfig, system: zoo.System, count: int | None, show_note: Callable[[str], None]
) -> dict[str, Any]:
    """Returns the settings that follow from the number of training images, for a system that has such settings."""
    stated = set(config.settings) | (set(system.presets[config.preset].settings) if config.preset else set())
    if not system.small_data or count is None or count >= SMALL_DATA or stated & set(system.small_data):
        return {}
    chosen = as_json(system.small_data)
    listed = ", ".join(f"{name}={json.dumps(value)}" for name, value in chosen.items())
    first = next(iter(chosen))
    show_note(f"The {counted(count, 'training image')} are few: {listed}. --set {first}=[] overrides this.")
    return chosen


def _names_in_use(config: TrainConfig, source: SourceInfo) -> list[str]:
    """Returns names of the labels, attributes and domains, and the words of the captions, that the model learns.

    Args:
        config: Options with complete settings and the options of the view.
        source: Facts about the data.
    """
    learned = [*config.settings.get("vocabulary", ()), *config.settings.get("attribute_names", ())]
    labels = source.names.get("label", ()) if config.labeled or config.settings.get("num_classes") else ()
    return [str(name) for name in (*learned, *config.view.get("domains", ()), *labels)]


def _size_of_preset(config: TrainConfig) -> tuple[int, int] | None:
    """Returns the image size that a preset states, which also resizes images that have a usable size of their own."""
    if config.own_model is not None or config.preset is None:
        return None
    size = zoo.get(str(config.system)).presets[config.preset].training.get("image_size")
    return None if size is None else (size, size)


def complete_settings(key: str, settings: Mapping[str, Any], preset: str | None = None) -> dict[str, Any]:
    """Returns all settings of a system, checked and with the defaults of the others, as config.json represents them.

    Args:
        key: a key of the zoo.
        settings: setting -> value.
        preset: a preset of the system, whose settings are the defaults; None for the system's own.

    Raises:
        ValueError: for an unknown preset or setting, or a value of another type.
    """
    return as_json({**zoo.get(key, preset).settings, **zoo.check_settings(key, settings)})


def _check_length(config: TrainConfig) -> None:
    lengths = [f"{name}={value}" for name in LENGTHS if (value := getattr(config, name)) is not None]
    if len(lengths) > 1:
        raise ValueError(
            f"Expected one of {', '.join(LENGTHS)}; received {' and '.join(lengths)}. Leave out the others"
        )


def _check_pretraining(config: TrainConfig, settings: Mapping[str, Any]) -> None:
    if config.pretraining_epochs is None:
        return
    if config.own_model is None and zoo.get(str(config.system)).pretraining_updates(settings):
        return
    pretrained = ", ".join(key for key, each in zoo.SYSTEMS.items() if each.pretraining)
    raise ValueError(
        f"Expected pretraining_epochs only with systems that are pretrained ({pretrained}); received it with "
        f"{config.system_name}. Leave it out"
    )


def pretraining_of(content: Mapping[str, Any]) -> dict[str, int]:
    """Returns stage of the pretraining -> its default updates, in their order; empty for a run without pretraining.

    Args:
        content: the content of config.json.
    """
    if content["system"] not in zoo.SYSTEMS or not content["settings"] or content["training"]["initial_weights"]:
        return {}
    return zoo.get(content["system"]).pretraining_updates(content["settings"])


def _options_of_every_view(config: TrainConfig, names: tuple[str, ...] = (*LIMITS, *RESIZE_OPTIONS)) -> dict[str, Any]:
    return {name: config.view[name] for name in names if name in config.view}


def _view(config: TrainConfig, name: str | os.PathLike, source: SourceInfo) -> View:
    """The view of the data that the system needs; for a caller's own model the requested options as they are."""
    if config.own_model is not None:
        return View(dict(config.view), {})
    captions = functools.partial(_captions, config, name, splits_of(source)["train"])
    requested = {name: value for name, value in config.view.items() if name not in (*LIMITS, *RESIZE_OPTIONS)}
    return view_of(zoo.get(str(config.system)), source, requested, name, captions)


def _captions(config: TrainConfig, name: str | os.PathLike, split: str, options: Mapping[str, Any]) -> Iterator[bytes]:
    """The captions of a split; `options` are arguments of `data.load`."""
    with starting():
        load = data.load
    batches = load(
        name,
        split,
        image_shape=(8, 8, 3),
        batch_size=256,
        shuffle=False,
        fields=["caption"],
        captions=options.get("captions"),
        cache=None,
        data_dir=config.data_dir,
        value_range=config.value_range,
        report=False,
        **_options_of_every_view(config, LIMITS),
    )
    for done, batch in enumerate(batches):
        report("Reading the captions", done, batches.info.num_batches)
        yield from batch["caption"].numpy()


def absolute_source(source: str | os.PathLike) -> str:
    """Returns a path that exists as an absolute one, so that the run finds its data from everywhere; a name as it is.

    Args:
        source: a source that `keras_gen.data.load` accepts.
    """
    path = pathlib.Path(source).expanduser()
    named = os.sep not in str(source) and path.suffix not in (".npy", ".npz") and not isinstance(source, os.PathLike)
    return str(source) if named or not path.exists() else str(path.resolve())


def binarize_of(model: "GenerativeModel", choice: str | None) -> str | None:
    """Returns the binarization to load the images with.

    `"auto"` remains where the model's likelihood is one of binary pixels, and `keras_gen.data.load` then chooses by the
    images; it becomes None elsewhere.

    Args:
        model: the model to train.
        choice: the requested binarization.
    """
    if choice != "auto":
        return choice
    from keras_gen.models.core.protocols import HasLikelihood  # needs TensorFlow, which a model has imported

    return "auto" if isinstance(model, HasLikelihood) and model.likelihood.support == "binary" else None
