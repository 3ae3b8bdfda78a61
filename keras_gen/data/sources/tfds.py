"""Reads image datasets of TensorFlow Datasets: the features of a builder, and its examples as arrays or a stream."""

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_gen.progress import report

from ..cache.store import Store
from ..info import Images, Table
from ..resize import Resize
from ..slices import split_names


def read_tfds(builder: Any, split: str, resize: Resize, *, cache: str, store: Store) -> Table:
    """Reads a split of a prepared TFDS builder.

    Class labels become int32 (`label`, with their names), other scalars and vectors keep their names, a dictionary of
    boolean features becomes one float32 vector (`attributes`), strings remain strings, and the first of an image's
    `captions` becomes `caption`. Other features (variable numbers of boxes, masks, audio) are listed in `left_out`.

    Args:
        builder: A `tfds.core.DatasetBuilder` whose data are prepared.
        split: A TFDS split.
        resize: Target shape of the images.
        cache: "memory", "disk" or "none" (a stream).
        store: Storage of decoded images.

    Returns:
        A `Table`.

    Raises:
        ValueError: If there is no `image` feature or no such split, or the channels cannot be converted.
    """
    check_split(builder, split)
    mapping, names, left_out = map_features(builder)
    info = builder.info.splits[split]
    parts = [(pathlib.Path(part.filename).name, part.skip, part.take) for part in info.file_instructions]
    identity = [builder.info.full_name, info.num_examples, info.num_bytes, parts]
    fingerprint = hashlib.sha256(json.dumps([*identity, resize.__dict__], default=str).encode()).hexdigest()
    scale = _scale(builder, split)
    table = Table(images={}, columns={}, names=names, fingerprint=fingerprint, left_out=left_out)
    if builder.info.disable_shuffling and "[" in split:
        note = f"{builder.name} is not stored in random order, so that {split} may lack whole classes."
        table = dataclasses.replace(table, notes=(note,))
    if cache == "none":
        from .tfds_stream import TFDSStream

        resize(next(_examples(builder, split))["image"][0])  # raises an error early if the channels cannot be converted
        stream = TFDSStream(builder, split, resize, mapping, scale)
        return dataclasses.replace(table, stream=stream, count=info.num_examples)

    def blocks() -> Iterator[dict[str, Any]]:
        done = 0
        for examples in _examples(builder, split):
            report(f"Reading {builder.name}", done, info.num_examples)
            done += len(examples["image"])
            yield _block(examples, mapping, resize, scale)

    columns, _ = store.collect(blocks(), info.num_examples, cache, fingerprint)
    image = columns.pop("image")
    images = {"image": Images(len(image), image.dtype, array=image)}
    return dataclasses.replace(table, images=images, columns=columns)


def describe_tfds(builder: Any) -> dict[str, Any]:
    """Describes a builder; the sizes of its splits are known once it is prepared.

    The keys are attributes of `keras_gen.data.Description`.
    """
    mapping, names, left_out = map_features(builder)
    features = builder.info.features
    about = " ".join(builder.info.description.split())
    if not builder.is_prepared():
        about += f" (Not prepared yet; the download is {builder.info.download_size}.)"
    fields = {}
    for field, (key, kind) in mapping.items():
        shape = None if kind == "texts" else features[key].shape
        if kind == "flags":
            fields[field] = f"vector [{len(names[field])}]"
        elif kind == "texts":
            fields[field] = "text (the first of several)"
        else:
            fields[field] = f"{kind} {list(shape)}" if shape else kind
    return {
        "about": about,
        "splits": {name: part.num_examples for name, part in builder.info.splits.items()},
        "fields": fields,
        "names": names,
        "image_shape": tuple(features[mapping["image"][0]].shape) if "image" in mapping else None,
        "left_out": left_out,
    }


def check_split(builder: Any, split: str) -> None:
    """Checks a split.

    Args:
        builder: A prepared `tfds.core.DatasetBuilder`.
        split: A TFDS split.

    Raises:
        ValueError: If it is invalid or empty; lists the known splits.
    """
    known = {name: part.num_examples for name, part in builder.info.splits.items()}
    listed = ", ".join(f"{name} ({count:,})" for name, count in known.items())
    unknown = [name for name in split_names(split) if name not in known]
    if unknown:
        raise ValueError(
            f"Expected a known split; received split={split!r}, and {builder.name} has no split {unknown[0]!r}. Known "
            f"splits: {listed}."
        )
    try:
        count = builder.info.splits[split].num_examples
    except Exception as error:  # TFDS raises AssertionError or ValueError, depending on the mistake
        raise ValueError(
            f"Expected a split with an optional slice, such as 'train[:90%]' or 'train[-1000:]'; received "
            f"split={split!r}: {error}. Known splits: {listed}."
        ) from error
    if count == 0:
        raise ValueError(
            f"Expected at least one example; received split={split!r}, which selects no example. Known splits: "
            f"{listed}."
        )


def map_features(builder: Any) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Maps the features of a builder to fields.

    Returns:
        Field -> (feature, kind), field -> names of its values, and the features that are left out. A kind is image,
        label, number, vector, flags, text, or texts (several per image, of which the first is used).

    Raises:
        ValueError: If there is no feature `image` of 8 bits.
    """
    import tensorflow_datasets as tfds

    features = builder.info.features
    known = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    if not isinstance(known.get("image"), tfds.features.Image):
        received = ", ".join(known) or type(features).__name__
        raise ValueError(f"{builder.name}: expected a feature `image` of images; received the features {received}.")
    if (depth := np.dtype(known["image"].np_dtype)) != np.uint8:
        raise ValueError(
            f"{builder.name}: expected images of 8 bits (uint8); received {depth}. Save them in a folder or an .npz "
            "file, which have a value range."
        )
    mapping, names, left_out = {"image": ("image", "image")}, {}, []
    for key, feature in known.items():
        if key == "image":
            continue
        if isinstance(feature, tfds.features.ClassLabel):
            mapping[key] = (key, "label")
            if feature.names:
                names[key] = tuple(feature.names)
        elif isinstance(feature, tfds.features.FeaturesDict) and all(f.shape == () for f in feature.values()):
            mapping[key] = (key, "flags")
            names[key] = tuple(sorted(feature.keys()))  # the order in which the values are stacked
        elif key == "captions" and "caption" not in known and _has_texts(tfds, feature):
            mapping["caption"] = (key, "texts")
        elif not isinstance(feature, tfds.features.Tensor) or isinstance(
            feature, (tfds.features.Image, tfds.features.Audio)
        ):
            left_out.append(key)
        elif feature.shape == () and np.dtype(feature.np_dtype).kind in "biuf":
            mapping[key] = (key, "number")
        elif feature.shape == ():
            mapping[key] = (key, "text")
        elif len(feature.shape) == 1 and feature.shape[0] is not None and np.dtype(feature.np_dtype).kind in "biuf":
            mapping[key] = (key, "vector")
        else:
            left_out.append(key)
    return mapping, names, tuple(left_out)


def _has_texts(tfds: Any, feature: Any) -> bool:
    """Returns whether a feature is a sequence of entries with `text`, such as the captions of `coco_captions`."""
    inner = getattr(feature, "feature", None)
    return (
        isinstance(feature, tfds.features.Sequence)
        and isinstance(inner, tfds.features.FeaturesDict)
        and "text" in inner
    )


def _scale(builder: Any, split: str) -> int:
    """Returns 255 for datasets that store binary images as 0 and 1 (binarized_mnist), otherwise 1."""
    dataset = builder.as_dataset(split=split, shuffle_files=False).take(64)
    return 255 if all(example["image"].max() <= 1 for example in dataset.as_numpy_iterator()) else 1


def _examples(builder: Any, split: str) -> Iterator[dict[str, Any]]:
    """Yields blocks of examples in the order of the files, or single examples if their shapes differ."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    config = tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)
    dataset = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
    equal = all(spec.shape.is_fully_defined() for spec in tf.nest.flatten(dataset.element_spec))
    return dataset.batch(512 if equal else 1).prefetch(2).as_numpy_iterator()


def _block(examples: dict[str, Any], mapping: dict[str, tuple[str, str]], resize: Resize, scale: int) -> dict[str, Any]:
    from .tfds_stream import cast

    block = {}
    for field, (key, kind) in mapping.items():
        value = examples[key]
        if kind == "image":
            value = value * np.uint8(scale)
            same = value.shape[1:] == resize.image_shape
            block[field] = value if same else np.stack([resize(image) for image in value])
        elif kind == "flags":
            block[field] = np.stack([value[name] for name in sorted(value)], axis=-1).astype(np.float32)
        elif kind == "texts":
            block[field] = value["text"][:, 0]
        else:
            block[field] = cast(value, kind)
    return block
