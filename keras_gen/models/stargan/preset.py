"""Default networks and settings of StarGAN."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.system import DefaultView, System

if TYPE_CHECKING:
    from keras_gen import models


def stargan(
    image_shape,
    seed,
    *,
    groups: Sequence[int] = (8,),
    datasets: Sequence[int] | None = None,
    attribute_names: Sequence[str] | None = None,
    base_filters: int = 32,
    blocks: int = 3,
    num_downsamples: int = 2,
    conditioning: str = "normalization",
    residual: bool = True,
    discriminator_filters: int = 32,
    n_critic: int = 1,
    classification_weight: float = 1.0,
    reconstruction_weight: float = 10.0,
    penalty_weight: float = 10.0,
    ema: float | None = 0.999,
) -> "models.StarGAN":
    from keras_gen import models, networks

    from .networks import stargan_discriminator

    size, sets = sum(groups), max(datasets) + 1 if datasets else 0
    return models.StarGAN(
        networks.residual_translator(
            image_shape,
            base_filters=base_filters,
            blocks=blocks,
            num_downsamples=num_downsamples,
            padding="zero",
            num_attributes=size + sets,
            conditioning=conditioning,
            residual=residual,
            name="generator",
        ),
        stargan_discriminator(image_shape, size, base_filters=discriminator_filters),
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


# the five attributes of CelebA that the paper trains on
CELEBA_ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")

SYSTEMS = (
    System(
        "stargan",
        "StarGAN",
        "Choi et al. 2018, arXiv:1711.09020",
        stargan,
        data=("shapes",),
        endpoints=("translate", "classify"),
        # the paper has attributes as planes, new images, five critic updates of 16 and a rate of 1e-4: for
        # hours on a GPU. So few of the generator's updates as a CPU makes left images unchanged
        batch_size=16,
        epochs=5,
        learning_rate=1e-3,
        betas=(0.5, 0.999),
        drop_remainder=True,
        view="attributes",
        default_views=(
            DefaultView({"attributes": ["color"]}, dataset="shapes"),
            DefaultView({"attributes": list(CELEBA_ATTRIBUTES)}, attributes=CELEBA_ATTRIBUTES),
        ),
        decay=0.5,
    ),
)
