import keras
import numpy as np
import pytest

from keras_gen.evaluation import feature_extractor
from keras_gen.evaluation.features.extractors import FEATURES


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((300, 4, 4, 1)).astype(np.float32)


def test_pixels(images):
    features = feature_extractor("pixels")(images)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, images.reshape(300, 16))


def test_unknown_features_and_other_arrays(images):
    with pytest.raises(ValueError, match="Expected features from small_v1, .*, fid; received 'resnet'"):
        feature_extractor("resnet")
    for wrong in (images[0], images[:0]):
        with pytest.raises(ValueError, match="Expected images"):
            feature_extractor("pixels")(wrong)
    assert set(FEATURES) == {"small_v1", "pixels", "classifier", "inception", "fid"}


def small_inception(**options):
    """A stand-in for InceptionV3 that returns mean, minimum and maximum of each channel."""
    image = keras.Input(options["input_shape"])
    pooled = [operation(image, axis=(1, 2)) for operation in (keras.ops.mean, keras.ops.min, keras.ops.max)]
    return keras.Model(image, keras.ops.concatenate(pooled, axis=1))


def test_inception_receives_preprocessed_images(monkeypatch, images):
    monkeypatch.setattr(keras.applications, "InceptionV3", small_inception)
    extract = feature_extractor("inception", weights="file.h5")
    gray = np.stack([np.zeros((8, 8, 1)), np.ones((8, 8, 1)), np.full((8, 8, 1), 0.75)]).astype(np.float32)
    np.testing.assert_allclose(extract(gray), np.repeat([[-1.0], [1.0], [0.5]], 9, axis=1), atol=1e-5)
    color = np.zeros((33, 8, 8, 3), np.float32)
    color[..., 2] = 1.0
    np.testing.assert_allclose(extract(color), [[-1, -1, 1] * 3] * 33, atol=1e-5)
    assert "file.h5" in extract.identity
    with pytest.raises(ValueError, match="1 or 3 channels"):
        extract(np.zeros((1, 8, 8, 2), np.float32))


def test_missing_inception_weights(monkeypatch):
    def unreachable(**options):
        raise Exception("URL fetch failure on https://example.org")

    monkeypatch.setattr(keras.applications, "InceptionV3", unreachable)
    with pytest.raises(OSError, match="'imagenet'.*URL fetch failure.*weights=FILE.*small_v1 or classifier"):
        feature_extractor("inception")
