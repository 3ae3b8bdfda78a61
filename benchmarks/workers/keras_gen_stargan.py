"""A worker: keras_gen's StarGAN, 64x64x3, five domains, trained by `model.fit`. Arguments: setting name, batch size.

A step is five critic updates, each on its own fifth of the batch, and one of the generator. The generator's moving
average is off: the peer has none.
"""

import math
import os
import sys

import keras
import numpy as np
import tensorflow as tf

from keras_gen import models, networks

from .keras_gen_dcgan import multiply_adds
from .serve import serve

SHAPE, DOMAINS, WIDTH, BLOCKS = (64, 64, 3), 5, 32, 6
SETTINGS = {
    "float32": {},
    "float32, steps_per_execution=2": {"steps_per_execution": 2},
    "bfloat16": {"precision": "mixed_bfloat16"},
}


def build(setting: str) -> models.StarGAN:
    """The model of a setting, compiled with StarGAN's Adam."""
    options = dict(SETTINGS[setting])
    keras.mixed_precision.set_global_policy(options.pop("precision", "float32"))
    model = models.StarGAN(
        networks.residual_translator(
            SHAPE, width=WIDTH, blocks=BLOCKS, num_attributes=DOMAINS, padding="zero", name="generator"
        ),
        networks.stargan_discriminator(SHAPE, DOMAINS, width=WIDTH),
        groups=[DOMAINS],
        ema=None,
        seed=1,
    )
    model.compile(keras.optimizers.Adam(1e-4, 0.5, 0.999), **options)
    return model


def main(setting: str, batch_size: int) -> None:
    model = build(setting)
    columns = {
        "image": np.random.default_rng(1).random((batch_size, *SHAPE), np.float32),
        "label": np.arange(batch_size, dtype=np.int32) % DOMAINS,
    }
    # the tuner would delay the end of every `fit`; keras_gen.data turns it off, too
    pipeline = tf.data.Options()
    pipeline.autotune.enabled = False
    dataset = tf.data.Dataset.from_tensors(columns).cache().repeat().with_options(pipeline)
    players = {"generator": model.generator, "discriminator": model.discriminator}
    about = {
        "parameters": {name: sum(math.prod(v.shape) for v in n.trainable_variables) for name, n in players.items()},
        "multiply_adds": {name: multiply_adds(network) for name, network in players.items()},
        "tensorflow": tf.__version__,
        "threads": int(os.environ.get("TF_NUM_INTRAOP_THREADS", len(os.sched_getaffinity(0)))),
    }
    serve(lambda steps: model.fit(dataset.take(steps), verbose=0), about)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
