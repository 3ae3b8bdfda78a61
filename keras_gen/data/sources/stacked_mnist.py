"""Stacked MNIST, and the same for other datasets: three gray images are the color channels of one image."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..cache.store import Store, choose_cache
from ..info import Images, Table, fingerprint_of
from ..resize import Resize
from ..slices import split_rows
from .tfds import describe_tfds, map_features, read_tfds

PREFIX = "stacked_"
SIZES = {"train": 128_000, "test": 26_000}
_SEEDS = {"train": 1, "test": 2}
_CHANNELS = 3
_ROWS = 1024


def read_stacked(builder: Any, split: str, resize: Resize, *, cache: str | None, store: Store) -> Table:
    """Reads a split of the stacked version of a dataset.

    The red, green and blue channels of an image are three images of the split of the same name, which are sampled
    independently and uniformly with fixed seeds. `label` is (a K + b) K + c for the classes a, b, c of the three, where
    K is the number of classes; `channel_labels` are the three classes. Slices of a split have single digits in common;
    `train` and `test` do not.

    Args:
        builder: A prepared `tfds.core.DatasetBuilder` of gray images with `label` and the splits train and test.
        split: "train" (128,000 images) or "test" (26,000), with an optional slice, or a sum of them.
        resize: Target shape of the images, with three channels.
        cache: As in `keras_gen.data.load`. "auto", "memory" and "disk" cache the stacked images (train at 28x28: 301
            MB), None caches only the single ones (47 MB).
        store: Storage of decoded images.

    Returns:
        A `Table`.

    Raises:
        ValueError: If the dataset has no gray images or labels, there is no such split, or the image shape does not
            have three channels.

    Reference:
        Metz et al. 2016, Unrolled GANs, arXiv:1611.02163 (the 1,000 modes); Srivastava et al. 2017,
        VEEGAN, arXiv:1705.07761; Lin et al. 2017, PacGAN, arXiv:1712.04086 (the sizes).
    """
    classes = _classes(builder)
    if resize.image_shape[2] != _CHANNELS:
        raise ValueError(
            f"Expected image_shape with three channels for {PREFIX}{builder.name}; received {resize.image_shape[2]}."
        )
    gray = dataclasses.replace(resize, image_shape=(*resize.image_shape[:2], 1))
    parts = split_rows(split, SIZES)
    single = {name: read_tfds(builder, name, gray, cache="memory", store=store) for name in {part[0] for part in parts}}
    offset, pixel_parts, label_parts, row_parts = 0, [], [], []
    for name, start, stop in parts:
        count = single[name].num_examples
        pixel_parts.append(single[name].images["image"].gather(np.arange(count)))
        label_parts.append(single[name].columns["label"])
        row_parts.append(offset + draw_rows(name, count)[start:stop])
        offset += count
    pixels, labels, rows = map(np.concatenate, (pixel_parts, label_parts, row_parts))
    channel_labels = labels[rows].astype(np.int32)
    fingerprint = fingerprint_of([*(table.fingerprint for _, table in sorted(single.items())), split])
    where = choose_cache(cache, len(rows), resize.image_shape)
    if where == "none":
        images = Images(len(rows), pixels.dtype, read=lambda index: _stack(pixels, rows[index : index + 1])[0])
    else:
        arrays, _ = store.collect(_blocks(pixels, rows), len(rows), where, fingerprint)
        images = Images(len(rows), pixels.dtype, array=arrays["image"])
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
    """Describes the stacked version of a dataset, without reading it.

    The keys are attributes of `keras_gen.data.Description`.
    """
    classes, shape = _classes(builder), describe_tfds(builder)["image_shape"]
    return {
        "about": f"Three random images of {builder.name} as red, green and blue: {len(classes) ** _CHANNELS:,} modes. "
        "Train and test are sampled from train and test, with fixed seeds.",
        "splits": dict(SIZES),
        "image_shape": (*shape[:2], _CHANNELS),
        "fields": {
            "image": f"image {[*shape[:2], _CHANNELS]}",
            "label": "label (the three combined)",
            "channel_labels": f"vector [{_CHANNELS}]",
        },
        "names": _names(classes),
    }


def draw_rows(split: str, count: int) -> np.ndarray:
    """Samples the rows of the single images in each channel, with a fixed seed.

    Args:
        split: "train" or "test".
        count: Number of single images.

    Returns:
        int64 [num, 3], from 0 to count - 1.
    """
    uniform = np.random.Generator(np.random.Philox(key=200 + _SEEDS[split])).random((SIZES[split], _CHANNELS))
    return np.floor(uniform * count).astype(np.int64)


def _classes(builder: Any) -> tuple[str, ...]:
    mapping, names, _ = map_features(builder)
    feature = builder.info.features["image"]
    if feature.shape[-1] != 1 or "label" not in names or mapping["label"][1] != "label":
        raise ValueError(
            f"Expected a dataset of gray images with class labels for {PREFIX}{builder.name}; received {builder.name} "
            f"with images {list(feature.shape)} and the fields {', '.join(mapping)}."
        )
    return names["label"]


def _names(classes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    combined = tuple(f"{a} {b} {c}" for a in classes for b in classes for c in classes)
    return {"label": combined, "channel_labels": classes}


def _stack(pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Stacks the images [num, h, w, 1] at rows [n, 3] to [n, h, w, 3]."""
    return np.stack([pixels[rows[:, channel], :, :, 0] for channel in range(_CHANNELS)], axis=-1)


def _blocks(pixels: np.ndarray, rows: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(rows), _ROWS):
        yield {"image": _stack(pixels, rows[start : start + _ROWS])}
