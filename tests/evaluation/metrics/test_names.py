import pytest

from keras_gen.evaluation.metrics.names import check_comparable, score_name


def test_names():
    assert score_name("fd", "classifier", 10_000, "test") == "fd_classifier_10k_test"
    assert score_name("kid", "pixels", 1000, "validation") == "kid_pixels_1000_validation"
    assert score_name("fd", "inception", 26_000, "test") == "fd_inception_26k_test"
    assert score_name("fd", "inception", 12_345, "test") == "fd_inception_12345_test"
    assert score_name("ms_ssim", "2_scales", 10_000) == "ms_ssim_2_scales_10k"


def test_equal_scores():
    check_comparable("fd_classifier_10k_test", "fd_classifier_10k_test")
    check_comparable("kid_pixels_1000_test", "kid_pixels_1000_test", {"features": "pixels"}, {"features": "pixels"})
    check_comparable("kid_pixels_1000_test", "kid_pixels_1000_test", {"features": "pixels"}, {})


@pytest.mark.parametrize(
    "first, second, why",
    [
        ("fd_classifier_10k_test", "fd_pixels_10k_test", "metric fd_classifier and fd_pixels$"),
        ("fd_classifier_10k_test", "fd_classifier_1000_test", "count 10k and 1000$"),
        ("fd_classifier_10k_test", "fd_classifier_10k_train", "split test and train$"),
        ("swd_pyramid_28_10k_test", "swd_pyramid_32_10k_test", "metric swd_pyramid_28 and swd_pyramid_32$"),
        ("fd_classifier_10k_test", "fd_classifier_10k_test_floor", "floor of the other"),
        ("fd_small_v1_10k_test", "fid_clean_10k_test", "metric fd_small_v1 and fid_clean$"),
        ("fd_inception_10k_test", "fid", "'fid' does not state what it depends on"),
        ("fd_inception_10k_test", "fid_50k", "metric fd_inception and fid, count 10k and 50k"),
    ],
)
def test_different_scores(first, second, why):
    with pytest.raises(ValueError, match=why):
        check_comparable(first, second)


def test_two_classifiers_of_one_name():
    about = [{"features": f"classifier {key}"} for key in ("a1", "b2")]
    with pytest.raises(ValueError, match="of the same features.*classifier a1.*classifier b2"):
        check_comparable("fd_classifier_10k_test", "fd_classifier_10k_test", *about)
