"""What a text-to-image run trains first: the text encoder, and the generator as the decoder of a VAE."""

import pathlib
from collections.abc import Callable, Mapping

import tensorflow as tf

from keras_gen import files, runs
from keras_gen.models import GenerativeModel, Text2Image
from keras_gen.models.core.host import host_value
from keras_gen.models.text2image import preset as text2image
from keras_gen.progress import counted
from keras_gen.runs.checkpoints import Checkpoints
from keras_gen.runs.history import History

from . import strategies
from .callbacks import LinearDecay, StopOnNaN, optimizers_of
from .session import Session
from .signals import StopSignals
from .timing import ReportProgress

DECAY = 0.5  # part of the epochs after which a learning rate falls
FOLDER = "pretraining"
STAGES = {
    "embedding": "the text encoder, with the images",
    "vae": "the generator, as the decoder of a VAE (an adversarial game alone takes far longer to find outlines)",
}


def announcement(epochs: Mapping[str, int]) -> str:
    """What is trained before the system itself, for how long and why.

    Args:
        epochs: stage -> its epochs.
    """
    stages = "; then ".join(f"{STAGES[name]}, {counted(count, 'epoch')}" for name, count in epochs.items())
    return (
        f"Pretraining comes first: {stages}. --pretraining-epochs N changes how many epochs each has, and 0 leaves "
        "them out"
    )


def pretrain(
    run: runs.Run,
    model: Text2Image,
    training: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    devices: tf.distribute.Strategy,
    home: pathlib.Path,
    signals: StopSignals,
    say: Callable[[str], None],
    verbose: int,
    epochs: Mapping[str, int],
) -> None:
    """Train the joint embedding of texts and images, then the VAE of the setting `vae`; the model takes them over.

    They are kept as `embedding.keras` and `vae.keras`. A run that is stopped continues from the last epoch that was
    finished, as in the training that follows. Their learning rates fall over the second half.

    Args:
        run: its settings say how, see `keras_gen.models.text2image.preset.embedding_of` and `vae_of`.
        model: takes over what was learned.
        training, validation: batches with `image` and `tokens`.
        devices: the strategy that the model is trained under.
        home: where this worker keeps its files.
        signals: as for `Session.fit`.
        say: takes a line of text.
        verbose: as for `fit`.
        epochs: stage, `"embedding"` or `"vae"` -> its epochs, in this order; one that is missing is left out.

    Raises:
        Stopped: after SIGINT or SIGTERM; the state is saved.
    """
    settings, seed = run.config["settings"], run.config["training"]["seed"]

    def stage(name: str, build: Callable[[], GenerativeModel]) -> None:
        file = home / f"{name}.keras"
        with strategies.together(devices):
            learned = runs.load_file(file) if file.is_file() else None
        if strategies.gather(devices, [learned is None]).any():  # also where another worker was stopped earlier
            with devices.scope():
                learned = build()
            _train(name, learned)
            with files.replacing(file) as scratch:
                learned.save(scratch)
        with strategies.together(devices):  # a worker keeps its states until all have the file
            pass
        files.remove(home / FOLDER / name)
        model.load_pretrained(learned)

    def _train(name: str, learned: GenerativeModel) -> None:
        checkpoints = Checkpoints(home / FOLDER / name)
        session = Session(learned, devices, checkpoints, run.config, of=f" of the pretraining ({name})")
        rates = [float(host_value(optimizer.learning_rate)) for optimizer in optimizers_of(learned)]
        session.restore(spare=run.path / FOLDER / name)
        done = f", continuing after {session.state}" if session.state > (0, 0) else ""
        say(f"Pretraining, {name}: {counted(epochs[name], 'epoch')}{done}")
        names = list(epochs)
        later = sum(epochs[other] for other in names[names.index(name) + 1 :]) + run.config["training"]["epochs"]
        progress = ReportProgress(
            f"Pretraining, {name}: epoch",
            epochs[name],
            later=later,
            validation=0 if validation is None else validation.info.num_batches,
            say=say,
        )
        session.fit(
            training,
            validation,
            epochs=epochs[name],
            history=History(None, session.rows),
            callbacks=[progress, StopOnNaN(), LinearDecay(DECAY, [(0, epochs[name])], rates)],
            signals=signals,
            verbose=verbose,
        )

    if "embedding" in epochs:
        stage("embedding", lambda: text2image.embedding_of(run.image_shape, seed, settings))
    if "vae" in epochs:
        options = {name: value for name, value in settings["vae"].items() if name != "epochs"}
        stage("vae", lambda: text2image.vae_of(model, seed, **options))
    files.remove(home / FOLDER)
