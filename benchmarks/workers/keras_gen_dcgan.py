"""A worker: keras_gen's DCGAN, 64x64x3, trained by `model.fit`. Arguments: setting name, batch size.

The generator has no moving average, because the peer has none.
"""

import sys
from typing import Any

import keras
import numpy as np

from keras_gen import models, networks

from .adversarial_step import serve_adversarial

SIZE, SHAPE, WIDTH = 100, (64, 64, 3), 64


@keras.saving.register_keras_serializable("benchmarks")
class Plain(models.GAN):
    """A step without shared computations: each player generates its own images."""

    def shared_forward(self, batch, batch_noise, training):
        return {}

    def discriminator_loss(self, batch, shared, batch_noise, global_batch, training):
        return super().discriminator_loss(
            batch, super().shared_forward(batch, batch_noise, training), batch_noise, global_batch, training
        )

    def generator_loss(self, batch, shared, batch_noise, global_batch, training):
        return super().generator_loss(
            batch, super().shared_forward(batch, batch_noise, training), batch_noise, global_batch, training
        )


SETTINGS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float32, plain step": {"model": Plain},
    "float32, simultaneous": {"simultaneous": True},
    "bfloat16": {"precision": "mixed_bfloat16"},
    "bfloat16, plain step": {"precision": "mixed_bfloat16", "model": Plain},
    "bfloat16, simultaneous": {"precision": "mixed_bfloat16", "simultaneous": True},
}


def build(setting: str) -> models.GAN:
    """The model of a setting, compiled with DCGAN's Adam."""
    options = dict(SETTINGS[setting])
    keras.mixed_precision.set_global_policy(options.pop("precision", "float32"))
    model = options.pop("model", models.GAN)(
        networks.dcgan_generator(SIZE, SHAPE, base_filters=WIDTH),
        networks.dcgan_discriminator(SHAPE, base_filters=WIDTH),
        objective="non_saturating",
        ema=None,
        seed=1,
        **options,
    )
    model.compile(keras.optimizers.Adam(2e-4, beta_1=0.5))
    return model


def main(setting: str, batch_size: int) -> None:
    model = build(setting)
    images = np.random.default_rng(1).random((batch_size, *SHAPE), np.float32)
    serve_adversarial(model, {"image": images}, {"generator": model.generator, "discriminator": model.discriminator})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
