"""The last states of a training, from which it continues exactly; their digests are verified before they are used."""

import hashlib
import json
import pathlib
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from keras_gen import files

from .run_format import FORMAT, format_problem

if TYPE_CHECKING:
    import keras

# number of states on disk
MAX_STATES = 2
_WEIGHTS = ".weights.h5"
_NAME = re.compile(r"epoch_(\d+)(?:_step_(\d+))?\.json")


class State(NamedTuple):
    """The progress of a training.

    Attributes:
        epoch: number of finished epochs.
        step: number of finished batches of the next epoch; above 0 where a signal stopped the training within it.
    """

    epoch: int
    step: int = 0

    def __str__(self) -> str:
        return f"epoch {self.epoch}" if not self.step else f"step {self.step} of epoch {self.epoch + 1}"

    @property
    def name(self) -> str:
        """The name of the state's files, without a suffix."""
        return f"epoch_{self.epoch:04d}" + (f"_step_{self.step:08d}" if self.step else "")


class DamagedStateError(ValueError):
    """The files of a state are missing, incomplete or altered."""


class Checkpoints:
    """A folder with the last two states of a training: weights, every optimizer, step counters and seeds.

    A state is two files: `epoch_0003.weights.h5`, written first, and `epoch_0003.json` with the SHA-256 of the former,
    the metrics of all finished epochs and the configuration. Each is written under another name, flushed to the disk
    and renamed, so a complete state remains whenever the process is killed. Keras's BackupAndRestore writes weights and
    epoch into two files in place, so that a kill between the two pairs the weights of one epoch with the number of
    another.

    Args:
        folder: the folder of the states; the first `save` creates it.
    """

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    @property
    def states(self) -> list[State]:
        """The states that were completely written, in order; `record` verifies whether they are intact."""
        if not self.folder.is_dir():
            return []
        matches = (_NAME.fullmatch(file.name) for file in self.folder.iterdir())
        return sorted(State(int(match[1]), int(match[2] or 0)) for match in matches if match)

    def weights_file(self, state: State) -> pathlib.Path:
        """Returns the path of the file with weights, optimizers, counters and seeds."""
        return self.folder / f"{state.name}{_WEIGHTS}"

    def record_file(self, state: State) -> pathlib.Path:
        """Returns the path of the file with the digest, the metrics and the configuration."""
        return self.folder / f"{state.name}.json"

    def save(self, model: "keras.Model", state: State, record: Mapping[str, Any]) -> None:
        """Saves a state and deletes all but the last two.

        Args:
            model: a built and compiled Keras model.
            state: its progress.
            record: a JSON object that the method `record` will return.

        Raises:
            UnwritableError: where the disk is full; the earlier states are then intact.
        """
        with files.replacing(self.weights_file(state)) as scratch:
            model.save_weights(scratch)
        weights = self.weights_file(state)
        content = {
            "format": FORMAT,
            "epoch": state.epoch,
            "step": state.step,
            "bytes": weights.stat().st_size,
            "sha256": files.digest(weights),
            **record,
        }
        files.write_text(self.record_file(state), json.dumps({"sha256": _digest(content), "content": content}) + "\n")
        self.remove(self.states[:-MAX_STATES])

    def record(self, state: State) -> dict[str, Any]:
        """Returns the record that was saved with a state, after comparing its files with their digests.

        Args:
            state: one of `states`.

        Raises:
            DamagedStateError: where a file is missing, altered or of another format.
        """
        file, weights = self.record_file(state), self.weights_file(state)
        try:
            outer = json.loads(file.read_text())
            content = outer["content"]
            intact = outer["sha256"] == _digest(content) and (content["epoch"], content["step"]) == state
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedStateError(f"{file} cannot be read: {error}") from error
        if not intact:
            raise DamagedStateError(f"{file} is damaged: its content does not match its digest")
        if problem := format_problem(file, content["format"]):
            raise DamagedStateError(problem)
        if not weights.is_file():
            raise DamagedStateError(f"{weights} is missing")
        if weights.stat().st_size != content["bytes"] or files.digest(weights) != content["sha256"]:
            raise DamagedStateError(f"{weights} is damaged: its content does not match its digest")
        return content

    def intact(self) -> tuple[dict[State, dict], list[str]]:
        """Returns the intact states, in order, with their records; and the problems of the others.

        Weights without a record are not a state: a process was killed before it wrote the record, or the record is
        lost. They are reported where they are newer than all states and an epoch was trained.
        """
        intact, newest = {}, self.weights_file(max(self.states, default=State(0))).name
        problems = [
            f"{file} has no record ({file.name.removesuffix(_WEIGHTS)}.json)"
            for file in self._incomplete()
            if file.name > newest
        ]
        for state in self.states:
            try:
                intact[state] = self.record(state)
            except DamagedStateError as error:
                problems.append(str(error))
        return intact, problems

    def restore(self, model: "keras.Model", state: State) -> None:
        """Restores a state that `record` has verified in a built and compiled model.

        Args:
            model: a model that is built like the saved one.
            state: one of `states`.

        Raises:
            ValueError: where the model is built differently.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Keras only warns where an optimizer cannot be restored
                model.load_weights(self.weights_file(state))
        except Exception as error:  # h5py and Keras each raise their own
            raise ValueError(
                f"{self.weights_file(state)} is intact but does not fit the model: {str(error).splitlines()[0]}. "
                "Expected the networks and optimizers that it was saved from: check the versions of the packages in "
                "config.json, or the model that was passed; or start a new run from its networks (--initial-weights)"
            ) from error

    def remove(self, states: Iterable[State]) -> None:
        """Deletes states; each record first, so that no record is without its weights.

        Args:
            states: the states to delete.
        """
        for state in states:
            files.remove(self.record_file(state))
            files.remove(self.weights_file(state))

    def clean(self) -> None:
        """Deletes the remains of killed processes: scratch files, and weights without a record."""
        files.remove_scratch(self.folder)
        for file in self._incomplete():
            files.remove(file)

    def _incomplete(self) -> list[pathlib.Path]:
        """Weights without a record."""
        complete = {self.weights_file(state) for state in self.states}
        return sorted(set(self.folder.glob(f"epoch_*{_WEIGHTS}")) - complete)


def _digest(content: dict) -> str:
    """Returns the SHA-256 of a JSON object, which does not depend on the order of its keys or on whitespace."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
