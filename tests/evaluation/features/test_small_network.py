"""The default features: their file, known values, and that scores by them rank images as people do."""

import hashlib

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_gen.data import Factors, render_shapes
from keras_gen.evaluation import feature_extractor, frechet_distance
from keras_gen.evaluation.evaluators.samples import memorization_scores
from keras_gen.evaluation.features import small_network
from keras_gen.evaluation.features.small_network import (
    apply_network,
    load_layers,
    prepare,
    read_layers,
    sharpness,
    small_network_features,
    write_layers,
)
from keras_gen.evaluation.metrics.precision_recall import precision_recall
from tests.evaluation.toys import blobs


def shapes(num: int, seed: int) -> np.ndarray:
    """Images of `shapes` that are in no split."""
    return render_shapes(Factors.draw(num, seed), 32).astype(np.float32) / 255


def discs(num: int, seed: int) -> np.ndarray:
    return blobs(num, seed)[0] / np.float32(255)


def test_the_file_is_small_and_part_of_the_package():
    assert small_network.FILE.stat().st_size < 1e6
    assert hashlib.sha256(small_network.FILE.read_bytes()).hexdigest() == small_network.SHA256
    with np.load(small_network.FILE) as content:
        assert {content[name].dtype for name in content.files if name.startswith("kernel")} == {np.dtype(np.int8)}


def test_a_damaged_file_is_rejected(tmp_path, monkeypatch):
    damaged = bytearray(small_network.FILE.read_bytes())
    damaged[5000] ^= 1
    (tmp_path / "small_v1.npz").write_bytes(damaged)
    monkeypatch.setattr(small_network, "FILE", tmp_path / "small_v1.npz")
    load_layers.cache_clear()
    with pytest.raises(ValueError, match="with the sha256 .*Install keras_gen again"):
        load_layers()
    monkeypatch.undo()
    assert len(load_layers()) == 6


def test_the_network_by_hand():
    """Kernels with one value: an image of ones becomes 2 * 1 - 1 = 1, and each convolution doubles it."""
    generator = np.random.default_rng(0)
    sizes = [(3, 2)] + 4 * [(2, 2)]
    layers = []
    for inputs, outputs in sizes:
        kernel = np.zeros((3, 3, inputs, outputs), np.float32)
        kernel[1, 1, 0] = 2.0
        layers.append((kernel, np.array([0.0, -100.0], np.float32)))
    dense = generator.standard_normal((4 * 4 * 2, 64)).astype(np.float32)
    layers.append((dense, np.ones(64, np.float32)))
    features = apply_network(tf.ones((2, 32, 32, 3)), layers).numpy()
    # the second channel is 0 after the ReLU
    np.testing.assert_allclose(features, np.tile(32.0 * dense[::2].sum(axis=0) + 1.0, (2, 1)), rtol=1e-4)


def test_eight_bits_per_channel(tmp_path):
    generator = np.random.default_rng(0)
    layers = [(generator.standard_normal((3, 3, 2, 4)).astype(np.float32), np.arange(4.0))] * 5
    layers.append((generator.standard_normal((8, 3)) * [1e-3, 1.0, 0.0], np.ones(3)))
    write_layers(tmp_path / "layers.npz", layers)
    for (kernel, bias), (expected, expected_bias) in zip(read_layers(tmp_path / "layers.npz"), layers, strict=True):
        step = np.abs(expected).max(axis=tuple(range(expected.ndim - 1))) / 127
        assert kernel.dtype == bias.dtype == np.float32
        # rounded to the nearest of 255 values for each output channel
        assert (np.abs(kernel - expected) <= 0.5001 * step + 1e-7).all()
        np.testing.assert_array_equal(bias, expected_bias)


def test_images_of_any_kind():
    gray = np.random.default_rng(0).random((3, 32, 32, 1)).astype(np.float32)
    np.testing.assert_array_equal(prepare(tf.constant(gray)), np.repeat(gray, 3, axis=-1))
    transparent = np.concatenate([np.repeat(gray, 3, axis=-1), np.zeros_like(gray)], axis=-1)
    np.testing.assert_array_equal(prepare(tf.constant(transparent)), np.ones((3, 32, 32, 3)))
    # antialiasing: a fine pattern becomes gray
    fine = np.tile(np.eye(2, dtype=np.float32), (64, 64))[None, ..., None]
    np.testing.assert_allclose(prepare(tf.constant(fine))[:, 2:-2, 2:-2], 0.5, atol=0.05)
    for channels in (2, 5):
        with pytest.raises(ValueError, match=f"1, 3 or 4 channels for the features small_v1; received {channels}"):
            small_network_features(np.zeros((1, 8, 8, channels), np.float32))


def test_sharpness_by_hand():
    """A checkerboard of single pixels has one octave alone, and one of 2x2 pixels the next one."""
    fine = np.indices((32, 32)).sum(axis=0) % 2
    coarse = np.kron(fine[:16, :16], np.ones((2, 2)))
    images = np.stack([fine, coarse, np.full((32, 32), 0.3)]).astype(np.float32)[..., None].repeat(3, axis=-1)
    ratio = 3 * np.log((0.25 + 1e-5) / 1e-5)
    np.testing.assert_allclose(
        sharpness(tf.constant(images)), [[ratio, 0, 0], [-ratio, ratio, 0], [0, 0, 0]], atol=1e-3
    )
    # the ratios hardly depend on contrast and brightness; the energy of coarse octaves is not far above 1e-5
    image = np.random.default_rng(0).random((5, 32, 32, 3)).astype(np.float32)
    expected = sharpness(tf.constant(image))
    np.testing.assert_allclose(sharpness(tf.constant(0.5 * image + 0.2)), expected, atol=0.4)


def test_known_features():
    """Of a file's first version; other values need another name than small_v1."""
    features = small_network_features(shapes(200, 5))
    assert features.shape == (200, 70) and features.dtype == np.float32
    assert 0.3 < features[:, :64].std() < 3
    np.testing.assert_allclose(features[0, :4], [0.52, -0.925, -0.839, 1.439], atol=2e-3)


def test_predicted_degrees_of_damage():
    """Features 64, 65 and 66: ten times the square roots of fractions of a blur of 3, a noise of 1 and a half image."""
    images, others = shapes(200, 7), shapes(200, 8)
    noise = np.random.default_rng(0).standard_normal(images.shape).astype(np.float32)
    damaged = {
        "none": images,
        "blur": scipy.ndimage.gaussian_filter(images, (0, 1.47, 1.47, 0)),
        "noise": np.clip(images + 0.49 * noise, 0, 1),
        "mixture": 0.755 * images + 0.245 * others,
    }
    degrees = np.array([small_network_features(each)[:, 64:67].mean(axis=0) for each in damaged.values()])
    # linear regression is not exact: within 2 of 0 or 7
    np.testing.assert_allclose(degrees, [[0, 0, 0], [7, 0, 0], [0, 7, 0], [0, 0, 7]], atol=2)


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (32, 32, 3), (40, 12, 4)])
@pytest.mark.parametrize("num", [2, 3, 50])
def test_a_finite_distance_for_any_images(shape, num):
    extract = feature_extractor("small_v1")
    first, second = np.random.default_rng(0).random((2, num, *shape)).astype(np.float32)
    flat = np.zeros_like(first)

    def distance(one, other):
        return frechet_distance(extract(one), extract(other), full_rank=False)

    assert 0 <= distance(first, second) < 1e5
    assert distance(first, first) == pytest.approx(0, abs=1e-4)
    assert np.isfinite(distance(first, flat)) and distance(flat, flat) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("draw, scale, sigma", [(shapes, 0.02, 2.0), (discs, 0.05, 1.0)])
def test_real_good_blurred_and_noisy_images_are_ranked(draw, scale, sigma):
    """Objects of `shapes`, and discs of 8x8 pixels, which the network has never seen."""
    real, base = draw(300, 11), draw(300, 12)
    noise = np.random.default_rng(3).standard_normal(base.shape).astype(np.float32)
    # the same images before and after damage, so that sampling errors are shared
    sets = {
        "real": base,
        "good": np.clip(base + scale * noise, 0, 1),
        "blurred": scipy.ndimage.gaussian_filter(base, (0, sigma, sigma, 0)),
        "noise": np.random.default_rng(4).random(base.shape).astype(np.float32),
    }
    extract = feature_extractor("small_v1")
    features = {name: extract(images) for name, images in sets.items()}
    reference = extract(real)
    distances = [frechet_distance(values, reference) for values in features.values()]
    assert distances == sorted(distances) and distances[2] > 1.5 * distances[0]
    scores = {name: precision_recall(reference, values) for name, values in features.items()}
    for metric in ("precision", "recall"):
        values = [getattr(each, metric) for each in scores.values()]
        # ties within two standard errors of a fraction of 300 images
        assert all(first > second - 0.06 for first, second in zip(values, values[1:], strict=False))
        assert values[0] > values[2] + 0.2 > values[3]


def test_blurred_images_are_not_reported_as_copies():
    train, held_out, base = shapes(600, 21), shapes(200, 22), shapes(200, 23)
    blurred = scipy.ndimage.gaussian_filter(base, (0, 2.0, 2.0, 0))

    def closer(images, features):
        scores = memorization_scores(images, train, held_out, features=feature_extractor(features))[0]
        return scores[f"closer_{features}_200_train"]

    assert closer(blurred, "pixels") > 0.7  # the fault
    assert closer(blurred, "small_v1") < 0.5
    assert closer(train[:200], "small_v1") == 1
