"""All systems in one table: the parts of the contract that they pass, sizes and errors of their exported files.

    python -m benchmarks.systems [--readme] [--only KEY]

tests/contract.py has the contract, which is tested on the toys. The files are exported from a run of a few steps with
the default networks on `shapes`: sizes depend on the networks only, errors also on the training. An error is the
error of images in [0, 1] against Keras, over all endpoints: the largest for float32 and float16, the mean for dynamic
and int8. Writes benchmarks/results/systems.json and, with --readme, the table between its marks in README.md.
"""

import pathlib
import tempfile
from typing import Any

import typer

import keras_gen
from benchmarks import record
from demos.app import build_tab
from demos.artifacts import Artifact
from keras_gen import zoo
from keras_gen.export import PRECISIONS, parity_rows
from keras_gen.export.parity import BOUNDS
from keras_gen.runs import read_json
from tests import conftest as conftest
from tests import contract
from tests.toys import TOYS

README = pathlib.Path(__file__).parents[1] / "README.md"
MARKS = "<!-- made by python -m benchmarks.systems --readme -->", "<!-- end -->"
CHECKS = {
    "fit": lambda toy, folder: contract.check_trains(contract.train(toy, folder)),
    "resume": lambda toy, folder: contract.check_resumes_exactly(contract.train(toy, folder)),
    "two replicas": contract.check_two_replicas_equal_one_device,
    "SavedModel and runtime": lambda toy, folder: contract.check_export(contract.train(toy, folder), folder),
}
# options of the short run, for systems whose defaults take too long
SHORT: dict[str, dict] = {
    "progan": {"steps": 2, "epochs": 9, "settings": {"fade_images": 1, "stable_images": 1}},
    "text2image": {"settings": {"embedding": {"updates": 10}, "vae": {"updates": 10}}},
}


def passed(key: str) -> dict[str, str]:
    """Returns {part of the contract: "yes" or the error}."""
    results = {}
    for name, check in CHECKS.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(TOYS[key], pathlib.Path(folder))
                results[name] = "yes"
            except Exception as error:  # every error is a result
                results[name] = f"no: {type(error).__name__}: {' '.join(str(error).split())[:100]}"
    return results


def files(key: str, folder: pathlib.Path, data_dir: str | None) -> dict:
    """Returns {precision: bytes, size relative to float32, error}, and whether the demo opens the export."""
    options: dict[str, Any] = {"steps": 10, "epochs": 1, "data_dir": data_dir, "verbose": 0, **SHORT.get(key, {})}
    run = keras_gen.train(key, "shapes", folder / key, **options)
    out = keras_gen.export.export(run, quantize=PRECISIONS)
    parity = read_json(out / "parity.json")
    image_rows = [row for row in parity_rows(parity) if row["kind"] == "image"]
    whole = parity["files"]["float32"]["bytes"]
    exported = {}
    for precision, file in parity["files"].items():
        errors = [row[BOUNDS[precision][0]] for row in image_rows if row["precision"] == precision]
        exported[precision] = {"bytes": file["bytes"], "ratio": round(file["bytes"] / whole, 3), "error": max(errors)}
    build_tab(Artifact(key, out))  # raises an error if there is none
    return {"image_shape": list(run.image_shape), "files": exported, "demo": "yes"}


def table(systems: dict) -> list[str]:
    """Returns the lines of the table in the README."""
    names = [*CHECKS, "demo"]
    heads = ["key", *names, *(f"{name}: error" + ("" if name == "float32" else ", size") for name in PRECISIONS)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for key, one in systems.items():
        cells = [f"`{key}`", *(one["contract"][name] for name in CHECKS), one["demo"]]
        for name in PRECISIONS:
            file = one["files"][name]
            size = f"{file['bytes'] / 1e6:.2f} MB" if name == "float32" else f"{file['ratio']:.2f}"
            cells.append(f"{file['error']:.0e}, {size}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(readme: bool = False, only: str = "", data_dir: str = "", out: str = "systems") -> None:
    """Measures all systems, or one; other rows of an earlier result remain."""
    rows = record.read(out).get("systems", {})
    for key in [only] if only else zoo.SYSTEMS:
        with tempfile.TemporaryDirectory() as folder:
            rows[key] = {"contract": passed(key), **files(key, pathlib.Path(folder), data_dir or None)}
        ordered = {key: rows[key] for key in zoo.SYSTEMS if key in rows}
        print(f"{key}: wrote {record.write(out, {'systems': ordered})}", flush=True)
    lines = "\n".join(table(ordered))
    print(lines)
    if readme:
        text = README.read_text()
        before, rest = text.split(MARKS[0])
        after = rest.split(MARKS[1], 1)[1]
        README.write_text(f"{before}{MARKS[0]}\n\n{lines}\n\n{MARKS[1]}{after}")


if __name__ == "__main__":
    typer.run(main)
