"""What a text-to-image run trains first: the text encoder and, if asked for, the generator."""

import pathlib
from collections.abc import Callable

import tensorflow as tf

from keras_gen import files, runs
from keras_gen.models import GenerativeModel, Text2Image
from keras_gen.models.host import host_value
from keras_gen.runs.checkpoints import Checkpoints
from keras_gen.runs.history import History
from keras_gen.zoo import text2image

from . import strategies
from .callbacks import LinearDecay, StopOnNaN, optimizers_of
from .session import Session
from .signals import StopSignals

DECAY = 0.5  # part of the epochs after which a learning rate falls
FOLDER = "pretraining"


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
) -> None:
    """Train the joint embedding of texts and images, then the VAE of the setting `vae`; the model takes them over.

    They are kept as `embedding.keras` and `vae.keras`. A run that is stopped continues from the last epoch that was
    finished, as in the training that follows. Their learning rates fall over the second half.

    Args:
        run: its settings say how, see `keras_gen.zoo.text2image.embedding_of` and `vae_of`.
        model: takes over what was learned.
        training, validation: batches with `image` and `tokens`.
        devices: the strategy that the model is trained under.
        home: where this worker keeps its files.
        signals: as for `Session.fit`.
        say: takes a line of text.
        verbose: as for `fit`.

    Raises:
        Stopped: after SIGINT or SIGTERM; the state is saved.
    """
    settings, seed = run.config["settings"], run.config["training"]["seed"]

    def stage(name: str, what: str, build: Callable[[], tuple[GenerativeModel, int]]) -> None:
        file = home / f"{name}.keras"
        with strategies.together(devices):
            learned = runs.load_file(file) if file.is_file() else None
        if strategies.gather(devices, [learned is None]).any():  # also where another worker was stopped earlier
            with devices.scope():
                learned, epochs = build()
            _train(name, what, learned, epochs)
            with files.replacing(file) as scratch:
                learned.save(scratch)
        with strategies.together(devices):  # a worker keeps its states until all have the file
            pass
        files.remove(home / FOLDER / name)
        model.adopt(learned)

    def _train(name: str, what: str, learned: GenerativeModel, epochs: int) -> None:
        checkpoints = Checkpoints(home / FOLDER / name)
        session = Session(learned, devices, checkpoints, run.config, of=f" of the pretraining ({name})")
        rates = [float(host_value(optimizer.learning_rate)) for optimizer in optimizers_of(learned)]
        session.restore(spare=run.path / FOLDER / name)
        done = f", continuing after {session.state}" if session.state > (0, 0) else ""
        say(f"First {what}: {epochs} epochs{done}")
        session.fit(
            training,
            validation,
            epochs=epochs,
            history=History(None, session.rows),
            callbacks=[StopOnNaN(), LinearDecay(DECAY, epochs, rates)],
            signals=signals,
            verbose=verbose,
        )

    stage(
        "embedding",
        "the text encoder, with the images",
        lambda: text2image.embedding_of(run.image_shape, seed, settings),
    )
    if settings.get("vae"):
        options = dict(settings["vae"])
        epochs = options.pop("epochs", text2image.EPOCHS)
        stage("vae", "the generator, as a decoder", lambda: (text2image.vae_of(model, seed, **options), epochs))
    files.remove(home / FOLDER)
