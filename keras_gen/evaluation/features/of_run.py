"""The feature extractors of a run, and the classifier of its labels."""

import functools

import numpy as np
import tensorflow as tf

from keras_gen import data
from keras_gen.data.sources.stacked_mnist import PREFIX

from ..context import EvaluationContext, gather
from ..types import Progress
from .classifier import FeatureClassifier, LabeledImages, feature_classifier
from .extractors import Features, classifier_features, feature_extractor
from .small_network import NAME as DEFAULT

# not an extractor: compares patches at each level of detail, see `laplacian_swd`
PYRAMID = "pyramid"

# the classifier is trained on at most so many images, and bytes of them in memory
MAX_IMAGES, MAX_BYTES = 60_000, 2**30


def extractors(context: EvaluationContext) -> dict[str, Features | str]:
    """Returns the default features, then the requested ones: name -> extractor, or the reason why it is missing."""
    result: dict[str, Features | str] = {}
    for name in dict.fromkeys((DEFAULT, *context.features)):
        if name == PYRAMID:
            continue
        context.progress(f"preparing the features {name}", 0, 0)
        try:
            result[name] = _label_features(context) if name == "classifier" else feature_extractor(name)
        except (ValueError, OSError) as error:
            result[name] = str(error)
    return result


def label_classifier(context: EvaluationContext) -> FeatureClassifier:
    """Returns a classifier of the labels of a run's data, trained once for all runs on these data and cached.

    It is trained on the training split before binarization, whichever split is evaluated. For stacked digits it
    classifies single digits.

    Raises:
        ValueError: for data without class labels.
    """
    return feature_classifier(*labeled_images(context), progress=_training_progress(context))


def is_stacked(context: EvaluationContext) -> bool:
    """Returns whether each channel of an image is an independent image."""
    return context.run.config["data"]["source"].startswith(PREFIX)


def labeled_images(context: EvaluationContext) -> tuple[LabeledImages, LabeledImages]:
    """Returns images and labels for training and for testing a classifier.

    Raises:
        ValueError: for data without class labels, or without a second split.
    """
    if is_stacked(context):
        train, test = (single_images(context, split) for split in ("train", "test"))
        return _read(train, context), _read(test, context)
    splits = context.run.config["data"]["splits"]
    test_split = next((role for role in ("test", "validation") if splits.get(role)), None)
    if test_split is None:
        raise ValueError("Expected a test or validation split to test a classifier of the labels; received neither")
    train, test = (context.dataset(role, binarize=None) for role in ("train", test_split))
    return _read(train, context), _read(test, context)


def single_images(context: EvaluationContext, split: str) -> tf.data.Dataset:
    """Returns the gray images of which stacked ones consist, as a dataset in a fixed order."""
    options = context.run.config["data"]
    same = {name: options[name] for name in ("data_dir", "crop", "background", "cache") if name in options}
    height, width = context.run.image_shape[:2]
    source = options["source"].removeprefix(PREFIX)
    return data.load(
        source, split, image_shape=(height, width, 1), batch_size=context.batch_size, shuffle=False, **same
    )


def _training_progress(context: EvaluationContext) -> Progress:
    return functools.partial(context.progress, "training the classifier: batches")


def _label_features(context: EvaluationContext) -> Features:
    features = classifier_features(*labeled_images(context), progress=_training_progress(context))
    if not is_stacked(context):
        return features

    def extract_channels(images: np.ndarray) -> np.ndarray:
        return np.concatenate([features.extract(images[..., [c]]) for c in range(images.shape[3])], axis=1)

    return Features(features.name, f"{features.identity}, for each channel separately", extract_channels)


def _read(dataset: tf.data.Dataset, context: EvaluationContext) -> LabeledImages:
    label = dataset.info.fields.get("label")
    if label is None or label.shape.rank != 1 or not label.dtype.is_integer:
        raise ValueError(f"Expected data with class labels; received {dataset.info.source}, which has no class labels")
    height, width, channels = dataset.info.image_shape
    # a fixed seed, so that runs of other seeds share the classifier
    progress = functools.partial(context.progress, "reading labeled images")
    num = min(MAX_IMAGES, MAX_BYTES // (4 * height * width * channels))
    batch = gather(dataset, num, seed=0, progress=progress)
    return batch["image"], batch["label"]
