"""Export of a run or a model: SavedModel and TFLite, checked against Keras before anything is replaced."""

import os
import pathlib
import shutil
from collections.abc import Sequence

from keras_gen import zoo
from keras_gen.models import GenerativeModel
from keras_gen.progress import report
from keras_gen.runs import Run

from . import folder as folders
from .cast_to_float32 import in_float32
from .examples import CALIBRATION, Examples, choose_examples, columns_of, endpoint_inputs, num_rows, run_in_batches
from .parity import COMPARISON
from .precisions import file_names, parse_formats, parse_precisions
from .request import check_batch, check_request
from .runtime import READING
from .saved_model import write_saved_model
from .subprocess_conversion import convert_and_check

TRACED = "traced"


def export(
    run: str | os.PathLike | Run,
    *,
    format: str | Sequence[str] = "tflite",
    quantize: str | Sequence[str] = ("int8",),
    batch: int = 1,
    out: str | os.PathLike | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> pathlib.Path:
    """Export a run's model; int8 is calibrated on the run's own training images.

    Any number of images is enough. The export is compared with Keras on validation images, and on training images where
    there are fewer than 64 of these; parity.json states how many of which were used.

    Where images of an int8 file are further from Keras' than half of the bound (a mean of 0.02), what int8 rounds badly
    is left in float32: the arithmetic of normalizations, then transposed convolutions too. Where that does not bring
    them so near, as little as keeps the bound is, and the closest file where none does. parity.json names these ops as
    `float_fallback`; the weights of layers stay int8. The choice is made on the examples whose errors are stated.

    Args:
        run: a run directory, or a `Run`.
        format: `"tflite"`, `"saved_model"`, or both.
        quantize: precisions of the TFLite files, of `"none"` (float32), `"float16"`, `"dynamic"`, `"int8"`; several as
            a sequence or with commas. The first is `model.tflite`, which the runtime opens by default.
        batch: fixed batch size of the TFLite files, 1 to 65536; any number of examples runs in steps of it.
        out: the export folder; default `export/` in the run, where an earlier export is replaced.
        seed: seed of the noise used in calibration and comparison, and of the choice of their images.
        overwrite: whether an export of other weights in `out` is replaced.

    Returns:
        The folder: model.tflite, model.json, parity.json, runtime.py, requirements.txt, saved_model/ (where asked
        for). It is complete in itself.

    Raises:
        FileNotFoundError: where there is no run, or it has no trained model.
        FileExistsError: where `out` holds an export of other weights, and `overwrite` is False.
        ValueError: for an unknown format or precision, or endpoints that TFLite's builtin ops cannot express.
        RuntimeError: where conversion fails or crashes. An earlier export is then left as it was.

    Example:
        >>> keras_gen.export.export("runs/vae", quantize=("int8", "float32"))
        PosixPath('runs/vae/export')
    """
    run = run if isinstance(run, Run) else Run.open(run)
    # all of this before the model and the data are loaded
    formats, precisions, folder = check_request(run, format=format, quantize=quantize, batch=batch, out=out)
    report("Loading the model")
    model = run.load_model()
    if out is not None and not overwrite:
        folders.check_same_weights(folder, model)
    report("Reading the images")
    # a few hundred images: not the whole set into memory; every one of a small set; labeled ones are no input of any
    # endpoint, and cannot be taken from a stream
    reading = {"cache": None, "drop_remainder": False, "shuffle": True, "labeled": None}
    fields = tuple(model.image_fields)
    training, validation = run.dataset("train", **reading), None
    train = columns_of(training, CALIBRATION + COMPARISON, fields, seed)
    if run.config["data"].get("splits", {}).get("validation"):
        validation = columns_of(run.dataset("validation", **reading), COMPARISON, fields, seed)
    names = getattr(model, "label_names", None) or getattr(getattr(training, "info", None), "label_names", None)
    system = run.config["system"]
    return _export(
        model,
        folder,
        formats=formats,
        precisions=precisions,
        batch=batch,
        examples=choose_examples(train, validation, batch=batch),
        system=system,
        title=zoo.SYSTEMS[system].title if system in zoo.SYSTEMS else system,
        labels=list(names) if names else None,
        reading={name: run.config["data"][name] for name in READING if run.config["data"].get(name) is not None},
        seed=seed,
    )


def export_model(
    model: GenerativeModel,
    folder: str | os.PathLike,
    *,
    calibration,
    format: str | Sequence[str] = ("tflite", "saved_model"),
    quantize: str | Sequence[str] = ("int8",),
    batch: int = 1,
    system: str | None = None,
    title: str | None = None,
    labels: Sequence[str] | None = None,
    value_range: tuple[float, float] | None = None,
    seed: int = 0,
) -> pathlib.Path:
    """Export a model that has no run directory.

    Args:
        model: a built model with `endpoints()`.
        folder: the export folder; an earlier export there is replaced.
        calibration: real images [num, height, width, channels] in [0, 1], a dict of arrays with `image` (and `label`),
            or a dataset of such batches, which is read from its beginning. 192 images are drawn of arrays: 128
            calibrate int8 and 64 are compared; of fewer, two thirds and one third (at least 32, with overlap where
            there are fewer than 96, and repeated where there are fewer than 32).
        format, quantize, batch, seed: as for `export`.
        system, title: what model.json says it is; default the model's `system`, or the class name.
        labels: names of the classes; default the model's `label_names`.
        value_range: (black, white): the stored numbers that became 0 and 1 in the training data, by which image files
            are to be read; None for the usual 0 to 255.

    Returns:
        The folder.

    Raises:
        ValueError, RuntimeError: as `export`.
    """
    check_batch(batch)
    columns = columns_of(calibration, CALIBRATION + COMPARISON, tuple(model.image_fields), seed)
    name = type(model).__name__
    labels = labels if labels is not None else getattr(model, "label_names", None)
    return _export(
        model,
        pathlib.Path(folder),
        formats=parse_formats(format),
        precisions=parse_precisions(quantize),
        batch=batch,
        examples=choose_examples(columns, batch=batch),
        system=system or model.system or name.lower(),
        title=title or name,
        labels=list(labels) if labels is not None else None,
        reading={} if value_range is None else {"value_range": [float(value) for value in value_range]},
        seed=seed,
    )


def _export(
    model, folder, *, formats, precisions, batch, examples: Examples, system, title, labels, reading, seed
) -> pathlib.Path:
    folders.check_replaceable(folder)
    model = in_float32(model)
    endpoints = model.endpoints()
    files = file_names(precisions) if "tflite" in formats else {}
    calibrated = "int8" in files
    inputs = endpoint_inputs(model, endpoints, examples.comparison, seed)
    report("Computing what Keras gives for the comparison")
    tables = {
        "calibration": endpoint_inputs(model, endpoints, examples.calibration, seed + 1) if calibrated else {},
        "inputs": inputs,
        "expected": {each.name: run_in_batches(each, inputs[each.name]) for each in endpoints},
    }
    saved = folders.SAVED_MODEL if "saved_model" in formats else None
    scratch = folders.scratch_beside(folder)
    try:
        report("Tracing the endpoints")
        if files:
            write_saved_model(endpoints, scratch / TRACED, batch)
        if saved:
            write_saved_model(endpoints, scratch / saved)
        kinds = {each.name: {name: port.kind for name, port in each.outputs.items()} for each in endpoints}
        result = convert_and_check(
            scratch, traced=TRACED, files=files, batch=batch, saved_model=saved, tables=tables, kinds=kinds
        )
        new = scratch / "new"
        new.mkdir()
        for name in [*files.values(), *([saved] if saved else [])]:
            os.replace(scratch / name, new / name)
        about = {"system": system, "title": title, "batch": batch, "labels": labels, "reading": reading}
        description = folders.describe(model, endpoints, **about)
        description["saved_model"] = saved
        description["preferred"] = precisions[0] if files else None
        description["files"] = {
            precision: {key: file[key] for key in ("file", "bytes", "sha256")}
            for precision, file in result["files"].items()
        }
        parity = {
            "format": folders.FORMAT,
            "against": "Keras, eager, float32",
            # rows, and the different images in them by split
            "examples": num_rows(examples.comparison),
            "calibrated_on": num_rows(examples.calibration) if calibrated else None,
            "images": examples.images if calibrated else {"comparison": examples.images["comparison"]},
            "seed": seed,
            "units": "absolute difference; images have the range [0, 1]; largest is the largest value",
            "kinds": kinds,
            **result,
        }
        folders.finish(new, folder, description, parity)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder
