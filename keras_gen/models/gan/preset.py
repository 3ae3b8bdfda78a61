"""Default networks and settings of the GAN and the DCGAN."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.default_networks import discriminator_normalization
from ..core.prior_of import prior_of
from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models


def gan(
    image_shape,
    seed,
    *,
    network: str = "mlp",
    latent_size: int = 100,
    base_filters: int | None = None,
    hidden_units: int | None = None,
    dense_units: int | None = None,
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
        base_filters = base_filters or 64
        # deep networks do without hidden dense layers, as the paper says; two convolutions, as of 28x28, are not deep
        shallow = networks.num_downsamples(*image_shape[:2]) < 3
        options |= {
            "base_filters": base_filters,
            "dense_units": (16 * base_filters if shallow else 0) if dense_units is None else dense_units,
        }
        generator = networks.dcgan_generator(latent_size, image_shape, **options)
        discriminator = networks.dcgan_discriminator(
            image_shape, normalization=discriminator_normalization(normalization, penalty), packing=packing, **options
        )
    elif network == "mlp":
        units = {} if hidden_units is None else {"hidden": (hidden_units, hidden_units)}
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


SYSTEMS = (
    System(
        "gan",
        "Generative Adversarial Network",
        "Goodfellow et al. 2014, arXiv:1406.2661",
        # the paper has no penalty; here the discriminator then wins on MNIST within two epochs (RESULTS.md)
        functools.partial(gan, penalty={"name": "r1", "gamma": 4.0}),
        data=("mnist", "shapes"),
        endpoints=("generate",),
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"generator": 5.0},
        drop_remainder=True,
    ),
    System(
        "dcgan",
        "Deep Convolutional GAN",
        "Radford, Metz, Chintala 2016, arXiv:1511.06434",
        functools.partial(gan, network="dcgan"),
        data=("shapes", "mnist"),
        endpoints=("generate",),
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        # the paper has 2e-4 for both; here the discriminator then wins on MNIST and on stacked digits (RESULTS.md)
        learning_rate_multipliers={"generator": 5.0},
        drop_remainder=True,
    ),
)
