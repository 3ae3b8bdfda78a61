"""Default networks and settings of the GAN and the DCGAN."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.default_networks import dcgan_filters, discriminator_normalization, refuse_setting
from ..core.defaults import EMA, OBJECTIVE
from ..core.prior_of import prior_of
from ..core.system import Preset, System

if TYPE_CHECKING:
    from keras_gen import models

KERNEL = 4
INPUT_DROPOUT = 0.4  # of the fraction of hidden units that are dropped
UPSAMPLING = "resize"


def gan(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    network: str = "mlp",
    latent_size: int = 100,
    base_filters: int | None = None,
    hidden_units: int | None = None,
    dropout: float | None = None,
    initial_range: float | None = None,
    dense_units: int | None = None,
    kernel: int | None = None,
    upsampling: str | None = None,
    normalization: str | None = None,
    objective: str | dict = OBJECTIVE,
    penalty: str | dict | None = None,
    n_critic: int = 1,
    simultaneous: bool = False,
    packing: int = 1,
    augment: Sequence[str] = (),
    augment_probability: float | str | dict = 1.0,
    ema: float | None = EMA,
    prior: str | dict = "normal",
    num_classes: int | None = None,
) -> "models.GAN":
    """Builds a GAN with the default networks, not yet compiled.

    Args:
        image_shape: (height, width, channels) of the images.
        seed: Seed of the model's noise and of a learned prior's initial weights; None draws one.
        network: `"mlp"`, fully connected networks (Goodfellow et al. 2014, section 5), or `"dcgan"`, convolutional
            ones (Radford et al. 2016, section 3).
        latent_size: Dimensions of the latent code, >= 1; 100 in both papers.
        base_filters: Channels of the convolutions at the largest resolution, >= 1, with network `"dcgan"`; they double
            with each halving, up to eight times as many. None is 32 for images of up to 32 pixels and otherwise 64;
            figure 1 of Radford et al. has 128.
        hidden_units: Units of each of the two hidden layers of both networks, >= 1, with network `"mlp"`. None is 1200
            in the generator and 240 maxout units of five pieces in the discriminator, as in the code of Goodfellow et
            al.
        dropout: Fraction of the hidden units that the discriminator drops in training, in [0, 1), with network `"mlp"`;
            two fifths of it for its inputs. None is 0; the code of Goodfellow et al. has 0.5, and 0.2 for the inputs.
            On several devices, all of them drop the same units.
        initial_range: Largest absolute value of the discriminator's initial weights, > 0, with network `"mlp"`. None is
            Glorot's; 0.005 in the code of Goodfellow et al., without which the discriminator wins early.
        dense_units: Units of a hidden dense layer next to the code and the logit, >= 1, or 0 for none, with network
            `"dcgan"`. None is 16 * base_filters for images that are halved fewer than three times, and otherwise none,
            as Radford et al. advise for deep networks.
        kernel: Size of the convolutions' kernels, >= 1, with network `"dcgan"`. None is 4, a multiple of the stride,
            which weakens checkerboards, and 3 in a generator that resizes; figure 1 of Radford et al. has 5.
        upsampling: How the generator doubles the size of its features, with network `"dcgan"`: `"transposed"`
            convolutions, as in Radford et al., `"resize"`, `"blur"` or `"subpixel"`; see
            `keras_gen.networks.upsampling`. None is `"resize"`: after equal processor time on `shapes`, it has
            few checkerboards and the samples that are closest to real images (RESULTS.md).
        normalization: Normalization of the discriminator, with network `"dcgan"`: `"batch"`, `"layer"`, `"spectral"`
            (of the weights; Miyato et al. 2018, arXiv:1802.05957) or `"none"`. None is `"batch"`, as in Radford et al.,
            or `"layer"` with a penalty (Gulrajani et al. 2017, section 4).
        objective: `"non_saturating"` (Goodfellow et al. 2014, section 3), `"minimax"`, `"least_squares"`, `"hinge"`,
            `"wasserstein"`, `"relativistic_average"`, or a dict with `name` and arguments such as `label_smoothing`;
            see `keras_gen.losses.adversarial`.
        penalty: Gradient penalty of the discriminator: `"wgan_gp"`, `"r1"`, `"r2"`, `"dragan"`, a dict with `name` and
            arguments such as `weight` or `gamma`, or None; see `keras_gen.losses.penalties`.
        n_critic: Discriminator updates in a step, >= 1, each on its own part of the batch; 1 in both papers, 5 for
            Wasserstein critics (Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1).
        simultaneous: Whether both players are updated at once instead of one after the other.
        packing: Examples that the discriminator classifies together, >= 1; the batch size must be a multiple. More
            than 1 counters mode collapse (PacGAN, Lin et al. 2018, arXiv:1712.04086).
        augment: Differentiable augmentations of all images that the discriminator sees: `"color"`, `"translation"`,
            `"cutout"` (DiffAugment, Zhao et al. 2020, arXiv:2006.10738). They help with few training images.
        augment_probability: Probability with which an image gets each of these augmentations, in [0, 1], or
            `"adaptive"`, by the share of real training images that the discriminator recognizes (Karras et al. 2020,
            arXiv:2006.06676), or a dict with this `name` and `target` or `images`; 1 in Zhao et al.
        ema: Decay of the moving average of the generator's weights, in (0, 1), that generates images; None generates
            with the trained weights (Yazici et al. 2018, arXiv:1806.04498).
        prior: Distribution of the latent codes: `"normal"`, `"mixture"`, `"flow"`, `"petals"`, `"swiss_roll"`, the name
            of a distribution of TensorFlow Probability, or a dict with `name` and arguments.
        num_classes: Number of classes to condition on, or None for an unconditional model (Mirza and Osindero 2014,
            arXiv:1411.1784; Miyato and Koyama 2018, arXiv:1802.05637).

    Raises:
        ValueError: for a setting that does not apply to the network, and as `keras_gen.models.GAN`.
    """
    from keras_gen import models, networks

    if network == "dcgan":
        refuse_setting("network='dcgan'", "hidden_units", hidden_units, "set base_filters or dense_units instead")
        for name, value in (("dropout", dropout), ("initial_range", initial_range)):
            refuse_setting("network='dcgan'", name, value, "leave it out, or set network='mlp'")
        filters = base_filters or dcgan_filters(image_shape)
        # the paper has no hidden dense layers in deep networks; two convolutions, as for 28x28 images, are not deep
        if dense_units is None:
            dense_units = 16 * filters if networks.num_downsamples(*image_shape[:2]) < 3 else 0
        kernel = KERNEL if kernel is None else kernel
        generator = networks.dcgan_generator(
            latent_size,
            image_shape,
            base_filters=filters,
            kernel=kernel,
            upsampling=UPSAMPLING if upsampling is None else upsampling,
            dense_units=dense_units,
            num_classes=num_classes,
        )
        discriminator = networks.dcgan_discriminator(
            image_shape,
            base_filters=filters,
            kernel=kernel,
            dense_units=dense_units,
            normalization=discriminator_normalization(normalization, penalty),
            num_classes=num_classes,
            packing=packing,
        )
    elif network == "mlp":
        for name, value in (("base_filters", base_filters), ("dense_units", dense_units), ("kernel", kernel)):
            refuse_setting("network='mlp'", name, value, "set hidden_units instead, or network='dcgan'")
        for name, value in (("upsampling", upsampling), ("normalization", normalization)):
            refuse_setting("network='mlp'", name, value, "leave it out, or set network='dcgan'")
        hidden: dict[str, Any] = {} if hidden_units is None else {"hidden_units": (hidden_units, hidden_units)}
        generator = networks.mlp_generator(latent_size, image_shape, num_classes=num_classes, **hidden)
        discriminator = networks.mlp_discriminator(
            image_shape,
            dropout=dropout or 0.0,
            input_dropout=INPUT_DROPOUT * (dropout or 0.0),
            initial_range=initial_range,
            num_classes=num_classes,
            packing=packing,
            **hidden,
        )
    else:
        raise ValueError(f"Expected network='mlp' or 'dcgan'; received {network!r}")
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
        augment_probability=augment_probability,
        ema=ema,
        num_classes=num_classes,
        seed=seed,
    )


_SMALL = ("Narrow networks and few updates, with the system's default rates.",)
_ROBUST = (
    "A moving average of the generator's weights generates images, which reduces the noise of the adversarial updates "
    "(Yazici et al. 2018, arXiv:1806.04498). bfloat16 halves memory and time."
)
# all that DiffAugment has
AUGMENTATIONS = ["color", "translation", "cutout"]

GAN_PRESETS = {
    "paper": Preset(
        "The fully connected GAN of MNIST digits, with maxout units in the discriminator.",
        {
            "dropout": 0.5,
            "initial_range": 0.005,
            "latent_size": 100,
            "objective": "non_saturating",
            "penalty": None,
            "ema": None,
        },
        {
            "image_size": 28,
            "batch_size": 100,
            "epochs": 250,
            "learning_rate": 0.1,
            "learning_rate_multipliers": {"discriminator": 0.5},
            "optimizer": {"name": "SGD", "momentum": 0.5},
            "augment": (),
        },
        sources=(
            "arXiv:1406.2661, section 5 (ReLU, sigmoid and maxout units, dropout, momentum)",
            "the authors' code, mnist.yaml (1200 units, 240 maxout units of five pieces, dropout of 0.5 and 0.2, "
            "batches of 100, rate 0.1)",
        ),
        departures=(
            "The rate of the discriminator is 0.05, since its loss is twice the code's, the mean over real and "
            "generated images.",
            "The momentum stays at 0.5 and the rate at 0.1; in the code the momentum rises to 0.7 over 250 epochs, the "
            "length here, and the rate falls by a factor of 1.000004 per update.",
        ),
    ),
    "small": Preset(
        "Narrow dense layers for a few minutes on a CPU.",
        {"hidden_units": 128, "latent_size": 64},
        {"updates": 5000},
        departures=_SMALL,
    ),
    "gpu": Preset(
        "Wide dense layers with an R1 penalty and a moving average, in bfloat16.",
        {"hidden_units": 512, "penalty": {"name": "r1", "gamma": 4.0}, "ema": 0.999},
        {"image_size": 32, "batch_size": 256, "updates": 100_000, "precision": "mixed_bfloat16"},
        image_shape=(32, 32, 3),
        departures=(
            "The R1 penalty keeps the discriminator from winning (Mescheder et al. 2018, arXiv:1801.04406), and "
            "replaces dropout.",
            _ROBUST,
            "32 pixels: dense layers do not generalize to larger images; use dcgan for these.",
        ),
    ),
}
DCGAN_PRESETS = {
    "paper": Preset(
        "The DCGAN of figure 1, for 64x64 color images.",
        {
            "base_filters": 128,
            "kernel": 5,
            "upsampling": "transposed",
            "dense_units": 0,
            "latent_size": 100,
            "prior": {"name": "Uniform", "low": -1.0, "high": 1.0},
            "normalization": "batch",
            "objective": "non_saturating",
            "augment": [],
            "ema": None,
        },
        {
            "image_size": 64,
            "batch_size": 128,
            "updates": 118_478,
            "learning_rate": 2e-4,
            "learning_rate_multipliers": {},
            "betas": (0.5, 0.999),
            "augment": (),
        },
        image_shape=(64, 64, 3),
        sources=(
            "arXiv:1511.06434, figure 1 (1024 to 128 channels, uniform noise), section 4 (Adam, rate, batches, N(0, "
            "0.02)) and 4.1 (five epochs of 3,033,042 LSUN bedrooms: 118,478 updates)",
            "the authors' code (128 to 1024 channels of the discriminator, range of the noise)",
        ),
        departures=(
            "Batch normalization after the projection has one scale for each channel; the authors' code has one for "
            "each unit.",
            "Every update has its own batch for both players; the authors' code trains them on alternate batches.",
        ),
    ),
    "small": Preset(
        "32 channels at any size and few updates, for a few minutes on a CPU.",
        {"base_filters": 32},
        {"updates": 3000},
        departures=_SMALL,
    ),
    "gpu": Preset(
        "Spectral normalization, hinge loss, DiffAugment and a moving average at 64 pixels in bfloat16.",
        {
            "base_filters": 64,
            "normalization": "spectral",
            "objective": "hinge",
            "augment": AUGMENTATIONS,
            "ema": 0.999,
        },
        {
            "image_size": 64,
            "batch_size": 64,
            "updates": 100_000,
            "learning_rate": 1e-4,
            "learning_rate_multipliers": {"discriminator": 4.0},
            "betas": (0.0, 0.9),
            "precision": "mixed_bfloat16",
        },
        image_shape=(64, 64, 3),
        departures=(
            "Spectral normalization bounds the slope of the discriminator, with the hinge loss (Miyato et al. 2018, "
            "arXiv:1802.05957) and a discriminator that learns four times as fast (Heusel et al. 2017, "
            "arXiv:1706.08500; rates of Zhang et al. 2018, arXiv:1805.08318).",
            "DiffAugment keeps the discriminator from memorizing small datasets (Zhao et al. 2020, arXiv:2006.10738).",
            _ROBUST,
        ),
    ),
}

SYSTEMS = (
    System(
        "gan",
        "Generative Adversarial Network",
        "Goodfellow et al. 2014, arXiv:1406.2661",
        # the paper has no penalty; here the discriminator then wins on MNIST within two epochs (RESULTS.md)
        functools.partial(gan, penalty={"name": "r1", "gamma": 4.0}),
        data=("mnist", "shapes"),
        endpoints=("generate",),
        demo="generator",
        updates=9_400,
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"generator": 5.0},
        drop_remainder=True,
        presets=GAN_PRESETS,
    ),
    System(
        "dcgan",
        "Deep Convolutional GAN",
        "Radford, Metz, Chintala 2016, arXiv:1511.06434",
        functools.partial(gan, network="dcgan"),
        data=("shapes", "mnist"),
        endpoints=("generate",),
        demo="generator",
        updates=9_400,
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        # the paper has 2e-4 for both; here the discriminator then wins on MNIST and on stacked digits (RESULTS.md)
        learning_rate_multipliers={"generator": 5.0},
        drop_remainder=True,
        # the discriminator memorizes 1,000 images without them (RESULTS.md)
        small_data={"augment": AUGMENTATIONS, "augment_probability": "adaptive"},
        presets=DCGAN_PRESETS,
    ),
)
