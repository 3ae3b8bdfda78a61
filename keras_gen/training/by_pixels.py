"""The setting, the binarization and the flips of a new run, which depend on the pixels of its training images."""

import dataclasses
import importlib
import json
import re
from collections.abc import Callable, Iterable

from keras_gen.data.pixels import Pixels, measure_pixels
from keras_gen.data.resolve import identify
from keras_gen.models.core.system import PixelSetting
from keras_gen.options import as_json
from keras_gen.progress import report
from keras_gen.startup import starting

from .config import TrainConfig
from .views import LIMITS, RESIZE_OPTIONS

_WORDS = re.compile(r"[a-z]+")
# words that say on which side something is: they would be wrong for a mirrored image
SIDES = frozenset(
    "left right lefts rights leftward rightward leftwards rightwards leftmost rightmost lefthand righthand lefthanded "
    "righthanded clockwise counterclockwise anticlockwise east west eastward westward facing mirrored flipped".split()
)


def choose_by_pixels(
    config: TrainConfig,
    setting: PixelSetting | None,
    split: str,
    image_shape: tuple[int, int, int],
    show_note: Callable[[str], None] = lambda note: None,
    names: Iterable[str] | None = None,
) -> TrainConfig:
    """Returns the options with a system's `pixel_setting`, `binarize` and `augment`, decided by the training images.

    A value that the user has chosen stays. Images that the user binarizes are binary, whatever their pixels are. The
    images are flipped horizontally with probability 1/2 where they are not nearly binary and mirrored images look like
    the others, unless a name says on which side something is.

    Args:
        config: Options with complete settings and the source of the data.
        setting: The system's setting that depends on the pixels, or None.
        split: The training split.
        image_shape: (height, width, channels) of the images.
        show_note: Called with a sentence about each choice.
        names: Names of the labels and attributes and words of the captions that the model learns, in English; None if
            `augment` does not depend on the images, and stays as it is.
    """
    decides = config.augment is None and names is not None
    side = next((word for name in names or () for word in _WORDS.findall(name.lower()) if word in SIDES), None)
    if decides and side is not None:
        show_note(f"The labels, attributes or captions say {side!r}: --augment none. --augment flip overrides this.")
        decides = False
    chooses = setting is not None and config.settings[setting.name] is None
    if setting is not None and chooses and config.binarize not in ("auto", None):
        config, chooses = _with(config, setting, binary=True, binarize=config.binarize), False
    if not decides and (not chooses or identify(config.data or "", config.data_dir)[0] == "pair"):
        return config
    if (pixels := _measure(config, split, image_shape)) is None:
        return config
    if setting is not None and chooses:
        if config.binarize == "auto":
            config = _with(config, setting, pixels.binarization is not None, pixels.binarization)
            reason = pixels.describe()
        else:
            config = _with(config, setting, pixels.noise_share == 0, None)
            reason = _describe_unbinarized(pixels)
        value = config.settings[setting.name]
        text = value if isinstance(value, str) else json.dumps(value)
        show_note(f"{reason}: {setting.name}={text}. --set {setting.name}=... and --binarize override this.")
    if decides:
        choice, other = ("flip", "none") if pixels.symmetric else ("none", "flip")
        show_note(f"{pixels.describe_symmetry()}: --augment {choice}. --augment {other} overrides this.")
        config = dataclasses.replace(config, augment=("flip",) if pixels.symmetric else ())
    return config


def _measure(config: TrainConfig, split: str, image_shape: tuple[int, int, int]) -> Pixels | None:
    """Returns statistics of the training images; None for images that cannot be read, and loading them says why."""
    source = config.data or ""
    kind, location = identify(source, config.data_dir)
    if kind == "pair":  # each of the two is a domain, or a set with attributes of its own
        parts = [_measure(dataclasses.replace(config, data=each), split, image_shape) for each in location]
        measured = [each for each in parts if each is not None]
        return max(measured, key=_asymmetry) if len(measured) == len(parts) else None
    if kind in ("tfds", "stacked"):  # which TensorFlow reads
        with starting():
            importlib.import_module("tensorflow")
    report("Measuring the pixels")
    return measure_pixels(
        source,
        split,
        image_shape=image_shape,
        data_dir=config.data_dir,
        value_range=config.value_range if kind in ("arrays", "folder") else None,
        **{name: config.view[name] for name in (*LIMITS, *RESIZE_OPTIONS) if name in config.view},
    )


def _asymmetry(pixels: Pixels) -> tuple[bool, float]:
    return not pixels.symmetric, pixels.orientation_accuracy


def _with(config: TrainConfig, setting: PixelSetting, binary: bool, binarize: str | None) -> TrainConfig:
    value = as_json(setting.binary if binary else setting.other)
    return dataclasses.replace(config, settings={**config.settings, setting.name: value}, binarize=binarize)


def _describe_unbinarized(pixels: Pixels) -> str:
    if pixels.noise_share == 0:
        return "All pixels are black or white"
    return "The pixels are not binarized, and some are neither black nor white"
