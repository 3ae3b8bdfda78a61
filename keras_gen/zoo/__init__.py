"""The list of systems: for each key its networks, model, settings, data and length of training.

Long, because it is a table: one entry for each system. Keras and TensorFlow are imported where a model is built, so
that the table and the settings (the arguments of each `create`) can be read without them.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from . import autoencoders, generators, puzzles, text2image, translators
from .priors import prior_of as prior_of
from .setting_types import checked_types

if TYPE_CHECKING:
    import keras

    from keras_gen import models


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
        steps: batches in an epoch by default; None is one pass over the data.
        paces: player -> how many times `learning_rate` it learns at; 1 for those that are not named.
        endpoints: names of what it exports.
        generative: whether samples are meant to look like the data.
        whole_batches: a last, smaller batch is left out (batch normalization, packing and critics' parts want whole
            ones).
        view: what it sees of a data set: `"images"` as they are, `"patches"` of them, two `"domains"`, images with
            `"attributes"`, or images with `"captions"`.
        decay: part of the epochs after which the learning rate falls linearly towards 0; None keeps it.
        pretraining: (settings) -> name of each stage that is trained before the system itself -> its epochs.
    """

    key: str
    title: str
    paper: str
    create: "Callable[..., models.GenerativeModel]"
    data: tuple[str, ...]
    endpoints: tuple[str, ...]
    image_size: int = 32
    batch_size: int = 128
    epochs: int = 20
    steps: int | None = None
    learning_rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    paces: dict[str, float] = dataclasses.field(default_factory=dict)
    generative: bool = True
    whole_batches: bool = False
    view: str = "images"
    decay: float | None = None
    pretraining: Callable[[Mapping], dict[str, int]] = lambda settings: {}

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
    optimizer: "keras.optimizers.Optimizer | None" = None,
    **settings,
) -> "models.GenerativeModel":
    """A system with its default networks, compiled and ready for `fit`.

    Args:
        key: one of `zoo.SYSTEMS`.
        image_shape: (height, width, channels) of the images.
        seed: seed of the initial weights and of the model's noise; None draws one.
        learning_rate: Adam's; None takes the system's default. A system's `paces` multiply it.
        optimizer: in place of Adam.
        **settings: the system's own, see `zoo.get(key).settings`.

    Raises:
        ValueError: for an unknown key or setting, or settings that do not fit together.
    """
    system = get(key)
    settings = check_settings(key, settings)
    import keras

    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = system.create(tuple(image_shape), seed, **settings)
    rate = system.learning_rate if learning_rate is None else learning_rate
    if optimizer is None and system.paces:
        paces = {player.name: system.paces.get(player.name, 1.0) for player in model.players()}
        optimizer = {name: keras.optimizers.Adam(rate * pace, *system.betas) for name, pace in paces.items()}
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


def check_settings(key: str, settings: Mapping) -> dict:
    """Check settings before anything is built, without importing Keras.

    Returns:
        The settings, numbers of numpy as Python's.

    Raises:
        ValueError: for an unknown system, a setting that it does not have, or one of another type than it declares.
    """
    system = get(key)
    known = system.settings
    if unknown := sorted(set(settings) - set(known)):
        listed = ", ".join(f"{name} (default {value!r})" for name, value in known.items())
        raise ValueError(f"Unknown setting {', '.join(unknown)} for {key!r}: it takes {listed}")
    return checked_types(key, system.create, settings)


_ENCODER_DECODER = ("encode", "decode", "reconstruct", "generate")

SYSTEMS = {
    system.key: system
    for system in (
        System(
            "autoencoder",
            "Autoencoder",
            "Hinton & Salakhutdinov 2006",
            autoencoders.autoencoder,
            data=("shapes", "mnist"),
            endpoints=_ENCODER_DECODER,
            generative=False,
        ),
        System(
            "vae",
            "Variational Autoencoder",
            "Kingma & Welling 2013, arXiv:1312.6114",
            autoencoders.vae,
            data=("shapes", "mnist"),
            endpoints=_ENCODER_DECODER,
        ),
        System(
            "gan",
            "Generative Adversarial Network",
            "Goodfellow et al. 2014, arXiv:1406.2661",
            # the paper has no penalty; here the discriminator then wins on MNIST within two epochs (RESULTS.md)
            functools.partial(generators.gan, penalty={"name": "r1", "gamma": 4.0}),
            data=("mnist", "shapes"),
            endpoints=("generate",),
            learning_rate=2e-4,
            betas=(0.5, 0.999),
            paces={"generator": 5.0},
            whole_batches=True,
        ),
        System(
            "dcgan",
            "Deep Convolutional GAN",
            "Radford, Metz, Chintala 2016, arXiv:1511.06434",
            functools.partial(generators.gan, network="dcgan"),
            data=("shapes", "mnist"),
            endpoints=("generate",),
            learning_rate=2e-4,
            betas=(0.5, 0.999),
            # the paper has 2e-4 for both; here the discriminator then wins on MNIST and on stacked digits (RESULTS.md)
            paces={"generator": 5.0},
            whole_batches=True,
        ),
        System(
            "infogan",
            "InfoGAN",
            "Chen et al. 2016, arXiv:1606.03657",
            generators.infogan,
            data=("mnist", "shapes"),
            endpoints=("generate", "infer"),
            learning_rate=2e-4,
            betas=(0.5, 0.999),
            paces={"generator": 5.0},  # as in the paper: 1e-3
            whole_batches=True,
        ),
        System(
            "aae",
            "Adversarial Autoencoder",
            "Makhzani et al. 2015, arXiv:1511.05644",
            autoencoders.aae,
            data=("mnist", "shapes"),
            endpoints=_ENCODER_DECODER,
            learning_rate=5e-4,
            betas=(0.5, 0.999),
        ),
        System(
            "progan",
            "Progressive GAN",
            "Karras et al. 2018, arXiv:1710.10196",
            # the paper has a weight of 10 and a slope of 1: with these, four times the weight and half the slope
            functools.partial(
                generators.progan,
                objective={"name": "wasserstein", "drift": 0.001},
                penalty={"name": "wgan_gp", "weight": 40.0, "target": 0.5},
            ),
            data=("shapes",),
            endpoints=("generate",),
            image_size=64,
            # of the largest images; smaller ones have up to four times as many
            batch_size=16,
            # the nine phases of 64x64 take 17 of them, and the last goes on
            epochs=24,
            steps=250,
            learning_rate=1e-3,
            betas=(0.0, 0.99),
            whole_batches=True,
        ),
        System(
            "stargan",
            "StarGAN",
            "Choi et al. 2018, arXiv:1711.09020",
            translators.stargan,
            data=("shapes",),
            endpoints=("translate", "classify"),
            # the paper has attributes as planes, new images, five critic updates of 16 and a rate of 1e-4: for
            # hours on a GPU. So few of the generator's updates as a CPU makes left images unchanged
            batch_size=16,
            epochs=5,
            learning_rate=1e-3,
            betas=(0.5, 0.999),
            whole_batches=True,
            view="attributes",
            decay=0.5,
        ),
        System(
            "cyclegan",
            "CycleGAN",
            "Zhu et al. 2017, arXiv:1703.10593",
            translators.cyclegan,
            data=("shapes",),
            endpoints=("a_to_b", "b_to_a"),
            # the paper has batches of 1 and a rate of 2e-4
            batch_size=8,
            epochs=30,
            steps=250,
            learning_rate=5e-4,
            betas=(0.5, 0.999),
            generative=False,
            view="domains",
            decay=0.5,
        ),
        System(
            "puzzlegan",
            "Puzzle-GAN",
            "Lee et al. 2017, arXiv:1703.10730",
            puzzles.puzzlegan,
            data=("shapes",),
            endpoints=("restore",),
            batch_size=32,
            epochs=10,
            learning_rate=1e-3,
            betas=(0.5, 0.999),
            paces={"discriminator": 0.4},
            view="patches",
            decay=0.5,
        ),
        System(
            "text2image",
            "Text to Image",
            "Reed et al. 2016, arXiv:1605.05396",
            # begun as the decoder of a VAE: a game alone has no outlines after half an hour (RESULTS.md); GAN-INT
            # lowers every score there
            functools.partial(
                text2image.text2image,
                penalty={"name": "r1", "gamma": 4.0},
                interpolate=False,
                modulated=True,
                vae={"epochs": 40},
                style_weight=0.04,
            ),
            data=("shapes",),
            endpoints=("embed", "generate"),
            batch_size=64,
            # the paper has 2e-4 for both; here a discriminator slower than the generator stays at chance (RESULTS.md)
            learning_rate=1e-3,
            betas=(0.5, 0.999),
            paces={"generator": 0.2},
            decay=0.5,
            whole_batches=True,
            view="captions",
            pretraining=text2image.pretraining_epochs,
        ),
    )
}
