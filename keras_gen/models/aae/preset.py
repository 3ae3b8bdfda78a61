"""Default networks and settings of the adversarial autoencoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.default_networks import encoder_decoder, refuse_setting
from ..core.defaults import OBJECTIVE
from ..core.prior_of import prior_of
from ..core.system import Preset, System

if TYPE_CHECKING:
    from keras_gen import models

HIDDEN_UNITS = 1000  # of the paper's networks
# defaults of the constructor too
LOSS = "mse"


def aae(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    network: str = "conv",
    latent_size: int = 32,
    base_filters: int | None = None,
    hidden_units: int | Sequence[int] | None = None,
    activation: str | None = None,
    upsampling: str | None = None,
    normalization: str = "none",
    discriminator_units: int = HIDDEN_UNITS,
    prior: str | dict = "normal",
    num_categories: int | None = None,
    logit_scale: float | None = None,
    supervised: bool = False,
    prior_num_classes: int | None = None,
    input_noise: float = 0.0,
    loss: str = LOSS,
    objective: str | dict = OBJECTIVE,
    ema: float | None = None,
) -> "models.AdversarialAutoencoder":
    """Builds an adversarial autoencoder with its default networks.

    Makhzani et al. 2015, arXiv:1511.05644.

    Args:
        image_shape: (height, width, channels) of the images; for "conv", the sides must halve at least once to 4 or
            more pixels.
        seed: seed of the model's noise; None draws one.
        network: "conv" (strided convolutions, default) or "mlp" (hidden dense layers, as in the paper).
        latent_size: dimensions of the style z, >= 1; default 32, 8 in the paper.
        base_filters: for "conv", channels of the layers next to the image, >= 1; default None: 32. They double with
            every halving of the size, up to 8 times.
        hidden_units: for "mlp", units of each of two hidden layers, >= 1, or a list with the units of all hidden layers
            from the image to the code; default None: 1000, as in the paper.
        activation: Keras activation of the hidden layers; default None: "silu" for "conv" and "tanh" for "mlp".
        upsampling: for "conv", how the decoder doubles the size of its features: "transposed" convolutions, "resize",
            "blur" or "subpixel", see `keras_gen.networks.upsampling`; default None: "transposed".
        normalization: normalization of the encoder's hidden layers before their activations: "batch", "layer" or "none"
            (default).
        discriminator_units: units of each of the two hidden layers of a discriminator, >= 1; default 1000, as in the
            paper.
        prior: prior of the style: "normal" (default), "petals" or "swiss_roll" of latent_size 2 (the paper's section
            2.3), a distribution of tfp.distributions, or a dict with `name` and arguments.
        num_categories: number of categories >= 2 of a categorical code next to the style, for clustering (section 6)
            or classification (section 5); default None: styles alone.
        logit_scale: initial standard deviation of the categories' logits, > 0, which are then batch-normalized, so that
            no category is unused from the start; default None: not normalized. Needs num_categories.
        supervised: whether the categories also learn from the labels of some images (section 5); default false. Needs
            num_categories.
        prior_num_classes: number of classes of a label-informed prior (section 2.3): the discriminator is conditioned
            on an image's class; default None: off.
        input_noise: standard deviation of the noise on the encoder's images in training, >= 0; default 0: off.
        loss: reconstruction loss: "mse" (squared error, summed over pixels; default) or "bernoulli" (cross-entropy).
        objective: adversarial objective of the discriminators, a name or a dict, see `keras_gen.losses.adversarial`;
            default "non_saturating", as in the paper. It must need no mean over the batch.
        ema: decay of the moving averages of encoder and decoder in (0, 1), which inference uses; default None: off.
    """
    from keras_gen import models

    from .networks import code_discriminator, normalize_logits

    if not num_categories:
        refuse_setting("num_categories=None", "logit_scale", logit_scale, "set num_categories too")
    if network == "mlp" and hidden_units is None:
        hidden_units = HIDDEN_UNITS
    encoder, decoder = encoder_decoder(
        network,
        image_shape,
        outputs=(num_categories, latent_size) if num_categories else latent_size,
        latent_size=latent_size + (num_categories or 0),
        channels=image_shape[2],
        base_filters=base_filters,
        hidden_units=hidden_units,
        activation=activation,
        upsampling=upsampling,
        encoder_normalization=normalization,
    )
    if logit_scale is not None:
        encoder = normalize_logits(encoder, logit_scale)
    hidden = (discriminator_units,) * 2
    return models.AdversarialAutoencoder(
        encoder,
        decoder,
        code_discriminator(latent_size, hidden_units=hidden, num_classes=prior_num_classes),
        category_discriminator=code_discriminator(num_categories, hidden_units=hidden) if num_categories else None,
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


PRESETS = {
    "paper": Preset(
        "The AAE of MNIST digits with two hidden layers of 1000 ReLUs in each network and a prior N(0, 5^2).",
        {
            "network": "mlp",
            "hidden_units": [HIDDEN_UNITS, HIDDEN_UNITS],
            "activation": "relu",
            "latent_size": 8,
            "prior": {"name": "Normal", "loc": 0.0, "scale": 5.0},
        },
        {
            "image_size": 28,
            "batch_size": 100,
            "epochs": 1000,
            "learning_rate": 0.1,
            "learning_rate_multipliers": {"reconstruction": 0.01},
            "optimizer": {"name": "SGD", "momentum": 0.1, "players": {"reconstruction": {"momentum": 0.9}}},
            "augment": (),
        },
        sources=("arXiv:1511.05644, appendix A (networks, prior, batches of 100, SGD, momenta, initial rates)",),
        departures=(
            "The rates are constant; in the paper they fall tenfold after 50 and after 1000 epochs, the length here.",
            "The rate of the reconstruction is 0.001, for a squared error that is summed over pixels: the paper's 0.01 "
            "is for a scale that it does not state, and diverged in a trial with this one and other momenta.",
            "Glorot's initialization instead of N(0, 0.01).",
        ),
    ),
    "small": Preset(
        "Narrow convolutions for a few minutes on a CPU.",
        {"base_filters": 16, "latent_size": 16, "discriminator_units": 256},
        {"updates": 4_000},
        departures=(
            "Convolutions instead of dense layers, whose codes were nearly constant on color images (RESULTS.md).",
            "Narrow networks and few updates, with Adam.",
        ),
    ),
    "gpu": Preset(
        "Wide convolutions at 64 pixels in bfloat16, with moving averages.",
        {"network": "conv", "base_filters": 64, "latent_size": 64, "ema": 0.999},
        {"image_size": 64, "updates": 100_000, "learning_rate": 2e-4, "decay": 0.5, "precision": "mixed_bfloat16"},
        image_shape=(64, 64, 3),
        departures=(
            "Convolutions share weights between positions, which dense layers must learn for each pixel; larger images "
            "need a longer code.",
            "Adam instead of SGD, whose rates the paper sets by hand for each phase; moving averages reduce the noise "
            "of the adversarial updates. bfloat16 halves memory and time.",
        ),
    ),
}

SYSTEMS = (
    System(
        "aae",
        "Adversarial Autoencoder",
        "Makhzani et al. 2015, arXiv:1511.05644",
        aae,  # the paper's dense layers encode color images into a nearly constant code (RESULTS.md)
        data=("mnist", "shapes"),
        endpoints=("encode", "decode", "reconstruct", "generate"),
        demo="latent",
        photo_size=64,
        updates=9_400,
        learning_rate=5e-4,
        betas=(0.5, 0.999),
        presets=PRESETS,
    ),
)
