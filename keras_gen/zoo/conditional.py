"""Default networks and settings of the systems that are given an image or a text."""

from collections.abc import Sequence

from keras_gen import models, networks


def stargan(
    image_shape,
    seed,
    *,
    groups: Sequence[int] = (8,),
    datasets: Sequence[int] | None = None,
    attribute_names: Sequence[str] | None = None,
    width: int = 64,
    blocks: int = 6,
    halvings: int = 2,
    residual: bool = False,
    discriminator_width: int = 64,
    n_critic: int = 5,
    classification_weight: float = 1.0,
    reconstruction_weight: float = 10.0,
    penalty_weight: float = 10.0,
    ema: float | None = 0.999,
) -> models.StarGAN:
    size, sets = sum(groups), max(datasets) + 1 if datasets else 0
    return models.StarGAN(
        networks.residual_translator(
            image_shape,
            width=width,
            blocks=blocks,
            halvings=halvings,
            padding="zero",
            num_attributes=size + sets,
            residual=residual,
            name="generator",
        ),
        networks.stargan_discriminator(image_shape, size, width=discriminator_width),
        groups=groups,
        datasets=datasets,
        attribute_names=attribute_names,
        n_critic=n_critic,
        classification_weight=classification_weight,
        reconstruction_weight=reconstruction_weight,
        penalty_weight=penalty_weight,
        ema=ema,
        seed=seed,
    )
