"""Differences between an exported model and Keras."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_gen.runtime.description import KINDS
from keras_gen.runtime.schema import (
    DIGEST,
    NUMBER,
    TEXT,
    Each,
    Items,
    Nullable,
    check_entries,
    damaged,
    integer,
    one_of,
    read_object,
)

COMPARISON = 64  # rows that are compared, if there are as many images
MAX_RELATIVE_ERROR = 1e-3  # of a float32 conversion that is equivalent to Keras
# float32 differs in the order of sums only; an image's error is in units of its range [0, 1]
BOUNDS = {"float32": ("max", 1e-5), "float16": ("max", 1e-2), "dynamic": ("mean", 0.02), "int8": ("mean", 0.02)}
ERRORS = {"max": NUMBER, "mean": NUMBER}
ROWS = integer(1, 2**31 - 1)
RULES = {
    "examples?": ROWS,
    "calibrated_on?": Nullable(ROWS),
    "images?": {"comparison": {"train?": ROWS, "validation?": ROWS}, "calibration?": {"train": ROWS}},
    "kinds": Each(Each(one_of(KINDS))),
    "files": Each({"bytes": integer(1, 2**40), "float_fallback?": Items(TEXT), "endpoints": Each(Each(ERRORS))}),
    "saved_model?": {"bytes": integer(1, 2**40), "sha256": Each(DIGEST)},
}


def read_parity(folder: pathlib.Path) -> dict[str, Any]:
    """Reads and checks the parity.json of an export folder.

    Args:
        folder: the export folder.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is damaged.
    """
    file = folder / "parity.json"
    parity = read_object(file)
    check_entries(file, parity, RULES)
    for precision, content in parity["files"].items():
        if precision not in BOUNDS:
            raise damaged(file, "files", f"the precisions {', '.join(BOUNDS)}", repr(precision))
        for endpoint, outputs in content["endpoints"].items():
            for output in outputs:
                if output not in parity["kinds"].get(endpoint, {}):
                    raise damaged(file, f"kinds.{endpoint}.{output}", "an entry", "none")
    return parity


def errors(expected: Mapping[str, np.ndarray], received: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Computes the largest and the mean absolute difference of every output.

    Args:
        expected: output -> array, from Keras.
        received: output -> array of the same shape, from the exported model.

    Returns:
        output -> {"max", "mean", "largest"}; "largest" is the largest absolute value expected.

    Raises:
        ValueError: for other names or shapes, or values that are not finite.
    """
    if set(expected) != set(received):
        raise ValueError(f"Expected the outputs {sorted(expected)} of Keras; received {sorted(received)}")
    result = {}
    for name, values in expected.items():
        outputs = received[name]
        if outputs.shape != values.shape:
            raise ValueError(
                f"Expected output {name!r} with Keras's shape {list(values.shape)}; received {list(outputs.shape)}"
            )
        if not np.all(np.isfinite(outputs)):
            raise ValueError(f"Expected finite values of output {name!r}; received NaN or infinity")
        difference = np.abs(outputs.astype(np.float64) - values)
        result[name] = {
            "max": float(difference.max()),
            "mean": float(difference.mean()),
            "largest": float(np.abs(values).max()),
        }
    return result


def check_equivalence(output_errors: Mapping[str, Mapping[str, float]], what: str) -> None:
    """Checks that a float32 conversion computes the function of Keras, up to far more than rounding.

    Args:
        output_errors: output -> its errors, as `errors` returns them.
        what: the endpoint and the file, for the message.

    Raises:
        ValueError: if an error exceeds 1e-3 of the values' size (at least 1).
    """
    for output, values in output_errors.items():
        bound = MAX_RELATIVE_ERROR * max(1.0, values["largest"])
        if values["max"] > bound:
            raise ValueError(
                f"{what} differs from Keras: output {output!r}: expected at most {bound:.3g}; received "
                f"{values['max']:.3g}"
            )


def tolerance_used(precision: str, kinds: Mapping, endpoints: Mapping) -> float:
    """Returns the fraction of the error bound that a file's worst image uses: above 1 violates it; 0 without images.

    Args:
        precision: of the file.
        kinds: endpoint -> {output: its kind}.
        endpoints: endpoint -> {output: its errors}, as `errors` returns them.
    """
    measure, bound = BOUNDS[precision]
    images = [
        values[measure] / bound
        for endpoint, outputs in endpoints.items()
        for output, values in outputs.items()
        if kinds[endpoint][output] == "image"
    ]
    return max(images, default=0.0)


def comparison_note(parity: Mapping[str, Any]) -> str | None:
    """Returns a line about the images of comparison and calibration, or None if 64 validation images were compared.

    Args:
        parity: the content of parity.json.
    """
    images = parity.get("images", {})
    if "train" not in images.get("comparison", {}):
        return None
    compared, rows = images["comparison"], parity["examples"]
    names = {"validation": "validation", "train": "training"}
    line = f"Compared on {' and '.join(f'{count} {names[split]}' for split, count in compared.items())} images"
    line += f", repeated to {rows} rows" if rows > sum(compared.values()) else ""
    if "calibration" in images:
        calibrated, rows = images["calibration"]["train"], parity["calibrated_on"]
        line += f"; int8 calibrated on {calibrated} training images"
        line += f", repeated to {rows} rows" if rows > calibrated else ""
    return f"{line}: there are fewer than {COMPARISON} validation images"


def parity_rows(parity: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Converts parity.json to rows.

    Args:
        parity: the content of parity.json.

    Returns:
        dicts with `precision`, `endpoint`, `output`, `kind`, `max`, `mean`, `bytes` and `within`: whether an image's
        error is within the bound of its precision (`BOUNDS`); None for outputs that are not images.
    """
    rows = []
    for precision, file in parity["files"].items():
        measure, bound = BOUNDS[precision]
        for endpoint, outputs in file["endpoints"].items():
            for output, values in outputs.items():
                kind = parity["kinds"][endpoint][output]
                rows.append({
                    "precision": precision, "endpoint": endpoint, "output": output, "kind": kind,
                    "max": values["max"], "mean": values["mean"], "bytes": file["bytes"],
                    "within": values[measure] <= bound if kind == "image" else None,
                })  # fmt: skip
    return rows
