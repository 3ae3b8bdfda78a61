"""Small datasets: the batch size that they allow, and warnings about too few images."""

from collections.abc import Iterator, Mapping

from keras_gen.data import DataInfo
from keras_gen.data.slices import split_rows
from keras_gen.progress import counted

from .source import SourceInfo

# a model that is trained on fewer images memorizes them
MIN_TRAINING_IMAGES = 100
# with fewer validation images, the loss depends on their choice
MIN_VALIDATION_IMAGES = 10


def count_of(source: SourceInfo, split: str) -> int | None:
    """Returns the number of images of a split, such as `"train[:90%]"`; None where it is not known."""
    return sum(stop - start for _, start, stop in split_rows(split, dict(source.splits))) if source.splits else None


def batch_size_of(
    requested: int | None,
    default: int,
    *,
    source: SourceInfo,
    split: str,
    drop_remainder: bool,
    steps: int | None,
    repeats: bool = False,
) -> int:
    """Returns the batch size of a run.

    A default that is larger than the training split is reduced, where a smaller last batch is dropped or an epoch
    repeats the images.

    Args:
        requested: the requested batch size, or None.
        default: the system's batch size.
        source: facts about the data.
        split: the training split.
        drop_remainder: whether a smaller last batch is dropped.
        steps: the requested batches in an epoch, for which images are repeated; None for no such request.
        repeats: whether the epochs of few images have several passes.

    Returns:
        The requested batch size, the default, or the largest power of two that yields two batches of the split (one
        where a smaller last batch is kept).

    Raises:
        ValueError: where the requested size is larger than the split.
    """
    count = count_of(source, split) or 0
    size = requested or default
    if steps is not None or not 0 < count < size:
        return size
    if not drop_remainder:
        return 1 << (count.bit_length() - 1) if repeats and requested is None else size
    smaller = 1 << max(0, (count // 2).bit_length() - 1)
    if requested is not None:
        raise ValueError(
            f"Expected a batch size of at most {count}, the number of training images, since this system trains on "
            f"whole batches; received {requested}. Use --batch-size {smaller}, or leave it out"
        )
    return smaller


def few_images(
    config: Mapping, training: DataInfo, validation: DataInfo | None, *, usual_batch: int | None, without: str = ""
) -> str:
    """Returns warnings about too few images, with remedies, in one text; empty for enough images.

    Args:
        config: the content of config.json.
        training: the training data.
        validation: the validation data, or None.
        usual_batch: the system's batch size where the user has not chosen one, else None.
        without: why the validation data could not be loaded; empty where the source has too few images for them.
    """
    lines = list(_lines(config, training, validation, usual_batch, without))
    return "\n- ".join(["Few images:", *lines]) if lines else ""


def _lines(
    config: Mapping, training: DataInfo, validation: DataInfo | None, usual_batch: int | None, without: str
) -> Iterator[str]:
    options, splits = config["training"], config["data"]["splits"]
    few = {name: count for name, count in training.num_images.items() if count < MIN_TRAINING_IMAGES}
    if few:
        yield f"{_listed(few)} to train on: the model will mostly memorize them. Add images, or use --augment flip,crop"
    size, count = options["batch_size"], training.num_examples
    if usual_batch is not None and size < usual_batch:
        yield f"the batch size is {size} instead of {usual_batch}, which exceeds the number of images"
    elif size > count and options["steps"] is None:
        yield (
            f"the batch size, {size}, exceeds the number of images: an epoch is one step on all {count}. Use a "
            "smaller one (--batch-size), or more steps in an epoch (--steps)"
        )
    if validation is None:
        why = without or f"a tenth of {counted(count, 'image')} is less than one, and no split is called validation"
        yield (
            f"no validation: {why}. The best epoch is the one with the smallest training loss"
            + (f", by which --patience {options['patience']} stops too" if options["patience"] else "")
        )
    elif min(validation.num_images.values()) < MIN_VALIDATION_IMAGES:
        yield (
            f"{_listed(validation.num_images)} for validation: the choice of the best epoch depends on chance"
            + (f", and so does when --patience {options['patience']} stops" if options["patience"] else "")
            + f". Use {MIN_VALIDATION_IMAGES * 10} images or more, or a folder validation/"
        )
    if not splits.get("test") and (validation is None or min(validation.num_images.values()) < MIN_VALIDATION_IMAGES):
        kind = "training" if validation is None else "validation"
        yield f"no test split: evaluate will measure on the {kind} images. Hold some images out in a folder test/"


def _listed(counts: Mapping[str, int]) -> str:
    """{"domain_a": 3, "domain_b": 1} -> "3 images of domain_a and 1 image of domain_b"."""
    return " and ".join(
        f"{counted(count, 'image')}{'' if name == 'image' else f' of {name}'}" for name, count in counts.items()
    )
