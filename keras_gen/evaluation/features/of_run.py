"""The feature extractors of a run, and the classifier of its labels."""

import functools

import numpy as np

from keras_gen import data
from keras_gen.data.sources.stacked_mnist import PREFIX

from ..context import EvaluationContext, gather
from .classifier import ClassConditional, FeatureClassifier, feature_classifier
from .extractors import Features, classifier_features, feature_extractor

# compared besides features: patches at each level of detail, see `pyramid_distance`
PYRAMID = "pyramid"

# what the classifier learns from: images, and bytes of them in memory
IMAGES, BYTES = 60_000, 2**30


def extractors(context: EvaluationContext) -> dict[str, Features | str]:
    """The features that were asked for: name -> extractor, or the reason why there is none."""
    found = {}
    for name in context.features:
        if name == PYRAMID:
            continue
        context.progress(f"preparing the features {name}", 0, 0)
        try:
            found[name] = _label_features(context) if name == "classifier" else feature_extractor(name)
        except (ValueError, OSError) as error:
            found[name] = str(error)
    return found


def label_classifier(context: EvaluationContext) -> FeatureClassifier:
    """A classifier of the labels of a run's data, trained once for all runs on these data and kept.

    It learns from the training split, as it is before binarization, whatever split is evaluated. For stacked digits it
    is one of single digits.

    Raises:
        ValueError: where the data have no class labels.
    """
    return feature_classifier(*labeled_images(context), progress=_training(context))


def is_stacked(context: EvaluationContext) -> bool:
    """Whether each channel of an image is an image of its own."""
    return context.run.config["data"]["source"].startswith(PREFIX)


def labeled_images(context: EvaluationContext) -> tuple[ClassConditional, ClassConditional]:
    """Images and labels that a classifier is trained on, and others that it is tested on.

    Raises:
        ValueError: where the data have no class labels, or no second split.
    """
    if is_stacked(context):
        return tuple(_read(single_images(context, split), context) for split in ("train", "test"))
    splits = context.run.config["data"]["splits"]
    test = next((role for role in ("test", "validation") if splits.get(role)), None)
    if test is None:
        raise ValueError("The run has no test or validation split that a classifier of its labels could be tested on")
    return tuple(_read(context.dataset(role, binarize=None), context) for role in ("train", test))


def single_images(context: EvaluationContext, split: str):
    """The gray images that stacked ones are made of, as a dataset in a fixed order."""
    options = context.run.config["data"]
    kept = {name: options[name] for name in ("data_dir", "crop", "background", "cache") if name in options}
    shape = (*context.run.image_shape[:2], 1)
    source = options["source"].removeprefix(PREFIX)
    return data.load(source, split, image_shape=shape, batch_size=context.batch_size, shuffle=False, **kept)


def _training(context: EvaluationContext):
    return functools.partial(context.progress, "training the classifier: batches")


def _label_features(context: EvaluationContext) -> Features:
    features = classifier_features(*labeled_images(context), progress=_training(context))
    if not is_stacked(context):
        return features

    def of_channels(images: np.ndarray) -> np.ndarray:
        return np.concatenate([features.extract(images[..., [c]]) for c in range(images.shape[3])], axis=1)

    return Features(features.name, f"{features.identity}, each channel by itself", of_channels)


def _read(dataset, context: EvaluationContext) -> ClassConditional:
    label = dataset.info.fields.get("label")
    if label is None or label.shape.rank != 1 or not label.dtype.is_integer:
        raise ValueError(f"{dataset.info.source} has no class labels, which a classifier would learn")
    height, width, channels = dataset.info.image_shape
    # always the same choice: runs of other seeds share the classifier
    read = functools.partial(context.progress, "reading labeled images")
    batch = gather(dataset, min(IMAGES, BYTES // (4 * height * width * channels)), seed=0, progress=read)
    return batch["image"], batch["label"]
