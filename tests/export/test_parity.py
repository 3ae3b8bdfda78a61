"""Errors of exported files against hand-computed values, and inputs that are refused."""

import json
import shutil

import numpy as np
import pytest

from keras_gen.export.parity import check_equivalence, comparison_note, errors, parity_rows, read_parity, tolerance_used


def test_errors_by_hand():
    expected = {"image": np.array([[0.0, 0.5], [1.0, 0.25]], np.float32)}
    received = {"image": np.array([[0.1, 0.5], [0.7, 0.25]], np.float32)}
    result = errors(expected, received)["image"]
    assert result == pytest.approx({"max": 0.3, "mean": 0.1, "largest": 1.0}, abs=1e-7)


@pytest.mark.parametrize(
    ("received", "message"),
    [
        ({"z": np.zeros((2, 3))}, "Expected the outputs .'image'. of Keras; received .'z'."),
        ({"image": np.zeros((2, 4))}, r"Keras's shape \[2, 3\]; received \[2, 4\]"),
        ({"image": np.full((2, 3), np.nan)}, "Expected finite values"),
    ],
)
def test_incomparable_outputs_are_refused(received, message):
    with pytest.raises(ValueError, match=message):
        errors({"image": np.zeros((2, 3))}, received)


def test_conversions_that_are_not_equivalent_are_refused():
    check_equivalence({"z": {"max": 0.009, "mean": 0.0, "largest": 10.0}}, "encode")  # rounding of large values
    with pytest.raises(
        ValueError, match="encode differs from Keras: output 'z': expected at most 0.01; received 0.011"
    ):
        check_equivalence({"z": {"max": 0.011, "mean": 0.0, "largest": 10.0}}, "encode")


def test_tolerance_used_is_that_of_the_worst_image():
    def values(mean):
        return {"max": 1.0, "mean": mean, "largest": 1.0}

    kinds = {"encode": {"z": "latent"}, "decode": {"image": "image"}, "generate": {"image": "image"}}
    endpoints = {"encode": {"z": values(9.0)}, "decode": {"image": values(0.005)}, "generate": {"image": values(0.03)}}
    assert tolerance_used("int8", kinds, endpoints) == pytest.approx(1.5)
    assert tolerance_used("int8", kinds, {"decode": endpoints["decode"]}) == pytest.approx(0.25)
    assert tolerance_used("float16", kinds, {"decode": endpoints["decode"]}) == pytest.approx(
        100
    )  # by the largest error
    assert tolerance_used("int8", kinds, {"encode": endpoints["encode"]}) == 0


def test_rows_compare_image_errors_with_the_bound_of_the_precision():
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


def test_note_names_the_images_of_comparison_and_calibration():
    parity = {"examples": 64, "calibrated_on": 128, "images": {"comparison": {"validation": 64}}}
    assert comparison_note(parity) is None and comparison_note({}) is None
    parity["images"] = {"comparison": {"validation": 2, "train": 62}, "calibration": {"train": 128}}
    assert comparison_note(parity) == (
        "Compared on 2 validation and 62 training images; int8 calibrated on 128 training images: there are fewer than "
        "64 validation images"
    )
    parity = {"examples": 32, "calibrated_on": None, "images": {"comparison": {"train": 3}}}
    assert comparison_note(parity) == (
        "Compared on 3 training images, repeated to 32 rows: there are fewer than 64 validation images"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda parity: parity["files"].update(int4=parity["files"]["int8"]),
         "files: expected the precisions .*; received 'int4'"),
        (lambda parity: parity["kinds"].pop("decode"), r"kinds.decode.image: expected an entry; received none"),
        (lambda parity: parity["files"]["int8"]["endpoints"]["decode"]["image"].update(max="small"),
         "files.int8.endpoints.decode.image.max: expected a finite number; received 'small'"),
    ],
)  # fmt: skip
def test_a_damaged_parity_file_is_refused(folder, parity, tmp_path, change, message):
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("saved_model"))
    assert read_parity(copy) == parity
    damaged = json.loads(json.dumps(parity))
    change(damaged)
    (copy / "parity.json").write_text(json.dumps(damaged))
    with pytest.raises(ValueError, match=f"{copy / 'parity.json'} is damaged: {message}"):
        read_parity(copy)
