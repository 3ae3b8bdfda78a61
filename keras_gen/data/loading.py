"""`load`: a dataset of batches from any source."""

import dataclasses
import functools
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import tensorflow as tf

from keras_gen.archives import MAX_MEMBER_BYTES
from keras_gen.runtime.image_file import MAX_PIXELS

from .choices import AUTO, check_augmentations
from .info import DataInfo, Table
from .options import LoadOptions
from .pipeline.batches import Plan, build
from .pipeline.epochs import register
from .pixels import pixels_of
from .resolve import resolve
from .sources.skipped import summarize
from .tokenizer import Tokenizer
from .transforms.attributes import choose_attributes, note_constants
from .transforms.caption_file import add_captions
from .transforms.domains import split_by_class
from .transforms.labeled_subset import add_labeled
from .transforms.merge_attribute_sets import DATASET
from .transforms.tokenize import add_tokens, tokenizer_of

# unless the caller configures a handler, Python writes only the text of a warning to stderr
LOGGER = logging.getLogger("keras_gen")


def load(
    source: str | os.PathLike,
    split: str = "train",
    *,
    image_shape: tuple[int, int, int],
    batch_size: int,
    binarize: str | None = None,
    augment: Iterable[str] | str = (),
    seed: int = 0,
    shuffle: bool | None = None,
    steps: int | Callable[[int], int | None] | None = None,
    drop_remainder: bool = False,
    crop: str = "center",
    background: tuple[int, int, int] = (255, 255, 255),
    fields: Iterable[str] | None = None,
    labeled: int | None = None,
    domains: Sequence[str] | None = None,
    domain_field: str = "label",
    attributes: Sequence[str] | None = None,
    captions: str | os.PathLike | None = None,
    tokens: Mapping | None = None,
    slices: str = "random",
    cache: str | None = "auto",
    on_error: str = "skip",
    max_pixels: int = MAX_PIXELS,
    max_member_bytes: int = MAX_MEMBER_BYTES,
    num_shards: int = 1,
    shard_index: int = 0,
    input_context: tf.distribute.InputContext | None = None,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
    value_range: Sequence[float] | None = None,
    report: bool = True,
) -> tf.data.Dataset:
    """Loads images as a dataset of batches for `fit`, `evaluate` and `predict`.

    A batch is a dictionary: `image`, float32 [batch, height, width, channels] in [0, 1], and, if the source has them,
    `label` (int32 [batch]), `caption` (string [batch]), `attributes` (float32 [batch, n]), `domain_a` and `domain_b`
    (two unpaired domains, with `label_a` and `label_b`) and other columns.

    Order, augmentation and binarization of an epoch are a function of (seed, epoch): assign the epoch to
    `dataset.epoch` before iterating. The `fit` of this package's models does so, even after `map`, `take`, `zip`,
    `prefetch` and other operations of `tf.data`. Otherwise, every pass is epoch 0. The augmentation of an image depends
    on (seed, epoch, image), not on the batch size or the worker. The dataset is finite; `fit` raises an error for
    `steps_per_epoch`, and for `repeat()` or `cache()` on the dataset, since all epochs would be equal: use the
    arguments `steps` and `cache`.

    Args:
        source: The name of a TFDS dataset with an `image` feature ("mnist"); "shapes" (built in; "shapes/placed" has
            large, centered, upright objects); "stacked_mnist" (three digits as the channels of one image; "stacked_" is
            possible for any gray, labeled TFDS dataset); a folder of images (flat, class folders, or with metadata.csv
            or metadata.jsonl, each also inside train/, validation/ and test/, or trainA/trainB/testA/testB); an .npy
            or .npz file; or two of these with a comma, "mnist,usps", as two domains or, with `attributes`, as one
            merged dataset. A bare name is a TFDS dataset; pass "./mnist" for a folder of that name.
        split: A name with an optional slice: "train", "train[:90%]", "test[-100:]".
        image_shape: (height, width, channels), with 1, 3 or 4 channels.
        batch_size: Examples per batch.
        binarize: None; "dynamic" (in every epoch, each pixel is sampled with its value as probability); "threshold"; or
            "auto", which is "dynamic" for images that are nearly binary, such as digits, and for color images whose
            channels have two levels, and otherwise None; `info.binarize` is the selected one.
        augment: Names among "flip", "crop", "shift" and "color", applied in this order.
        seed: Seed of order, augmentation and binarization.
        shuffle: Whether the order changes from epoch to epoch; None is True for splits named train..., otherwise False.
        steps: Batches per epoch; if the split is smaller, it is repeated. None is one pass. A function receives the
            number of batches in one pass, at least 1, and returns one of these.
        drop_remainder: Whether a last, smaller batch is dropped.
        crop: "center" crops the center, "pad" pads with the background; both keep the aspect ratio.
        background: (red, green, blue) from 0 to 255, for transparent images and padding.
        fields: Fields of a batch; None is all.
        labeled: Adds `labeled_image` and `labeled_label`, as many per batch as in `image`, from a fixed subset of this
            many examples with balanced classes (selected by `seed`), for semi-supervised learning.
        domains: Two classes of the field `domain_field`, whose images become `domain_a` and `domain_b`.
        domain_field: A field of classes: "label", or any factor of `shapes`, such as "texture".
        attributes: The entries of `attributes`: fields of classes (one-hot) and names of single attributes. For two
            sources, each image has the entries of its source, the others are 0, and `dataset` (int32 [batch]) is the
            index of its source. Single attributes must be 0 and 1, or -1 and 1, which are converted.
        captions: A metadata.csv or .jsonl with `file_name` and `caption`, for a source that has file names but no
            captions.
        tokens: `{"vocabulary": [word, ...], "length": n}` adds `tokens`, int32 [batch, n], computed from `caption`; see
            `keras_gen.data.Tokenizer`.
        slices: The rows of a slice of an array file: "random" is a random choice that is fixed for the file, so that
            slices of a file that is sorted by class have every class; "file" slices the rows in their order, for
            time series. Slices of other sources are always random: they depend on the file names of a folder, and TFDS
            datasets and `shapes` are stored in random order.
        cache: "memory" or "disk" caches the decoded images; None decodes them on demand (a TFDS dataset is then a
            stream); "auto" is memory for up to 1 GiB of resized images, otherwise None.
        on_error: "skip" skips unreadable files and lists them in `info.skipped`; "raise" raises an error. Pipes and
            devices with the name of an image, and links that lead out of the folder, are unreadable files.
        max_pixels: Maximum of width times height in the header of an image file; larger ones are unreadable. TFDS
            decodes the images of its datasets without this limit.
        max_member_bytes: Maximum size of an unpacked array of an .npz file, by default 8 GiB; all its arrays together
            may have four times this size.
        num_shards: Number of workers that share each epoch.
        shard_index: Index of this worker; the shards of an epoch are disjoint and complete. With `drop_remainder`,
            every shard has the same number of batches.
        input_context: The argument of a function for `strategy.distribute_datasets_from_function`; replaces
            `num_shards` and `shard_index`.
        data_dir: TFDS directory; None is `TFDS_DATA_DIR` or ~/tensorflow_datasets.
        download: False raises an error if a dataset has to be downloaded.
        value_range: (black, white), the stored values that become 0.0 and 1.0, such as (0, 4095). None detects it for
            the whole source: integers of at most 255 are in 0 to 255, larger ones in 0 to 2^k - 1 with the smallest
            sufficient k of 10, 12, 14 and 16, and floats are in [0, 1]. It applies to arrays of every type and to image
            files of more than 8 bits; image files of 8 bits are in 0 to 255 unless white is at most 255.
        report: Whether skipped files and a detected value range are logged as warnings (logger "keras_gen").
            `info.skipped` and `info.notes` have them in any case.

    Returns:
        A `tf.data.Dataset` of known length, with the attributes `epoch` (int64 `tf.Variable`) and `info` (`DataInfo`).

    Raises:
        ValueError: For an invalid argument, source, split or file.

    Example:
        >>> options = {"image_shape": (32, 32, 3), "batch_size": 128}
        >>> train = keras_gen.data.load("shapes", "train[:-1000]", **options)  # doctest: +SKIP
        >>> model.fit(train, epochs=10)  # doctest: +SKIP
    """
    options = LoadOptions(
        split,
        image_shape=image_shape,
        batch_size=batch_size,
        binarize=binarize,
        augment=augment,
        seed=seed,
        shuffle=shuffle,
        steps=steps,
        drop_remainder=drop_remainder,
        crop=crop,
        background=background,
        fields=fields,
        labeled=labeled,
        domains=domains,
        domain_field=domain_field,
        attributes=attributes,
        captions=captions,
        tokens=tokens,
        slices=slices,
        cache=cache,
        on_error=on_error,
        max_pixels=max_pixels,
        max_member_bytes=max_member_bytes,
        num_shards=num_shards,
        shard_index=shard_index,
        input_context=input_context,
        data_dir=data_dir,
        download=download,
        value_range=value_range,
    )
    tokenizer = None if tokens is None else tokenizer_of(tokens)  # checked before anything is read
    table = _transform(resolve(source, options), options, tokenizer)
    table, method = _resolve_binarization(table, options)
    plan = _plan(table, options, method)
    _check_batches(source, table, options, plan)
    dataset, epoch = build(table, plan)
    dataset.epoch, dataset.shards = epoch, plan.num_shards
    register(dataset)
    dataset.info = _info(source, table, options, plan, dataset)
    if report:
        _report(source, table)
    return dataset


def _transform(table: Table, options: LoadOptions, tokenizer: Tokenizer | None) -> Table:
    """Adds captions, domains, attributes, a labeled subset and tokens to a table."""
    if options.captions is not None:
        table = add_captions(table, options.captions)
    if options.domains is not None:
        table = split_by_class(table, options.domains, options.domain_field)
    if options.attributes is not None:
        if DATASET not in table.columns:  # otherwise the merged table has the attributes
            table = choose_attributes(table, options.attributes)
        if options.shuffled:
            table = note_constants(table)
    if options.labeled is not None:
        table = add_labeled(table, options.labeled, options.seed)
    if tokenizer is not None:
        table = add_tokens(table, tokenizer)
    return table


def _resolve_binarization(table: Table, options: LoadOptions) -> tuple[Table, str | None]:
    """Returns the binarization, and the table with a note if it was selected by "auto"."""
    if options.binarize != AUTO:
        return table, options.binarize
    pixels = pixels_of(table)
    if pixels is None:
        return table, None
    note = f"{pixels.describe()}. --binarize dynamic or none overrides this."
    return dataclasses.replace(table, notes=(*table.notes, note)), pixels.binarization


def _plan(table: Table, options: LoadOptions, binarize: str | None) -> Plan:
    num_shards, shard_index = options.shard
    plan = Plan(
        batch_size=options.batch_size,
        seed=options.seed,
        shuffle=options.shuffled,
        steps=None if callable(options.steps) else options.steps,
        drop_remainder=options.drop_remainder,
        num_shards=num_shards,
        shard_index=shard_index,
        augment=check_augmentations(options.augment),
        binarize=binarize,
        fields=None if options.fields is None else _check_fields(options.fields, table),
    )
    if callable(options.steps):
        return dataclasses.replace(plan, steps=options.steps(max(1, plan.batches(table.num_examples))))
    return plan


def _check_fields(fields: Iterable[str] | str, table: Table) -> tuple[str, ...]:
    requested = (fields,) if isinstance(fields, str) else tuple(fields)
    unknown = [field for field in requested if field not in table.fields]
    if unknown or not requested:
        received = repr(unknown[0]) if unknown else "none"
        raise ValueError(f"Expected fields as names among {', '.join(table.fields)}; received {received}.")
    return requested


def _check_batches(source: str | os.PathLike, table: Table, options: LoadOptions, plan: Plan) -> None:
    if plan.batches(table.num_examples) == 0:
        shards = f", shared by {plan.num_shards} workers" if plan.num_shards > 1 else ""
        raise ValueError(
            f"Expected at least one batch; received {table.num_examples} examples{shards} of {source}, split "
            f"{options.split!r}, with batch_size={plan.batch_size} and drop_remainder={plan.drop_remainder}. Use a "
            "smaller batch_size."
        )


def _info(
    source: str | os.PathLike, table: Table, options: LoadOptions, plan: Plan, dataset: tf.data.Dataset
) -> DataInfo:
    count = table.num_examples
    return DataInfo(
        source=str(source),
        split=options.split,
        num_examples=count,
        num_batches=plan.batches(count),
        num_images={field: images.count for field, images in table.images.items()} or {"image": count},
        image_shape=options.resize.image_shape,
        label_names=table.names.get("label"),
        attribute_names=table.names.get("attributes"),
        names=dict(table.names),
        fields=dict(dataset.element_spec),
        skipped=tuple(dict.fromkeys(table.skipped)),
        left_out=table.left_out,
        seed=plan.seed,
        fingerprint=table.fingerprint[:16],
        value_range=table.value_range,
        notes=table.notes,
        binarize=plan.binarize,
    )


def _report(source: str | os.PathLike, table: Table) -> None:
    """Logs the notes of a table and a summary of its skipped files."""
    for note in table.notes:
        _log_once(str(source), note)
    if summary := summarize(table.skipped, sum(images.count for images in table.images.values())):
        _log_once(str(source), summary)


@functools.cache
def _log_once(source: str, message: str) -> None:
    """Logs a warning once, although training, validation and evaluation each load the source."""
    LOGGER.warning("%s: %s", source, message)
