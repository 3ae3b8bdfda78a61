"""The run directory: what training writes and what evaluation, export and demos read."""

import importlib.metadata
import json
import os
import pathlib
import shutil
import zipfile

FORMAT = 1
PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "tensorflow-datasets")


class Run:
    """A run directory: paths, configuration, model and data.

    ```
    config.json  model.keras  checkpoints/  metrics.csv  tensorboard/  samples/  evaluation.json  export/  README.md
    ```

    Attributes:
        path: the directory.
        config: the content of config.json: `format`, `system`, `image_shape`, `settings`, `data`, `training`,
            `versions`, `created`.

    Use `Run.create` or `Run.open`.
    """

    def __init__(self, path: pathlib.Path, config: dict):
        self.path, self.config = path, config

    @classmethod
    def create(cls, path: str | os.PathLike, config: dict, *, overwrite: bool = False) -> "Run":
        """Make the directory and write its config.json.

        Raises:
            FileExistsError, ValueError, OSError: see `check_free`.
        """
        path = pathlib.Path(path)
        check_free(path, overwrite=overwrite)
        if path.is_dir() and any(path.iterdir()):
            shutil.rmtree(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(f"{path} cannot be made: {error.strerror}; choose another --out") from error
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
        if not file.is_file():
            what = "holds no config.json" if path.is_dir() else "does not exist"
            raise FileNotFoundError(f"{path} {what}: expected a run directory, as `keras-gen train` makes it")
        config = read_json(file)
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
        return load_file(self.model_file)

    def dataset(self, role: str = "train", **changes):
        """The run's own data, as it was trained on and validated.

        Args:
            role: `"train"` (shuffled and augmented), `"validation"` or `"test"` (in their order, as they are).
            **changes: arguments of `keras_gen.data.load` to change, e.g. `batch_size=100`, `shuffle=False`.

        Raises:
            ValueError: where the run has no such split.
        """
        from . import data

        options = dict(self.config["data"])
        source, splits = options.pop("source"), options.pop("splits")
        if splits.get(role) is None:
            raise ValueError(f"This run has no {role} split; it has {', '.join(k for k, v in splits.items() if v)}")
        training = self.config["training"]
        options["shuffle"] = role == "train"  # a validation split may be the end of one that is called train
        if role != "train":
            options.pop("augment", None)
            options.pop("drop_remainder", None)
        usual = {"batch_size": training["batch_size"], "seed": training["seed"], "image_shape": self.image_shape}
        return data.load(source, splits[role], **{**usual, **options, **changes})


def check_free(path: str | os.PathLike, *, overwrite: bool = False) -> None:
    """Whether a run can be made at a path, asked before anything that takes long.

    Raises:
        FileExistsError: where the directory holds anything and `overwrite` is False.
        ValueError: where `overwrite` would delete a directory that is not a run.
        NotADirectoryError: where a file stands in the way.
        PermissionError: where it cannot be written.
    """
    path = pathlib.Path(path)
    if path.is_dir() and any(path.iterdir()):
        if not overwrite:
            raise FileExistsError(
                f"{path} exists and is not empty. Go on with it (--resume), replace it (--overwrite), or choose "
                "another directory (--out)"
            )
        if not (path / "config.json").is_file():
            raise ValueError(f"{path} holds files but no config.json: it is no run directory, so it is not replaced")
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(f"{path} cannot be made: {nearest} is a file; choose another --out")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be made: no permission to write in {nearest}; choose another --out")


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
    """Open a `.keras` file; importing `keras_gen.models` first makes its classes known to Keras."""
    import keras

    from . import models as models

    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: expected a run directory with a model.keras, or such a file")
    if not zipfile.is_zipfile(path):  # Keras would say that the file is not found
        raise ValueError(
            f"{path} cannot be read as a Keras model; it may be damaged or incomplete: its "
            f"{path.stat().st_size:,} bytes are no whole .keras archive. Copy it again, or train again"
        )
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # zipfile, h5py, json and Keras each raise their own
        raise ValueError(f"{path} cannot be read as a Keras model; it may be damaged or incomplete: {error}") from error


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
    scratch = path.with_name(path.name + ".tmp")
    scratch.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(scratch, path)


def versions() -> dict[str, str]:
    """Installed versions of what results depend on."""
    from . import __version__

    return {"keras-gen": __version__, **{name: importlib.metadata.version(name) for name in PACKAGES}}
