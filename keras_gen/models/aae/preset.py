"""Default networks and settings of the adversarial autoencoder."""

from typing import TYPE_CHECKING

from ..core.default_networks import encoder_decoder
from ..core.prior_of import prior_of
from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models


def aae(
    image_shape,
    seed,
    *,
    network: str = "mlp",
    latent_size: int = 8,
    base_filters: int | None = None,
    hidden_units: int | None = None,
    discriminator_units: int = 1000,
    prior: str | dict = "normal",
    num_categories: int | None = None,
    supervised: bool = False,
    prior_num_classes: int | None = None,
    input_noise: float = 0.0,
    loss: str = "mse",
    objective: str | dict = "non_saturating",
    ema: float | None = None,
) -> "models.AdversarialAutoencoder":
    from keras_gen import models

    from .networks import code_discriminator

    code = latent_size + (num_categories or 0)
    outputs = (num_categories, latent_size) if num_categories else latent_size
    encoder, decoder = encoder_decoder(
        network, image_shape, outputs, code, image_shape[2], base_filters, hidden_units or 1000, None
    )
    hidden = (discriminator_units,) * 2
    return models.AdversarialAutoencoder(
        encoder,
        decoder,
        code_discriminator(latent_size, hidden=hidden, num_classes=prior_num_classes),
        category_discriminator=code_discriminator(num_categories, hidden=hidden) if num_categories else None,
        prior=prior_of(prior, latent_size, image_shape, seed or 0),
        num_categories=num_categories,
        supervised=supervised,
        prior_num_classes=prior_num_classes,
        input_noise=input_noise,
        loss=loss,
        objective=objective,
        ema=ema,
        seed=seed,
    )


SYSTEMS = (
    System(
        "aae",
        "Adversarial Autoencoder",
        "Makhzani et al. 2015, arXiv:1511.05644",
        aae,
        data=("mnist", "shapes"),
        endpoints=("encode", "decode", "reconstruct", "generate"),
        learning_rate=5e-4,
        betas=(0.5, 0.999),
    ),
)
