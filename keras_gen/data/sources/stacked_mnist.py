"""Stacked digits as a source: three gray images of a labeled set are the channels of one."""

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..cache.store import Store, choose_cache
from ..info import Images, Table
from ..resize import Resize
from ..slices import split_rows
from .tfds import describe_tfds, map_features, read_tfds

PREFIX = "stacked_"
SIZES = {"train": 128_000, "test": 26_000}
_SEEDS = {"train": 1, "test": 2}
_CHANNELS = 3
_ROWS = 1024


def read_stacked(builder: Any, split: str, fit: Resize, *, cache: str | None, store: Store) -> Table:
    """Read a split of the stacked version of a set.

    Each image is three images of the split of the same name, drawn independently and uniformly (with fixed seeds:
    everybody has the same images), as red, green and blue. `label` is (a K + b) K + c for the classes a, b, c of the
    three of K; `channel_labels` are the three. Slices of a split share single digits, `train` and `test` do not.

    Args:
        builder: a prepared `tfds.core.DatasetBuilder` of gray images with `label` and the splits train and test.
        split: "train" (128,000 images) or "test" (26,000), with an optional slice, or a sum of them.
        fit: what the images are brought to; three channels.
        cache: as in `keras_gen.data.load`. "auto", "memory" and "disk" hold the stacked images (train at 28x28: 301
            MB), None holds only the single ones (47 MB).
        store: where decoded images are kept.

    Returns:
        A `Table`.

    Raises:
        ValueError: a set without gray images or labels, an unknown split, an image_shape without three channels.

    Reference:
        Metz et al. 2016, Unrolled GANs, arXiv:1611.02163 (the 1,000 modes); Srivastava et al. 2017,
        VEEGAN, arXiv:1705.07761; Lin et al. 2017, PacGAN, arXiv:1712.04086 (the sizes).
    """
    classes = _classes(builder)
    if fit.image_shape[2] != _CHANNELS:
        raise ValueError(
            f"{PREFIX}{builder.name} has one image in each of three channels; image_shape asks for {fit.image_shape[2]}"
        )
    gray = dataclasses.replace(fit, image_shape=(*fit.image_shape[:2], 1))
    parts = split_rows(split, SIZES)
    single = {name: read_tfds(builder, name, gray, cache="memory", store=store) for name in {part[0] for part in parts}}
    first, pixels, labels, rows = 0, [], [], []
    for name, start, stop in parts:
        pixels.append(single[name].images["image"].array)
        labels.append(single[name].columns["label"])
        rows.append(first + draw_rows(name, len(pixels[-1]))[start:stop])
        first += len(pixels[-1])
    pixels, labels, rows = map(np.concatenate, (pixels, labels, rows))
    channel_labels = labels[rows].astype(np.int32)
    count, identity = len(rows), [table.fingerprint for _, table in sorted(single.items())]
    fingerprint = hashlib.sha256("|".join([*identity, split]).encode()).hexdigest()
    how = choose_cache(cache, count, fit.image_shape)
    if how == "none":
        images = Images(count, pixels.dtype, read=lambda index: _stack(pixels, rows[index : index + 1])[0])
    else:
        held, _ = store.collect(_blocks(pixels, rows), count, how, fingerprint)
        images = Images(count, pixels.dtype, array=held["image"])
    return Table(
        images={"image": images},
        columns={
            "label": channel_labels @ np.array([len(classes) ** 2, len(classes), 1], np.int32),
            "channel_labels": channel_labels,
        },
        names=_names(classes),
        fingerprint=fingerprint,
    )


def describe_stacked(builder: Any) -> dict[str, Any]:
    """Say what the stacked version of a set holds; nothing is read."""
    classes, shape = _classes(builder), describe_tfds(builder)["image_shape"]
    return {
        "about": f"Three random images of {builder.name} as red, green and blue: {len(classes) ** _CHANNELS:,} modes. "
        "Train and test are drawn from train and test, with fixed seeds.",
        "splits": dict(SIZES),
        "image_shape": (*shape[:2], _CHANNELS),
        "fields": {
            "image": f"image {[*shape[:2], _CHANNELS]}",
            "label": "label (of the three, joined)",
            "channel_labels": f"vector [{_CHANNELS}]",
        },
        "names": _names(classes),
    }


def draw_rows(split: str, count: int) -> np.ndarray:
    """Which of `count` single images the channels of a split's images are, int64 [num, 3], the same at every call."""
    uniform = np.random.Generator(np.random.Philox(key=200 + _SEEDS[split])).random((SIZES[split], _CHANNELS))
    return np.floor(uniform * count).astype(np.int64)


def _classes(builder: Any) -> tuple[str, ...]:
    mapping, names, _ = map_features(builder)
    feature = builder.info.features["image"]
    if feature.shape[-1] != 1 or "label" not in names or mapping["label"][1] != "label":
        raise ValueError(
            f"{PREFIX}{builder.name} cannot be made: it takes a set of gray images with class labels, and "
            f"{builder.name} has images {list(feature.shape)} and the fields {', '.join(mapping)}"
        )
    return names["label"]


def _names(classes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    joined = tuple(f"{a} {b} {c}" for a in classes for b in classes for c in classes)
    return {"label": joined, "channel_labels": classes}


def _stack(pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Images [num, h, w, 1] and rows [n, 3] -> [n, h, w, 3]."""
    return np.stack([pixels[rows[:, channel], :, :, 0] for channel in range(_CHANNELS)], axis=-1)


def _blocks(pixels: np.ndarray, rows: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(rows), _ROWS):
        yield {"image": _stack(pixels, rows[start : start + _ROWS])}
