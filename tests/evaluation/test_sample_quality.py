import numpy as np
import pytest
import scipy.ndimage

from keras_gen.evaluation import Features, feature_extractor, frechet_distance, sample_quality

# four numbers of an image: few enough for a covariance
MEANS = Features("means", "means of quarters", lambda images: images.reshape(len(images), 4, -1).mean(axis=2))


def textures(num: int, seed: int, blur: float = 1.0, size: int = 32) -> np.ndarray:
    noise = np.random.default_rng(seed).random((num, size, size, 1)).astype(np.float32)
    return scipy.ndimage.gaussian_filter(noise, (0, blur, blur, 0))


@pytest.fixture(scope="module")
def found():
    calls = []
    result = sample_quality(
        textures(50, 0, blur=2.0), textures(40, 1), textures(60, 2), MEANS, progress=lambda *call: calls.append(call)
    )
    return *result, calls


def test_names_and_notes(found):
    metrics, about, calls = found
    names = [f"{metric}_means_40_test" for metric in ("fd", "kid", "precision", "recall", "density", "coverage")]
    names += ["swd_pyramid_32_40_test", "swd_pyramid_16_40_test", "ms_ssim_2_scales_40"]
    assert list(metrics) == list(about) == [name + suffix for name in names for suffix in ("", "_floor")]
    assert all(isinstance(value, float) for value in metrics.values())
    for name, notes in about.items():
        assert {"unit", "note", "images", "samples"} <= set(notes) and notes["images"] == 40
        assert notes.get("features") == ("means of quarters" if "means" in name else None)
    assert about["kid_means_40_test"]["standard_error"] > 0
    assert about["fd_means_40_test_floor"]["note"].startswith("40 train images to 40 test images")
    assert [done for _, done, _ in calls] == list(range(8)) and {total for *_, total in calls} == {7}


def test_values_are_those_of_the_measures(found):
    metrics, _, _ = found
    made, real, other = (MEANS(images[:40]) for images in (textures(50, 0, blur=2.0), textures(40, 1), textures(60, 2)))
    assert metrics["fd_means_40_test"] == frechet_distance(made, real)
    assert metrics["fd_means_40_test_floor"] == frechet_distance(other, real)


def test_blurred_samples_are_told_from_real_ones_beside_the_floor(found):
    metrics, _, _ = found
    assert metrics["swd_pyramid_32_40_test"] > 3 * metrics["swd_pyramid_32_40_test_floor"]


def test_what_small_images_do_not_allow():
    small = [textures(30, seed, size=8) for seed in range(3)]
    metrics, about = sample_quality(*small, feature_extractor("pixels"), split="validation")
    missing = {name for name, value in metrics.items() if value is None}
    names = {"fd_pixels_30_validation", "swd_pyramid_8_30_validation", "ms_ssim_0_scales_30"}
    assert missing == names | {f"{name}_floor" for name in names}
    assert about["fd_pixels_30_validation"]["reason"] == "30 samples give no covariance of full rank for 64 features"
    assert "16 pixels; these have 8" in about["swd_pyramid_8_30_validation"]["reason"]
    assert "11 pixels; these have 8" in about["ms_ssim_0_scales_30"]["reason"]
    assert metrics["precision_pixels_30_validation"] > 0.3


def test_sets_that_do_not_fit():
    images = textures(30, 0, size=8)
    with pytest.raises(ValueError, match="three sets of 20 or more images of one shape"):
        sample_quality(images, images[:19], images, MEANS)
    with pytest.raises(ValueError, match=r"received \(30, 8, 8, 1\), \(30, 4, 8, 1\)"):
        sample_quality(images, images[:, :4], images, MEANS)
