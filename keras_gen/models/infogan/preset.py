"""Default networks and settings of InfoGAN."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.default_networks import dcgan_filters, discriminator_normalization
from ..core.defaults import EMA, OBJECTIVE
from ..core.system import Preset, System

if TYPE_CHECKING:
    from keras_gen import models


def infogan(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    noise_size: int = 62,
    num_categories: int = 10,
    num_codes: int = 2,
    base_filters: int | None = None,
    dense_units: int | None = None,
    upsampling: str = "transposed",
    normalization: str | None = None,
    category_weight: float = 1.0,
    code_weight: float = 0.1,
    objective: str | dict = OBJECTIVE,
    penalty: str | dict | None = None,
    augment: Sequence[str] = (),
    augment_probability: float | str | dict = 1.0,
    ema: float | None = EMA,
) -> "models.InfoGAN":
    """Builds an InfoGAN with the default networks, not yet compiled.

    Args:
        image_shape: (height, width, channels) of the images.
        seed: Seed of the model's noise; None draws one.
        noise_size: Dimensions of the incompressible noise, >= 1; 62 in Chen et al. 2016, appendix C.1 (MNIST).
        num_categories: Number of categories of the categorical code, >= 2; 10 in the paper (MNIST).
        num_codes: Number of continuous codes, uniform on [-1, 1], >= 0; 2 in the paper (MNIST).
        base_filters: Channels of the convolutions at the largest resolution, >= 1; they double with each halving. None
            is 32 for images of up to 32 pixels and otherwise 64; 64 in the paper, table 1.
        dense_units: Units of the dense layer next to the generator's input and of the one that returns the
            discriminator's features, >= 1. None is 16 * base_filters; 1024 in the paper, table 1.
        upsampling: How the generator doubles the size of its features: `"transposed"` convolutions, as in the paper,
            `"resize"`, `"blur"` or `"subpixel"`; see `keras_gen.networks.upsampling`.
        normalization: Normalization of the discriminator: `"batch"`, `"layer"`, `"spectral"` (of the weights) or
            `"none"`. None is `"batch"`, as in the paper, or `"layer"` with a penalty.
        category_weight: Weight lambda of the mutual information with the category, >= 0; 1 in the paper, section 6.
        code_weight: Weight lambda of the mutual information with the continuous codes, >= 0; smaller in
            the paper (section 6), as differential entropies would otherwise outweigh the GAN's losses.
        objective: `"non_saturating"`, `"minimax"`, `"least_squares"`, `"hinge"`, `"wasserstein"`,
            `"relativistic_average"`, or a dict with `name` and arguments; see `keras_gen.losses.adversarial`.
        penalty: Gradient penalty of the discriminator: `"wgan_gp"`, `"r1"`, `"r2"`, `"dragan"`, a dict with `name` and
            arguments such as `weight` or `gamma`, or None, as in the paper; see `keras_gen.losses.penalties`.
        augment: Differentiable augmentations of all images that the discriminator sees, but not Q: `"color"`,
            `"translation"`, `"cutout"` (DiffAugment, Zhao et al. 2020, arXiv:2006.10738).
        augment_probability: Probability with which an image gets each of these augmentations, in [0, 1], or
            `"adaptive"`, by the share of real training images that the discriminator recognizes (Karras et al. 2020,
            arXiv:2006.06676), or a dict with this `name` and `target` or `images`; 1 in Zhao et al.
        ema: Decay of the moving average of the generator's weights, in (0, 1), that generates images; None generates
            with the trained weights.

    Raises:
        ValueError: for an unknown upsampling, and as `keras_gen.models.InfoGAN`.
    """
    from keras_gen import models, networks

    from .networks import infogan_discriminator_head, infogan_q_head, infogan_trunk

    base_filters = base_filters or dcgan_filters(image_shape)
    dense_units = 16 * base_filters if dense_units is None else dense_units
    size, normalization = noise_size + num_categories + num_codes, discriminator_normalization(normalization, penalty)
    return models.InfoGAN(
        networks.dcgan_generator(
            size, image_shape, base_filters=base_filters, upsampling=upsampling, dense_units=dense_units
        ),
        infogan_trunk(image_shape, base_filters=base_filters, dense_units=dense_units, normalization=normalization),
        infogan_discriminator_head(dense_units),
        infogan_q_head(dense_units, num_categories + 2 * num_codes, normalization=normalization),
        num_categories=num_categories,
        num_codes=num_codes,
        category_weight=category_weight,
        code_weight=code_weight,
        objective=objective,
        penalty=penalty,
        augment=augment,
        augment_probability=augment_probability,
        ema=ema,
        seed=seed,
    )


PRESETS = {
    "paper": Preset(
        "The InfoGAN of MNIST digits: 10 categories, 2 continuous codes and 62 noise variables.",
        {
            "noise_size": 62,
            "num_categories": 10,
            "num_codes": 2,
            "base_filters": 64,
            "dense_units": 1024,
            "upsampling": "transposed",
            "normalization": "batch",
            "category_weight": 1.0,
            "code_weight": 0.1,
            "objective": "non_saturating",
            "ema": None,
        },
        {
            "image_size": 28,
            "batch_size": 128,
            "updates": 5000,
            "learning_rate": 2e-4,
            "learning_rate_multipliers": {"generator": 5.0},
            "betas": (0.5, 0.999),
            "augment": (),
        },
        sources=(
            "arXiv:1606.03657, appendix C and C.1, table 1 (networks, rates, lambda of the joint loss of both players)",
            "the authors' code (batches of 128, 50 times 100 updates, betas)",
        ),
        departures=(
            "The weight of the continuous codes is 0.1: the paper states only that it is smaller than 1, and its code "
            "has 1 with a fixed standard deviation of 1, where ours is learned as in appendix C.",
            "The noise is normal; the authors' code has uniform noise.",
        ),
    ),
    "small": Preset(
        "Half of the paper's channels for a few minutes on a CPU.",
        {"base_filters": 32, "dense_units": 256},
        {"updates": 3000},
        departures=("Narrow networks, with a moving average of the generator's weights.",),
    ),
    "gpu": Preset(
        "Spectral normalization and a moving average at 64 pixels in bfloat16.",
        {"base_filters": 64, "normalization": "spectral", "ema": 0.999},
        {
            "image_size": 64,
            "updates": 100_000,
            "learning_rate": 2e-4,
            "learning_rate_multipliers": {},
            "precision": "mixed_bfloat16",
        },
        image_shape=(64, 64, 3),
        departures=(
            "Spectral normalization bounds the slope of the discriminator (Miyato et al. 2018, arXiv:1802.05957), so "
            "that both players can have the same rate for many updates.",
            "A moving average of the generator's weights generates images (Yazici et al. 2018, arXiv:1806.04498). "
            "bfloat16 halves memory and time.",
        ),
    ),
}

SYSTEMS = (
    System(
        "infogan",
        "InfoGAN",
        "Chen et al. 2016, arXiv:1606.03657",
        infogan,
        data=("mnist", "shapes"),
        endpoints=("generate", "infer"),
        demo="infogan",
        updates=9_400,
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"generator": 5.0},  # as in the paper: 1e-3
        drop_remainder=True,
        presets=PRESETS,
    ),
)
