"""A worker: keras_gen's CycleGAN, 64x64x3, six blocks, trained by `model.fit`. Arguments: setting name, batch size."""

import sys
from typing import Any

import keras
import numpy as np

from keras_gen import models, networks
from keras_gen.models.cyclegan.networks import patch_discriminator

from .adversarial_step import serve_adversarial

SHAPE, WIDTH, BLOCKS, POOL = (64, 64, 3), 64, 6, 50
SETTINGS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float32, steps_per_execution=4": {"steps_per_execution": 4},
    "bfloat16": {"precision": "mixed_bfloat16"},
}


def build(setting: str) -> models.CycleGAN:
    """The model of a setting, compiled with the paper's Adam."""
    options = dict(SETTINGS[setting])
    keras.mixed_precision.set_global_policy(options.pop("precision", "float32"))
    model = models.CycleGAN(
        networks.residual_translator(SHAPE, base_filters=WIDTH, blocks=BLOCKS, name="generator_ab"),
        networks.residual_translator(SHAPE, base_filters=WIDTH, blocks=BLOCKS, name="generator_ba"),
        patch_discriminator(SHAPE, base_filters=WIDTH),
        patch_discriminator(SHAPE, base_filters=WIDTH),
        pool_size=POOL,
        seed=1,
    )
    model.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), **options)
    return model


def main(setting: str, batch_size: int) -> None:
    model = build(setting)
    generator = np.random.default_rng(1)
    images = {name: generator.random((batch_size, *SHAPE), np.float32) for name in ("domain_a", "domain_b")}
    serve_adversarial(model, images, {"generator": model.generator_ab, "discriminator": model.discriminator_a})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
