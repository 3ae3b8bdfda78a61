import numpy as np
import pytest
import scipy.ndimage

from keras_gen.evaluation import feature_extractor
from keras_gen.evaluation.features.extractors import Features
from keras_gen.evaluation.metrics.frechet_distance import frechet_distance
from keras_gen.evaluation.metrics.sample_quality import sample_quality

METRICS = ("fd", "kid", "swd", "precision", "recall", "density", "coverage")

# four features, so that the covariance has full rank
MEANS = Features("means", "means of quarters", lambda images: images.reshape(len(images), 4, -1).mean(axis=2))


def textures(num: int, seed: int, blur: float = 1.0, size: int = 32) -> np.ndarray:
    noise = np.random.default_rng(seed).random((num, size, size, 1)).astype(np.float32)
    return scipy.ndimage.gaussian_filter(noise, (0, blur, blur, 0))


@pytest.fixture(scope="module")
def measure():
    calls = []
    metrics, about = sample_quality(
        textures(50, 0, blur=2.0),
        textures(40, 1),
        textures(60, 2),
        {"means": MEANS, "inception": "no network"},
        progress=lambda *call: calls.append(call),
    )
    return metrics, about, calls


def test_names_and_notes(measure):
    metrics, about, calls = measure
    names = [f"{metric}_{features}_40_test" for features in ("means", "inception") for metric in METRICS]
    names += ["swd_pyramid_32_40_test", "swd_pyramid_16_40_test", "ms_ssim_2_scales_40"]
    assert list(metrics) == list(about) == [name + suffix for name in names for suffix in ("", "_floor")]
    for name, value in metrics.items():
        assert value is None if "inception" in name else isinstance(value, float)
    for name, notes in about.items():
        assert {"unit", "note", "images", "samples"} <= set(notes) and notes["images"] == 40
        assert notes.get("features") == ("means of quarters" if "means" in name else None)
        assert "better" not in notes
    assert about["kid_means_40_test"]["standard_error"] > 0
    assert about["fd_means_40_test_floor"]["note"].startswith("40 train images to 40 test images")
    assert about["fd_inception_40_test_floor"]["reason"] == "no network"
    activities = ["features means of real images", "features means of samples"]
    activities += ["scores by means, percent", "features means of other real images"]
    activities += ["scores by means of other real images, percent"]
    activities += ["patches of Laplacian pyramids", "MS-SSIM of pairs"]
    assert list(dict.fromkeys(activity for activity, *_ in calls)) == activities
    assert all(0 <= result <= total and total > 0 for _, result, total in calls)


def test_values_equal_those_of_the_metrics(measure):
    metrics, _, _ = measure
    sets = (textures(50, 0, blur=2.0), textures(40, 1), textures(60, 2))
    generated, real, other = (MEANS(images[:40]) for images in sets)
    assert metrics["fd_means_40_test"] == frechet_distance(generated, real)
    assert metrics["fd_means_40_test_floor"] == frechet_distance(other, real)


def test_blurred_samples_are_above_the_floor(measure):
    metrics, _, _ = measure
    assert metrics["swd_pyramid_32_40_test"] > 3 * metrics["swd_pyramid_32_40_test_floor"]


def test_scores_of_small_images():
    small = [textures(30, seed, size=8) for seed in range(3)]
    metrics, about = sample_quality(*small, {"pixels": feature_extractor("pixels")}, split="validation")
    missing = {name for name, value in metrics.items() if value is None}
    names = {"fd_pixels_30_validation", "swd_pyramid_8_30_validation", "ms_ssim_0_scales_30"}
    assert missing == names | {f"{name}_floor" for name in names}
    assert "more than 64 samples" in about["fd_pixels_30_validation"]["reason"]
    assert "16 pixels or more; received 8x8" in about["swd_pyramid_8_30_validation"]["reason"]
    assert "11 pixels or more; received 8x8" in about["ms_ssim_0_scales_30"]["reason"]
    assert all(notes["unit"] for notes in about.values())
    assert metrics["precision_pixels_30_validation"] > 0.3


def test_scores_of_few_images():
    few = [textures(7, seed, size=8) for seed in range(3)]
    features = {name: feature_extractor(name) for name in ("small_v1", "pixels")}
    metrics, about = sample_quality(*few, features, pyramid=False)
    assert metrics["kid_pixels_7_test"] is None and "at least 20" in about["kid_pixels_7_test"]["reason"]
    # fewer images than features
    assert metrics["fd_small_v1_7_test"] > 0 and metrics["fd_small_v1_7_test_floor"] > 0
    assert about["fd_small_v1_7_test"]["better"] == "lower" and "better" not in about["kid_small_v1_7_test"]
    assert about["fd_pixels_7_test"]["reason"].startswith("Expected more than 64 samples")
    assert metrics["swd_pixels_7_test"] > 0 and 0 <= metrics["recall_pixels_7_test"] <= 1
    assert not any("pyramid" in name for name in metrics)


def test_an_error_in_one_extractor_leaves_the_others():
    def fail(images):
        raise ValueError("3 channels expected")

    images = [textures(30, seed, size=16) for seed in range(3)]
    features = {"odd": Features("odd", "odd", fail), "means": MEANS}
    metrics, about = sample_quality(*images, features, pyramid=False)
    assert about["coverage_odd_30_test"]["reason"] == "3 channels expected"
    assert metrics["coverage_odd_30_test"] is None and metrics["coverage_means_30_test"] > 0


def test_datasets_of_different_shape_are_refused():
    images = textures(30, 0, size=8)
    with pytest.raises(ValueError, match=r"three sets of images of one shape; received .*\(0, 8, 8, 1\)"):
        sample_quality(images, images[:0], images, {})
    with pytest.raises(ValueError, match=r"received \(30, 8, 8, 1\), \(30, 4, 8, 1\)"):
        sample_quality(images, images[:, :4], images, {})
