"""Where there are few images: the batch size that they allow, and what is too little for what."""

from collections.abc import Iterator, Mapping

from keras_gen.data import DataInfo
from keras_gen.data.slices import split_rows
from keras_gen.progress import counted

from .source import SourceInfo

# fewer images than this train a model to repeat them
FEW = 100
# of fewer validation images, the loss depends on which they are
VALIDATION = 10


def batch_size_of(
    asked: int | None, default: int, *, source: SourceInfo, split: str, whole: bool, steps: int | None
) -> int:
    """The batch size of a run: a default that is larger than the training split is reduced where batches are whole.

    Args:
        asked: the batch size that was given, or None.
        default: the system's.
        source: what is known of the data.
        split: what is trained on.
        whole: whether a smaller, last batch is left out.
        steps: batches in an epoch, where they were given: images are then repeated to fill them.

    Returns:
        The largest power of two that makes two batches of the split, where the default makes none.

    Raises:
        ValueError: where a given size makes no batch.
    """
    count = sum(stop - start for _, start, stop in split_rows(split, source.splits)) if source.splits else 0
    size = asked or default
    if not whole or steps is not None or not 0 < count < size:
        return size
    smaller = 1 << max(0, (count // 2).bit_length() - 1)
    if asked is not None:
        raise ValueError(
            f"Expected a batch size of at most {count}, the number of training images, since this system trains on "
            f"whole batches; received {asked}. Use --batch-size {smaller}, or leave it out"
        )
    return smaller


def few_images(
    config: Mapping, training: DataInfo, validation: DataInfo | None, *, usual_batch: int | None, without: str = ""
) -> str:
    """What is too little for what, and what to do about it, in one text; empty where there is enough.

    Args:
        config: the content of config.json.
        training, validation: what was loaded.
        usual_batch: the system's batch size, where it was not given by the user; None where it was.
        without: why there is no validation, where it could not be loaded.
    """
    lines = list(_lines(config, training, validation, usual_batch, without))
    return "\n- ".join(["Few images:", *lines]) if lines else ""


def _lines(config, training: DataInfo, validation: DataInfo | None, usual_batch, without: str) -> Iterator[str]:
    options, splits = config["training"], config["data"]["splits"]
    few = {name: count for name, count in training.num_images.items() if count < FEW}
    if few:
        listed = " and ".join(
            f"{counted(count, 'image')}{'' if name == 'image' else f' of {name}'}" for name, count in few.items()
        )
        yield f"{listed} to train on: the model will mostly repeat them. Add images, or vary them: --augment flip,crop"
    size, count = options["batch_size"], training.num_examples
    if usual_batch is not None and size < usual_batch:
        yield f"the batch size is {size} in place of {usual_batch}, which is more than there are images"
    elif size > count and options["steps"] is None:
        yield (
            f"the batch size, {size}, is more than there are images: an epoch is one step on all {count}. Take a "
            "smaller one (--batch-size), or more steps in an epoch (--steps)"
        )
    if validation is None:
        why = without or f"a tenth of {counted(count, 'image')} is less than one, and no split is called validation"
        yield (
            f"no validation: {why}. The best epoch is the one of the smallest training loss"
            + (f", by which --patience {options['patience']} stops too" if options["patience"] else "")
        )
    elif min(validation.num_images.values()) < VALIDATION:
        listed = " and ".join(
            f"{counted(count, 'image')}{'' if name == 'image' else f' of {name}'}"
            for name, count in validation.num_images.items()
        )
        yield (
            f"{listed} for validation: which epoch is the best one depends on chance"
            + (f", and so does when --patience {options['patience']} stops" if options["patience"] else "")
            + f". With {VALIDATION * 10} images or more, or a folder validation/, it depends less on it"
        )
    if not splits.get("test") and (validation is None or min(validation.num_images.values()) < VALIDATION):
        what = "training" if validation is None else "validation"
        yield f"no test split: evaluate will measure on the {what} images. Put images apart in a folder test/"
