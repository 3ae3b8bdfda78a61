"""Default networks and settings of the systems that encode: Autoencoder, VAE, adversarial autoencoder."""

from typing import TYPE_CHECKING

from .priors import prior_of

if TYPE_CHECKING:
    from keras_gen import models


def _encoder_decoder(network: str, image_shape, outputs, latent_size: int, channels: int, width, num_classes):
    """Encoder and decoder of a kind: `conv` (width = first channels) or `mlp` (width = hidden units)."""
    from keras_gen import networks

    decoded_shape = (*image_shape[:2], channels)
    if network == "conv":
        options = {"width": width or 32, "num_classes": num_classes}
        encoder = networks.conv_encoder(image_shape, outputs, **options)
        return encoder, networks.conv_decoder(latent_size, decoded_shape, **options)
    if network == "mlp":
        options = {"hidden": (width or 200,) * 2, "num_classes": num_classes}
        encoder = networks.mlp_encoder(image_shape, outputs, **options)
        return encoder, networks.mlp_decoder(latent_size, decoded_shape, **options)
    raise ValueError(f"Unknown network {network!r}: expected 'conv' or 'mlp'")


def autoencoder(
    image_shape,
    seed,
    *,
    network: str = "conv",
    latent_size: int = 32,
    width: int | None = None,
    loss: str = "mse",
    num_classes: int | None = None,
) -> "models.Autoencoder":
    from keras_gen import models

    parts = _encoder_decoder(network, image_shape, latent_size, latent_size, image_shape[2], width, num_classes)
    return models.Autoencoder(*parts, loss=loss, num_classes=num_classes, seed=seed)


def vae(
    image_shape,
    seed,
    *,
    network: str = "conv",
    latent_size: int = 32,
    width: int | None = None,
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

    if head is None:  # gray images are treated as binary pixels, colour as 8-bit
        head = "bernoulli" if image_shape[2] == 1 else "discretized_logistic_mixture"
    outputs = posteriors.get(posterior).outputs(latent_size)
    channels = heads.get(head).outputs(image_shape[2])
    encoder, decoder = _encoder_decoder(network, image_shape, outputs, latent_size, channels, width, num_classes)
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


def aae(
    image_shape,
    seed,
    *,
    network: str = "mlp",
    latent_size: int = 8,
    width: int | None = None,
    discriminator_width: int = 1000,
    prior: str | dict = "normal",
    num_categories: int | None = None,
    supervised: bool = False,
    informed_classes: int | None = None,
    input_noise: float = 0.0,
    loss: str = "mse",
    objective: str | dict = "non_saturating",
    ema: float | None = None,
) -> "models.AdversarialAutoencoder":
    from keras_gen import models, networks

    code = latent_size + (num_categories or 0)
    width = width or (1000 if network == "mlp" else 32)
    outputs = (num_categories, latent_size) if num_categories else latent_size
    encoder, decoder = _encoder_decoder(network, image_shape, outputs, code, image_shape[2], width, None)
    hidden = (discriminator_width,) * 2
    return models.AdversarialAutoencoder(
        encoder,
        decoder,
        networks.code_discriminator(latent_size, hidden=hidden, num_classes=informed_classes),
        category_discriminator=networks.code_discriminator(num_categories, hidden=hidden) if num_categories else None,
        prior=prior_of(prior, latent_size, image_shape, seed or 0),
        num_categories=num_categories,
        supervised=supervised,
        informed_classes=informed_classes,
        input_noise=input_noise,
        loss=loss,
        objective=objective,
        ema=ema,
        seed=seed,
    )
