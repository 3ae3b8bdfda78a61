"""Default networks and settings of Progressive GAN."""

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models


def progan(
    image_shape,
    seed,
    *,
    latent_size: int = 128,
    base_filters: int = 64,
    full_width_resolution: int = 8,
    start: int | None = None,
    group_size: int = 4,
    fade_images: int = 16_000,
    stable_images: int = 16_000,
    batch_sizes: Mapping | None = None,
    rates: Mapping | None = None,
    reset: bool = True,
    objective: str | dict = "wasserstein",
    penalty: str | dict | None = "wgan_gp",
    n_critic: int = 1,
    augment: Sequence[str] = (),
    ema: float | None = 0.999,
    num_classes: int | None = None,
) -> "models.ProgressiveGAN":
    from keras_gen import models

    from .networks import progressive_discriminator, progressive_generator

    options = {
        "base_filters": base_filters,
        "full_width_resolution": full_width_resolution,
        "start": start,
        "num_classes": num_classes,
    }
    return models.ProgressiveGAN(
        progressive_generator(latent_size, image_shape, **options),
        progressive_discriminator(image_shape, group_size=group_size, **options),
        fade_images=fade_images,
        stable_images=stable_images,
        batch_sizes=batch_sizes,
        rates=rates,
        reset=reset,
        objective=objective,
        penalty=penalty,
        n_critic=n_critic,
        augment=augment,
        ema=ema,
        num_classes=num_classes,
        seed=seed,
    )


SYSTEMS = (
    System(
        "progan",
        "Progressive GAN",
        "Karras et al. 2018, arXiv:1710.10196",
        # the paper has a weight of 10 and a slope of 1: with these, four times the weight and half the slope
        functools.partial(
            progan,
            objective={"name": "wasserstein", "drift": 0.001},
            penalty={"name": "wgan_gp", "weight": 40.0, "target": 0.5},
        ),
        data=("shapes",),
        endpoints=("generate",),
        image_size=64,
        # of the largest images; smaller ones have up to four times as many
        batch_size=16,
        # the nine phases of 64x64 take 17 of them, and the last goes on
        epochs=24,
        steps=250,
        learning_rate=1e-3,
        betas=(0.0, 0.99),
        drop_remainder=True,
    ),
)
