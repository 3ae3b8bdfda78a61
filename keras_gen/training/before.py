"""What a text-to-image run trains before the game begins: the text encoder and, if asked for, the generator."""

import pathlib
from collections.abc import Callable

import tensorflow as tf

from keras_gen import runs
from keras_gen.models import GenerativeModel, Text2Image
from keras_gen.models.host import host_value
from keras_gen.zoo import text2image

from .callbacks import LinearDecay, StopOnNaN, optimizers_of

DECAY = 0.5  # part of the epochs after which a learning rate falls


def prepare(
    run: runs.Run,
    model: Text2Image,
    training: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    devices: tf.distribute.Strategy,
    home: pathlib.Path,
    say: Callable[[str], None],
    verbose: int,
) -> None:
    """Train the joint embedding of texts and images, then the VAE of the setting `vae`; the model takes them over.

    They are kept as `embedding.keras` and `vae.keras`. A run that was stopped afterwards takes them from the files; one
    that was stopped while one of them was trained trains it anew. Their learning rates fall over the second half.

    Args:
        run: whose settings say how; see `keras_gen.zoo.text2image.embedding_of` and `vae_of`.
        model: takes over what was learned.
        training, validation: batches with `image` and `tokens`.
        devices: the strategy that the model is trained under.
        home: where this worker keeps its files.
        say: takes a line of text.
        verbose: as `fit`'s.
    """
    settings, seed = run.config["settings"], run.config["training"]["seed"]

    def first(name: str, what: str, make: Callable[[], tuple[GenerativeModel, int]]) -> None:
        file = home / f"{name}.keras"
        if file.is_file():
            learned = runs.load_file(file)
        else:
            with devices.scope():
                learned, epochs = make()
            say(f"First {what}: {epochs} epochs")
            rates = [float(host_value(optimizer.learning_rate)) for optimizer in optimizers_of(learned)]
            callbacks = [StopOnNaN(), LinearDecay(DECAY, epochs, rates)]
            learned.fit(training, validation_data=validation, epochs=epochs, verbose=verbose, callbacks=callbacks)
            scratch = file.with_name(f"unfinished_{name}.keras")
            learned.save(scratch)
            scratch.replace(file)
        model.adopt(learned)

    first(
        "embedding",
        "the text encoder, with the images",
        lambda: text2image.embedding_of(run.image_shape, seed, settings),
    )
    if settings.get("vae"):
        options = dict(settings["vae"])
        epochs = options.pop("epochs", text2image.EPOCHS)
        first("vae", "the generator, as a decoder", lambda: (text2image.vae_of(model, seed, **options), epochs))
