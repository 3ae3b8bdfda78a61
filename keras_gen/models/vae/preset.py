"""Default networks and settings of the variational autoencoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.default_networks import encoder_decoder
from ..core.prior_of import prior_of
from ..core.system import PixelSetting, Preset, System

if TYPE_CHECKING:
    from keras_gen import models

POSTERIOR = "diagonal_normal"  # the constructor's default too
# of benchmarks.heads, the best reconstructions at equal time, and the best samples of faces (RESULTS.md)
HEAD = PixelSetting("head", binary="bernoulli", other={"name": "normal", "scale": "shared"})


def vae(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    network: str = "conv",
    latent_size: int = 32,
    base_filters: int | None = None,
    hidden_units: int | Sequence[int] | None = None,
    activation: str | None = None,
    upsampling: str | None = None,
    head: str | dict | None = None,
    posterior: str = POSTERIOR,
    prior: str | dict = "normal",
    beta: float = 1.0,
    kl_warmup_steps: int = 0,
    free_bits: float = 0.0,
    num_samples: int = 1,
    num_classes: int | None = None,
) -> "models.VAE":
    """Builds a variational autoencoder with its default networks.

    Kingma & Welling 2013, arXiv:1312.6114.

    Args:
        image_shape: (height, width, channels) of the images; for "conv", the sides must halve at least once to 4 or
            more pixels.
        seed: seed of the model's noise and of the prior's initial weights; None draws one.
        network: "conv" (strided convolutions, default) or "mlp" (hidden dense layers).
        latent_size: dimensions of the code, >= 1; default 32.
        base_filters: for "conv", channels of the layers next to the image, >= 1; default None: 32. They double with
            every halving of the size, up to 8 times.
        hidden_units: for "mlp", units of each of two hidden layers, >= 1, or a list with the units of all hidden layers
            from the image to the code; default None: 200.
        activation: Keras activation of the hidden layers; default None: "silu" for "conv" and "tanh" for "mlp".
        upsampling: for "conv", how the decoder doubles the size of its features: "transposed" convolutions, "resize",
            "blur" or "subpixel", see `keras_gen.networks.upsampling`; default None: "transposed".
        head: distribution of the pixels, a name or a dict with `name` and arguments, see
            `keras_gen.distributions.heads`; default None: a run chooses it by the training images, "bernoulli" where
            nearly all pixels are black or white, else {"name": "normal", "scale": "shared"}, normal pixels with one
            learned scale. Without a run, as in `zoo.build`, it is the latter, which suits images of any values.
        posterior: "diagonal_normal" (default) or "full_covariance_normal".
        prior: "normal" (default), "mixture", "flow", "vamp" (Tomczak, Welling 2018, arXiv:1705.07120), a distribution
            of tfp.distributions, or a dict with `name` and arguments.
        beta: weight of the KL term, >= 0; default 1: the ELBO (Higgins et al. 2017, beta-VAE).
        kl_warmup_steps: steps over which the weight of the KL term rises linearly from 0, >= 0; default 0: none.
        free_bits: nats per latent dimension below which the KL term has no gradient, >= 0; default 0: off (Kingma et
            al. 2016, arXiv:1606.04934).
        num_samples: posterior samples per image, >= 1; default 1: the ELBO. More train the importance-weighted bound
            (Burda et al. 2015, arXiv:1509.00519).
        num_classes: number of classes that encoder and decoder are conditioned on; default None: unconditional.
    """
    from keras_gen import models
    from keras_gen.distributions import heads, posteriors

    head = HEAD.other if head is None else head
    encoder, decoder = encoder_decoder(
        network,
        image_shape,
        outputs=posteriors.get(posterior).outputs(latent_size),
        latent_size=latent_size,
        channels=heads.get(head).outputs(image_shape[2]),
        base_filters=base_filters,
        hidden_units=hidden_units,
        activation=activation,
        upsampling=upsampling,
        num_classes=num_classes,
    )
    return models.VAE(
        encoder,
        decoder,
        prior=prior_of(prior, latent_size, image_shape, seed or 0),
        head=head,
        posterior=posterior,
        beta=beta,
        kl_warmup_steps=kl_warmup_steps,
        free_bits=free_bits,
        num_samples=num_samples,
        num_classes=num_classes,
        seed=seed,
    )


PRESETS = {
    "paper": Preset(
        "The VAE of MNIST digits with one hidden layer of 500 tanh units each way.",
        {"network": "mlp", "hidden_units": [500], "activation": "tanh", "latent_size": 20, "head": "bernoulli"},
        {
            "image_size": 28,
            "batch_size": 100,
            "updates": 1_000_000,
            "learning_rate": 0.01,
            "optimizer": {"name": "Adagrad"},
            "augment": (),
        },
        sources=(
            "arXiv:1312.6114, section 5 (500 units, Adagrad with a step size of 0.01, 0.02 or 0.1, batches of 100, one "
            "sample), appendix C (tanh, Bernoulli decoder), figure 2 (3 to 200 latent dimensions, 10^8 training "
            "samples)",
        ),
        departures=(
            "20 of the latent sizes 3, 5, 10, 20 and 200 of figure 2, and 0.01 of the three step sizes, which the "
            "paper chooses by the first iterations.",
            "No weight decay: the paper's prior N(0, I) of the weights is one per dataset, so its gradient is small.",
            "Glorot's initialization instead of N(0, 0.01).",
        ),
    ),
    "small": Preset(
        "Narrow convolutions for a few minutes on a CPU.",
        {"base_filters": 16, "latent_size": 16},
        {"updates": 3000},
        image_shape=(28, 28, 1),
        departures=("Convolutions instead of dense layers, which need fewer weights, and few updates.",),
    ),
    "gpu": Preset(
        "Wide convolutions at 64 pixels in bfloat16, with a warm-up of the KL term.",
        {"base_filters": 64, "latent_size": 128, "kl_warmup_steps": 5000},
        {"image_size": 64, "updates": 100_000, "learning_rate": 1e-3, "decay": 0.5, "precision": "mixed_bfloat16"},
        image_shape=(64, 64, 3),
        departures=(
            "Convolutions share weights between positions, which dense layers must learn for each pixel.",
            "The weight of the KL term rises from 0, or most latent dimensions collapse to the prior early (Bowman et "
            "al. 2015, arXiv:1511.06349).",
            "Adam with a decaying rate instead of Adagrad. bfloat16 halves memory and time.",
        ),
    ),
}

SYSTEMS = (
    System(
        "vae",
        "Variational Autoencoder",
        "Kingma & Welling 2013, arXiv:1312.6114",
        vae,
        data=("shapes", "mnist"),
        endpoints=("encode", "decode", "reconstruct", "generate"),
        pixel_setting=HEAD,
        demo="latent",
        photo_size=64,
        updates=5_600,
        presets=PRESETS,
    ),
)
