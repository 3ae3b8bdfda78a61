"""`TrainConfig`: the options of a training, each declared once for Python, the command line and config.json.

This module imports neither numpy nor TensorFlow, so that `keras-gen train --help` answers at once.
"""

import dataclasses
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from keras_gen import options
from keras_gen.options import RANGE, SETTINGS, SIZE, Text, integer, one_of, option, parse_names, positive

from .cluster import check_strategy

if TYPE_CHECKING:
    from keras_gen.models import GenerativeModel

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# entries of `data` in config.json that follow from the source and the system
DERIVED = ("splits", "slices", "drop_remainder")


def check_size(name: str, value: Any) -> tuple[int, int]:
    """An image size as (height, width); one number stands for a square.

    Raises:
        ValueError: for anything but one or two positive integers.
    """
    size = (value, value) if isinstance(value, int) else tuple(value)
    if len(size) != 2 or any(not isinstance(pixels, int) or pixels < 1 for pixels in size):
        raise ValueError(f"Expected a positive number of pixels, or (height, width), for {name}; received {value!r}")
    return size


def _check_strategy(name: str, value: Any) -> str:
    check_strategy(value)
    return value


def _check_binarize(name: str, value: Any) -> str | None:
    from keras_gen.data.choices import check_binarization

    return check_binarization(value)


def _check_augment(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    from keras_gen.data.choices import check_augmentations

    return check_augmentations(value)


def _check_value_range(name: str, value: Any) -> tuple[float, ...]:
    from keras_gen.data.value_range import as_stored, check_range

    checked = check_range(value)
    return () if checked is None else tuple(as_stored(checked))


def _check_view(name: str, value: Mapping) -> dict[str, Any]:
    if not value:
        return {}
    from .views import normalize_options

    return normalize_options(value)


def _absolute(name: str, value: str | os.PathLike) -> str:
    return str(pathlib.Path(value).expanduser().resolve())


def _parse_binarize(flag: str, text: str) -> str | None:
    return None if text == "none" else text


def _parse_augment(flag: str, text: str) -> list[str]:
    return [] if text == "none" else parse_names(flag, text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The options of `keras_gen.train` and `keras-gen train`, validated.

    None stands for a default that depends on the system, the preset or the data. `new_run` replaces it, and config.json
    states the value that was used.

    Attributes:
        system: see `keras_gen.train`, which documents every option.

    Raises:
        ValueError: for a value that does not fit, or an option that an already built model cannot follow.

    Example:
        >>> TrainConfig(system="vae", data="shapes", image_size=32).image_size
        (32, 32)
    """

    system: "str | GenerativeModel | None" = option(
        None, "Key of the system, see `keras-gen zoo`; not needed to resume", section="", flag=None
    )
    data: str | os.PathLike | None = option(
        None,
        "Dataset name, folder, .npz or .npy file; not needed to resume",
        section="data",
        key="source",
        resumable=True,
        type=str | None,
    )
    preset: str | None = option(
        None,
        "Settings and defaults of training by name, see `keras-gen zoo SYSTEM`: paper, small or gpu; default the "
        "system's own",
        section="",
    )
    epochs: int | None = option(
        None,
        "Number of epochs, counted from the beginning also after a resume; default those of --updates",
        check=integer(1),
        section="training",
        resumable=True,
    )
    updates: int | None = option(
        None,
        "Length of the training in steps of a batch, instead of --epochs; default the system's",
        check=integer(1),
        section="training",
    )
    minutes: float | None = option(
        None,
        "Length of the training in minutes, instead of --epochs and --updates: measured, then fixed",
        check=positive,
        section="training",
    )
    steps: int | None = option(
        None,
        "Batches in an epoch; default one pass over the data, or the parts or passes that make 20 to 100 epochs",
        check=integer(1),
        section="training",
    )
    batch_size: int | None = option(
        None, "Images in a step, over all devices; default the system's", check=integer(1), section="training"
    )
    image_size: tuple[int, int] | None = option(
        None,
        "Pixels: 64, or HEIGHTxWIDTH such as 48x64; default the data's own size where it is at most 64",
        check=check_size,
        section="",
        text=SIZE,
    )
    seed: int | None = option(
        None, "Seed of the initial weights, the order of the data and all noise; default 0", check=integer(0),
        section="training",
    )  # fmt: skip
    precision: str | None = option(
        None,
        "float32, mixed_bfloat16 or mixed_float16; default float32",
        check=one_of(*PRECISIONS),
        section="training",
    )
    strategy: str = option(
        "auto",
        "auto, default, mirrored, multiworker or tpu",
        check=_check_strategy,
        section="training",
        resumable=True,
    )
    resume: bool = option(False, "Continue the run in --out exactly where it stopped")
    data_changed: bool = option(False, "Resume on data that have changed, with a new validation split")
    overwrite: bool = option(False, "Replace the run in --out")
    patience: int | None = option(
        None,
        "Stop after this number of epochs without an improvement; default never",
        check=integer(1),
        section="training",
        resumable=True,
    )
    learning_rate: float | None = option(
        None, "Learning rate of the optimizer, usually Adam; default the system's", check=positive, section="training"
    )
    binarize: str | None = option(
        "auto",
        "Binarization of the pixels: auto, none, dynamic or threshold",
        check=_check_binarize,
        section="data",
        text=Text(_parse_binarize, default="auto"),
    )
    augment: tuple[str, ...] | None = option(
        None,
        "Augmentations of the training images, separated by commas: flip, crop, shift, color, or none; default flip "
        "for photos where mirrored ones look like the others",
        check=_check_augment,
        section="data",
        text=Text(_parse_augment),
    )
    labeled: int | None = option(
        None, "Number of images whose labels a supervised system may use", check=integer(1), section="data"
    )
    data_dir: str | None = option(
        None,
        "TFDS directory; default TFDS_DATA_DIR or ~/tensorflow_datasets",
        section="data",
        resumable=True,
    )
    settings: Mapping[str, Any] = option(
        {},
        "Settings of the system, see `keras-gen zoo SYSTEM`",
        check=lambda name, value: dict(value),
        section="",
        flag="--set",
        text=SETTINGS,
    )
    view: Mapping[str, Any] = option(
        {},
        "Part of the data that the system learns from: domains=A,B, domain_field=FIELD, attributes=NAME,..., "
        "captions=FILE, length=N, crop=pad, max_pixels=N",
        check=_check_view,
        section="data",
        text=SETTINGS,
    )
    initial_weights: str | None = option(
        None,
        "Run directory or .keras file whose weights a new run starts from",
        check=_absolute,
        section="training",
    )
    value_range: tuple[float, ...] | None = option(
        None,
        "Stored numbers that are black and white, such as 0,4095; default detected",
        check=_check_value_range,
        section="data",
        text=RANGE,
    )
    pretraining_epochs: int | None = option(
        None,
        "Epochs of each stage of pretraining, for a system that has such stages; 0 skips them",
        check=integer(0),
        section="training",
    )

    def __post_init__(self):
        options.validate(self)
        if self.own_model is not None:
            _check_own(self)

    @property
    def own_model(self) -> "GenerativeModel | None":
        """The caller's own model, where `system` is one."""
        return None if self.system is None or isinstance(self.system, str) else self.system

    @property
    def system_name(self) -> str | None:
        """The key of the zoo, or the class of the caller's own model."""
        return self.system if self.system is None or isinstance(self.system, str) else type(self.system).__name__

    def to_json(self) -> dict[str, Any]:
        """The stored options in the sections of config.json: `system`, `settings`, `data` and `training`.

        The entries of `view` are entries of `data`, as arguments of `keras_gen.data.load`. The image size is stored by
        `new_run` as `image_shape`, with the channels.
        """
        content = options.to_json(dataclasses.replace(self, system=self.system_name))
        content["data"] |= content["data"].pop("view")
        del content["image_size"]
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TrainConfig":
        """The options of a run, from the content of its config.json."""
        data = content["data"]
        known = {each.key for each in options.declared(cls) if each.section == "data"}
        view = {name: value for name, value in data.items() if name not in known and name not in DERIVED}
        sections = {**content, "image_size": content["image_shape"][:2], "data": {**data, "view": view}}
        return cls(**options.stored_values(cls, sections))


def _check_own(config: TrainConfig) -> None:
    from keras_gen import zoo
    from keras_gen.models import GenerativeModel

    model = config.own_model
    if not isinstance(model, GenerativeModel):
        raise ValueError(
            f"Expected a key of the zoo ({', '.join(zoo.SYSTEMS)}) or a keras_gen.GenerativeModel; received {model!r}"
        )
    if not model.compiled or model.optimizer is None:
        raise ValueError(
            f"Expected a compiled {config.system_name}; received one that is not compiled. Call "
            "model.compile(keras.optimizers.Adam(1e-3)) first"
        )
    for name in ("preset", "precision", "learning_rate", "settings", "image_size", "initial_weights"):
        if value := getattr(config, name):
            raise ValueError(
                f"Expected no {name} with a {config.system_name} that is already built; received {value!r}. Set it "
                "where the model is built"
            )
