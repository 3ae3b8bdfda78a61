"""From what is asked of `train` to the content of config.json, and what a resumed run may not change.

Long by its checks: each value that is refused says what was expected.
"""

import dataclasses
import datetime
import functools
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from keras_gen import data, runs, zoo
from keras_gen.data.choices import check_augmentations, check_binarization
from keras_gen.data.slices import split_names
from keras_gen.data.value_range import PLAIN, as_stored, check_range
from keras_gen.progress import report
from keras_gen.startup import starting

from .amounts import batch_size_of
from .cluster import check_strategy
from .source import SourceInfo, crop_note, inspect_source
from .views import FITTING, LIMITS, View, normal, source_of, view_of

if TYPE_CHECKING:
    from keras_gen.models import GenerativeModel

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# larger images take a deliberate --image-size
LARGEST_OWN_SIZE = 64
# a tenth of the training split, at most this many
VALIDATION_IMAGES = 5000


@dataclasses.dataclass(frozen=True)
class Request:
    """The arguments of `train` that make a run; None where they were not given."""

    system: "str | GenerativeModel | None"
    data: str | os.PathLike | None
    epochs: int | None
    steps: int | None
    batch_size: int | None
    image_size: tuple[int, int] | None
    seed: int | None
    precision: str | None
    strategy: str
    patience: int | None
    learning_rate: float | None
    binarize: str | None
    augment: tuple[str, ...] | None
    labeled: int | None
    data_dir: str | None
    settings: dict
    view: dict
    initial_weights: str | None = None
    value_range: tuple[float, float] | None = None
    pretraining_epochs: int | None = None
    data_changed: bool = False

    def __post_init__(self):
        object.__setattr__(self, "value_range", check_range(self.value_range))
        _check_numbers(self)
        if self.precision not in (None, *PRECISIONS):
            raise ValueError(f"Unknown precision {self.precision!r}: expected one of {', '.join(PRECISIONS)}")
        check_strategy(self.strategy)
        check_binarization(self.binarize)
        check_augmentations(self.augment)
        if self.own is not None:
            _check_own(self)

    @property
    def own(self) -> "GenerativeModel | None":
        """The caller's own model, where `system` is one."""
        return None if self.system is None or isinstance(self.system, str) else self.system

    @property
    def name(self) -> str | None:
        """The key of the zoo, or the class of the caller's own model."""
        return self.system if self.own is None else type(self.own).__name__


def _silent(_: str) -> None:
    """Where the sentences about the data go that nobody is to read."""


def config_of(
    request: Request,
    out: str | os.PathLike,
    *,
    resume: bool = False,
    overwrite: bool = False,
    say: Callable[[str], None] = _silent,
) -> dict:
    """The content of config.json for a run in a directory, after all checks that need neither TensorFlow nor a model.

    Args:
        request: what is asked for.
        out: the run directory.
        resume: continue the run that is there.
        overwrite: a run that is there may be replaced.
        say: as for `new`.

    Raises:
        ValueError: as `new` and `resumed`.
        FileExistsError, FileNotFoundError, OSError: as `runs.check_free` and `Run.open`.
    """
    if resume:
        return resumed(request, runs.Run.open(out).config)
    runs.check_free(out, overwrite=overwrite)
    return new(request, say)


def new(request: Request, say: Callable[[str], None] = _silent) -> dict:
    """The content of a new run's config.json; `binarize` still as asked for.

    Args:
        request: the arguments of `train`.
        say: called with every sentence about the data that the user should know.

    Raises:
        ValueError: for an unknown system, setting or source.
    """
    if request.system is None or request.data is None:
        raise ValueError("A new run needs a system and data; only a resumed one (--resume) has them already")
    if request.initial_weights is not None:
        runs.check_weights(pathlib.Path(request.initial_weights))
    own = request.own
    system = zoo.System if own is not None else zoo.get(request.system)  # the class holds the general defaults
    settings = {} if own is not None else _complete(request.system, request.settings)
    request = dataclasses.replace(request, data=source_of(system.view, request.data))
    limits = {name: request.view[name] for name in LIMITS if name in request.view}
    if request.pretraining_epochs is not None and (own is not None or not system.pretraining(settings)):
        raise ValueError(
            f"pretraining_epochs is for systems that are pretrained ("
            f"{', '.join(key for key, each in zoo.SYSTEMS.items() if each.pretraining(each.settings))}); "
            f"{request.name} is not. Leave it out"
        )
    source = inspect_source(request.data, request.data_dir, value_range=request.value_range, **limits)
    view = View(normal(request.view), {})
    if own is None:
        captions = functools.partial(_captions, request, splits_of(source)["train"], limits)
        asked = {name: value for name, value in request.view.items() if name not in (*LIMITS, *FITTING)}
        view = view_of(system.view, source, asked, request.data, captions)
        settings |= {name: value for name, value in view.settings.items() if name not in request.settings}
    shape = own.image_shape if own is not None else image_shape_of(source, request.image_size, system.image_size)
    splits = splits_of(source)
    batch_size = batch_size_of(
        request.batch_size,
        system.batch_size,
        source=source,
        split=splits["train"],
        whole=system.drop_remainder,
        steps=request.steps or system.steps,
    )
    seen = {"source": place_of(request.data), "splits": splits, "slices": "random"}
    fitting = {name: request.view[name] for name in FITTING if name in request.view}
    seen |= {"binarize": request.binarize, "augment": list(request.augment or ()), **limits, **fitting, **view.options}
    if request.value_range is not None or source.value_range not in PLAIN:
        seen["value_range"] = as_stored(request.value_range or source.value_range)
    if request.labeled is not None:
        seen["labeled"] = request.labeled
    if system.drop_remainder:
        seen["drop_remainder"] = True
    if request.data_dir is not None:
        seen["data_dir"] = str(request.data_dir)
    _say_notes(source, shape, fitting, say)
    training = {
        "epochs": request.epochs or system.epochs,
        "steps": request.steps or system.steps,
        "batch_size": batch_size,
        "seed": request.seed or 0,
        "precision": request.precision or (own.dtype_policy.name if own is not None else "float32"),
        "strategy": request.strategy,
        "patience": request.patience,
        "learning_rate": request.learning_rate or (None if own is not None else system.learning_rate),
        "decay": None if own is not None else system.decay,
        "initial_weights": request.initial_weights,
    }
    if request.pretraining_epochs is not None:
        training["pretraining_epochs"] = request.pretraining_epochs
    return {
        "format": runs.FORMAT,
        "system": request.name,
        "image_shape": list(shape),
        "settings": settings,
        "penalty_range": [-1, 1],  # of the images that numbers of gradient penalties are about: the papers'
        "data": seen,
        "training": training,
        "versions": runs.versions(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def resumed(request: Request, config: dict) -> dict:
    """The content of a resumed run's config.json: as it began, but for what may change.

    Devices, epochs, patience and the place of the data may change. With `data_changed`, the data may be others: they
    are split as those of a new run.

    Raises:
        ValueError: where anything else differs; names each difference.
    """
    view = zoo.SYSTEMS[config["system"]].view if config["system"] in zoo.SYSTEMS else zoo.System.view
    began = {
        "system": config["system"],
        "data": config["data"]["source"],
        "image_size": tuple(config["image_shape"][:2]),
        "binarize": config["data"].get("binarize"),
        "augment": tuple(config["data"].get("augment", ())),
        "labeled": config["data"].get("labeled"),
        "value_range": config["data"].get("value_range"),
        **{name: config["training"].get(name) for name in _KEPT},
        **{f"setting {name}": value for name, value in config["settings"].items()},
        **{f"view {name}": value for name, value in config["data"].items()},
    }
    asked = {
        "system": request.name,
        "data": None if request.data is None else place_of(source_of(view, request.data)),
        "image_size": request.image_size,
        "binarize": None if request.binarize == "auto" else request.binarize,
        "augment": request.augment,
        "labeled": request.labeled,
        "value_range": None if request.value_range is None else as_stored(request.value_range),
        **{name: getattr(request, name) for name in _KEPT},
        **{f"setting {name}": value for name, value in request.settings.items()},
        **{f"view {name}": value for name, value in normal(request.view).items()},
    }
    if request.data is not None and (request.data_changed or "fingerprints" in config):
        # their content is compared when they are loaded
        config = {**config, "data": config["data"] | {"source": asked.pop("data")}}
    different = [
        f"{name} is {began.get(name)!r}, received {value!r}"
        for name, value in asked.items()
        if value is not None and value != began.get(name)
    ]
    if different:
        raise ValueError(
            f"A resumed run goes on as it began: {'; '.join(different)}. Leave this out, or start another run in "
            "another directory"
        )
    changes = {name: getattr(request, name) for name in runs.CHANGEABLE}
    training = config["training"] | {name: value for name, value in changes.items() if value is not None}
    moved = {} if request.data_dir is None else {"data_dir": str(request.data_dir)}
    if request.data_changed:
        seen = config["data"] | moved
        limits = {name: seen[name] for name in LIMITS if name in seen}
        moved |= {
            "splits": splits_of(inspect_source(seen["source"], seen.get("data_dir"), **limits)),
            "slices": "random",
        }
    return {**config, "training": training, "data": config["data"] | moved}


def _say_notes(source: SourceInfo, shape: tuple[int, int, int], fitting: Mapping, say: Callable[[str], None]) -> None:
    """Says what the user should know of the data before they are loaded."""
    cropped = crop_note(source.sizes, shape[:2]) if fitting.get("crop") != "pad" else None
    for note in (*source.notes, *([cropped] if cropped else [])):
        say(note)


_KEPT = ("steps", "batch_size", "seed", "precision", "learning_rate", "initial_weights", "pretraining_epochs")


def pretraining_of(config: Mapping) -> dict[str, int]:
    """Stage of the pretraining -> its epochs, in their order; nothing where a run has none.

    Args:
        config: the content of config.json.
    """
    training = config["training"]
    if config["system"] not in zoo.SYSTEMS or not config["settings"] or training.get("initial_weights"):
        return {}
    asked = training.get("pretraining_epochs")
    stages = zoo.get(config["system"]).pretraining(config["settings"])
    return {name: count for name, epochs in stages.items() if (count := epochs if asked is None else asked)}


def _captions(request: Request, split: str, limits: Mapping, given: Mapping) -> Iterator[bytes]:
    """The captions of a split; `limits` and `given` are options of `data.load`."""
    options = {"image_shape": (8, 8, 3), "batch_size": 256, "shuffle": False, "cache": None, "report": False}
    options |= {"value_range": request.value_range, **limits}
    with starting():
        load = data.load
    batches = load(request.data, split, fields=["caption"], data_dir=request.data_dir, **given, **options)
    for done, batch in enumerate(batches):
        report("Reading the captions", done, batches.info.num_batches)
        yield from batch["caption"].numpy()


def image_shape_of(source: SourceInfo, image_size: tuple[int, int] | None, default: int) -> tuple[int, int, int]:
    """The shape to train at.

    Args:
        source: what is known of the data.
        image_size: as asked for, or None: the source's own size where all its images have one, it is square and at
            most 64 pixels, and they are not rendered at any size; else `default`.
        default: the system's size.

    Returns:
        (height, width, channels); transparency is not kept.
    """
    own = source.image_size
    fits = own is not None and own[0] == own[1] <= LARGEST_OWN_SIZE and not source.rendered
    size = image_size or (own if fits else (default, default))
    return (*size, 1 if source.channels == 1 else 3)


def splits_of(source: SourceInfo) -> dict[str, str | None]:
    """Role -> split: the source's own `validation`, else the last tenth of `train`; `test` where there is one."""
    names = source.splits
    training = "train" if "train" in names else next(iter(names))
    validation = next((name for name in ("validation", "valid", "val") if name in names), None)
    held_out = min(names[training] // 10, VALIDATION_IMAGES)
    if validation is None and source.smaller:
        if source.smaller[training] >= 10:  # in parts of each: the two may differ in size
            training, validation = f"{training}[:90%]", f"{training}[90%:]"
    elif validation is None and held_out:
        training, validation = f"{training}[:-{held_out}]", f"{training}[-{held_out}:]"
    return {"train": training, "validation": validation, "test": "test" if "test" in names else None}


def without_validation(splits: Mapping[str, str | None]) -> dict[str, str | None]:
    """The splits of a run that is not validated; what was cut off from the training split returns to it."""
    names = split_names(splits["train"])
    training = "+".join(names) if names == split_names(splits["validation"]) else splits["train"]
    return {**splits, "train": training, "validation": None}


def binarize_of(model: "GenerativeModel", choice: str | None) -> str | None:
    """`"auto"` stays where the head is a likelihood of binary pixels and images are gray, else it becomes None.

    What it stands for is chosen when the images are loaded: see `keras_gen.data.load`.
    """
    if choice != "auto":
        return choice
    support = getattr(getattr(model, "likelihood", None), "support", None)
    return "auto" if support == "binary" and model.image_shape[2] == 1 else None


def place_of(source: str | os.PathLike) -> str:
    """A path that exists as an absolute one, so that the run finds its data from everywhere; a name as it is."""
    path = pathlib.Path(source).expanduser()
    named = os.sep not in str(source) and path.suffix not in (".npy", ".npz") and not isinstance(source, os.PathLike)
    return str(source) if named or not path.exists() else str(path.resolve())


def size_of(image_size) -> tuple[int, int] | None:
    """`--image-size` as (height, width): a number stands for a square.

    Raises:
        ValueError: for anything but a positive number or two of them.
    """
    if image_size is None:
        return None
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(size) != 2 or any(not isinstance(side, int) or side < 1 for side in size):
        raise ValueError(f"image_size must be a positive number of pixels or (height, width); received {image_size!r}")
    return size


def _complete(key: str, settings: Mapping) -> dict:
    settings = zoo.check_settings(key, settings)
    known = zoo.get(key).settings
    # as config.json will hold them (no tuples, texts as keys), so that a resumed run sees the same
    return json.loads(json.dumps({**known, **settings}))


def _check_numbers(request: Request) -> None:
    for name, smallest in (
        ("epochs", 1),
        ("steps", 1),
        ("batch_size", 1),
        ("seed", 0),
        ("patience", 1),
        ("labeled", 1),
        ("pretraining_epochs", 0),
    ):
        value = getattr(request, name)
        if value is not None and (not isinstance(value, int) or value < smallest):
            raise ValueError(f"{name} must be an integer >= {smallest}; received {value!r}")
    if request.learning_rate is not None and not request.learning_rate > 0:
        raise ValueError(f"learning_rate must be > 0; received {request.learning_rate!r}")


def _check_own(request: Request) -> None:
    from keras_gen.models import GenerativeModel

    model = request.own
    if not isinstance(model, GenerativeModel):
        raise ValueError(
            f"Expected a key of the zoo ({', '.join(zoo.SYSTEMS)}) or a keras_gen.GenerativeModel; received {model!r}"
        )
    if not model.compiled or model.optimizer is None:
        raise ValueError(f"The {request.name} is not compiled: call model.compile(keras.optimizers.Adam(1e-3)) first")
    for name in ("precision", "learning_rate", "settings", "image_size", "initial_weights"):
        if getattr(request, name):
            raise ValueError(
                f"{name} belongs to the building of a model; this {request.name} is built already. "
                f"Received {getattr(request, name)!r}"
            )
