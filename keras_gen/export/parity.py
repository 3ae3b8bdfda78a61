"""Differences between an exported model and Keras."""

import pathlib

import numpy as np

from .runtime import KINDS, NUMBER, TEXT, Each, Items, Nullable, check_entries, damaged, integer, one_of, read_object

COMPARISON = 64  # rows that are compared, where there are as many images
UNFAITHFUL = 1e-3
# float32 agrees but for the order of sums; an image's error is quoted in units of its range [0, 1]
BOUNDS = {"float32": ("max", 1e-5), "float16": ("max", 1e-2), "dynamic": ("mean", 0.02), "int8": ("mean", 0.02)}
ERRORS = {"max": NUMBER, "mean": NUMBER}
ROWS = integer(1, 2**31 - 1)
RULES = {
    "examples?": ROWS,
    "calibrated_on?": Nullable(ROWS),
    "images?": {"comparison": {"train?": ROWS, "validation?": ROWS}, "calibration?": {"train": ROWS}},
    "kinds": Each(Each(one_of(KINDS))),
    "files": Each({"bytes": integer(1, 2**40), "float_fallback?": Items(TEXT), "endpoints": Each(Each(ERRORS))}),
}


def read_parity(folder: pathlib.Path) -> dict:
    """Read and check the parity.json of an export folder.

    Raises:
        FileNotFoundError: where it is missing.
        ValueError: where it is damaged, with the file, the entry, what was expected and what was received.
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


def errors(expected: dict[str, np.ndarray], received: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Largest and mean absolute difference for every output.

    Args:
        expected, received: output -> array, of the same names and shapes.

    Returns:
        Output -> {"max", "mean", "largest"}, largest being the largest absolute value expected.

    Raises:
        ValueError: for other names or shapes, or values that are not finite.
    """
    if set(expected) != set(received):
        raise ValueError(f"outputs {sorted(received)} where Keras has {sorted(expected)}")
    result = {}
    for name, wanted in expected.items():
        found = received[name]
        if found.shape != wanted.shape:
            raise ValueError(f"output {name!r} has the shape {list(found.shape)} where Keras has {list(wanted.shape)}")
        if not np.all(np.isfinite(found)):
            raise ValueError(f"output {name!r} holds values that are not finite (NaN or infinity)")
        difference = np.abs(found.astype(np.float64) - wanted)
        result[name] = {"max": difference.max(), "mean": difference.mean(), "largest": np.abs(wanted).max()}
        result[name] = {key: float(value) for key, value in result[name].items()}
    return result


def check_equivalence(found: dict[str, dict[str, float]], what: str) -> None:
    """Refuse a float32 conversion that computes something else than Keras: far beyond rounding.

    Args:
        found: what `errors` returned.
        what: the endpoint and the file, for the message.

    Raises:
        ValueError: where an error exceeds 1e-3 of the values' size (at least 1).
    """
    for output, values in found.items():
        if values["max"] > UNFAITHFUL * max(1.0, values["largest"]):
            raise ValueError(f"{what} differs from Keras: output {output!r} by up to {values['max']:.3g}")


def tolerance_used(precision: str, kinds: dict, endpoints: dict) -> float:
    """How much of the bound the worst image of a file uses: 1 is all of it; 0 without images.

    Args:
        precision: of the file.
        kinds: endpoint -> {output: its kind}.
        endpoints: endpoint -> what `errors` returned.
    """
    measure, bound = BOUNDS[precision]
    images = [
        values[measure] / bound
        for endpoint, outputs in endpoints.items()
        for output, values in outputs.items()
        if kinds[endpoint][output] == "image"
    ]
    return max(images, default=0.0)


def few_images(parity: dict) -> str | None:
    """What the comparison and the calibration used where there were too few validation images, in one line."""
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


def parity_rows(parity: dict) -> list[dict]:
    """parity.json as rows: `precision`, `endpoint`, `output`, `kind`, `max`, `mean`, `bytes`, `within`.

    `within` says whether an image's error stays inside the bound of its precision (`BOUNDS`); None for outputs that
    are no images.
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
