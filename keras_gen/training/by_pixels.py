"""The setting and the binarization of a new run that depend on the pixels of its training images."""

import dataclasses
import importlib
import json
from collections.abc import Callable

from keras_gen.data.pixels import Pixels, measure_pixels
from keras_gen.data.resolve import identify
from keras_gen.models.core.system import PixelSetting
from keras_gen.options import as_json
from keras_gen.progress import report
from keras_gen.startup import starting

from .config import TrainConfig
from .views import LIMITS, RESIZE_OPTIONS


def choose_by_pixels(
    config: TrainConfig,
    setting: PixelSetting | None,
    split: str,
    image_shape: tuple[int, int, int],
    show_note: Callable[[str], None] = lambda note: None,
) -> TrainConfig:
    """Returns the options with a system's `pixel_setting` and `binarize`, decided together by the training images.

    A value that the user has chosen stays. Images that the user binarizes are binary, whatever their pixels are.

    Args:
        config: Options with complete settings and the source of the data.
        setting: The system's setting that depends on the pixels, or None.
        split: The training split.
        image_shape: (height, width, channels) of the images.
        show_note: Called with a sentence about the choice.
    """
    if setting is None or config.settings[setting.name] is not None:
        return config
    if config.binarize not in ("auto", None):
        return _with(config, setting, binary=True, binarize=config.binarize)
    source = config.data or ""
    if identify(source, config.data_dir)[0] in ("tfds", "stacked"):  # which TensorFlow reads
        with starting():
            importlib.import_module("tensorflow")
    report("Measuring the pixels")
    pixels = measure_pixels(
        source,
        split,
        image_shape=image_shape,
        data_dir=config.data_dir,
        value_range=config.value_range,
        **{name: config.view[name] for name in (*LIMITS, *RESIZE_OPTIONS) if name in config.view},
    )
    if pixels is None:  # loading the data says why
        return config
    if config.binarize == "auto":
        chosen = _with(config, setting, pixels.binarization is not None, pixels.binarization)
        reason = pixels.describe()
    else:
        chosen = _with(config, setting, pixels.noise_share == 0, None)
        reason = _describe_unbinarized(pixels)
    value = chosen.settings[setting.name]
    text = value if isinstance(value, str) else json.dumps(value)
    show_note(f"{reason}: {setting.name}={text}. --set {setting.name}=... and --binarize override this.")
    return chosen


def _with(config: TrainConfig, setting: PixelSetting, binary: bool, binarize: str | None) -> TrainConfig:
    value = as_json(setting.binary if binary else setting.other)
    return dataclasses.replace(config, settings={**config.settings, setting.name: value}, binarize=binarize)


def _describe_unbinarized(pixels: Pixels) -> str:
    if pixels.noise_share == 0:
        return "All pixels are black or white"
    return "The pixels are not binarized, and some are neither black nor white"
