"""Default networks and settings of StarGAN."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.defaults import EMA
from ..core.system import DefaultView, Preset, System

if TYPE_CHECKING:
    from keras_gen import models

# the paper's weights; the constructor of StarGAN has the same defaults
CLASSIFICATION_WEIGHT = 1.0
RECONSTRUCTION_WEIGHT = 10.0
PENALTY_WEIGHT = 10.0


def stargan(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    groups: Sequence[int] = (8,),
    datasets: Sequence[int] | None = None,
    attribute_names: Sequence[str] | None = None,
    base_filters: int = 32,
    blocks: int = 3,
    num_downsamples: int = 2,
    down_kernel: int = 3,
    conditioning: str = "normalization",
    residual: bool = True,
    discriminator_filters: int = 32,
    n_critic: int = 1,
    classification_weight: float = CLASSIFICATION_WEIGHT,
    reconstruction_weight: float = RECONSTRUCTION_WEIGHT,
    penalty_weight: float = PENALTY_WEIGHT,
    classifier_warmup: int = 0,
    ema: float | None = EMA,
) -> "models.StarGAN":
    """Builds a StarGAN with its default networks.

    Choi et al. 2018, arXiv:1711.09020, appendix, tables 4 and 5. The paper trains on a GPU for hours, with attributes
    as planes, absolute outputs and five critic updates; the defaults here suit a CPU, where that left images unchanged.

    Args:
        image_shape: (height, width, channels) of the images; height and width must be multiples of
            2 ** num_downsamples.
        seed: seed of the model's noise; None draws one.
        groups: sizes of the attribute groups: k >= 2 for k exclusive domains, 1 for a binary attribute. Default (8,):
            eight exclusive domains. `keras_gen.train` sets it from the data.
        datasets: for each group the index of the dataset that labels it, 0, 1, ...; default None: one dataset.
        attribute_names: one name for each entry of the groups; default None: numbers. `keras_gen.train` sets it from
            the data.
        base_filters: channels of the generator's first convolution, >= 1; default 32, 64 in the paper.
        blocks: residual blocks of the generator, >= 0; default 3, 6 in the paper.
        num_downsamples: how often the generator halves the image, >= 0; default 2, as in the paper.
        down_kernel: size of the kernels of these convolutions, >= 1; default 3, 4 in the paper.
        conditioning: how the generator reads the attributes: "normalization" (default; they set the scale and shift of
            every normalization, Dumoulin et al. 2017, arXiv:1610.07629) or "planes" (the paper's: constant channels
            next to the colors).
        residual: whether the generator outputs a change that is added to the image instead of a whole image; default
            true, false in the paper.
        discriminator_filters: channels of the discriminator's first convolution, >= 1; default 32, 64 in the paper.
        n_critic: updates of the discriminator per step, >= 1, each on its own part of the batch; default 1, 5 in the
            paper.
        classification_weight: weight of the attribute classification losses, >= 0; default 1, as in the paper.
        reconstruction_weight: weight of the reconstruction error after the round trip, >= 0; default 10, as in the
            paper.
        penalty_weight: weight of the gradient penalty, > 0; default 10, as in the paper.
        classifier_warmup: steps at the start of training in which the discriminator learns the attributes alone,
            without the critic, >= 0; default 0: none, as in the paper.
        ema: decay of the generator's moving average in (0, 1), which inference uses; default 0.999. None turns it off.
    """
    from keras_gen import models, networks

    from .networks import stargan_discriminator

    size, num_datasets = sum(groups), max(datasets) + 1 if datasets else 0
    return models.StarGAN(
        networks.residual_translator(
            image_shape,
            base_filters=base_filters,
            blocks=blocks,
            num_downsamples=num_downsamples,
            down_kernel=down_kernel,
            padding="zero",
            num_attributes=size + num_datasets,
            conditioning=conditioning,
            residual=residual,
            name="generator",
        ),
        stargan_discriminator(image_shape, size, base_filters=discriminator_filters),
        groups=groups,
        datasets=datasets,
        attribute_names=attribute_names,
        n_critic=n_critic,
        classification_weight=classification_weight,
        reconstruction_weight=reconstruction_weight,
        penalty_weight=penalty_weight,
        classifier_warmup=classifier_warmup,
        ema=ema,
        seed=seed,
    )


# the five attributes of CelebA that the paper trains on
CELEBA_ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")

PRESETS = {
    "paper": Preset(
        "The StarGAN of CelebA at 128x128 pixels: six residual blocks and five critic updates.",
        {
            "base_filters": 64,
            "blocks": 6,
            "num_downsamples": 2,
            "down_kernel": 4,
            "conditioning": "planes",
            "residual": False,
            "discriminator_filters": 64,
            "n_critic": 5,
            "classification_weight": 1.0,
            "reconstruction_weight": 10.0,
            "penalty_weight": 10.0,
            "ema": None,
        },
        {
            "image_size": 128,
            "batch_size": 80,
            "epochs": 20,
            "learning_rate": 1e-4,
            "betas": (0.5, 0.999),
            "decay": 0.5,
            "augment": ("flip",),
        },
        image_shape=(128, 128, 3),
        weights={"generator": 8_430_528, "discriminator": 44_762_048},
        sources=(
            "arXiv:1711.09020, section 5 (Adam, rate, schedule, batches of 16, flips), appendix, tables 4 and 5 "
            "(networks)",
            "the authors' code (weights, counted layer by layer for the five attributes of CelebA; the penalty, "
            "which is that of the sum of the critic map)",
        ),
        departures=(
            "The batch of a step is split among five critic updates: 80 images give each of them the paper's 16.",
            "The first convolution has a bias instead of instance normalization, which would remove the constant "
            "planes of the attributes; the last layers have a bias.",
        ),
    ),
    "small": Preset(
        "32 pixels and narrow networks for a few minutes on a CPU.",
        {"base_filters": 16, "blocks": 2, "discriminator_filters": 16},
        {"image_size": 32, "updates": 3000},
        image_shape=(32, 32, 3),
        departures=(
            "Attributes scale and shift the normalizations, the generator outputs a change of the image, and there is "
            "one critic update per step: with few updates the paper's networks leave images unchanged.",
        ),
    ),
    "gpu": Preset(
        "128 pixels with conditional normalization, residual outputs and a faster critic, in bfloat16.",
        {"base_filters": 64, "blocks": 6, "down_kernel": 4, "discriminator_filters": 64, "n_critic": 1, "ema": 0.999},
        {
            "image_size": 128,
            "batch_size": 32,
            "updates": 200_000,
            "learning_rate": 1e-4,
            "learning_rate_multipliers": {"discriminator": 4.0},
            "precision": "mixed_bfloat16",
        },
        image_shape=(128, 128, 3),
        departures=(
            "Attributes scale and shift every normalization (Dumoulin et al. 2017, arXiv:1610.07629), where planes are "
            "removed by the first one; the generator outputs a change, so that it need not learn to copy.",
            "One update of a critic that learns four times as fast replaces five updates (Heusel et al. 2017, "
            "arXiv:1706.08500).",
            "A moving average of the generator's weights translates. bfloat16 halves memory and time.",
        ),
    ),
}

SYSTEMS = (
    System(
        "stargan",
        "StarGAN",
        "Choi et al. 2018, arXiv:1711.09020",
        stargan,
        data=("shapes",),
        endpoints=("translate", "classify"),
        demo="stargan",
        # the paper's learning rate is 1e-4, for hours on a GPU; the few updates that a CPU makes left images unchanged
        batch_size=16,
        updates=5_600,
        learning_rate=1e-3,
        betas=(0.5, 0.999),
        drop_remainder=True,
        view="attributes",
        default_views=(
            DefaultView({"attributes": ["color"]}, dataset="shapes"),
            DefaultView({"attributes": list(CELEBA_ATTRIBUTES)}, attributes=CELEBA_ATTRIBUTES),
        ),
        decay=0.5,
        presets=PRESETS,
        example_settings={"groups": (1,) * len(CELEBA_ATTRIBUTES)},
    ),
)
