"""Default networks and settings of the autoencoder."""

from typing import TYPE_CHECKING

from ..core.default_networks import encoder_decoder
from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models


def autoencoder(
    image_shape,
    seed,
    *,
    network: str = "conv",
    latent_size: int = 32,
    base_filters: int | None = None,
    hidden_units: int | None = None,
    loss: str = "mse",
    num_classes: int | None = None,
) -> "models.Autoencoder":
    from keras_gen import models

    parts = encoder_decoder(
        network, image_shape, latent_size, latent_size, image_shape[2], base_filters, hidden_units, num_classes
    )
    return models.Autoencoder(*parts, loss=loss, num_classes=num_classes, seed=seed)


SYSTEMS = (
    System(
        "autoencoder",
        "Autoencoder",
        "Hinton & Salakhutdinov 2006",
        autoencoder,
        data=("shapes", "mnist"),
        endpoints=("encode", "decode", "reconstruct", "generate"),
    ),
)
