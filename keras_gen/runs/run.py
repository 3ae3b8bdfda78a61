"""The run directory: what training writes and what evaluation, export and demos read."""

import importlib.metadata
import json
import os
import pathlib
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keras_gen import archives, files

from .lock import LOCK_FILES, RunInUseError, holder_of
from .run_format import FORMAT, format_problem

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from keras_gen.models import GenerativeModel

RUN_COMMENT = "keras_gen run "
PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "tensorflow-datasets")


class Run:
    """A run directory: its paths, configuration, model and data.

    ```
    config.json  model.keras  checkpoints/  metrics.csv  tensorboard/  samples/  evaluation.json  export/  README.md
    ```

    Attributes:
        path: the directory.
        config: the content of config.json: `format`, `id`, `system`, `image_shape`, `settings`, `data`, `training`,
            `fingerprints`, `names`, `versions`, `created`.

    Use `Run.create` or `Run.open`.
    """

    def __init__(self, path: pathlib.Path, config: dict[str, Any]):
        self.path, self.config = path, config

    @classmethod
    def create(
        cls, path: str | os.PathLike, config: Mapping[str, Any], *, overwrite: bool = False, locked: bool = False
    ) -> "Run":
        """Creates the directory and writes its config.json.

        Args:
            path: the directory.
            config: the content of config.json; `format` is added.
            overwrite: whether an existing run is replaced.
            locked: whether the caller has the directory's `lock`.

        Returns:
            the new run.

        Raises:
            FileExistsError: where the directory is not empty and `overwrite` is False.
            ValueError: where `overwrite` would delete a directory that is not a run.
            OSError: where the directory cannot be created or written.
        """
        path = pathlib.Path(path)
        check_free(path, overwrite=overwrite, locked=locked)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(f"{path} cannot be created: {error.strerror}. Choose another --out") from error
        for content in _content(path):
            files.remove(content)
        files.remove_scratch(path)
        run = cls(path, {"format": FORMAT, **config})
        write_json(path / "config.json", run.config)
        return run

    @classmethod
    def open(cls, path: str | os.PathLike) -> "Run":
        """Opens an existing run directory.

        Args:
            path: the directory.

        Raises:
            FileNotFoundError: where there is no config.json.
            ValueError: where config.json is damaged or has another format.
        """
        path = pathlib.Path(path)
        file = path / "config.json"
        has_copy = next((path / "checkpoints").glob("epoch_*.json"), None) is not None
        repair = f". `keras-gen check {path} --repair` writes it from the last state" if has_copy else ""
        if not file.is_file():
            problem = "has no config.json" if path.is_dir() else "does not exist"
            raise FileNotFoundError(
                f"{path} {problem}: expected a run directory that `keras-gen train` has written{repair}"
            )
        try:
            config = read_json(file)
        except ValueError as error:
            raise ValueError(f"{error}{repair}") from error
        if problem := format_problem(file, config.get("format")):
            raise ValueError(problem)
        return cls(path, config)

    @property
    def model_file(self) -> pathlib.Path:
        """The best model by the validation loss."""
        return self.path / "model.keras"

    @property
    def checkpoints(self) -> pathlib.Path:
        """The folder of the last states of the training."""
        return self.path / "checkpoints"

    @property
    def metrics_file(self) -> pathlib.Path:
        """The metrics of every finished epoch."""
        return self.path / "metrics.csv"

    @property
    def tensorboard(self) -> pathlib.Path:
        """The folder of the TensorBoard logs."""
        return self.path / "tensorboard"

    @property
    def samples(self) -> pathlib.Path:
        """The folder of the pictures that are written after each epoch."""
        return self.path / "samples"

    @property
    def evaluation_file(self) -> pathlib.Path:
        """The results of `keras_gen.evaluate`."""
        return self.path / "evaluation.json"

    @property
    def export_folder(self) -> pathlib.Path:
        """The folder that `keras_gen.export.export` writes by default."""
        return self.path / "export"

    @property
    def card_file(self) -> pathlib.Path:
        """The model card."""
        return self.path / "README.md"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images."""
        height, width, channels = self.config["image_shape"]
        return height, width, channels

    def load_model(self) -> "GenerativeModel":
        """Opens the best model, compiled; see `load`."""
        if self.model_file.is_file():
            self.check_model_file()
        return load_file(self.model_file)

    def save_model(self, model: "keras.Model") -> None:
        """Writes `model.keras`, with the run's `id` in the comment of the archive.

        Args:
            model: the model of this run.
        """
        with files.replacing(self.model_file) as scratch:
            model.save(scratch)
            with zipfile.ZipFile(scratch, "a") as archive:
                archive.comment = f"{RUN_COMMENT}{self.config.get('id')}".encode()

    def check_model_file(self) -> None:
        """Verifies that `model.keras` is undamaged and belongs to this run.

        Raises:
            ValueError: where it is damaged, or the archive names another run. A file that names no run is accepted: a
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
        """Returns the split for a role, such as `"train[:90%]"`.

        Args:
            role: `"train"`, `"validation"` or `"test"`.

        Raises:
            ValueError: where the run has no such split.
        """
        splits = self.config["data"]["splits"]
        if splits.get(role) is None:
            known = ", ".join(name for name, split in splits.items() if split)
            raise ValueError(f"Expected a split of this run ({known}); received {role!r}")
        return splits[role]

    def dataset(self, role: str = "train", **changes: Any) -> "tf.data.Dataset":
        """Loads the run's own data, as it was trained and validated on.

        Args:
            role: `"train"` (shuffled and augmented), `"validation"` or `"test"` (in order, without augmentation).
            **changes: arguments of `keras_gen.data.load` that replace the run's, e.g. `batch_size=100`.

        Raises:
            ValueError: where the run has no such split.
        """
        from keras_gen import data

        training = self.config["training"]
        options: dict[str, Any] = {
            "batch_size": training["batch_size"],
            "seed": training["seed"],
            "image_shape": self.image_shape,
            "report": False,  # `train` has reported the files that are left out
            **self.config["data"],
            "shuffle": role == "train",  # a validation split may be the end of one that is called train
        }
        source, _ = options.pop("source"), options.pop("splits")
        if role != "train":
            options |= {"augment": (), "drop_remainder": False}
        return data.load(source, self.split(role), **{**options, **changes})


def check_free(path: str | os.PathLike, *, overwrite: bool = False, locked: bool = False) -> None:
    """Verifies that a run can be created at a path, before any long operation.

    Args:
        path: the run directory.
        overwrite: whether an existing run may be replaced.
        locked: whether the caller has the directory's `lock`.

    Raises:
        RunInUseError: where another process trains in the directory.
        FileExistsError: where the directory is not empty and `overwrite` is False.
        ValueError: where `overwrite` would delete a directory that is not a run.
        NotADirectoryError: where a parent of the path is a file.
        PermissionError: where it cannot be written, or the disk is read-only.
    """
    path = pathlib.Path(path)
    if not locked and (holder := holder_of(path)):
        raise RunInUseError(f"{path} is in use by {holder}. Wait until it ends, or choose another --out")
    if _content(path):
        if not overwrite:
            raise FileExistsError(
                f"Expected a new or empty directory; received {path}, which is not empty. Continue its run (--resume), "
                "replace it (--overwrite), or choose another directory (--out)"
            )
        if not (path / "config.json").is_file():
            raise ValueError(
                f"Expected a run directory to overwrite; received {path}, which has files but no config.json. Choose "
                "another directory (--out)"
            )
    files.check_writable(path)


def _content(path: pathlib.Path) -> list[pathlib.Path]:
    """Returns the content of a directory, without its lock and the scratch files of killed processes."""
    if not path.is_dir():
        return []
    return [each for each in path.iterdir() if each.name not in LOCK_FILES and not each.name.startswith(files.SCRATCH)]


def check_model(path: str | os.PathLike) -> None:
    """Verifies that there is an undamaged model to `load`, before any long operation.

    Args:
        path: a run directory or a `.keras` file.

    Raises:
        FileNotFoundError: where there is neither.
        ValueError: where the file is damaged.
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


def load(path: str | os.PathLike) -> "GenerativeModel":
    """Opens the model of a run directory or of a `.keras` file.

    Args:
        path: a run directory (its `model.keras` is opened) or a file.

    Returns:
        a `keras_gen.GenerativeModel`, compiled, with optimizer and seeds restored.

    Raises:
        FileNotFoundError: where there is neither.
        ValueError: where the file is damaged.
    """
    path = pathlib.Path(path)
    return Run.open(path).load_model() if path.is_dir() else load_file(path)


def load_file(path: pathlib.Path) -> "GenerativeModel":
    """Opens a `.keras` file, after the classes of all systems are registered with Keras.

    Args:
        path: the file.
    """
    from keras_gen import models

    models.import_all()
    return archives.load_keras(path)


def check_weights(path: pathlib.Path) -> pathlib.Path:
    """Returns the file with the weights of a run or of a `.keras` file, after verifying that it is undamaged.

    Args:
        path: a run directory or a `.keras` file.

    Raises:
        FileNotFoundError: where there is neither.
        ValueError: where the file is damaged.
    """
    file = path / "model.keras" if path.is_dir() else path
    archives.check_keras(file)
    return file


def load_weights(model: "keras.Model", path: pathlib.Path) -> None:
    """Restores the weights, optimizers and seeds of a run's `model.keras`, or of such a file, in a built model.

    Args:
        model: a model with the same networks.
        path: a run directory or a `.keras` file.

    Raises:
        FileNotFoundError: where there is neither.
        ValueError: where the file is damaged, or has other networks.
    """
    file = check_weights(path)
    try:
        model.load_weights(file)
    except Exception as error:  # h5py and Keras each raise their own
        raise ValueError(
            f"Expected the weights of a model of the same system, image size and settings; received {file}: "
            f"{str(error).splitlines()[0]}"
        ) from error


def read_json(path: pathlib.Path) -> dict:
    """Reads a JSON object from a file.

    Args:
        path: the file.

    Raises:
        ValueError: where the file is damaged; the message names it.
    """
    try:
        content = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"Expected a JSON object in {path}; received a {type(content).__name__}")
    return content


def write_json(path: pathlib.Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file atomically: a reader sees the old file or the new one, never a part of it.

    Args:
        path: the file.
        content: the JSON object.
    """
    files.write_text(path, json.dumps(content, indent=2) + "\n")


def versions() -> dict[str, str]:
    """Returns the installed versions of the packages that results depend on."""
    from keras_gen import __version__

    return {"keras-gen": __version__, **{name: importlib.metadata.version(name) for name in PACKAGES}}
