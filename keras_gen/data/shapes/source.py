"""`shapes` as a source: its splits, with and without the held-out combinations."""

import contextlib
import os
from typing import Any

import numpy as np

from keras_gen.progress import report

from ..cache.store import Store
from ..info import Images, Table, fingerprint_of
from ..resize import Resize
from ..slices import split_rows
from ..sources.tfds import read_tfds
from ..sources.tfds_builders import hide_progress_bars, tfds_folder
from .factors import FACTORS, HELD_OUT, MEASURES, attribute_names
from .splits import FIXED, SIZES, draw_split

# split -> (split of the builder, whether its combinations are held out; None for both)
SPLITS = {
    "train": ("train", None),
    "test": ("test", None),
    "train_seen": ("train", False),
    "train_unseen": ("train", True),
    "test_seen": ("test", False),
    "test_unseen": ("test", True),
}


def shapes_builder(name: str, data_dir: str | os.PathLike | None) -> Any:
    """Returns the TFDS builder of a configuration; its images are rendered if they are not prepared yet.

    Args:
        name: "shapes", "shapes/placed", "shapes/plain" or "shapes/tiny".
        data_dir: TFDS directory.

    Raises:
        ValueError: For an unknown configuration, or if the folder is not writable.
    """
    import tensorflow_datasets as tfds

    from .builder import Shapes

    config = _config(name)
    builder = Shapes(config=config, data_dir=str(tfds_folder(data_dir)))
    if not builder.is_prepared():
        hide_progress_bars()
        report(f"Rendering {name}, once")
        offline = tfds.download.DownloadConfig(try_download_gcs=False)
        try:
            with contextlib.redirect_stdout(None):  # TFDS announces a download although there is none
                builder.download_and_prepare(download_config=offline)
        except Exception as error:
            builder = Shapes(config=config, data_dir=str(tfds_folder(data_dir)))
            if not builder.is_prepared():  # otherwise another process has just prepared it
                raise ValueError(
                    f"shapes is rendered once, but cannot be written to {builder.data_dir}: {error}. Set data_dir (or "
                    f"TFDS_DATA_DIR) to a writable folder."
                ) from error
    return builder


def split_sizes(name: str) -> dict[str, int]:
    """Returns the number of images in each split of a configuration."""
    config, counts = _config(name), {}
    for split, (base, held_out) in SPLITS.items():
        count = SIZES[config][base]
        chosen = draw_split(base)[0][:count].held_out()
        counts[split] = count if held_out is None else int((chosen == held_out).sum())
    return counts


def describe_shapes(name: str) -> dict[str, Any]:
    """Describes a configuration without rendering it.

    The keys are attributes of `keras_gen.data.Description`.
    """
    fixed = FIXED.get(_config(name), {})
    same = f"The same for all: {', '.join(f'{factor} {value}' for factor, value in fixed.items())}. " if fixed else ""
    return {
        "about": "One object on a gray background, 64x64 RGB, rendered from the factors in each example. "
        f"{same}The splits _seen leave out pairs of shape and color "
        f"({', '.join(f'{c} {s}' for s, c in HELD_OUT)}), the splits _unseen have only these.",
        "splits": split_sizes(name),
        "image_shape": (64, 64, 3),
        "fields": {
            "image": "image [64, 64, 3]",
            "label": "label (the shape)",
            "caption": "text",
            "attributes": f"vector of {len(attribute_names())}",
            **{factor: f"label of {len(names)}" for factor, names in FACTORS.items()},
            **{measure: "number" for measure in MEASURES},
            "held_out": "number",
        },
        "names": {"label": FACTORS["shape"], "attributes": attribute_names(), **FACTORS},
    }


def read_shapes(name: str, split: str, resize: Resize, data_dir: str | os.PathLike | None) -> Table:
    """Reads a split of `shapes`.

    `train` and `test` have every combination of factors. `train_seen` and `test_seen` leave out the pairs of shape and
    color in `HELD_OUT`; `train_unseen` and `test_unseen` have only these.

    Args:
        name: "shapes", "shapes/placed", "shapes/plain" or "shapes/tiny".
        split: One of the six splits, with an optional slice, or a sum of them.
        resize: Target shape of the images.
        data_dir: TFDS directory.

    Returns:
        A `Table` whose images are resized when they are read.

    Raises:
        ValueError: For an unknown split or configuration.
    """
    builder = shapes_builder(name, data_dir)
    parts = split_rows(split, split_sizes(name))
    tables = {
        base: read_tfds(builder, base, Resize((64, 64, 3)), cache="memory", store=Store(data_dir))
        for base in {SPLITS[part][0] for part, _, _ in parts}
    }
    images, columns = [], []
    for part, start, stop in parts:
        base, held_out = SPLITS[part]
        table = tables[base]
        mask = table.columns["held_out"]
        rows = np.arange(len(mask)) if held_out is None else np.flatnonzero(mask == held_out)
        rows = rows[start:stop]
        images.append(table.images["image"].gather(rows))
        columns.append({field: value[rows] for field, value in table.columns.items()})
    pixels = np.concatenate(images)
    names = {"label": FACTORS["shape"], "attributes": attribute_names(), **FACTORS}
    concatenated = {field: np.concatenate([part[field] for part in columns]) for field in columns[0]}
    return Table(
        images={"image": Images(len(pixels), pixels.dtype, read=lambda i: resize(pixels[i]))},
        columns=concatenated,
        names=names,
        fingerprint=fingerprint_of([builder.info.full_name, split, resize]),
    )


def _config(name: str) -> str:
    config = name.partition("/")[2] or "full"
    if config not in SIZES:
        known = ", ".join(repr(f"shapes/{each}") for each in SIZES if each != "full")
        raise ValueError(f"Expected 'shapes', {known}; received {name!r}.")
    return config
