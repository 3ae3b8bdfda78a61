"""Default networks and settings of the autoencoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.default_networks import encoder_decoder
from ..core.system import Preset, System

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
    upsampling: str | None = None,
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
        upsampling: for "conv", how the decoder doubles the size of its features: "transposed" convolutions, "resize",
            "blur" or "subpixel", see `keras_gen.networks.upsampling`; default None: "transposed".
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
        upsampling=upsampling,
        num_classes=num_classes,
    )
    return models.Autoencoder(encoder, decoder, loss=loss, num_classes=num_classes, seed=seed)


PRESETS = {
    "paper": Preset(
        "The autoencoder of MNIST digits with 784-1000-500-250-30 units.",
        {
            "network": "mlp",
            "hidden_units": [1000, 500, 250],
            "activation": "sigmoid",
            "latent_size": 30,
            "loss": "bernoulli",
        },
        {"image_size": 28, "batch_size": 1000, "epochs": 200, "learning_rate": 1e-3, "augment": ()},
        sources=(
            "Hinton & Salakhutdinov 2006, Science 313, and its supporting material (layers, logistic units, linear "
            "code, cross-entropy)",
            "the authors' code (200 epochs, batches of 1000)",
        ),
        departures=(
            "Adam trains all layers at once: the paper pretrains each layer as a restricted Boltzmann machine and then "
            "uses conjugate gradients, which Keras does not have. The learning rate is ours.",
        ),
    ),
    "small": Preset(
        "Narrow convolutions for a few minutes on a CPU.",
        {"base_filters": 16, "latent_size": 16},
        {"updates": 4000},
        image_shape=(28, 28, 1),
        departures=("Convolutions instead of dense layers, which need fewer weights, and few updates.",),
    ),
    "gpu": Preset(
        "Wide convolutions at 64 pixels in bfloat16.",
        {"base_filters": 64, "latent_size": 128},
        {"image_size": 64, "updates": 50_000, "learning_rate": 1e-3, "decay": 0.5, "precision": "mixed_bfloat16"},
        image_shape=(64, 64, 3),
        departures=(
            "Convolutions share weights between positions, which dense layers must learn for each pixel.",
            "Adam trains all layers at once: SiLU and He's initialization need no pretraining. bfloat16 halves memory "
            "and time.",
        ),
    ),
}

SYSTEMS = (
    System(
        "autoencoder",
        "Autoencoder",
        "Hinton & Salakhutdinov 2006",
        autoencoder,
        data=("shapes", "mnist"),
        endpoints=("encode", "decode", "reconstruct", "generate"),
        demo="latent",
        photo_size=64,
        updates=2_800,
        compare_with="vae",
        presets=PRESETS,
    ),
)
