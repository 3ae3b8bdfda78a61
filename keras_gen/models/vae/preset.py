"""Default networks and settings of the variational autoencoder."""

from typing import TYPE_CHECKING

from ..core.default_networks import encoder_decoder
from ..core.prior_of import prior_of
from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models


def vae(
    image_shape,
    seed,
    *,
    network: str = "conv",
    latent_size: int = 32,
    base_filters: int | None = None,
    hidden_units: int | None = None,
    head: str | dict | None = None,
    posterior: str = "diagonal_normal",
    prior: str | dict = "normal",
    beta: float = 1.0,
    kl_warmup_steps: int = 0,
    free_bits: float = 0.0,
    num_samples: int = 1,
    num_classes: int | None = None,
) -> "models.VAE":
    from keras_gen import models
    from keras_gen.distributions import heads, posteriors

    if head is None:  # gray images are treated as binary pixels, color as 8-bit
        head = "bernoulli" if image_shape[2] == 1 else "discretized_logistic_mixture"
    outputs = posteriors.get(posterior).outputs(latent_size)
    channels = heads.get(head).outputs(image_shape[2])
    encoder, decoder = encoder_decoder(
        network, image_shape, outputs, latent_size, channels, base_filters, hidden_units, num_classes
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


SYSTEMS = (
    System(
        "vae",
        "Variational Autoencoder",
        "Kingma & Welling 2013, arXiv:1312.6114",
        vae,
        data=("shapes", "mnist"),
        endpoints=("encode", "decode", "reconstruct", "generate"),
    ),
)
