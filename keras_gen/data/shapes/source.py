"""`shapes` as a source: its splits, with and without the combinations that are held out."""

import contextlib
import hashlib
import os

import numpy as np

from keras_gen.progress import report

from ..cache.store import Store
from ..info import Images, Table
from ..resize import Resize
from ..slices import split_rows
from ..sources.tfds import read_tfds
from ..sources.tfds_builders import bars_for_screens_alone, tfds_folder
from .factors import FACTORS, HELD_OUT, MEASURES, attribute_names
from .splits import PLACED, SIZES, draw_split

# name -> (split of the builder, held out or not or both)
SPLITS = {
    "train": ("train", None),
    "test": ("test", None),
    "train_seen": ("train", False),
    "train_unseen": ("train", True),
    "test_seen": ("test", False),
    "test_unseen": ("test", True),
}


def shapes_builder(name: str, data_dir: str | os.PathLike | None):
    """Return the builder of a configuration, prepared (rendered where it is not there yet; no network).

    Raises:
        ValueError: an unknown configuration, or a folder that cannot be written.
    """
    import tensorflow_datasets as tfds

    from .builder import Shapes

    config = _config(name)
    builder = Shapes(config=config, data_dir=str(tfds_folder(data_dir)))
    if not builder.is_prepared():
        bars_for_screens_alone()
        report(f"Rendering {name}, once")
        offline = tfds.download.DownloadConfig(try_download_gcs=False)
        try:
            with contextlib.redirect_stdout(None):  # TFDS announces a download, and there is none
                builder.download_and_prepare(download_config=offline)
        except Exception as error:
            builder = Shapes(config=config, data_dir=str(tfds_folder(data_dir)))
            if not builder.is_prepared():  # else another process has prepared the set at the same time
                raise ValueError(
                    f"shapes cannot be written to {builder.data_dir}: {error}. It is rendered once and kept; point "
                    f"data_dir (or TFDS_DATA_DIR) to a folder that can be written."
                ) from error
    return builder


def split_sizes(name: str) -> dict[str, int]:
    """Return the number of pictures of each split of a configuration."""
    config, counts = _config(name), {}
    for split, (base, held_out) in SPLITS.items():
        count = SIZES[config][base]
        chosen = draw_split(base)[0][:count].held_out()
        counts[split] = count if held_out is None else int((chosen == held_out).sum())
    return counts


def describe_shapes(name: str) -> dict:
    """Say what "shapes" holds; nothing is rendered."""
    placed = f"Objects are {', '.join(PLACED.values())}. " if _config(name) == "placed" else ""
    return {
        "about": "One object on a gray ground, 64x64 RGB, rendered from the factors that stand beside each picture. "
        f"{placed}The splits _seen leave out pairs of shape and color "
        f"({', '.join(f'{c} {s}' for s, c in HELD_OUT)}), the splits _unseen hold only these.",
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


def read_shapes(name: str, split: str, fit: Resize, data_dir: str | os.PathLike | None) -> Table:
    """Read a split of `shapes`.

    `train` and `test` hold every combination of factors. `train_seen` and `test_seen` leave out the pairs of shape and
    color in `HELD_OUT`; `train_unseen` and `test_unseen` hold only these.

    Args:
        name: "shapes", "shapes/placed" or "shapes/tiny".
        split: one of the six, with an optional slice, or a sum of them.
        fit: what the images are brought to.
        data_dir: TFDS directory.

    Returns:
        A `Table` whose images are fitted when they are read.

    Raises:
        ValueError: an unknown split or configuration.
    """
    builder = shapes_builder(name, data_dir)
    parts = split_rows(split, split_sizes(name))
    whole = {}
    for base in {SPLITS[part][0] for part, _, _ in parts}:
        whole[base] = read_tfds(builder, base, Resize((64, 64, 3)), cache="memory", store=Store(data_dir))
    images, columns = [], []
    for part, start, stop in parts:
        base, held_out = SPLITS[part]
        table = whole[base]
        mask = table.columns["held_out"]
        rows = np.arange(len(mask)) if held_out is None else np.flatnonzero(mask == held_out)
        rows = rows[start:stop]
        images.append(table.images["image"].array[rows])
        columns.append({field: value[rows] for field, value in table.columns.items()})
    pictures = np.concatenate(images)
    names = {"label": FACTORS["shape"], "attributes": attribute_names(), **FACTORS}
    joined = {field: np.concatenate([part[field] for part in columns]) for field in columns[0]}
    return Table(
        images={"image": Images(len(pictures), pictures.dtype, read=lambda i: fit(pictures[i]))},
        columns=joined,
        names=names,
        fingerprint=_fingerprint(builder.info.full_name, split, fit),
    )


def _config(name: str) -> str:
    config = name.partition("/")[2] or "full"
    if config not in SIZES:
        known = ", ".join(repr(f"shapes/{each}") for each in SIZES if each != "full")
        raise ValueError(f"{name!r} is unknown; known: 'shapes', {known}.")
    return config


def _fingerprint(*parts) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
