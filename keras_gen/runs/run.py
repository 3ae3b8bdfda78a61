"""The run directory: what training writes and what evaluation, export and demos read."""

import importlib.metadata
import json
import os
import pathlib
import zipfile

from keras_gen import archives, files

from .lock import OWN, RunInUseError, holder_of

FORMAT = 1
RUN_COMMENT = "keras_gen run "
# of `training` in config.json: what may differ from one resume to the next
CHANGEABLE = ("epochs", "patience", "strategy")
# and what follows from these: [from epoch d on, epochs in all] of a run whose number of epochs was changed
SCHEDULE = "schedule"
PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "tensorflow-datasets")


class Run:
    """A run directory: paths, configuration, model and data.

    ```
    config.json  model.keras  checkpoints/  metrics.csv  tensorboard/  samples/  evaluation.json  export/  README.md
    ```

    Attributes:
        path: the directory.
        config: the content of config.json: `format`, `id`, `system`, `image_shape`, `settings`, `penalty_range` (the
            range of images that a penalty's numbers are about, absent in older runs: 0 to 1), `data`, `training`,
            `fingerprints`, `names`, `versions`, `created`.

    Use `Run.create` or `Run.open`.
    """

    def __init__(self, path: pathlib.Path, config: dict):
        self.path, self.config = path, config

    @classmethod
    def create(cls, path: str | os.PathLike, config: dict, *, overwrite: bool = False, locked: bool = False) -> "Run":
        """Make the directory and write its config.json.

        Args:
            path: the directory.
            config: the content of config.json, without `format`.
            overwrite: replace a run that is there.
            locked: whether the caller holds the directory's `lock`.

        Raises:
            FileExistsError, ValueError, OSError: see `check_free`.
        """
        path = pathlib.Path(path)
        check_free(path, overwrite=overwrite, locked=locked)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(f"{path} cannot be made: {error.strerror}; choose another --out") from error
        for content in _content(path):
            files.remove(content)
        files.remove_scratch(path)
        run = cls(path, {"format": FORMAT, **config})
        write_json(path / "config.json", run.config)
        return run

    @classmethod
    def open(cls, path: str | os.PathLike) -> "Run":
        """Open an existing run directory.

        Raises:
            FileNotFoundError: where there is no config.json.
            ValueError: where config.json is damaged or of an unknown format.
        """
        path = pathlib.Path(path)
        file = path / "config.json"
        has_copy = next((path / "checkpoints").glob("epoch_*.json"), None) is not None
        repair = f". `keras-gen check {path} --repair` writes it from the last state" if has_copy else ""
        if not file.is_file():
            what = "holds no config.json" if path.is_dir() else "does not exist"
            raise FileNotFoundError(f"{path} {what}: expected a run directory, as `keras-gen train` makes it{repair}")
        try:
            config = read_json(file)
        except ValueError as error:
            raise ValueError(f"{error}{repair}") from error
        if config.get("format") != FORMAT:
            raise ValueError(f"{file} has format {config.get('format')!r}; this version reads format {FORMAT}")
        return cls(path, config)

    model_file = property(lambda self: self.path / "model.keras")
    checkpoints = property(lambda self: self.path / "checkpoints")
    metrics_file = property(lambda self: self.path / "metrics.csv")
    tensorboard = property(lambda self: self.path / "tensorboard")
    samples = property(lambda self: self.path / "samples")
    evaluation_file = property(lambda self: self.path / "evaluation.json")
    export_folder = property(lambda self: self.path / "export")
    card_file = property(lambda self: self.path / "README.md")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of its images."""
        return tuple(self.config["image_shape"])

    def load_model(self):
        """The trained model, compiled; see `load`."""
        if self.model_file.is_file():
            self.check_model_file()
        return load_file(self.model_file)

    def save_model(self, model) -> None:
        """Write `model.keras`, with the run's `id` in the comment of the archive."""
        with files.replacing(self.model_file) as scratch:
            model.save(scratch)
            with zipfile.ZipFile(scratch, "a") as archive:
                archive.comment = f"{RUN_COMMENT}{self.config.get('id')}".encode()

    def check_model_file(self) -> None:
        """Whether `model.keras` is whole and of this run.

        Raises:
            ValueError: where it is damaged, or the archive names another run. A file that names none is accepted: a
                person has put it there.
        """
        archives.check_keras(self.model_file)
        with zipfile.ZipFile(self.model_file) as archive:
            comment = archive.comment.decode(errors="replace")
        if comment and comment != f"{RUN_COMMENT}{self.config.get('id')}":
            raise ValueError(
                f"{self.model_file} cannot be read as this run's model: expected the run {self.config.get('id')}, "
                f"received {comment[:80]!r}. Copy the run's own file back, or continue the run with more epochs "
                "(--resume --epochs N), which saves it again"
            )

    def split(self, role: str) -> str:
        """The split that plays a role, such as `"train[:90%]"`.

        Raises:
            ValueError: where the run has no such split.
        """
        splits = self.config["data"]["splits"]
        if splits.get(role) is None:
            raise ValueError(f"This run has no {role} split; it has {', '.join(k for k, v in splits.items() if v)}")
        return splits[role]

    def dataset(self, role: str = "train", **changes):
        """The run's own data, as it was trained on and validated.

        Args:
            role: `"train"` (shuffled and augmented), `"validation"` or `"test"` (in their order, as they are).
            **changes: arguments of `keras_gen.data.load` to change, e.g. `batch_size=100`, `shuffle=False`.

        Raises:
            ValueError: where the run has no such split.
        """
        from keras_gen import data

        options, split = dict(self.config["data"]), self.split(role)
        source = options.pop("source")
        del options["splits"]
        training = self.config["training"]
        options.setdefault("slices", "file")  # a run of an earlier version, whose slices of array files were cut so
        options["shuffle"] = role == "train"  # a validation split may be the end of one that is called train
        if role != "train":
            options.pop("augment", None)
            options.pop("drop_remainder", None)
        usual = {"batch_size": training["batch_size"], "seed": training["seed"], "image_shape": self.image_shape}
        usual["report"] = False  # what is left out was said before the training
        return data.load(source, split, **{**usual, **options, **changes})


def check_free(path: str | os.PathLike, *, overwrite: bool = False, locked: bool = False) -> None:
    """Whether a run can be made at a path, asked before anything that takes long.

    Args:
        path: the run directory.
        overwrite: whether a run that is there may be replaced.
        locked: whether the caller holds the directory's `lock`.

    Raises:
        RunInUseError: where another process trains in the directory.
        FileExistsError: where the directory holds anything and `overwrite` is False.
        ValueError: where `overwrite` would delete a directory that is not a run.
        NotADirectoryError: where a file stands in the way.
        PermissionError: where it cannot be written, or the disk is read-only.
    """
    path = pathlib.Path(path)
    if not locked and (holder := holder_of(path)):
        raise RunInUseError(f"{path} is in use by {holder}. Wait until it ends, or choose another --out")
    if _content(path):
        if not overwrite:
            raise FileExistsError(
                f"{path} exists and is not empty. Go on with it (--resume), replace it (--overwrite), or choose "
                "another directory (--out)"
            )
        if not (path / "config.json").is_file():
            raise ValueError(f"{path} holds files but no config.json: it is no run directory, so it is not replaced")
    files.check_writable(path)


def _content(path: pathlib.Path) -> list[pathlib.Path]:
    """What lies in a directory but for its lock and what killed processes left; nothing where there is none."""
    if not path.is_dir():
        return []
    return [each for each in path.iterdir() if each.name not in OWN and not each.name.startswith(files.SCRATCH)]


def check_model(path: str | os.PathLike) -> None:
    """Whether there is a whole model to `load`, asked before anything that takes long.

    Raises:
        FileNotFoundError, ValueError: as `load`.
    """
    path = pathlib.Path(path)
    if not path.is_dir():
        archives.check_keras(path)
        return
    run = Run.open(path)
    if run.model_file.is_file():
        run.check_model_file()
    else:
        archives.check_keras(run.model_file)


def load(path: str | os.PathLike):
    """Open the model of a run directory or of a `.keras` file.

    Args:
        path: a run directory (its `model.keras` is opened) or a file.

    Returns:
        A `keras_gen.GenerativeModel`, compiled, with optimizer and seeds restored.

    Raises:
        FileNotFoundError: where there is neither.
        ValueError: where the file is damaged.
    """
    path = pathlib.Path(path)
    return Run.open(path).load_model() if path.is_dir() else load_file(path)


def load_file(path: pathlib.Path):
    """Opens a `.keras` file, once the classes of every system are known to Keras."""
    from keras_gen import models

    models.import_all()
    return archives.load_keras(path)


def check_weights(path: pathlib.Path) -> pathlib.Path:
    """The file that holds the weights of a run or of a `.keras` file, whole.

    Raises:
        FileNotFoundError: where there is neither.
        ValueError: where the file is damaged.
    """
    file = path / "model.keras" if path.is_dir() else path
    archives.check_keras(file)
    return file


def load_weights(model, path: pathlib.Path) -> None:
    """Bring a built model to the weights, optimizers and seeds of a run's `model.keras`, or of such a file.

    Raises:
        FileNotFoundError: where there is neither.
        ValueError: where the file is damaged, or its networks are others.
    """
    file = check_weights(path)
    try:
        model.load_weights(file)
    except Exception as error:  # h5py and Keras each raise their own
        raise ValueError(
            f"The weights of {file} do not fit: {str(error).splitlines()[0]}. Expected a model of the same system, "
            "image size and settings"
        ) from error


def read_json(path: pathlib.Path) -> dict:
    """Read a JSON object.

    Raises:
        ValueError: with the file's name, where it is damaged.
    """
    try:
        content = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object; it holds a {type(content).__name__}")
    return content


def write_json(path: pathlib.Path, content: dict) -> None:
    """Write a JSON file at once: a reader sees the old file or the new one, never half of it."""
    files.write_text(path, json.dumps(content, indent=2) + "\n")


def data_changed(config: dict, former: dict) -> bool:
    """Whether a run continued on other data, deliberately, after a former content of its config.json."""
    now, then = (each.get("fingerprints", {}).get("changed", []) for each in (config, former))
    return now != then


def changed(config: dict, former: dict) -> list[str]:
    """What of config.json differs from a former content, but for what a resumed training may change; in words."""
    free = set()
    if "fingerprints" in former:  # they tell whether data at another place are the same
        free.add("source")
    if data_changed(config, former):
        free |= {"source", "splits", "slices"}
    ours, theirs = (_flat(_fixed(each, free)) for each in (config, former))
    return [
        f"{name} is {ours.get(name)!r}, expected {theirs.get(name)!r}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]


def _fixed(config: dict, free: set[str]) -> dict:
    """What stays as it is, without the entries of `data` that are free to change."""
    data, training = config["data"], config["training"]
    return {
        **{name: config.get(name) for name in ("id", "penalty_range")},
        **{name: config[name] for name in ("system", "image_shape", "settings")},
        "data": {name: value for name, value in data.items() if name not in {"data_dir", *free}},
        "training": {name: value for name, value in training.items() if name not in (*CHANGEABLE, SCHEDULE)},
    }


def _flat(content: dict) -> dict:
    """{"a": {"b": 1}} -> {"a.b": 1}, with values as JSON holds them."""
    flat = {}
    for name, value in json.loads(json.dumps(content)).items():
        inner = _flat(value) if isinstance(value, dict) else {"": value}
        flat |= {f"{name}.{key}".removesuffix("."): each for key, each in inner.items()}
    return flat


def versions() -> dict[str, str]:
    """Installed versions of what results depend on."""
    from keras_gen import __version__

    return {"keras-gen": __version__, **{name: importlib.metadata.version(name) for name in PACKAGES}}
