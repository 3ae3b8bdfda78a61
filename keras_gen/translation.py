"""Image files through a trained model, files in and files out: `keras-gen translate` and `keras-gen reconstruct`.

What a model can do follows from its endpoints: those that make an image of an image, alone or with a class, attributes
and noise, and those whose other inputs the model cuts out of an image itself.
"""

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from keras_gen.runtime import Runtime
from keras_gen.runtime.attributes import attribute_vectors
from keras_gen.runtime.images import decode_image, scale_image
from keras_gen.runtime.names import read_domain, read_index, read_indices
from keras_gen.runtime.noise import NOISE_KINDS, draw_noise
from keras_gen.runtime.resize import fit_image
from keras_gen.startup import starting

from . import pictures

RECONSTRUCT, TRANSLATE = "reconstruct", "translate"
DESCRIPTION = "model.json"
# kinds of inputs that are drawn, or given on the command line
_GIVEN = ("label", "attributes", *NOISE_KINDS)
BATCH = 32


class Converted(NamedTuple):
    """What became of image files.

    Attributes:
        written: the new files.
        failed: (file, reason) of those that could not be read.
    """

    written: list[pathlib.Path]
    failed: list[tuple[str, str]]


class _Model(NamedTuple):
    """A run's model or an export, as far as files are concerned.

    Attributes:
        system: its name, for messages.
        about: `labels`, `attributes` and `domains`, as model.json has them; missing where there are none.
        signatures: endpoint -> {"inputs": {name: {"shape", "kind"}}, "outputs": the same}.
        call: (endpoint, inputs) -> {output: [num, ...]}.
        noise: (num, seed) -> {input: [num, ...]}.
        columns: images [num, ...] -> inputs that the model makes of them; an export makes none.
        image_shape: (height, width, channels).
        reading: of the data that it was trained on, `crop`, `background` and `value_range`, where they are not usual.
    """

    system: str
    about: Mapping
    signatures: Mapping
    call: Callable
    noise: Callable
    columns: Callable
    image_shape: tuple[int, int, int]
    reading: Mapping


class _Task(NamedTuple):
    """An endpoint, and what it takes besides the images of files.

    Attributes:
        endpoint: its name.
        given: the input that takes the images; None where `columns` makes the inputs of them.
        made: the output that is written.
        shape: (height, width, channels) of the images that go in.
        fixed: further inputs, the same for every image: name -> [...].
    """

    endpoint: str
    given: str | None
    made: str
    shape: tuple[int, int, int]
    fixed: Mapping[str, np.ndarray]


def translate(
    source: str | os.PathLike,
    paths: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    *,
    to: str | None = None,
    attributes: str | None = None,
    **options,
) -> Converted:
    """Make images of other images, file by file: of the other domain, with other attributes, restored.

    Args:
        source: a run directory, a `.keras` file, or an export folder, which runs without TensorFlow.
        paths: image files, and folders, which are searched to the bottom.
        out: the folder to write to. A file keeps its name, and its place in the folder that was given; where its format
            cannot be written it becomes a .png, and where two would have the same name a number is added.
        to: of a model of two domains, the one to translate into: `"A"`, `"B"` or its name.
        attributes: names of the attributes that images are to have, with commas.
        **options: see `reconstruct`.

    Returns:
        The new files, and the files that could not be read with the reasons.

    Raises:
        FileNotFoundError: where the model or a path does not exist, or there is no image.
        FileExistsError: where a file would be overwritten.
        ValueError: for a model that makes no image of an image, or names that it does not know.

    Example:
        >>> translate("runs/cyclegan", ["photos"], "translated", to="B")  # doctest: +SKIP
    """
    return _convert(TRANSLATE, source, paths, out, to=to, attributes=attributes, **options)


def reconstruct(source: str | os.PathLike, paths: Sequence[str | os.PathLike], out: str | os.PathLike, **options):
    """Encode and decode image files.

    Args:
        source, paths, out: as for `translate`.
        **options: `label`, the class of all images, a name or an index, for a conditional model (default None);
            `seed` of noise (0); `limit`, so many files at most (None: all); `overwrite` files of these names (False);
            `batch_size`, images in memory at a time (32); `progress`, called with (what, done, total).

    Returns:
        As `translate`.

    Raises:
        FileNotFoundError, FileExistsError, ValueError: as `translate`.
    """
    return _convert(RECONSTRUCT, source, paths, out, **options)


def _convert(
    command: str,
    source,
    paths,
    out,
    *,
    to: str | None = None,
    attributes: str | None = None,
    label: str | None = None,
    seed: int = 0,
    limit: int | None = None,
    overwrite: bool = False,
    batch_size: int = BATCH,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Converted:
    for name, value in (("limit", limit), ("batch_size", batch_size)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{name} must be an integer >= 1; received {value!r}")
    out = pathlib.Path(out)
    pairs = targets(paths, out)[:limit]
    if not overwrite and (taken := [target for _, target in pairs if target.exists()]):
        more = f", and so do {len(taken) - 1:,} more" if len(taken) > 1 else ""
        raise FileExistsError(f"{taken[0]} exists{more}. Replace such files (--overwrite), or choose another --out")
    model = _open(pathlib.Path(source))
    task = _task(model, command, to, attributes, label)
    noise = model.noise(len(pairs), seed)  # of all at once, so that it does not depend on how they are split up
    written, failed = [], []
    for start in range(0, len(pairs), batch_size):
        progress(command, start, len(pairs))
        images, rows = [], []
        for row, (file, _) in enumerate(pairs[start : start + batch_size], start):
            try:
                images.append(_pixels(file, task.shape, model.reading))
                rows.append(row)
            except (ValueError, FileNotFoundError) as error:
                failed.append((str(file), str(error).removeprefix(f"{file}").lstrip(": ")))
        if images:
            made = _made(model, task, np.stack(images), {name: values[rows] for name, values in noise.items()})
            for row, image in zip(rows, made, strict=True):
                pictures.save(pairs[row][1], image, durable=False)
                written.append(pairs[row][1])
    progress(command, len(pairs), len(pairs))
    return Converted(written, failed)


# files


def targets(paths: Sequence[str | os.PathLike], out: pathlib.Path) -> list[tuple[pathlib.Path, pathlib.Path]]:
    """Pairs of an image file and the file to write, see `translate`.

    Raises:
        FileNotFoundError: for a path that does not exist, or where there is no image at all.
        ValueError: where a file would take the place of an image that is read.
    """
    from keras_gen.data.sources.image_file import EXTENSIONS
    from keras_gen.data.sources.links import find_files

    place, found, taken = out.resolve(), {}, set()
    for path in map(pathlib.Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: expected an image file or a folder of them")
        folder = path if path.is_dir() else path.parent
        written_before = path.is_dir() and place != path.resolve()  # what lies in `out`, inside of a folder to search
        files = (
            [each for each in find_files(path, path) if each.suffix.lower() in EXTENSIONS] if path.is_dir() else [path]
        )
        for file in files:
            real = file.resolve()
            if real not in found and not (written_before and place in real.parents):
                target = _free(out / file.relative_to(folder), taken)
                taken.add(str(target).lower())
                found[real] = file, target
    for file, target in found.values():
        if target.resolve() in found:
            raise ValueError(f"{target} is an image that is read (for {file}): choose another folder (--out)")
    if not found:
        raise FileNotFoundError(
            f"{', '.join(map(str, paths))}: there is no image; expected files that end in {', '.join(EXTENSIONS)}"
        )
    return list(found.values())


def _free(path: pathlib.Path, taken: set[str]) -> pathlib.Path:
    """The path with a suffix that can be written, and a number where another file of this call has its name."""
    suffix = path.suffix if path.suffix.lower() in pictures.FORMATS else ".png"
    number, found = 1, path.with_suffix(suffix)
    while str(found).lower() in taken:  # also where a file system does not tell capitals
        number += 1
        found = path.with_name(f"{path.stem}_{number}{suffix}")
    return found


def _pixels(file: pathlib.Path, shape: tuple[int, int, int], reading: Mapping) -> np.ndarray:
    """A file as the training data was read: float32 [height, width, channels] in [0, 1]."""
    image = scale_image(decode_image(file, shape[:2]), reading.get("value_range"))
    return fit_image(image, shape, **{name: reading[name] for name in ("crop", "background") if name in reading})


# models


def _open(path: pathlib.Path) -> _Model:
    return _open_export(path) if (path / DESCRIPTION).is_file() else _open_run(path)


def _open_export(folder: pathlib.Path) -> _Model:
    runtime = Runtime(folder)
    return _Model(
        runtime.description["system"],
        runtime.description,
        runtime.signatures,
        lambda endpoint, inputs: runtime.run(endpoint, **inputs),
        runtime.noise,
        lambda images: {},
        runtime.image_shape,
        runtime.description,
    )


def _open_run(path: pathlib.Path) -> _Model:
    with starting():
        import tensorflow as tf

        from . import models, runs

        models.import_all()

    model = runs.load(path)
    reading = runs.Run.open(path).config["data"] if path.is_dir() else {}
    endpoints = {endpoint.name: endpoint for endpoint in model.endpoints()}
    functions = {name: tf.function(each.function, reduce_retracing=True) for name, each in endpoints.items()}
    noise = [
        {"name": name, "stream": stream, "kind": each.kind, "shape": each.shape}
        for stream, (name, each) in enumerate(model.noise().items())
    ]

    def call(endpoint: str, inputs: Mapping) -> dict:
        tensors = {name: tf.constant(values, tf.float32) for name, values in inputs.items()}
        return {name: made.numpy() for name, made in functions[endpoint](**tensors).items()}

    def ports(each: Mapping) -> dict:
        return {name: {"shape": list(port.shape), "kind": port.kind} for name, port in each.items()}

    return _Model(
        model.system or type(model).__name__,
        {"labels": getattr(model, "label_names", None), **model.described()},
        {name: {"inputs": ports(each.inputs), "outputs": ports(each.outputs)} for name, each in endpoints.items()},
        call,
        lambda num, seed: draw_noise(noise, num, seed),
        lambda images: model.endpoint_columns({"image": images}),
        model.image_shape,
        reading,
    )


def _task(model: _Model, command: str, to: str | None, attributes: str | None, label: str | None) -> _Task:
    """What is to be run, from what was asked for and what the model has."""
    tasks = {}
    for name, signature in model.signatures.items():
        given, made = ([port for port in signature[side] if _is_picture(signature[side][port])] for side in
                       ("inputs", "outputs"))  # fmt: skip
        if not made or (name == RECONSTRUCT) != (command == RECONSTRUCT):
            continue
        left = {port for port, each in signature["inputs"].items() if each["kind"] not in _GIVEN} - set(given)
        if len(given) == 1 and not left:
            shape = tuple(signature["inputs"][given[0]]["shape"])
            tasks[made[0]] = _Task(name, given[0], made[0], shape, {})
        elif not given and left and left <= set(model.columns(np.zeros((1, *model.image_shape), np.float32))):
            tasks[made[0]] = _Task(name, None, made[0], model.image_shape, {})
    if not tasks:
        raise ValueError(_nothing(model, command))
    task = _direction(model, tasks, to)
    ports = model.signatures[task.endpoint]["inputs"]
    return task._replace(fixed=_conditions(model, ports, attributes, label))


def _is_picture(port: Mapping) -> bool:
    return port["kind"] == "image" and len(port["shape"]) == 3


def _nothing(model: _Model, command: str) -> str:
    """Why a model cannot do what a command asks for, and what it can do."""
    found = []
    for name, signature in model.signatures.items():
        given, made = ([port for port, each in signature[side].items() if each["kind"] == "image"] for side in
                       ("inputs", "outputs"))  # fmt: skip
        if name in ("generate", RECONSTRUCT):
            found.append({"generate": "sample"}.get(name, name))
        elif given and made and command == RECONSTRUCT:
            found.append(TRANSLATE)
        elif given and made:
            return (
                f"This export of a {model.system} takes {', '.join(given)}, which the model itself cuts out of images: "
                "give the run directory in place of the export"
            )
    what = "translates no images" if command == TRANSLATE else "has no encoder and decoder to reconstruct images with"
    commands = ", ".join(f"keras-gen {name}" for name in dict.fromkeys(found))
    return f"This {model.system} {what}; its endpoints are {', '.join(model.signatures)}" + (
        f". Use {commands}" if commands else ""
    )


def _direction(model: _Model, tasks: Mapping[str, _Task], to: str | None) -> _Task:
    """The task whose output is the domain that was asked for."""
    if len(tasks) == 1:
        if to is not None:
            raise ValueError(f"--to chooses one of two domains; this {model.system} makes one kind of image")
        return next(iter(tasks.values()))
    made = sorted(tasks)
    letters, names = [port.rpartition("_")[2].upper() for port in made], model.about.get("domains")
    shown = [f"{letter} ({name})" for letter, name in zip(letters, names, strict=True)] if names else letters
    if to is None:
        raise ValueError(f"Say which domain to translate into: --to {' or --to '.join(shown)}")
    return tasks[made[read_domain(to, names)]]


def _conditions(model: _Model, ports: Mapping, attributes: str | None, label: str | None) -> dict[str, np.ndarray]:
    """The inputs that are the same for every image."""
    found = {}
    if "attributes" in ports:
        told = model.about["attributes"]
        wanted, known = attributes if attributes is not None else label, told["names"]
        if wanted is None:
            raise ValueError(f"Say what images are to have: --attributes, of {', '.join(known)}")
        chosen = tuple(known[index] for index in read_indices("attribute", wanted, known, len(known)))
        vectors, sets = attribute_vectors(told, chosen, 1)
        found["attributes"] = vectors[0]
        if "dataset" in ports:
            found["dataset"] = np.eye(ports["dataset"]["shape"][0], dtype=np.float32)[sets[0]]
    elif attributes is not None:
        raise ValueError(f"--attributes: this {model.system} knows no attributes")
    if "label" in ports:
        names, count = model.about.get("labels"), ports["label"]["shape"][0]
        if label is None:
            raise ValueError(
                f"This {model.system} is conditional: say of which class the images are, --label, of "
                f"{', '.join(names) if names else f'0 to {count - 1}'}"
            )
        found["label"] = np.eye(count, dtype=np.float32)[read_index("class", label, names, count)]
    elif label is not None and "attributes" not in ports:
        raise ValueError(f"--label: this {model.system} takes no class here")
    return found


def _made(model: _Model, task: _Task, images: np.ndarray, noise: Mapping[str, np.ndarray]) -> np.ndarray:
    inputs = {name: np.repeat(value[None], len(images), axis=0) for name, value in task.fixed.items()}
    inputs |= {task.given: images} if task.given else model.columns(images)
    inputs |= {name: values for name, values in noise.items() if name in model.signatures[task.endpoint]["inputs"]}
    return model.call(task.endpoint, inputs)[task.made]
