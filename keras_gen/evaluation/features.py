"""What images are compared by: feature extractors by name."""

import dataclasses
import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from .feature_classifier import CHUNK, Labelled, feature_classifier

INCEPTION_SIZE = 299


@dataclasses.dataclass(frozen=True)
class Features:
    """A feature extractor: images float32 [num, height, width, channels] in [0, 1] -> float32 [num, size].

    Attributes:
        name: as it stands in a score's name.
        identity: all that the features depend on; scores of different identities are not compared.
        extract: some images -> their features.
    """

    name: str
    identity: str
    extract: Callable[[np.ndarray], np.ndarray]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The features of images, a chunk at a time.

        Raises:
            ValueError: for anything but images.
        """
        if np.ndim(images) != 4 or len(images) == 0:
            raise ValueError(f"Expected images [num, height, width, channels]; received {np.shape(images)}")
        parts = (self.extract(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK))
        return np.concatenate([np.asarray(part, np.float32) for part in parts])


def feature_extractor(name: str, **options) -> Features:
    """A feature extractor by name: `"pixels"`, `"classifier"` or `"inception"`.

    Args:
        name: which.
        **options: those of `pixel_features` (none), `classifier_features` or `inception_features`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> feature_extractor("pixels")(np.zeros((2, 4, 4, 3), np.float32)).shape
        (2, 48)
    """
    if name not in FEATURES:
        raise ValueError(f"Unknown features {name!r}; known: {', '.join(FEATURES)}")
    return FEATURES[name](**options)


def pixel_features() -> Features:
    """The pixels themselves: no network decides what counts, and small shifts count much."""
    return Features("pixels", "pixels", lambda images: np.reshape(images, (len(images), -1)))


def classifier_features(
    train: Labelled, test: Labelled, *, folder: str | os.PathLike | None = None, seed: int = 0
) -> Features:
    """The last hidden layer of a small convolutional classifier of the set's own labels, trained once and kept.

    Args:
        train, test, folder, seed: as in `feature_classifier`.
    """
    classifier = feature_classifier(train, test, folder=folder, seed=seed)
    identity = f"classifier {classifier.key[:12]}, accuracy {classifier.accuracy:.4f} on {len(test[0]):,} other images"
    return Features("classifier", identity, classifier.features)


def inception_features(*, weights: str = "imagenet") -> Features:
    """The pooled features of Keras's InceptionV3, 2048 of them. This is NOT the network of the FID.

    The FID's network is another set of weights (of 2015-12-05) with other pooling and resizing; a Frechet distance of
    these features has another value and is never compared with a published FID. Images are resized to 299x299
    (bilinear), gray ones repeated to three channels.

    Args:
        weights: `"imagenet"`, which Keras downloads once into its own cache, or a weights file without the top.

    Raises:
        OSError: where the weights cannot be had, for example without a network.
    """
    try:
        shape = (INCEPTION_SIZE, INCEPTION_SIZE, 3)
        network = keras.applications.InceptionV3(include_top=False, weights=weights, input_shape=shape, pooling="avg")
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise OSError(
            f"The inception features need the weights {weights!r} of keras.applications.InceptionV3, and they could "
            f"not be had: {error}. With a network Keras downloads them; without one, give weights=FILE "
            "(inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5), or use the features classifier or pixels"
        ) from error

    @tf.function(reduce_retracing=True)
    def pooled(images):
        return network(tf.image.resize(images, (INCEPTION_SIZE, INCEPTION_SIZE)) * 2.0 - 1.0, training=False)

    def extract(images):
        if images.shape[-1] not in (1, 3):
            raise ValueError(f"The inception features need 1 or 3 channels; received images of {images.shape[-1]}")
        images = np.broadcast_to(images, (*images.shape[:-1], 3))
        # 32 at a time: a chunk of images of this size would take a gigabyte
        return np.concatenate([pooled(tf.constant(images[i : i + 32])) for i in range(0, len(images), 32)])

    return Features("inception", f"keras.applications.InceptionV3, weights {weights}, 299x299, bilinear", extract)


FEATURES = {"pixels": pixel_features, "classifier": classifier_features, "inception": inception_features}
