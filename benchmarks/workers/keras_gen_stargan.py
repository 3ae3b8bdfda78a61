"""A worker: keras_gen's StarGAN, 64x64x3, five domains, trained by `model.fit`. Arguments: setting name, batch size.

A step is five critic updates, each on its own fifth of the batch, and one of the generator. The generator has no
moving average, because the peer has none.
"""

import sys
from typing import Any

import keras
import numpy as np

from keras_gen import models, networks
from keras_gen.models.stargan.networks import stargan_discriminator

from .adversarial_step import serve_adversarial

SHAPE, DOMAINS, WIDTH, BLOCKS = (64, 64, 3), 5, 32, 6
SETTINGS: dict[str, dict[str, Any]] = {
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
            SHAPE, base_filters=WIDTH, blocks=BLOCKS, num_attributes=DOMAINS, padding="zero", name="generator"
        ),
        stargan_discriminator(SHAPE, DOMAINS, base_filters=WIDTH),
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
    serve_adversarial(model, columns, {"generator": model.generator, "discriminator": model.discriminator})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
