"""Feature extractors, by name, for comparisons of sets of images."""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches

from ..types import Progress, no_progress
from .classifier import IMAGES_PER_PASS, LabeledImages, feature_classifier
from .clean_resize import clean_resize
from .fid_inception import SHA256, SIZE, fid_network, read_fid_weights, set_fid_weights, weights_file
from .small_network import HOW_TO_READ, IDENTITY, NAME, small_network_features

INCEPTION_SIZE = 299
# images of this size per batch; more would need a gigabyte
INCEPTION_BATCH = 32


@dataclasses.dataclass(frozen=True)
class Features:
    """A feature extractor: images float32 [num, height, width, channels] in [0, 1] -> float32 [num, size].

    Attributes:
        name: its name in the names of scores.
        identity: everything that the features depend on; scores of different identities are not comparable.
        extract: images [batch, height, width, channels] -> features [batch, size].
        frechet: name of the Frechet distance: `"fid"` for the features of published FIDs.
        batch_size: images per call of `extract`.
        full_rank: whether the Frechet distance is computed for more samples than features only.
        how_to_read: explanation of the Frechet distance. With it, the distance is the headline of an evaluation.
    """

    name: str
    identity: str
    extract: Callable[[np.ndarray], np.ndarray]
    frechet: str = "fd"
    batch_size: int = IMAGES_PER_PASS
    full_rank: bool = True
    how_to_read: str = ""

    def __call__(self, images: np.ndarray, *, progress: Progress = no_progress) -> np.ndarray:
        """Returns the features of images, float32 [num, size].

        Args:
            images: float32 [num, height, width, channels] in [0, 1], num >= 1.
            progress: called with (images done, total).

        Raises:
            ValueError: for an array of another rank, or no images.
        """
        if np.ndim(images) != 4 or len(images) == 0:
            raise ValueError(f"Expected images [num, height, width, channels]; received {np.shape(images)}")
        return map_batches(
            lambda rows: np.asarray(self.extract(images[rows]), np.float32), len(images), self.batch_size, progress
        )


def feature_extractor(name: str, **options: Any) -> Features:
    """Returns the feature extractor `"small_v1"`, `"pixels"`, `"classifier"`, `"inception"` or `"fid"`.

    Args:
        name: its name.
        **options: arguments of `small_features` and `pixel_features` (none), `classifier_features`,
            `inception_features` or `fid_features`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> feature_extractor("pixels")(np.zeros((2, 4, 4, 3), np.float32)).shape
        (2, 48)
    """
    if name not in FEATURES:
        raise ValueError(f"Expected features from {', '.join(FEATURES)}; received {name!r}")
    return FEATURES[name](**options)


def small_features() -> Features:
    """Returns `small_v1`, the network that is part of the package; see `small_network_features`.

    Its Frechet distance is the headline of an evaluation. It is finite for 2 or more images in each set.
    """
    return Features(NAME, IDENTITY, small_network_features, full_rank=False, how_to_read=HOW_TO_READ)


def pixel_features() -> Features:
    """Returns an extractor of the pixels themselves, in which small shifts of an image are large differences."""
    return Features("pixels", "pixels", lambda images: np.reshape(images, (len(images), -1)))


def classifier_features(
    train: LabeledImages,
    test: LabeledImages,
    *,
    folder: str | os.PathLike | None = None,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Features:
    """Returns the last hidden layer of a small convolutional classifier, trained once and cached.

    Args:
        train: images and labels, as of `feature_classifier`.
        test: images and labels for the accuracy.
        folder: folder of the cache, as of `feature_classifier`.
        seed: seed of weights and order.
        progress: called with (batches done, total) in training.
    """
    classifier = feature_classifier(train, test, folder=folder, seed=seed, progress=progress)
    identity = f"classifier {classifier.key[:12]}, accuracy {classifier.accuracy:.4f} on {len(test[0]):,} other images"
    return Features("classifier", identity, classifier.features)


def inception_features(*, weights: str = "imagenet") -> Features:
    """Returns the 2048 pooled features of Keras's InceptionV3, which is NOT the network of the FID.

    The FID's network (`fid_features`) has other weights (of 2015-12-05), pooling and resizing; a Frechet distance of
    these features has a different value and must not be compared with a published FID. Images are resized to 299x299
    (bilinear), and gray ones repeated to three channels.

    Args:
        weights: `"imagenet"`, which Keras downloads once into its own cache, or a weights file without the top.

    Raises:
        OSError: for missing weights, for example without a network connection.
    """
    try:
        shape = (INCEPTION_SIZE, INCEPTION_SIZE, 3)
        network = keras.applications.InceptionV3(include_top=False, weights=weights, input_shape=shape, pooling="avg")
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise OSError(
            f"Expected the weights {weights!r} of keras.applications.InceptionV3; received the error {error}. Keras "
            "downloads them over a network connection. Without one, set weights=FILE "
            "(inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5), or use the features small_v1 or classifier"
        ) from error

    @tf.function(reduce_retracing=True)
    def pooled(images):
        return network(tf.image.resize(images, (INCEPTION_SIZE, INCEPTION_SIZE)) * 2.0 - 1.0, training=False)

    def extract(images):
        return pooled(tf.constant(_three_channels(images)))

    identity = f"keras.applications.InceptionV3, weights {weights}, 299x299, bilinear"
    return Features("inception", identity, extract, batch_size=INCEPTION_BATCH)


def fid_features(*, weights: str | os.PathLike | None = None, sha256: str | None = SHA256) -> Features:
    """Returns the 2048 features of the FID's network with clean resizing, as used for published FIDs.

    Images are rounded to 8 bits, resized by `clean_resize`, and gray ones repeated to three channels. A FID is
    comparable to a published one only for as many samples and the same real images, usually 50,000 samples and the
    training set.

    Args:
        weights: the published weights file; None is the path in the environment variable KERAS_GEN_FID_WEIGHTS, or
            keras_gen's cache.
        sha256: hash of the file; None accepts any weights, for tests.

    Raises:
        OSError: for a missing file; the message states where to download it.
        ValueError: for a different file.

    Reference:
        Heusel et al. 2017, arXiv:1706.08500. Parmar, Zhang, Zhu 2022, arXiv:2104.11222.
    """
    file = weights_file(weights)
    network = fid_network()
    set_fid_weights(network, read_fid_weights(file, sha256))
    pooled = tf.function(lambda images: network(images, training=False), reduce_retracing=True)

    def extract(images):
        levels = np.rint(_three_channels(images) * np.float32(255.0))
        return pooled(tf.constant((clean_resize(levels, SIZE) - 128.0) / 128.0))

    weights_name = "published weights" if sha256 else f"weights {file}"
    identity = f"Inception of 2015-12-05, {weights_name}, clean resizing to {SIZE}x{SIZE}"
    return Features("clean", identity, extract, frechet="fid", batch_size=INCEPTION_BATCH)


def _three_channels(images: np.ndarray) -> np.ndarray:
    if images.shape[-1] not in (1, 3):
        raise ValueError(f"Expected images with 1 or 3 channels for Inception features; received {images.shape[-1]}")
    return np.broadcast_to(images, (*images.shape[:-1], 3))


FEATURES: dict[str, Callable[..., Features]] = {
    NAME: small_features,
    "pixels": pixel_features,
    "classifier": classifier_features,
    "inception": inception_features,
    "fid": fid_features,
}
