"""Export of a run or a model: SavedModel and TFLite, checked against Keras before anything is replaced."""

import os
import pathlib
import shutil
from collections.abc import Sequence
from typing import Any

from keras_gen import zoo
from keras_gen.models import GenerativeModel
from keras_gen.progress import report
from keras_gen.runs import Run
from keras_gen.runtime.description import PREPROCESSING

from . import folder as folders
from .cast_to_float32 import cast_to_float32
from .examples import CALIBRATION, Examples, choose_examples, columns_of, endpoint_inputs, num_rows, run_eagerly
from .parity import COMPARISON
from .precisions import file_names, parse_formats, parse_precisions
from .request import check_batch, check_request
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
    """Exports a run's model; int8 is calibrated on the run's own training images.

    Any number of images is enough. The export is compared with Keras on validation images, and on training images if
    there are fewer than 64 of these; parity.json states the number of each.

    If the images of an int8 file differ from Keras by more than half of the bound (a mean of 0.02), operations that
    int8 rounds badly compute in float32: the arithmetic of normalizations, then transposed convolutions too. If that
    does not reach half of the bound, the file with the fewest float32 operations within the bound is used, else the
    closest one. parity.json lists these operations as `float_fallback`; the weights of layers stay int8. The choice is
    made on the examples whose errors are reported.

    Args:
        run: a run directory, or a `Run`.
        format: `"tflite"`, `"saved_model"`, or both.
        quantize: precisions of the TFLite files: `"none"` (float32), `"float16"`, `"dynamic"`, `"int8"`; several as a
            sequence or separated by commas. The first is `model.tflite`, which the runtime opens by default.
        batch: fixed batch size of the TFLite files, 1 to 65536; any number of examples runs in steps of it.
        out: the export folder; default `export/` in the run, where an earlier export is replaced.
        seed: seed of the noise used in calibration and comparison, and of the choice of their images.
        overwrite: whether an export of other weights in `out` is replaced.

    Returns:
        the folder: model.tflite, model.json, parity.json, runtime/ (the device runtime), requirements.txt, and
        saved_model/ if requested. It is self-contained.

    Raises:
        FileNotFoundError: if the run does not exist, or has no trained model.
        FileExistsError: if `out` holds an export of other weights, and `overwrite` is False.
        ValueError: for an unknown format or precision, or endpoints that TFLite's builtin operations cannot express.
        RuntimeError: if the conversion fails or crashes. An earlier export is then unchanged.

    Example:
        >>> keras_gen.export.export("runs/vae", quantize=("int8", "float32"))  # doctest: +SKIP
        PosixPath('runs/vae/export')
    """
    run = run if isinstance(run, Run) else Run.open(run)
    # all checks before the model and the data are loaded
    formats, precisions, folder = check_request(run, format=format, quantize=quantize, batch=batch, out=out)
    report("Loading the model")
    model = run.load_model()
    if out is not None and not overwrite:
        folders.check_same_weights(folder, model)
    report("Reading the images")
    # a few hundred images: a large dataset is not read into memory, and a small one is used completely. No endpoint
    # takes labeled images, which cannot be selected from a stream
    options = {"cache": None, "drop_remainder": False, "shuffle": True, "labeled": None}
    fields = tuple(model.image_fields)
    training, validation = run.dataset("train", **options), None
    train = columns_of(training, CALIBRATION + COMPARISON, fields, seed)
    if run.config["data"].get("splits", {}).get("validation"):
        validation = columns_of(run.dataset("validation", **options), COMPARISON, fields, seed)
    names = getattr(model, "label_names", None) or getattr(getattr(training, "info", None), "label_names", None)
    system = run.config["system"]
    data = run.config["data"]
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
        preprocessing={name: data[name] for name in PREPROCESSING if data.get(name) is not None},
        seed=seed,
    )


def export_model(
    model: GenerativeModel,
    folder: str | os.PathLike,
    *,
    calibration: Any,
    format: str | Sequence[str] = ("tflite", "saved_model"),
    quantize: str | Sequence[str] = ("int8",),
    batch: int = 1,
    system: str | None = None,
    title: str | None = None,
    labels: Sequence[str] | None = None,
    value_range: tuple[float, float] | None = None,
    seed: int = 0,
) -> pathlib.Path:
    """Exports a model that has no run directory.

    Args:
        model: a built model with `endpoints()`.
        folder: the export folder; an earlier export there is replaced.
        calibration: real images [num, height, width, channels] in [0, 1], a dict of arrays with `image` (and `label`),
            or a dataset of such batches, which is read from its beginning. 192 images of arrays are used: 128 calibrate
            int8 and 64 are compared; of fewer, two thirds and one third (at least 32, with overlap if there are fewer
            than 96, and repeated if there are fewer than 32).
        format: as in `export`.
        quantize: as in `export`.
        batch: as in `export`.
        system: key of the system in model.json; default the model's `system`, or its class name.
        title: name of the system for people; default the class name.
        labels: names of the classes; default the model's `label_names`.
        value_range: (black, white): the stored numbers that became 0 and 1 in the training data, by which image files
            are read; None is 0 to 255.
        seed: as in `export`.

    Returns:
        the folder.

    Raises:
        ValueError: as `export`.
        RuntimeError: as `export`.

    Example:
        >>> export_model(model, "exported", calibration=images)  # doctest: +SKIP
        PosixPath('exported')
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
        preprocessing={} if value_range is None else {"value_range": [float(value) for value in value_range]},
        seed=seed,
    )


def _export(
    model: GenerativeModel,
    folder: pathlib.Path,
    *,
    formats: Sequence[str],
    precisions: Sequence[str],
    batch: int,
    examples: Examples,
    system: str,
    title: str,
    labels: list[str] | None,
    preprocessing: dict[str, Any],
    seed: int,
) -> pathlib.Path:
    folders.check_replaceable(folder)
    model = cast_to_float32(model)
    endpoints = model.endpoints()
    files = file_names(precisions) if "tflite" in formats else {}
    calibrated = "int8" in files
    inputs = endpoint_inputs(model, endpoints, examples.comparison, seed)
    report("Running the endpoints in Keras")
    tables = {
        "calibration": endpoint_inputs(model, endpoints, examples.calibration, seed + 1) if calibrated else {},
        "inputs": inputs,
        "expected": {each.name: run_eagerly(each, inputs[each.name]) for each in endpoints},
    }
    saved_model = folders.SAVED_MODEL if "saved_model" in formats else None
    scratch = folders.create_scratch(folder)
    try:
        report("Tracing the endpoints")
        if files:
            write_saved_model(endpoints, scratch / TRACED, batch)
        if saved_model:
            write_saved_model(endpoints, scratch / saved_model)
        kinds = {each.name: {name: port.kind for name, port in each.outputs.items()} for each in endpoints}
        result = convert_and_check(
            scratch, traced=TRACED, files=files, batch=batch, saved_model=saved_model, tables=tables, kinds=kinds
        )
        new = scratch / "new"
        new.mkdir()
        for name in [*files.values(), *([saved_model] if saved_model else [])]:
            os.replace(scratch / name, new / name)
        description = folders.describe(
            model, endpoints, system=system, title=title, batch=batch, labels=labels, preprocessing=preprocessing
        )
        description["saved_model"] = saved_model
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
