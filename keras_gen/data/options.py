"""The options of `keras_gen.data.load`, each declared once together with its validation. TensorFlow is not imported."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from keras_gen.archives import MAX_MEMBER_BYTES
from keras_gen.runtime.image_file import MAX_PIXELS

from .cache.decode import ON_ERROR
from .cache.store import check_cache
from .choices import check_augmentations, check_binarization
from .resize import Resize
from .slices import SLICES, split_names
from .value_range import check_range

if TYPE_CHECKING:
    import tensorflow as tf

Check = Callable[[str, Any], Any]


def positive_integer(name: str, value: Any) -> int:
    """Returns an option as an int >= 1, or raises a ValueError that names the option."""
    if isinstance(value, (bool, str)) or int(value) != value or value < 1:
        raise ValueError(f"Expected {name} as a positive integer; received {value!r}.")
    return int(value)


def _steps(name: str, value: Any) -> Any:
    """Checks a number of steps; a function, which is called with the batches of one pass, is left as it is."""
    return value if callable(value) else positive_integer(name, value)


def _optional(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _one_of(choices: Sequence[str]) -> Check:
    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise ValueError(f"Expected {name} as one of {', '.join(map(repr, choices))}; received {value!r}.")
        return value

    return check


def _value(check: Callable[[Any], Any]) -> Check:
    """A check or conversion that does not need the name of the option."""
    return lambda name, value: check(value)


@dataclasses.dataclass(frozen=True)
class LoadOptions:
    """The arguments of `keras_gen.data.load`, checked and converted; `load` documents them.

    The function in the annotation of an option checks it and returns its converted value.

    Raises:
        ValueError: For an invalid value or combination.

    Example:
        >>> LoadOptions("train[:90%]", image_shape=(28, 28, 1), batch_size=64).shuffled
        True
    """

    split: Annotated[str, _value(str)]
    _: dataclasses.KW_ONLY
    image_shape: tuple[int, int, int]
    batch_size: Annotated[int, positive_integer]
    binarize: Annotated[str | None, _value(check_binarization)] = None
    augment: Annotated[Iterable[str] | str, _value(check_augmentations)] = ()
    seed: Annotated[int, _value(int)] = 0
    shuffle: bool | None = None
    steps: Annotated[int | Callable[[int], int | None] | None, _optional(_steps)] = None
    drop_remainder: Annotated[bool, _value(bool)] = False
    crop: str = "center"
    background: tuple[int, int, int] = (255, 255, 255)
    fields: Iterable[str] | str | None = None
    labeled: int | None = None
    domains: Sequence[str] | None = None
    domain_field: str = "label"
    attributes: Sequence[str] | None = None
    captions: str | os.PathLike | None = None
    tokens: Mapping | None = None
    slices: Annotated[str, _one_of(SLICES)] = "random"
    cache: Annotated[str | None, _value(check_cache)] = "auto"
    on_error: Annotated[str, _one_of(ON_ERROR)] = "skip"
    max_pixels: Annotated[int, positive_integer] = MAX_PIXELS
    max_member_bytes: Annotated[int, positive_integer] = MAX_MEMBER_BYTES
    num_shards: Annotated[int, positive_integer] = 1
    shard_index: Annotated[int, _value(int)] = 0
    input_context: "tf.distribute.InputContext | None" = None
    data_dir: str | os.PathLike | None = None
    download: bool = True
    value_range: Annotated[Sequence[float] | None, _value(check_range)] = None
    # the target of every image, from image_shape, crop and background, which Resize checks
    resize: Resize = dataclasses.field(init=False)

    def __post_init__(self):
        for field in dataclasses.fields(self):
            for check in getattr(field.type, "__metadata__", ()):
                object.__setattr__(self, field.name, check(field.name, getattr(self, field.name)))
        object.__setattr__(self, "resize", Resize(self.image_shape, self.crop, self.background))
        if self.input_context is not None and (self.num_shards, self.shard_index) != (1, 0):
            raise ValueError("Expected either input_context or num_shards and shard_index; received both.")
        num_shards, shard_index = self.shard
        if not 0 <= shard_index < num_shards:
            raise ValueError(f"Expected shard_index from 0 to {num_shards - 1}; received {shard_index!r}.")

    @property
    def shard(self) -> tuple[int, int]:
        """The number of shards of an epoch, and the index of this one."""
        if self.input_context is None:
            return self.num_shards, self.shard_index
        return int(self.input_context.num_input_pipelines), int(self.input_context.input_pipeline_id)

    @property
    def shuffled(self) -> bool:
        """Whether the order changes from epoch to epoch: by default, if every split is named train..."""
        if self.shuffle is None:
            return all(name.startswith("train") for name in split_names(self.split))
        return bool(self.shuffle)
