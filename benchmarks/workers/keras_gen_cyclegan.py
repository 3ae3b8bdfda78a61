"""A worker: keras_gen's CycleGAN, 64x64x3, six blocks, trained by `model.fit`. Arguments: setting name, batch size."""

import math
import os
import sys

import keras
import numpy as np
import tensorflow as tf

from keras_gen import models, networks

from .keras_gen_dcgan import multiply_adds
from .serve import serve

SHAPE, WIDTH, BLOCKS, POOL = (64, 64, 3), 64, 6, 50
SETTINGS = {
    "float32": {},
    "float32, steps_per_execution=4": {"steps_per_execution": 4},
    "bfloat16": {"precision": "mixed_bfloat16"},
}


def build(setting: str) -> models.CycleGAN:
    """The model of a setting, compiled with the paper's Adam."""
    options = dict(SETTINGS[setting])
    keras.mixed_precision.set_global_policy(options.pop("precision", "float32"))
    model = models.CycleGAN(
        networks.residual_translator(SHAPE, width=WIDTH, blocks=BLOCKS, name="generator_ab"),
        networks.residual_translator(SHAPE, width=WIDTH, blocks=BLOCKS, name="generator_ba"),
        networks.patch_discriminator(SHAPE, width=WIDTH),
        networks.patch_discriminator(SHAPE, width=WIDTH),
        pool_size=POOL,
        seed=1,
    )
    model.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), **options)
    return model


def main(setting: str, batch_size: int) -> None:
    model = build(setting)
    generator = np.random.default_rng(1)
    images = {name: generator.random((batch_size, *SHAPE), np.float32) for name in ("domain_a", "domain_b")}
    # the tuner would delay the end of every `fit`; keras_gen.data turns it off, too
    pipeline = tf.data.Options()
    pipeline.autotune.enabled = False
    dataset = tf.data.Dataset.from_tensors(images).cache().repeat().with_options(pipeline)
    players = {"generator": model.generator_ab, "discriminator": model.discriminator_a}
    about = {
        "parameters": {name: sum(math.prod(v.shape) for v in n.trainable_variables) for name, n in players.items()},
        "multiply_adds": {name: multiply_adds(network) for name, network in players.items()},
        "tensorflow": tf.__version__,
        "threads": int(os.environ.get("TF_NUM_INTRAOP_THREADS", len(os.sched_getaffinity(0)))),
    }
    serve(lambda steps: model.fit(dataset.take(steps), verbose=0), about)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
