"""Pretraining: models that are trained before the model of a run, which starts from their weights."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping

import tensorflow as tf

from keras_gen import files, runs
from keras_gen.models import GenerativeModel
from keras_gen.models.core.host import host_value
from keras_gen.models.core.protocols import LoadsPretrained
from keras_gen.models.core.system import PretrainingStage
from keras_gen.progress import counted
from keras_gen.runs.checkpoints import Checkpoints
from keras_gen.runs.history import History

from . import strategies
from .callbacks import LinearDecay, StopOnNaN, optimizers_of
from .session import Session
from .signals import StopSignals
from .timing import ReportProgress

DECAY = 0.5  # fraction of the epochs after which the learning rates fall
FOLDER = "pretraining"


def announcement(stages: tuple[PretrainingStage, ...], epochs: Mapping[str, int]) -> str:
    """Returns a message that says what is pretrained, and for how long.

    Args:
        stages: The stages of the system.
        epochs: Name of a stage -> its epochs; stages that are not in it are left out.
    """
    listed = "; then ".join(
        f"{stage.description}, {counted(epochs[stage.name], 'epoch')}" for stage in stages if stage.name in epochs
    )
    return (
        f"Pretraining comes first: {listed}. --pretraining-epochs N sets the number of epochs of each stage; 0 leaves "
        "them out"
    )


@dataclasses.dataclass(frozen=True)
class Pretraining:
    """Trains the stages of a system; the model of the run loads the result of each.

    A trained stage is saved as `<name>.keras`. A run that is stopped continues from the last state, as in the training
    that follows. The learning rates fall linearly to 0 over the second half of a stage's epochs.

    Attributes:
        run: The run; its settings and seed build the models.
        model: The model of the run.
        training: Training batches.
        validation: Validation batches, or None.
        devices: The strategy that the model is trained under.
        home: The directory of this worker's files.
        signals: As for `Session.fit`.
        say: Called with every message.
        verbose: As for `fit`.
        epochs: Name of a stage -> its epochs; stages that are not in it are left out.
    """

    run: runs.Run
    model: GenerativeModel
    training: tf.data.Dataset
    validation: tf.data.Dataset | None
    devices: tf.distribute.Strategy
    home: pathlib.Path
    signals: StopSignals
    say: Callable[[str], None]
    verbose: int
    epochs: Mapping[str, int]

    def train(self, stages: tuple[PretrainingStage, ...]) -> None:
        """Trains the stages in their order; those whose file exists are loaded.

        Raises:
            TypeError: If the model has no method `load_pretrained`.
            Stopped: After SIGINT or SIGTERM; the state is saved.
        """
        model = self.model
        if not isinstance(model, LoadsPretrained):
            raise TypeError(
                f"Expected a model with the method load_pretrained, which its system's pretraining needs; received a "
                f"{type(model).__name__}"
            )
        for stage in stages:
            if stage.name in self.epochs:
                model.load_pretrained(self._trained(stage))
        files.remove(self.home / FOLDER)

    def _trained(self, stage: PretrainingStage) -> GenerativeModel:
        """Returns the trained model of a stage, from its file if all workers have it."""
        file = self.home / f"{stage.name}.keras"
        with strategies.together(self.devices):
            trained = runs.load_file(file) if file.is_file() else None
        missing = bool(strategies.gather(self.devices, [trained is None]).any())
        if missing or trained is None:  # also if only another worker was stopped before it saved the file
            config = self.run.config
            with self.devices.scope():
                trained = stage.build(self.model, self.run.image_shape, config["training"]["seed"], config["settings"])
            self._fit(stage.name, trained)
            with files.replacing(file) as scratch:
                trained.save(scratch)
        with strategies.together(self.devices):  # a worker keeps its states until all workers have the file
            pass
        files.remove(self.home / FOLDER / stage.name)
        return trained

    def _fit(self, name: str, model: GenerativeModel) -> None:
        epochs = self.epochs[name]
        checkpoints = Checkpoints(self.home / FOLDER / name)
        session = Session(model, self.devices, checkpoints, self.run.config, of=f" of the pretraining ({name})")
        rates = [float(host_value(optimizer.learning_rate)) for optimizer in optimizers_of(model)]
        session.restore(spare=self.run.path / FOLDER / name)
        progress = f", continuing after {session.state}" if session.state > (0, 0) else ""
        self.say(f"Pretraining, {name}: {counted(epochs, 'epoch')}{progress}")
        names = list(self.epochs)
        following = sum(self.epochs[other] for other in names[names.index(name) + 1 :])
        report_progress = ReportProgress(
            f"Pretraining, {name}: epoch",
            epochs,
            later=following + self.run.config["training"]["epochs"],
            validation=0 if self.validation is None else self.validation.info.num_batches,
            say=self.say,
        )
        session.fit(
            self.training,
            self.validation,
            epochs=epochs,
            history=History(None, session.rows),
            callbacks=[report_progress, StopOnNaN(), LinearDecay(DECAY, [(0, epochs)], rates)],
            signals=self.signals,
            verbose=self.verbose,
        )
