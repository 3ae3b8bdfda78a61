"""The one door to data: `load`."""

import dataclasses
import functools
import logging
import os
from collections.abc import Iterable, Mapping, Sequence

import tensorflow as tf

from keras_gen.archives import MAX_MEMBER_BYTES

from .cache.decode import ON_ERROR
from .choices import AUTO, check_augmentations, check_binarization
from .info import DataInfo, Table, positive
from .pipeline.batches import Plan, build
from .pipeline.binarize import choose_binarization
from .pipeline.epochs import register
from .resize import Resize
from .resolve import resolve
from .slices import split_names
from .sources.image_file import MAX_PIXELS
from .sources.skipped import summarize
from .transforms.attributes import choose_attributes, note_constants
from .transforms.caption_file import add_captions
from .transforms.domains import split_by_class
from .transforms.labeled_subset import add_labeled
from .transforms.merge_attribute_sets import SET
from .transforms.tokenize import add_tokens, tokenizer_of
from .value_range import check_range

# without a handler of the caller's, Python writes a warning's text to stderr and nothing else
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
    steps: int | None = None,
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
    """Load images as batches for `fit`, `evaluate` and `predict`.

    A batch is a dictionary: `image` float32 [batch, height, width, channels] in [0, 1], and what the source has of
    `label` (int32 [batch]), `caption` (string [batch]), `attributes` (float32 [batch, n]), `domain_a` and `domain_b`
    (two sets without pairs, with `label_a` and `label_b`) and further columns.

    Order, augmentation and binarization of an epoch are a function of (seed, epoch) alone: assign the number of the
    epoch to `dataset.epoch` before iterating (the `fit` of this package's models does, also where `map`, `take`, `zip`,
    `prefetch` and other operations of `tf.data` were applied). Without that every pass is epoch 0. Changes of an image
    hang on (seed, epoch, image), not on batch size or worker. The data set is finite: `fit` refuses `steps_per_epoch`,
    and `repeat()` or `cache()` above it, since epochs would be the same; give `steps` and `cache` here.

    Args:
        source: the name of a TFDS set with an `image` feature ("mnist"); "shapes" (built in; "shapes/placed": its
            objects large, centered and upright); "stacked_mnist" (three digits as the channels of one image; so
            "stacked_" before any gray, labeled TFDS set); a folder of images (flat, class sub-folders, with
            metadata.csv or metadata.jsonl, each also inside train/, validation/ and test/, or
            trainA/trainB/testA/testB); an .npy or .npz file; or two of these with a comma, "mnist,usps", as two domains
            or, with `attributes`, as one set. A bare name is a TFDS set; write "./mnist" for a folder of that name.
        split: a name with an optional slice: "train", "train[:90%]", "test[-100:]".
        image_shape: (height, width, channels); channels 1, 3 or 4.
        batch_size: examples per batch.
        binarize: None, "dynamic" (each pixel drawn with its value as probability, anew in every epoch), "threshold", or
            "auto": "dynamic" for images that are nearly binary, such as digits, else None; `info.binarize` has the
            choice.
        augment: names from "flip", "crop", "shift", "color", applied in this order.
        seed: of order, augmentation and binarization.
        shuffle: a new order in each epoch; None means True for splits called train, else False.
        steps: batches per epoch; the set is passed more than once where it is smaller. None is one pass.
        drop_remainder: leave out a last, smaller batch.
        crop: "center" cuts the middle, "pad" fills with the background; both keep the aspect ratio.
        background: (red, green, blue) from 0 to 255, under transparent images and around padded ones.
        fields: entries of the batch to keep; None keeps all.
        labeled: adds `labeled_image` and `labeled_label`: as many examples as in `image`, from a fixed part of the
            split of this many examples, its classes equally often (chosen by `seed`); for learning from few labels.
        domains: two classes of the field `domain_field`, whose images become `domain_a` and `domain_b`.
        domain_field: a field of classes: "label", or of `shapes` any factor, as "texture".
        attributes: what `attributes` is made of: fields of classes (one-hot) and names of single attributes. Of two
            sources each gives those that it has, the others are 0, and `dataset` (int32 [batch]) says which it is.
            Single attributes are 0 and 1; those of -1 and 1 are converted, and other values refused.
        captions: a metadata.csv or .jsonl with `file_name` and `caption`, for a set that has names and no captions.
        tokens: `{"vocabulary": [word, ...], "length": n}` adds `tokens`, int32 [batch, n], made of `caption`; see
            `keras_gen.data.Tokenizer`.
        slices: which images a slice of an array file's split holds: "random" is a choice that is fixed for the file,
            the same at every call, so that a file sorted by class loses none; "file" cuts the rows as they lie, where
            their order is time. Slices of other sources are always random: a folder's by the names of its files, and
            TFDS sets and `shapes` are stored in a random order.
        cache: "memory" or "disk" hold the decoded images, None decodes them when they are needed (a TFDS set then
            comes as a stream), "auto" is memory up to 1 GiB of fitted images and None beyond.
        on_error: "skip" leaves unreadable files out and lists them in `info.skipped`; "raise" stops.
            A pipe or a device with the name of an image, and a link that leads out of the folder, are such files.
        max_pixels: width times height of an image file, as its header states them; one of more is unreadable. TFDS
            decodes the images of its own sets, without this limit.
        max_member_bytes: of an array of an .npz file when it is unpacked, by default 8 GiB; all its arrays may have
            four times that.
        num_shards: workers that share each epoch.
        shard_index: which of them this is; the shards of an epoch are disjoint and complete. With `drop_remainder`
            every shard has the same number of batches.
        input_context: what `strategy.distribute_datasets_from_function` hands over; in place of the two above.
        data_dir: TFDS directory; None is `TFDS_DATA_DIR` or ~/tensorflow_datasets.
        download: False raises where a set would have to be downloaded.
        value_range: (black, white), the stored numbers that become 0.0 and 1.0, such as (0, 4095). None detects it for
            the source as a whole: integers of at most 255 are 0 to 255, deeper ones end at the smallest 2^k - 1 that
            holds them (k = 10, 12, 14 or 16), floats are in [0, 1]. It applies to arrays of every type and to image
            files of more than 8 bits; those of 8 bits are 0 to 255 unless white is at most 255.
        report: whether files that are left out, and a value range that was detected, are logged as a warning (logger
            "keras_gen"). `info.skipped` and `info.notes` have them in any case.

    Returns:
        A `tf.data.Dataset` of known length, with the attributes `epoch` (int64 `tf.Variable`) and `info` (`DataInfo`).

    Raises:
        ValueError: an argument, source, split or file that does not fit; the message says what is known.

    Example:
        >>> train = keras_gen.data.load("shapes", "train[:-1000]", image_shape=(32, 32, 3), batch_size=128)
        >>> model.fit(train, epochs=10)
    """
    fit = Resize(image_shape, crop, background)
    shuffle = _default_shuffle(split, shuffle)
    plan = _plan(batch_size, seed, shuffle, steps, drop_remainder, num_shards, shard_index, input_context)
    if on_error not in ON_ERROR:
        raise ValueError(f"on_error={on_error!r} is unknown; known: {', '.join(ON_ERROR)}.")
    tokenizer = None if tokens is None else tokenizer_of(tokens)
    options = {"augment": check_augmentations(augment), "binarize": check_binarization(binarize)}
    places = {"cache": cache, "on_error": on_error, "data_dir": data_dir, "download": download}
    for name, value in (("max_pixels", max_pixels), ("max_member_bytes", max_member_bytes)):
        places[name] = positive(name, value)
    places |= {"slices": slices, "value_range": check_range(value_range)}
    table = resolve(source, split, fit, attributes=attributes, **places)
    if captions is not None:
        table = add_captions(table, captions)
    if domains is not None:
        table = split_by_class(table, domains, domain_field)
    if attributes is not None:
        table = choose_attributes(table, attributes) if SET not in table.columns else table
        table = note_constants(table) if shuffle else table
    if labeled is not None:
        table = add_labeled(table, labeled, seed)
    if tokens is not None:
        table = add_tokens(table, tokenizer)
    if fields is not None:
        options["fields"] = _check_fields(fields, table)
    if binarize == AUTO:
        options["binarize"], why = choose_binarization(table)
        table = dataclasses.replace(table, notes=(*table.notes, why))
    plan = Plan(**plan, **options)
    _check_count(source, split, table, plan)
    dataset, epoch = build(table, plan)
    dataset.epoch, dataset.shards = epoch, plan.num_shards
    register(dataset)
    dataset.info = _info(source, split, fit, table, plan, dataset)
    if report:
        summary = summarize(table.skipped, sum(images.count for images in table.images.values()))
        for text in (*table.notes, *([summary] if summary else [])):
            _say_once(str(source), text)
    return dataset


@functools.cache
def _say_once(source: str, text: str) -> None:
    """Logs a sentence once for training, validation and everything else that reads the source."""
    LOGGER.warning("%s: %s", source, text)


def _plan(batch_size, seed, shuffle, steps, drop_remainder, num_shards, shard_index, context) -> dict:
    if context is not None:
        if (num_shards, shard_index) != (1, 0):
            raise ValueError("Give either input_context or num_shards and shard_index, not both.")
        num_shards, shard_index = context.num_input_pipelines, context.input_pipeline_id
    for name, value in (("batch_size", batch_size), ("steps", steps), ("num_shards", num_shards)):
        if name == "steps" and value is None:
            continue
        positive(name, value)
    if not 0 <= shard_index < num_shards:
        raise ValueError(f"shard_index is one of 0 to {num_shards - 1} (num_shards={num_shards}); got {shard_index!r}.")
    return {
        "batch_size": int(batch_size),
        "seed": int(seed),
        "shuffle": shuffle,
        "steps": None if steps is None else int(steps),
        "drop_remainder": bool(drop_remainder),
        "num_shards": int(num_shards),
        "shard_index": int(shard_index),
    }


def _default_shuffle(split: str, shuffle: bool | None) -> bool:
    return all(name.startswith("train") for name in split_names(split)) if shuffle is None else bool(shuffle)


def _check_fields(fields: Iterable[str] | str, table: Table) -> tuple[str, ...]:
    wanted = (fields,) if isinstance(fields, str) else tuple(fields)
    known = [*table.images, *table.columns] if table.stream is None else list(table.stream.mapping)
    for field in wanted:
        if field not in known:
            raise ValueError(f"fields: there is no field {field!r}; known: {', '.join(known)}.")
    if not wanted:
        raise ValueError(f"fields is empty; known: {', '.join(known)}.")
    return wanted


def _count(table: Table) -> int:
    return table.count if table.stream is not None else max(images.count for images in table.images.values())


def _check_count(source, split: str, table: Table, plan: Plan) -> None:
    count = _count(table)
    if plan.batches(count) == 0:
        shards = f", shared by {plan.num_shards} workers" if plan.num_shards > 1 else ""
        raise ValueError(
            f"{source}, split {split!r}, has {count} examples{shards}: with batch_size={plan.batch_size} and "
            f"drop_remainder={plan.drop_remainder} not one batch can be made. Use a smaller batch_size."
        )


def _info(source, split: str, fit: Resize, table: Table, plan: Plan, dataset: tf.data.Dataset) -> DataInfo:
    count = _count(table)
    return DataInfo(
        source=str(source),
        split=str(split),
        num_examples=count,
        num_batches=plan.batches(count),
        num_images={field: images.count for field, images in table.images.items()} or {"image": count},
        image_shape=fit.image_shape,
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
