"""Errors by hand, and what is refused."""

import numpy as np
import pytest

from keras_gen.export.parity import check_equivalence, errors, few_images, parity_rows, tolerance_used


def test_errors_by_hand():
    expected = {"image": np.array([[0.0, 0.5], [1.0, 0.25]], np.float32)}
    received = {"image": np.array([[0.1, 0.5], [0.7, 0.25]], np.float32)}
    found = errors(expected, received)["image"]
    assert found == pytest.approx({"max": 0.3, "mean": 0.1, "largest": 1.0}, abs=1e-7)


@pytest.mark.parametrize(
    ("received", "message"),
    [
        ({"z": np.zeros((2, 3))}, "outputs .'z'. where Keras has .'image'."),
        ({"image": np.zeros((2, 4))}, r"shape \[2, 4\] where Keras has \[2, 3\]"),
        ({"image": np.full((2, 3), np.nan)}, "not finite"),
    ],
)
def test_outputs_that_cannot_be_compared(received, message):
    with pytest.raises(ValueError, match=message):
        errors({"image": np.zeros((2, 3))}, received)


def test_unfaithful_conversions_are_refused():
    check_equivalence({"z": {"max": 0.009, "mean": 0.0, "largest": 10.0}}, "encode")  # rounding of large values
    with pytest.raises(ValueError, match="encode differs from Keras: output 'z' by up to 0.011"):
        check_equivalence({"z": {"max": 0.011, "mean": 0.0, "largest": 10.0}}, "encode")


def test_the_worst_image_says_how_much_of_the_bound_is_used():
    def values(mean):
        return {"max": 1.0, "mean": mean, "largest": 1.0}

    kinds = {"encode": {"z": "latent"}, "decode": {"image": "image"}, "generate": {"image": "image"}}
    endpoints = {"encode": {"z": values(9.0)}, "decode": {"image": values(0.005)}, "generate": {"image": values(0.03)}}
    assert tolerance_used("int8", kinds, endpoints) == pytest.approx(1.5)
    assert tolerance_used("int8", kinds, {"decode": endpoints["decode"]}) == pytest.approx(0.25)
    assert tolerance_used("float16", kinds, {"decode": endpoints["decode"]}) == pytest.approx(100)  # of its largest
    assert tolerance_used("int8", kinds, {"encode": endpoints["encode"]}) == 0


def test_rows_judge_images_by_the_bound_of_their_precision():
    def file(maximum, mean):
        values = {"max": maximum, "mean": mean, "largest": 1.0}
        return {"bytes": 1, "endpoints": {"encode": {"z": values}, "decode": {"image": values}}}

    parity = {
        "kinds": {"encode": {"z": "latent"}, "decode": {"image": "image"}},
        "files": {"float32": file(2e-5, 1e-6), "int8": file(0.3, 0.019), "dynamic": file(0.3, 0.021)},
    }
    within = {(row["precision"], row["endpoint"]): row["within"] for row in parity_rows(parity)}
    assert within == {
        ("float32", "encode"): None, ("float32", "decode"): False,
        ("int8", "encode"): None, ("int8", "decode"): True,
        ("dynamic", "encode"): None, ("dynamic", "decode"): False,
    }  # fmt: skip


def test_one_line_says_what_was_used_in_place_of_validation_images():
    parity = {"examples": 64, "calibrated_on": 128, "images": {"comparison": {"validation": 64}}}
    assert few_images(parity) is None and few_images({}) is None  # an earlier export does not say
    parity["images"] = {"comparison": {"validation": 2, "train": 62}, "calibration": {"train": 128}}
    assert few_images(parity) == (
        "Compared on 2 validation and 62 training images; int8 calibrated on 128 training images: there are fewer than "
        "64 validation images"
    )
    parity = {"examples": 32, "calibrated_on": None, "images": {"comparison": {"train": 3}}}
    assert few_images(parity) == (
        "Compared on 3 training images, repeated to 32 rows: there are fewer than 64 validation images"
    )
