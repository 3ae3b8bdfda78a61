"""Translation and reconstruction of image files: `keras-gen translate` and `keras-gen reconstruct`.

The endpoints of a model determine what it can do: an endpoint from an image to an image translates, if its other inputs
are a class, attributes or noise, or can be computed from the image by the model.
"""

import abc
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_gen.runtime import Runtime
from keras_gen.runtime.attributes import attribute_vectors
from keras_gen.runtime.image_file import EXTENSIONS, read_image
from keras_gen.runtime.images import scale_image
from keras_gen.runtime.names import read_domain, read_index, read_indices
from keras_gen.runtime.noise import NOISE_KINDS
from keras_gen.runtime.resize import fit_image
from keras_gen.startup import starting

from . import pictures

RECONSTRUCT, TRANSLATE = "reconstruct", "translate"
DESCRIPTION = "model.json"
# kinds of inputs that are drawn at random or chosen on the command line
_CONDITIONS = ("label", "attributes", *NOISE_KINDS)
BATCH_SIZE = 32

Progress = Callable[[str, int, int], None]


def _no_progress(what: str, done: int, total: int) -> None:
    pass


class Converted(NamedTuple):
    """The result of a conversion of image files.

    Attributes:
        written: The new files.
        failed: (file, reason) of those that could not be read.
    """

    written: list[pathlib.Path]
    failed: list[tuple[str, str]]


def translate(
    source: str | os.PathLike,
    paths: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    *,
    to: str | None = None,
    attributes: str | None = None,
    label: str | None = None,
    seed: int = 0,
    limit: int | None = None,
    overwrite: bool = False,
    batch_size: int = BATCH_SIZE,
    progress: Progress = _no_progress,
) -> Converted:
    """Translates image files: into another domain, to other attributes, or restored from their parts.

    Args:
        source: A run directory, a `.keras` file, or an export folder, which runs without TensorFlow.
        paths: Image files, and folders, which are searched recursively.
        out: The folder to write to. A file keeps its name and its sub-folder; it becomes a .png if its format cannot be
            written, and gets a number if another file has the same name.
        to: The domain to translate into, for a model of two domains: `"A"`, `"B"` or its name.
        attributes: Names of the attributes that the images shall have, with commas.
        label: The class that the images shall have: a name or an index.
        seed: Seed of the noise.
        limit: Maximum number of files; None for all.
        overwrite: Whether existing files are replaced.
        batch_size: Number of images in memory at a time.
        progress: Called with (command, number of finished files, number of files).

    Returns:
        The new files, and the files that could not be read with the reasons.

    Raises:
        FileNotFoundError: If the model or a path does not exist, or there is no image.
        FileExistsError: If a file would be overwritten.
        ValueError: For a model that does not translate images, or names that it does not know.

    Example:
        >>> translate("runs/cyclegan", ["photos"], "translated", to="B")  # doctest: +SKIP
    """
    selection = _Selection(to, attributes, label)
    return _convert(TRANSLATE, source, paths, out, selection, seed, limit, overwrite, batch_size, progress)


def reconstruct(
    source: str | os.PathLike,
    paths: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    *,
    label: str | None = None,
    seed: int = 0,
    limit: int | None = None,
    overwrite: bool = False,
    batch_size: int = BATCH_SIZE,
    progress: Progress = _no_progress,
) -> Converted:
    """Encodes and decodes image files.

    Args:
        source: As for `translate`.
        paths: As for `translate`.
        out: As for `translate`.
        label: The class of all images, a name or an index, for a conditional model.
        seed: As for `translate`.
        limit: As for `translate`.
        overwrite: As for `translate`.
        batch_size: As for `translate`.
        progress: As for `translate`.

    Returns:
        As `translate`.

    Raises:
        FileNotFoundError: As `translate`.
        FileExistsError: As `translate`.
        ValueError: As `translate`.
    """
    selection = _Selection(None, None, label)
    return _convert(RECONSTRUCT, source, paths, out, selection, seed, limit, overwrite, batch_size, progress)


class _Selection(NamedTuple):
    """The arguments of `translate` that choose its result."""

    to: str | None
    attributes: str | None
    label: str | None


def _convert(
    command: str,
    source: str | os.PathLike,
    paths: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    selection: _Selection,
    seed: int,
    limit: int | None,
    overwrite: bool,
    batch_size: int,
    progress: Progress,
) -> Converted:
    for name, value in (("limit", limit), ("batch_size", batch_size)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{name}: expected an integer >= 1; received {value!r}")
    pairs = targets(paths, pathlib.Path(out))[:limit]
    if not overwrite:
        _check_free([target for _, target in pairs])

    model = _open(pathlib.Path(source))
    task = _task(model, command, selection)
    noise = model.noise(len(pairs), seed)  # for all images at once, so that it does not depend on the batch size

    written, failed = [], []
    for start in range(0, len(pairs), batch_size):
        progress(command, start, len(pairs))
        images, rows = [], []
        for row, (file, _) in enumerate(pairs[start : start + batch_size], start):
            try:
                images.append(_read(file, task.shape, model.preprocessing))
                rows.append(row)
            except ValueError as error:
                failed.append((str(file), str(error).removeprefix(f"{file}").lstrip(": ")))
        if images:
            outputs = _run(model, task, np.stack(images), {name: values[rows] for name, values in noise.items()})
            for row, image in zip(rows, outputs, strict=True):
                pictures.save(pairs[row][1], image, durable=False)
                written.append(pairs[row][1])
    progress(command, len(pairs), len(pairs))
    return Converted(written, failed)


# files


def targets(paths: Sequence[str | os.PathLike], out: pathlib.Path) -> list[tuple[pathlib.Path, pathlib.Path]]:
    """Returns pairs of an image file and the file to write, see `translate`.

    Args:
        paths: Image files, and folders, which are searched recursively.
        out: The folder to write to; its files are not read.

    Raises:
        FileNotFoundError: For a path that does not exist, or if there is no image.
        ValueError: If a file that is read would be overwritten.
    """
    from keras_gen.data.sources.links import find_files

    folder_out = out.resolve()
    pairs: dict[pathlib.Path, tuple[pathlib.Path, pathlib.Path]] = {}
    names: set[str] = set()
    for path in map(pathlib.Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: expected an image file or a folder of them")
        folder = path if path.is_dir() else path.parent
        excludes_out = path.is_dir() and folder_out != path.resolve()  # `out` may be inside a folder that is searched
        files = [path]
        if path.is_dir():
            files = [file for file in find_files(path, path) if file.suffix.lower() in EXTENSIONS]
        for file in files:
            real = file.resolve()
            if real not in pairs and not (excludes_out and folder_out in real.parents):
                target = _unique_name(out / file.relative_to(folder), names)
                names.add(str(target).lower())
                pairs[real] = file, target
    for file, target in pairs.values():
        if target.resolve() in pairs:
            raise ValueError(f"{target} is an image that is read (for {file}): choose another folder (--out)")
    if not pairs:
        raise FileNotFoundError(
            f"{', '.join(map(str, paths))}: there is no image; expected files that end in {', '.join(EXTENSIONS)}"
        )
    return list(pairs.values())


def _unique_name(path: pathlib.Path, names: set[str]) -> pathlib.Path:
    """Returns the path with a suffix that can be written, and a number if another file of this call has its name."""
    suffix = path.suffix if path.suffix.lower() in pictures.FORMATS else ".png"
    number, unique = 1, path.with_suffix(suffix)
    while str(unique).lower() in names:  # some file systems ignore case
        number += 1
        unique = path.with_name(f"{path.stem}_{number}{suffix}")
    return unique


def _check_free(files: Sequence[pathlib.Path]) -> None:
    existing = [file for file in files if file.exists()]
    if existing:
        more = f", and so do {len(existing) - 1:,} more" if len(existing) > 1 else ""
        raise FileExistsError(f"{existing[0]} exists{more}. Replace such files (--overwrite), or choose another --out")


def _read(file: pathlib.Path, shape: tuple[int, int, int], preprocessing: Mapping[str, Any]) -> np.ndarray:
    """Returns a file as the training data were read: float32 [height, width, channels] in [0, 1]."""
    image = scale_image(read_image(file, shape[:2]), preprocessing.get("value_range"))
    options = {name: preprocessing[name] for name in ("crop", "background") if name in preprocessing}
    return fit_image(image, shape, **options)


# models


class _Model(abc.ABC):
    """The model of a run or of an export.

    Attributes:
        system: Its name, for messages.
        description: `labels`, `attributes` and `domains` as model.json has them, if there are any.
        signatures: Endpoint -> {"inputs": {name: {"shape", "kind"}}, "outputs": the same}.
        image_shape: (height, width, channels).
        preprocessing: `crop`, `background` and `value_range` of the training data, if they are not the defaults.
    """

    system: str
    description: Mapping[str, Any]
    signatures: Mapping[str, Mapping[str, Any]]
    image_shape: tuple[int, int, int]
    preprocessing: Mapping[str, Any]

    @abc.abstractmethod
    def run(self, endpoint: str, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Returns the outputs of an endpoint, [num, ...]."""

    @abc.abstractmethod
    def noise(self, num: int, seed: int) -> dict[str, np.ndarray]:
        """Returns the base noise of `num` images, [num, ...]."""

    @abc.abstractmethod
    def endpoint_columns(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """Returns inputs of endpoints that the model computes from images [num, ...]."""


class _ExportedModel(_Model):
    def __init__(self, folder: pathlib.Path):
        self.runtime = Runtime(folder)
        self.description = self.preprocessing = self.runtime.description
        self.system, self.signatures = self.description["system"], self.runtime.signatures
        self.image_shape = self.runtime.image_shape

    def run(self, endpoint, inputs):
        return self.runtime.run(endpoint, **inputs)

    def noise(self, num, seed):
        return self.runtime.noise(num, seed)

    def endpoint_columns(self, images):
        return {}  # an export has the endpoints alone


class _RunModel(_Model):
    def __init__(self, path: pathlib.Path):
        with starting():
            import tensorflow as tf

            from . import models, runs

            models.import_all()

        self.model = model = runs.load(path)
        if model.image_shape is None:
            raise ValueError(f"Expected a model with images of a fixed shape; received a {type(model).__name__}")
        self.preprocessing = runs.Run.open(path).config["data"] if path.is_dir() else {}
        endpoints = {endpoint.name: endpoint for endpoint in model.endpoints()}
        self.functions = {name: tf.function(each.function, reduce_retracing=True) for name, each in endpoints.items()}
        self.system = model.system or type(model).__name__
        self.description = {"labels": getattr(model, "label_names", None), **model.export_description()}
        self.signatures = {
            name: {"inputs": _ports(each.inputs), "outputs": _ports(each.outputs)} for name, each in endpoints.items()
        }
        self.image_shape = model.image_shape

    def run(self, endpoint, inputs):
        import tensorflow as tf

        tensors = {name: tf.constant(values, tf.float32) for name, values in inputs.items()}
        return {name: output.numpy() for name, output in self.functions[endpoint](**tensors).items()}

    def noise(self, num, seed):
        from keras_gen.distributions.noise import draw_noise

        return draw_noise(self.model.noise(), num, seed)

    def endpoint_columns(self, images):
        return self.model.endpoint_columns({"image": images})


def _ports(ports: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: {"shape": list(port.shape), "kind": port.kind} for name, port in ports.items()}


def _open(path: pathlib.Path) -> _Model:
    return _ExportedModel(path) if (path / DESCRIPTION).is_file() else _RunModel(path)


# tasks


class _Task(NamedTuple):
    """An endpoint with its inputs and the output that is written.

    Attributes:
        endpoint: Its name.
        image_input: The input for the images of the files; None if `endpoint_columns` computes all inputs from them.
        output: The output that is written.
        shape: (height, width, channels) of the images of the files.
        conditions: Further inputs, the same for every image: name -> [...].
    """

    endpoint: str
    image_input: str | None
    output: str
    shape: tuple[int, int, int]
    conditions: Mapping[str, np.ndarray]


def _task(model: _Model, command: str, selection: _Selection) -> _Task:
    """Returns the task of a command for a model.

    Raises:
        ValueError: If the model cannot do it, or the selection does not fit.
    """
    tasks: dict[str, _Task] = {}
    for name, signature in model.signatures.items():
        inputs, outputs = _image_ports(signature["inputs"]), _image_ports(signature["outputs"])
        if not outputs or (name == RECONSTRUCT) != (command == RECONSTRUCT):
            continue
        others = {port for port, each in signature["inputs"].items() if each["kind"] not in _CONDITIONS} - set(inputs)
        if len(inputs) == 1 and not others:
            height, width, channels = signature["inputs"][inputs[0]]["shape"]
            tasks[outputs[0]] = _Task(name, inputs[0], outputs[0], (height, width, channels), {})
        elif not inputs and others and others <= set(_computed_inputs(model)):
            tasks[outputs[0]] = _Task(name, None, outputs[0], model.image_shape, {})
    if not tasks:
        raise ValueError(_unsupported(model, command))
    task = _into_domain(model, tasks, selection.to)
    return task._replace(conditions=_conditions(model, model.signatures[task.endpoint]["inputs"], selection))


def _image_ports(ports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [name for name, port in ports.items() if port["kind"] == "image" and len(port["shape"]) == 3]


def _computed_inputs(model: _Model) -> Mapping[str, np.ndarray]:
    return model.endpoint_columns(np.zeros((1, *model.image_shape), np.float32))


def _unsupported(model: _Model, command: str) -> str:
    """Returns the message for a model that cannot do what a command does; it names the commands that work."""
    commands = []
    for name, signature in model.signatures.items():
        inputs, outputs = (
            [port for port, each in signature[ports].items() if each["kind"] == "image"]
            for ports in ("inputs", "outputs")
        )
        if name in ("generate", model.description.get("sampling", {}).get("endpoint")):
            commands.append("sample")
        elif name == RECONSTRUCT:
            commands.append(RECONSTRUCT)
        elif inputs and outputs and command == RECONSTRUCT:
            commands.append(TRANSLATE)
        elif inputs and outputs:
            return (
                f"This export of a {model.system} has the inputs {', '.join(inputs)}, which the model itself computes "
                "from images: use the run directory instead of the export"
            )
    ability = "translates no images" if command == TRANSLATE else "has no encoder and decoder to reconstruct images"
    listed = ", ".join(f"keras-gen {name}" for name in dict.fromkeys(commands))
    return f"This {model.system} {ability}; its endpoints are {', '.join(model.signatures)}" + (
        f". Use {listed}" if listed else ""
    )


def _into_domain(model: _Model, tasks: Mapping[str, _Task], to: str | None) -> _Task:
    """Returns the task whose output is the selected domain."""
    if len(tasks) == 1:
        if to is not None:
            raise ValueError(f"--to chooses one of two domains; this {model.system} has a single kind of output image")
        return next(iter(tasks.values()))
    outputs = sorted(tasks)
    letters, names = [port.rpartition("_")[2].upper() for port in outputs], model.description.get("domains")
    domains = [f"{letter} ({name})" for letter, name in zip(letters, names, strict=True)] if names else letters
    if to is None:
        raise ValueError(f"Expected the domain to translate into: --to {' or --to '.join(domains)}")
    return tasks[outputs[read_domain(to, names)]]


def _conditions(model: _Model, ports: Mapping[str, Any], selection: _Selection) -> dict[str, np.ndarray]:
    """Returns the inputs that are the same for every image."""
    _, attributes, label = selection
    conditions = {}
    if "attributes" in ports:
        schema = model.description["attributes"]
        text, known = attributes if attributes is not None else label, schema["names"]
        if text is None:
            raise ValueError(f"Expected the attributes that images shall have: --attributes, of {', '.join(known)}")
        chosen = tuple(known[index] for index in read_indices("attribute", text, known, len(known)))
        vectors, datasets = attribute_vectors(schema, chosen, 1)
        conditions["attributes"] = vectors[0]
        if "dataset" in ports:
            conditions["dataset"] = np.eye(ports["dataset"]["shape"][0], dtype=np.float32)[datasets[0]]
    elif attributes is not None:
        raise ValueError(f"--attributes: this {model.system} is not conditioned on attributes")
    if "label" in ports:
        names, count = model.description.get("labels"), ports["label"]["shape"][0]
        if label is None:
            raise ValueError(
                f"Expected the class of the images, since this {model.system} is conditional: --label, of "
                f"{', '.join(names) if names else f'0 to {count - 1}'}"
            )
        conditions["label"] = np.eye(count, dtype=np.float32)[read_index("class", label, names, count)]
    elif label is not None and "attributes" not in ports:
        raise ValueError(f"--label: this {model.system} is not conditioned on a class here")
    return conditions


def _run(model: _Model, task: _Task, images: np.ndarray, noise: Mapping[str, np.ndarray]) -> np.ndarray:
    inputs = {name: np.repeat(value[None], len(images), axis=0) for name, value in task.conditions.items()}
    inputs |= model.endpoint_columns(images) if task.image_input is None else {task.image_input: images}
    inputs |= {name: values for name, values in noise.items() if name in model.signatures[task.endpoint]["inputs"]}
    return model.run(task.endpoint, inputs)[task.output]
