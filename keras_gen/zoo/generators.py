"""Default networks and settings of the systems that generate from noise: GAN, DCGAN, InfoGAN."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .priors import prior_of

if TYPE_CHECKING:
    from keras_gen import models


def gan(
    image_shape,
    seed,
    *,
    network: str = "mlp",
    latent_size: int = 100,
    width: int | None = None,
    dense: int | None = None,
    normalization: str | None = None,
    objective: str | dict = "non_saturating",
    penalty: str | dict | None = None,
    n_critic: int = 1,
    simultaneous: bool = False,
    packing: int = 1,
    augment: Sequence[str] = (),
    ema: float | None = 0.999,
    prior: str | dict = "normal",
    num_classes: int | None = None,
) -> "models.GAN":
    from keras_gen import models, networks

    options = {"num_classes": num_classes}
    if network == "dcgan":
        width = width or 64
        # deep networks do without hidden dense layers, as the paper says; two convolutions, as of 28x28, are not deep
        shallow = networks.halvings(*image_shape[:2]) < 3
        options |= {"width": width, "dense": (16 * width if shallow else 0) if dense is None else dense}
        generator = networks.dcgan_generator(latent_size, image_shape, **options)
        discriminator = networks.dcgan_discriminator(
            image_shape, normalization=_normalization(normalization, penalty), packing=packing, **options
        )
    elif network == "mlp":
        units = {} if width is None else {"hidden": (width, width)}
        generator = networks.mlp_generator(latent_size, image_shape, **units, **options)
        discriminator = networks.mlp_discriminator(image_shape, packing=packing, **units, **options)
    else:
        raise ValueError(f"Unknown network {network!r}: expected 'mlp' or 'dcgan'")
    return models.GAN(
        generator,
        discriminator,
        prior=prior_of(prior, latent_size, image_shape, seed or 0),
        objective=objective,
        penalty=penalty,
        n_critic=n_critic,
        simultaneous=simultaneous,
        packing=packing,
        augment=augment,
        ema=ema,
        num_classes=num_classes,
        seed=seed,
    )


def infogan(
    image_shape,
    seed,
    *,
    noise_size: int = 62,
    num_categories: int = 10,
    num_codes: int = 2,
    width: int = 64,
    dense: int = 1024,
    normalization: str | None = None,
    category_weight: float = 1.0,
    code_weight: float = 0.1,
    objective: str | dict = "non_saturating",
    penalty: str | dict | None = None,
    ema: float | None = 0.999,
) -> "models.InfoGAN":
    from keras_gen import models, networks

    size, normalization = noise_size + num_categories + num_codes, _normalization(normalization, penalty)
    return models.InfoGAN(
        networks.dcgan_generator(size, image_shape, width=width, dense=dense),
        networks.infogan_trunk(image_shape, width=width, dense=dense, normalization=normalization),
        networks.infogan_discriminator_head(dense),
        networks.infogan_q_head(dense, num_categories + 2 * num_codes, normalization=normalization),
        num_categories=num_categories,
        num_codes=num_codes,
        category_weight=category_weight,
        code_weight=code_weight,
        objective=objective,
        penalty=penalty,
        ema=ema,
        seed=seed,
    )


def progan(
    image_shape,
    seed,
    *,
    latent_size: int = 128,
    width: int = 64,
    wide_until: int = 8,
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
    from keras_gen import models, networks

    options = {"width": width, "wide_until": wide_until, "start": start, "num_classes": num_classes}
    return models.ProgressiveGAN(
        networks.progressive_generator(latent_size, image_shape, **options),
        networks.progressive_discriminator(image_shape, group_size=group_size, **options),
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


def _normalization(name: str | None, penalty) -> str:
    """What is asked for; by default the papers' batch normalization, or layer normalization beside a penalty."""
    return name or ("layer" if penalty else "batch")
