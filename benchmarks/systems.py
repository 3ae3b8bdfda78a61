"""All systems in one table: what of the contract they pass, and their exported files with sizes and errors.

    python -m benchmarks.systems [--readme] [--only KEY]

The contract is that of tests/contract.py, on its toys. The files are those of a run with the zoo's own networks on
`shapes`, a few steps long: sizes hang on the networks alone, errors on the training as well. An error is the worst
endpoint's, of images in [0, 1] against Keras: the largest for float32 and float16, the mean for dynamic and int8.
Writes benchmarks/results/systems.json and, with --readme, the table between its marks in README.md.
"""

import json
import pathlib
import tempfile

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
    "two replicas": contract.check_two_replicas_are_one_device,
    "SavedModel and runtime": lambda toy, folder: contract.check_export(contract.train(toy, folder), folder),
}
# of the short run behind the files, where the zoo's own are too long
SHORT = {
    "progan": {"steps": 2, "epochs": 9, "settings": {"fade_images": 1, "stable_images": 1}},
    "text2image": {"settings": {"embedding": {"epochs": 1}, "vae": {"epochs": 1}}},
}


def passed(key: str) -> dict[str, str]:
    """Part of the contract -> "yes", or what went wrong."""
    found = {}
    for name, check in CHECKS.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(TOYS[key], pathlib.Path(folder))
                found[name] = "yes"
            except Exception as error:  # whatever a check meets is its answer
                found[name] = f"no: {type(error).__name__}: {' '.join(str(error).split())[:100]}"
    return found


def files(key: str, folder: pathlib.Path, data_dir: str | None) -> dict:
    """Precision -> bytes, size over that of float32, and error; and whether the demo opens them."""
    options = {"steps": 10, "epochs": 1, "data_dir": data_dir, "verbose": 0, **SHORT.get(key, {})}
    run = keras_gen.train(key, "shapes", folder / key, **options)
    out = keras_gen.export.export(run, quantize=PRECISIONS)
    parity = read_json(out / "parity.json")
    rows = [row for row in parity_rows(parity) if row["kind"] == "image"]
    whole = parity["files"]["float32"]["bytes"]
    found = {}
    for precision, file in parity["files"].items():
        errors = [row[BOUNDS[precision][0]] for row in rows if row["precision"] == precision]
        found[precision] = {"bytes": file["bytes"], "ratio": round(file["bytes"] / whole, 3), "error": max(errors)}
    build_tab(Artifact(key, out))  # raises an error if the export has no demo
    return {"image_shape": list(run.image_shape), "files": found, "demo": "yes"}


def table(systems: dict) -> list[str]:
    """The rows of the README."""
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
    """Measure the systems, or one; other rows of a former result stay."""
    former = record.RESULTS / f"{out}.json"
    found = json.loads(former.read_text())["systems"] if former.exists() else {}
    for key in [only] if only else zoo.SYSTEMS:
        with tempfile.TemporaryDirectory() as folder:
            found[key] = {"contract": passed(key), **files(key, pathlib.Path(folder), data_dir or None)}
        ordered = {key: found[key] for key in zoo.SYSTEMS if key in found}
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
