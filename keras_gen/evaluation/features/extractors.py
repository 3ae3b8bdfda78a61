"""What images are compared by: feature extractors by name."""

import dataclasses
import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from .classifier import CHUNK, ClassConditional, feature_classifier
from .clean_resize import clean_resize
from .fid_inception import SHA256, SIZE, fid_network, read_fid_weights, set_fid_weights, weights_file

INCEPTION_SIZE = 299
# images of this size at a time: more would take a gigabyte
LARGE_CHUNK = 32


@dataclasses.dataclass(frozen=True)
class Features:
    """A feature extractor: images float32 [num, height, width, channels] in [0, 1] -> float32 [num, size].

    Attributes:
        name: as it stands in a score's name.
        identity: all that the features depend on; scores of different identities are not compared.
        extract: some images -> their features.
        frechet: what a Frechet distance of them is called: `"fid"` for the features that published FIDs have.
        chunk: images at a time.
    """

    name: str
    identity: str
    extract: Callable[[np.ndarray], np.ndarray]
    frechet: str = "fd"
    chunk: int = CHUNK

    def __call__(
        self, images: np.ndarray, *, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> np.ndarray:
        """The features of images, a chunk at a time; `progress` is called with (done, total).

        Raises:
            ValueError: for anything but images.
        """
        if np.ndim(images) != 4 or len(images) == 0:
            raise ValueError(f"Expected images [num, height, width, channels]; received {np.shape(images)}")
        parts = []
        for start in range(0, len(images), self.chunk):
            progress(start, len(images))
            parts.append(np.asarray(self.extract(images[start : start + self.chunk]), np.float32))
        return np.concatenate(parts)


def feature_extractor(name: str, **options) -> Features:
    """A feature extractor by name: `"pixels"`, `"classifier"`, `"inception"` or `"fid"`.

    Args:
        name: which.
        **options: those of `pixel_features` (none), `classifier_features`, `inception_features` or `fid_features`.

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
    train: ClassConditional,
    test: ClassConditional,
    *,
    folder: str | os.PathLike | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Features:
    """The last hidden layer of a small convolutional classifier of the set's own labels, trained once and kept.

    Args:
        train, test, folder, seed, progress: as in `feature_classifier`.
    """
    classifier = feature_classifier(train, test, folder=folder, seed=seed, progress=progress)
    identity = f"classifier {classifier.key[:12]}, accuracy {classifier.accuracy:.4f} on {len(test[0]):,} other images"
    return Features("classifier", identity, classifier.features)


def inception_features(*, weights: str = "imagenet") -> Features:
    """The pooled features of Keras's InceptionV3, 2048 of them. This is NOT the network of the FID.

    The FID's network is another set of weights (of 2015-12-05) with other pooling and resizing, `fid_features`; a
    Frechet distance of these features has another value and is never compared with a published FID. Images are resized
    to 299x299 (bilinear), gray ones repeated to three channels.

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
        return pooled(tf.constant(_three_channels(images)))

    identity = f"keras.applications.InceptionV3, weights {weights}, 299x299, bilinear"
    return Features("inception", identity, extract, chunk=LARGE_CHUNK)


def fid_features(*, weights: str | os.PathLike | None = None, sha256: str | None = SHA256) -> Features:
    """The 2048 features of the FID's own network with clean resizing: their Frechet distance is a published FID's.

    Images are rounded to 8 bits, as those of published FIDs are, resized by `clean_resize`, and gray ones repeated to
    three channels. A FID compares with a published one only for as many samples and the same real images, most often
    50,000 samples and the training set.

    Args:
        weights: the published weights file; None is where the variable KERAS_GEN_FID_WEIGHTS says, or keras_gen's
            cache.
        sha256: of the file; None accepts any weights, for tests.

    Raises:
        OSError: where there is no such file; the message says where to get it.
        ValueError: where it is another file.

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

    what = "published weights" if sha256 else f"weights {file}"
    identity = f"Inception of 2015-12-05, {what}, clean resizing to {SIZE}x{SIZE}"
    return Features("clean", identity, extract, frechet="fid", chunk=LARGE_CHUNK)


def _three_channels(images: np.ndarray) -> np.ndarray:
    if images.shape[-1] not in (1, 3):
        raise ValueError(f"The Inception features need 1 or 3 channels; received images of {images.shape[-1]}")
    return np.broadcast_to(images, (*images.shape[:-1], 3))


FEATURES = {
    "pixels": pixel_features,
    "classifier": classifier_features,
    "inception": inception_features,
    "fid": fid_features,
}
