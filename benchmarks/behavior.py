"""Short seeded trainings of every system, recorded so that two versions of the library can be compared.

    python -m benchmarks.behavior record before.npz      in each of the two checkouts
    python -m benchmarks.behavior compare before.npz after.npz

Each system of tests/toys.py is trained for three epochs and exported in every precision. A recording has the losses,
the weights, images for one seed, and the errors of the exported files against Keras. `compare` writes the largest
differences of two recordings to benchmarks/results/behavior.json. Values are matched by their order, so that metrics
may be renamed.
"""

import pathlib
import tempfile

import numpy as np
import typer

app = typer.Typer(add_completion=False)
EPOCHS, EXAMPLES, IMAGES, SEED = 3, 18, 4, 7


@app.command()
def record(out: pathlib.Path, only: str = "") -> None:
    """Trains and exports every system, or one of them, and writes the results.

    Args:
        out: The .npz file to write.
        only: The key of the only system to record.
    """
    import keras

    from keras_gen.export import PRECISIONS, export_model, parity_rows
    from keras_gen.runs import read_json
    from tests.toys import TOYS

    arrays = {}
    for key, toy in TOYS.items():
        if only and key != only:
            continue
        keras.utils.clear_session()
        model = toy.build()
        history = model.fit(toy.dataset(EXAMPLES), epochs=EPOCHS, verbose=0).history
        arrays[f"{key}/losses"] = np.array(list(history.values()), np.float64)
        arrays[f"{key}/metrics"] = np.array(list(history))
        arrays[f"{key}/weights"] = np.concatenate([np.ravel(v).astype(np.float64) for v in model.get_weights()])
        arrays[f"{key}/images"] = np.asarray(toy.images(model, IMAGES, SEED))
        with tempfile.TemporaryDirectory() as folder:
            export_model(model, pathlib.Path(folder) / "export", calibration=toy.columns(40), quantize=PRECISIONS)
            rows = parity_rows(read_json(pathlib.Path(folder) / "export" / "parity.json"))
        arrays[f"{key}/parity"] = np.array([[row["max"], row["mean"]] for row in rows])
        print(key, flush=True)
    np.savez_compressed(out, **arrays)


@app.command()
def compare(before: pathlib.Path, after: pathlib.Path) -> None:
    """Compares two recordings and writes the largest differences.

    Args:
        before: A recording of `record`.
        after: Another one, of the same systems.
    """
    from . import record as results

    first, second = np.load(before), np.load(after)
    if set(first) != set(second):
        raise typer.BadParameter(
            f"Expected recordings of the same systems; received {sorted(set(first) ^ set(second))}"
        )
    systems: dict[str, dict] = {}
    for name in first:
        key, what = name.split("/")
        if what == "metrics":
            continue
        a, b = first[name], second[name]
        same = a.shape == b.shape
        difference = float(np.max(np.abs(a - b), initial=0.0)) if same else None
        systems.setdefault(key, {})[what] = difference
        print(f"{key:12} {what:8} {'other shape' if difference is None else f'{difference:.2g}'}")
    print(results.write("behavior", {"largest_differences": systems}))


if __name__ == "__main__":
    app()
