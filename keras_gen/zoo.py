"""The list of systems: for each key its networks, model, settings, data and length of training."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Sequence

import keras

from . import layers, models, networks
from .distributions import Prior, heads, posteriors


@dataclasses.dataclass(frozen=True)
class System:
    """One row of the zoo.

    Attributes:
        key: its name on the command line.
        title, paper: what to call it and where it comes from.
        create: (image_shape, seed, **settings) -> model, not yet compiled. Its keyword arguments are the settings.
        data: sources that suit it, the first one the default.
        image_size: default height and width for sources whose images have no size of their own.
        batch_size, epochs, learning_rate, betas: defaults of training (Adam).
        endpoints: names of what it exports.
        generative: whether samples are meant to look like the data.
        whole_batches: a last, smaller batch is left out (batch normalization, packing and critics' parts want whole
            ones).
    """

    key: str
    title: str
    paper: str
    create: Callable[..., models.GenerativeModel]
    data: tuple[str, ...]
    endpoints: tuple[str, ...]
    image_size: int = 32
    batch_size: int = 128
    epochs: int = 20
    learning_rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    generative: bool = True
    whole_batches: bool = False

    @property
    def settings(self) -> dict:
        """Setting -> default, as `zoo.build(key, ..., **settings)` and `keras-gen train --set` take them."""
        parameters = inspect.signature(self.create).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def build(
    key: str,
    image_shape: tuple[int, int, int],
    *,
    seed: int | None = 0,
    learning_rate: float | None = None,
    optimizer: keras.optimizers.Optimizer | None = None,
    **settings,
) -> models.GenerativeModel:
    """A system with its default networks, compiled and ready for `fit`.

    Args:
        key: one of `zoo.SYSTEMS`.
        image_shape: (height, width, channels) of the images.
        seed: seed of the initial weights and of the model's noise; None draws one.
        learning_rate: Adam's; None takes the system's default.
        optimizer: in place of Adam.
        **settings: the system's own, see `zoo.get(key).settings`.

    Raises:
        ValueError: for an unknown key or setting, or settings that do not fit together.
    """
    system = get(key)
    unknown = sorted(set(settings) - set(system.settings))
    if unknown:
        raise ValueError(
            f"Unknown setting {', '.join(unknown)} for {key!r}: it takes "
            + ", ".join(f"{name} (default {value!r})" for name, value in system.settings.items())
        )
    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = system.create(tuple(image_shape), seed, **settings)
    rate = system.learning_rate if learning_rate is None else learning_rate
    model.compile(optimizer or keras.optimizers.Adam(rate, *system.betas))
    return model


def get(key: str) -> System:
    """The system of a key.

    Raises:
        ValueError: for an unknown key.
    """
    if key not in SYSTEMS:
        raise ValueError(f"Unknown system {key!r}: expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[key]


def _encoder_decoder(network: str, image_shape, outputs: int, latent_size: int, channels: int, width, num_classes):
    """Encoder and decoder of a kind: `conv` (width = first channels) or `mlp` (width = hidden units)."""
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


def _autoencoder(
    image_shape,
    seed,
    *,
    network: str = "conv",
    latent_size: int = 32,
    width: int | None = None,
    loss: str = "mse",
    num_classes: int | None = None,
) -> models.Autoencoder:
    parts = _encoder_decoder(network, image_shape, latent_size, latent_size, image_shape[2], width, num_classes)
    return models.Autoencoder(*parts, loss=loss, num_classes=num_classes, seed=seed)


def _vae(
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
) -> models.VAE:
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


def _gan(
    image_shape,
    seed,
    *,
    network: str = "mlp",
    latent_size: int = 100,
    width: int | None = None,
    normalization: str = "batch",
    objective: str | dict = "non_saturating",
    penalty: str | dict | None = None,
    n_critic: int = 1,
    simultaneous: bool = False,
    packing: int = 1,
    augment: Sequence[str] = (),
    ema: float | None = 0.999,
    prior: str | dict = "normal",
    num_classes: int | None = None,
) -> models.GAN:
    options = {"num_classes": num_classes}
    if network == "dcgan":
        options["width"] = width or 64
        generator = networks.dcgan_generator(latent_size, image_shape, **options)
        discriminator = networks.dcgan_discriminator(
            image_shape, normalization=normalization, packing=packing, **options
        )
    elif network == "mlp":
        units = {} if width is None else {"hidden": (width, width)}
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


def prior_of(prior: str | dict, size: int, image_shape: tuple[int, int, int], seed: int = 0):
    """A prior from a setting: `normal`, `mixture`, `flow`, `vamp`, a name in tfp.distributions, or a dict with `name`.

    Args:
        prior: e.g. `"normal"`, `{"name": "mixture", "components": 20}`, `{"name": "Laplace", "loc": 0, "scale": 1}`.
        size: dimensions of a code.
        image_shape: shape of the VampPrior's pseudo-inputs.
        seed: seed of initial weights.
    """
    arguments = dict(prior) if isinstance(prior, dict) else {"name": prior}
    name = arguments.pop("name", "normal")
    if name == "normal":
        return Prior(size=size, **arguments)
    if name == "mixture":
        return layers.MixturePrior(size, **{"components": 10, "seed": seed, **arguments})
    if name == "flow":
        return layers.FlowPrior(size, **{"seed": seed, **arguments})
    if name == "vamp":
        options = {"components": 100, "seed": seed, **arguments}
        return layers.VampPrior(size, image_shape=image_shape, **options)
    return Prior(name, size=size, **arguments)


_ENCODER_DECODER = ("encode", "decode", "reconstruct", "generate")

SYSTEMS = {
    system.key: system
    for system in (
        System(
            "autoencoder",
            "Autoencoder",
            "Hinton & Salakhutdinov 2006",
            _autoencoder,
            data=("shapes", "mnist"),
            endpoints=_ENCODER_DECODER,
            generative=False,
        ),
        System(
            "vae",
            "Variational Autoencoder",
            "Kingma & Welling 2013, arXiv:1312.6114",
            _vae,
            data=("shapes", "mnist"),
            endpoints=_ENCODER_DECODER,
        ),
        System(
            "gan",
            "Generative Adversarial Network",
            "Goodfellow et al. 2014, arXiv:1406.2661",
            _gan,
            data=("mnist", "shapes"),
            endpoints=("generate",),
            learning_rate=2e-4,
            betas=(0.5, 0.999),
            whole_batches=True,
        ),
        System(
            "dcgan",
            "Deep Convolutional GAN",
            "Radford, Metz, Chintala 2016, arXiv:1511.06434",
            functools.partial(_gan, network="dcgan"),
            data=("shapes", "mnist"),
            endpoints=("generate",),
            learning_rate=2e-4,
            betas=(0.5, 0.999),
            whole_batches=True,
        ),
    )
}
