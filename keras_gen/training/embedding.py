"""The text encoder of a text-to-image run, trained with the images before the game begins."""

import pathlib
from collections.abc import Callable

import tensorflow as tf

from keras_gen import runs
from keras_gen.models import Text2Image
from keras_gen.zoo.text2image import embedding_of

from .callbacks import StopOnNaN

FILE = "embedding.keras"


def prepare_text_encoder(
    run: runs.Run,
    model: Text2Image,
    training: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    devices: tf.distribute.Strategy,
    home: pathlib.Path,
    say: Callable[[str], None],
    verbose: int,
) -> None:
    """Train the joint embedding of texts and images, keep it as `embedding.keras`, and give the model its text encoder.

    A run that was stopped afterwards takes it from the file; one that was stopped while it was trained trains it anew.

    Args:
        run: whose settings say how; see `keras_gen.zoo.text2image.embedding_of`.
        model: takes over what was learned.
        training, validation: batches with `image` and `tokens`.
        devices: the strategy that the model is trained under.
        home: where this worker keeps its files.
        say: takes a line of text.
        verbose: as `fit`'s.
    """
    file = home / FILE
    if file.is_file():
        joint = runs.load_file(file)
    else:
        with devices.scope():
            joint, epochs = embedding_of(run.image_shape, run.config["training"]["seed"], run.config["settings"])
        say(f"First the text encoder, with the images: {epochs} epochs")
        joint.fit(training, validation_data=validation, epochs=epochs, verbose=verbose, callbacks=[StopOnNaN()])
        scratch = file.with_name("unfinished_embedding.keras")
        joint.save(scratch)
        scratch.replace(file)
    model.adopt(joint)
