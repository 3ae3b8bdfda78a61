"""Default networks and settings of the autoencoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.default_networks import encoder_decoder
from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models

LOSS = "mse"  # the constructor's default too


def autoencoder(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    network: str = "conv",
    latent_size: int = 32,
    base_filters: int | None = None,
    hidden_units: int | Sequence[int] | None = None,
    activation: str | None = None,
    loss: str = LOSS,
    num_classes: int | None = None,
) -> "models.Autoencoder":
    """Builds an autoencoder with its default networks.

    Hinton & Salakhutdinov 2006, Science 313.

    Args:
        image_shape: (height, width, channels) of the images; for "conv", the sides must halve at least once to 4 or
            more pixels.
        seed: seed of the model's noise; None draws one.
        network: "conv" (strided convolutions, default) or "mlp" (hidden dense layers).
        latent_size: dimensions of the code, >= 1; default 32.
        base_filters: for "conv", channels of the layers next to the image, >= 1; default None: 32. They double with
            every halving of the size, up to 8 times.
        hidden_units: for "mlp", units of each of two hidden layers, >= 1, or a list with the units of all hidden layers
            from the image to the code; default None: 200.
        activation: Keras activation of the hidden layers; default None: "silu" for "conv" and "tanh" for "mlp".
        loss: reconstruction loss: "mse" (squared error, summed over pixels; default) or "bernoulli" (cross-entropy).
        num_classes: number of classes that encoder and decoder are conditioned on; default None: unconditional.
    """
    from keras_gen import models

    encoder, decoder = encoder_decoder(
        network,
        image_shape,
        outputs=latent_size,
        latent_size=latent_size,
        channels=image_shape[2],
        base_filters=base_filters,
        hidden_units=hidden_units,
        activation=activation,
        num_classes=num_classes,
    )
    return models.Autoencoder(encoder, decoder, loss=loss, num_classes=num_classes, seed=seed)


SYSTEMS = (
    System(
        "autoencoder",
        "Autoencoder",
        "Hinton & Salakhutdinov 2006",
        autoencoder,
        data=("shapes", "mnist"),
        endpoints=("encode", "decode", "reconstruct", "generate"),
        demo="latent",
        compare_with="vae",
    ),
)
