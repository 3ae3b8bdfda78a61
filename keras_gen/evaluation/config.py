"""`EvaluateConfig`: the options of an evaluation, each declared once for Python and the command line.

Importing the module does not import TensorFlow, so that `keras-gen evaluate --help` answers at once.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

from keras_gen import options
from keras_gen.options import NAMES, Text, integer, option

# kinds of features that samples are compared by; "pyramid" are patches at each level of detail
FEATURES = ("small_v1", "pixels", "classifier", "inception", "fid", "pyramid")
SPLITS = ("test", "validation", "train")
# training images that 1,000 samples are compared with: about 3 minutes of one processor at 64x64x3
MAX_NEIGHBOR_IMAGES = 250_000


def _check_images(name: str, value: Any) -> int | str:
    if value != "all" and (type(value) is not int or value < 1):
        raise ValueError(f'Expected an integer >= 1 or "all" for {name}; received {value!r}')
    return value


def _parse_images(flag: str, text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _check_features(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys([value] if isinstance(value, str) else value))
    if unknown := [each for each in names if each not in FEATURES]:
        raise ValueError(f"Expected some of {', '.join(FEATURES)} for {name}; received {', '.join(map(repr, unknown))}")
    return names


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """The options of `keras_gen.evaluate` and `keras-gen evaluate`, validated.

    Attributes:
        nll_samples: see `keras_gen.evaluate`, which documents every option.

    Raises:
        ValueError: for a value that does not fit.

    Example:
        >>> EvaluateConfig(features="pixels").features
        ('pixels',)
    """

    nll_samples: int = option(5000, "Codes for each image in the log-likelihood", check=integer(1))
    nll_images: int | str = option(
        500,
        "Number of images in the log-likelihood, or all",
        check=_check_images,
        text=Text(_parse_images, default="500"),
    )
    samples: int = option(1000, "Number of generated images, compared with as many real ones", check=integer(1))
    features: tuple[str, ...] = option(
        ("small_v1",),
        "Features that samples are compared by besides small_v1, separated by commas: pixels, classifier, fid, "
        "inception, pyramid",
        check=_check_features,
        text=NAMES._replace(default="small_v1"),
    )
    parzen: bool = option(False, "Also compute the Parzen-window estimate")
    max_images: int = option(
        10_000, "Largest number of images in memory for other metrics than ELBO and log-likelihood", check=integer(1),
        flag=None,
    )  # fmt: skip
    neighbor_images: int = option(
        MAX_NEIGHBOR_IMAGES, "Largest number of training images that are searched for copies", check=integer(1)
    )
    batch_size: int | None = option(None, "Images at a time; default the run's", check=integer(1))
    split: str | None = option(
        None, "test, validation or train; default the first of these that the run has", check=options.one_of(*SPLITS)
    )
    seed: int = option(0, "Seed of codes, samples and the choice of images", check=integer(0, 2**31 - 1))

    __post_init__ = options.validate
