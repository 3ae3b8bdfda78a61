"""Default networks and settings of CycleGAN."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.default_networks import refuse_setting
from ..core.system import DefaultView, Preset, System

if TYPE_CHECKING:
    import keras

    from keras_gen import models

# the paper's values; the constructor of CycleGAN has the same defaults
CYCLE_WEIGHT = 10.0
IDENTITY_WEIGHT = 5.0
OBJECTIVE = "least_squares"
POOL_SIZE = 50

PADDING, UP_KERNEL = "reflect", 4
SMALL = 64  # pixels: below, the paper's translator (for 128 and more) loses colors and outlines of small objects


def cyclegan(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    domain_b: Sequence[int] | None = None,
    network: str | None = None,
    base_filters: int = 32,
    blocks: int | None = None,
    num_downsamples: int | None = None,
    up_kernel: int | None = None,
    padding: str | None = None,
    masked: bool | None = None,
    discriminator_filters: int | None = None,
    discriminator_downsamples: int | None = None,
    cycle_weight: float | None = None,
    identity_weight: float | None = None,
    adversarial_weight: float = 1.0,
    objective: str | dict = OBJECTIVE,
    pool_size: int = POOL_SIZE,
    classifier: "keras.Model | str | None" = None,
    source: str = "a",
    semantics: str = "both",
    semantic_weight: float = 1.0,
    crop: int | Sequence[int] | None = None,
    export_size: Sequence[int] | None = None,
    ema: float | None = None,
) -> "models.CycleGAN":
    """Builds a CycleGAN with its default networks.

    Zhu et al. 2017, arXiv:1703.10593.

    Args:
        image_shape: (height, width, channels) of the images of domain A.
        seed: seed of the model's noise; None draws one.
        domain_b: (height, width, channels) of the images of domain B; default None: as domain A. `keras_gen.train`
            sets it from the data.
        network: the generators: "residual" (the paper's) or "unet" (Isola et al. 2016, arXiv:1611.07004); default None:
            "unet" for images or crops below 64 pixels without `blocks`, else "residual".
        base_filters: channels of a generator's first convolution, >= 1; default 32, 64 in the paper.
        blocks: for "residual", residual blocks, >= 0; default None: 3 below 64 pixels, 6 below 256, 9 from 256 on, as
            in the paper for 128 and 256.
        num_downsamples: how often a generator halves the image, >= 0 ("residual") or >= 1 ("unet"); default None: up to
            2 ("residual", as in the paper) or 5 ("unet") while the sides stay whole and at 4 pixels or more.
        up_kernel: for "residual", size of the upsampling convolutions' kernels, >= 1; default None: 4, a multiple of
            the stride, which avoids checkerboards; 3 in the paper.
        padding: for "residual", "reflect" or "zero"; default None: "reflect", as in the paper.
        masked: for "unet", whether a generator also outputs a mask of the pixels that it changes (Pumarola et al. 2018,
            arXiv:1807.09251); default None: true for a "unet" below 64 pixels between domains with the same number of
            channels.
        discriminator_filters: channels of a discriminator's first convolution, >= 1; default None: `base_filters`.
        discriminator_downsamples: how often a discriminator halves the image, >= 1; default None: 3 from 256 pixels on
            (the paper's 70x70 patches), 2 from 128 on, else 1; 2 for masked generators below 64 pixels.
        cycle_weight: weight lambda of the cycle consistency loss, >= 0; default None: 10, as in the paper, or 2 for
            masked generators.
        identity_weight: weight of the identity loss, >= 0; default None: 5, as in the paper, or 0 for masked
            generators.
        adversarial_weight: weight of the generators' adversarial loss, >= 0; default 1, as in the paper.
        objective: adversarial objective, a name or a dict, see `keras_gen.losses.adversarial`; default
            "least_squares", as in the paper. It must need no mean over the batch.
        pool_size: past translations per domain from which the discriminators also learn, >= 0 and at least the batch
            size, 0 for none; default 50, as in the paper.
        classifier: classifier of the images of domain `source`, a Keras model or the path of its .keras file; it adds
            the semantic consistency loss (Hoffman et al. 2017, arXiv:1711.03213); default None: off.
        source: domain that the classifier was trained on, "a" (default) or "b".
        semantics: translations with a semantic consistency loss: "both" directions (default) or from the "source".
        semantic_weight: weight of the semantic consistency loss, >= 0; default 1.
        crop: height and width of the random crops to train on, one number or two; default None: whole images.
        export_size: (height, width) of the exported endpoints, with `crop`; default None: the size of the images.
        ema: decay of the generators' moving averages in (0, 1), which inference uses; default None: off.
    """
    from keras_gen import models
    from keras_gen.archives import load_keras

    shapes = {"a": tuple(image_shape), "b": tuple(domain_b or image_shape)}
    size, crop_size = _crop_sizes(shapes, crop)
    design = _design(
        shapes,
        crop_size,
        network=network,
        masked=masked,
        blocks=blocks,
        up_kernel=up_kernel,
        padding=padding,
        discriminator_downsamples=discriminator_downsamples,
        cycle_weight=cycle_weight,
        identity_weight=identity_weight,
    )
    generators = [
        _generator(design, shapes, crop_size, domain, base_filters, blocks, num_downsamples, up_kernel, padding)
        for domain in "ab"
    ]
    discriminators = [
        _discriminator(design, shapes, crop_size, domain, discriminator_filters or base_filters) for domain in "ab"
    ]
    return models.CycleGAN(
        *generators,
        *discriminators,
        cycle_weight=design.cycle_weight,
        identity_weight=design.identity_weight,
        adversarial_weight=adversarial_weight,
        objective=objective,
        pool_size=pool_size,
        classifier=load_keras(classifier) if isinstance(classifier, str) else classifier,
        source=source,
        semantics=semantics,
        semantic_weight=semantic_weight,
        crop=crop_size,
        size=size,
        export_size=export_size,
        ema=ema,
        seed=seed,
    )


class _Design(NamedTuple):
    """The choices that depend on the size of the images.

    Attributes:
        network: "residual" or "unet".
        masked: whether the generators output a mask.
        discriminator_downsamples: Number of downsampling convolutions of the discriminators; None for their default.
        cycle_weight: weight of the cycle consistency loss.
        identity_weight: weight of the identity loss.
    """

    network: str
    masked: bool
    discriminator_downsamples: int | None
    cycle_weight: float
    identity_weight: float


def _crop_sizes(
    shapes: dict[str, tuple[int, ...]], crop: int | Sequence[int] | None
) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Returns the (height, width) of whole images and of crops; both are None without crops."""
    if crop is None:
        return None, None
    if shapes["a"][:2] != shapes["b"][:2]:
        raise ValueError(f"Expected domains of one size with crop; received {shapes['a']} and {shapes['b']}")
    return shapes["a"][:2], (crop, crop) if isinstance(crop, int) else tuple(crop)


def _design(
    shapes: dict[str, tuple[int, ...]],
    crop_size: tuple[int, ...] | None,
    *,
    network: str | None,
    masked: bool | None,
    blocks: int | None,
    up_kernel: int | None,
    padding: str | None,
    discriminator_downsamples: int | None,
    cycle_weight: float | None,
    identity_weight: float | None,
) -> _Design:
    """Returns the settings, with defaults that depend on the size of the images.

    Raises:
        ValueError: for an unknown network, or settings that it does not have.
    """
    small = min(crop_size or (*shapes["a"][:2], *shapes["b"][:2])) < SMALL
    network = network or ("unet" if small and blocks is None else "residual")
    if network not in ("residual", "unet"):
        raise ValueError(f"Expected network='residual' or 'unet'; received {network!r}")
    if network == "unet":
        refuse_setting("network='unet'", "blocks", blocks, "set num_downsamples instead")
        refuse_setting("network='unet'", "up_kernel", up_kernel, "set network='residual' instead")
        refuse_setting("network='unet'", "padding", padding, "set network='residual' instead")
    elif masked:
        raise ValueError("Expected network='unet' with masked=True; received network='residual': set network='unet'")
    if masked is None:
        masked = small and network == "unet" and shapes["a"][-1] == shapes["b"][-1]
    if masked:
        # a mask that the cycle and the identity loss close stays closed
        cycle_weight = 2.0 if cycle_weight is None else cycle_weight
        identity_weight = 0.0 if identity_weight is None else identity_weight
        # patches as large as objects
        discriminator_downsamples = 2 if small and discriminator_downsamples is None else discriminator_downsamples
    return _Design(
        network,
        masked,
        discriminator_downsamples,
        CYCLE_WEIGHT if cycle_weight is None else cycle_weight,
        IDENTITY_WEIGHT if identity_weight is None else identity_weight,
    )


def _generator(
    design: _Design,
    shapes: dict[str, tuple[int, ...]],
    crop_size: tuple[int, ...] | None,
    domain: str,
    base_filters: int,
    blocks: int | None,
    num_downsamples: int | None,
    up_kernel: int | None,
    padding: str | None,
) -> "keras.Model":
    """Returns the generator from a domain to the other one, at the size of its output."""
    from keras_gen import networks

    from .networks import resized

    other = "b" if domain == "a" else "a"
    name, channels = f"generator_{domain}{other}", shapes[other][-1]
    # at the output's size: the losses of a domain compare images at its own size
    size = crop_size or shapes[other][:2]
    image_shape: Any = (*((None, None) if crop_size else size), shapes[domain][-1])
    most_downsamples = networks.num_downsamples(*size)
    if design.network == "unet":
        network = networks.unet(
            image_shape,
            channels,
            base_filters=base_filters,
            num_downsamples=min(5, most_downsamples) if num_downsamples is None else num_downsamples,
            masked=design.masked,
            name=name,
        )
    else:
        network = networks.residual_translator(
            image_shape,
            channels,
            base_filters=base_filters,
            blocks=_num_blocks(size) if blocks is None else blocks,
            num_downsamples=min(2, most_downsamples) if num_downsamples is None else num_downsamples,
            up_kernel=UP_KERNEL if up_kernel is None else up_kernel,
            padding=PADDING if padding is None else padding,
            name=name,
        )
    return network if crop_size else resized(network, shapes[domain][:2], name)


def _discriminator(
    design: _Design,
    shapes: dict[str, tuple[int, ...]],
    crop_size: tuple[int, ...] | None,
    domain: str,
    base_filters: int,
) -> "keras.Model":
    """Returns the discriminator of a domain's images or crops."""
    from .networks import patch_discriminator

    image_shape = (*(crop_size or shapes[domain][:2]), shapes[domain][-1])
    return patch_discriminator(image_shape, base_filters=base_filters, num_downsamples=design.discriminator_downsamples)


def _num_blocks(size: Sequence[int]) -> int:
    """Returns the paper's number of residual blocks, 6 for 128 pixels and 9 for 256; three span a small image."""
    return 9 if min(size) >= 256 else 6 if min(size) >= SMALL else 3


PRESETS = {
    "paper": Preset(
        "The CycleGAN of 256x256 photos: nine residual blocks and discriminators of 70x70 patches.",
        {
            "network": "residual",
            "base_filters": 64,
            "blocks": 9,
            "num_downsamples": 2,
            "up_kernel": 3,
            "padding": "reflect",
            "discriminator_filters": 64,
            "discriminator_downsamples": 3,
            "cycle_weight": 10.0,
            "identity_weight": 5.0,
            "objective": "least_squares",
            "pool_size": 50,
            "ema": None,
        },
        {
            "image_size": 256,
            "batch_size": 1,
            "epochs": 200,
            "learning_rate": 2e-4,
            "betas": (0.5, 0.999),
            "decay": 0.5,
            "augment": ("flip", "crop"),
        },
        image_shape=(256, 256, 3),
        weights={
            "generator_ab": 11_378_000,
            "generator_ba": 11_378_000,
            "discriminator_a": 2_765_000,
            "discriminator_b": 2_765_000,
        },
        sources=(
            "arXiv:1703.10593, section 4 (Adam, rate, schedule, pool), appendix 7.2 (networks)",
            "the authors' PyTorch code (weights that it prints, identity loss, flips and random crops)",
        ),
        departures=(
            "Instance normalization has scale and shift; in the PyTorch code the convolutions have a bias instead.",
            "The identity loss is on, as in the code; the paper has it for paintings only.",
            "Random crops have 80 to 100 % of the side, and are resized; the code crops 256 of 286 pixels.",
        ),
    ),
    "small": Preset(
        "32 pixels and narrow masked generators for a few minutes on a CPU.",
        {"base_filters": 16},
        {"image_size": 32, "updates": 5000},
        image_shape=(32, 32, 3),
        departures=(
            "Masked U-Nets: below 64 pixels the paper's generators lose colors and outlines of small objects.",
        ),
    ),
    "gpu": Preset(
        "128 pixels in batches of four, with moving averages, in bfloat16.",
        {"base_filters": 64, "ema": 0.999},
        {
            "image_size": 128,
            "batch_size": 4,
            "updates": 100_000,
            "learning_rate": 2e-4,
            "precision": "mixed_bfloat16",
        },
        image_shape=(128, 128, 3),
        departures=(
            "Upsampling kernels of 4, a multiple of the stride, avoid checkerboards (Odena et al. 2016, "
            "doi:10.23915/distill.00003).",
            "Moving averages of the generators reduce the noise of the adversarial updates (Yazici et al. 2018, "
            "arXiv:1806.04498). Batches of four and bfloat16 use a GPU's throughput.",
        ),
    ),
}

SYSTEMS = (
    System(
        "cyclegan",
        "CycleGAN",
        "Zhu et al. 2017, arXiv:1703.10593",
        cyclegan,
        data=("shapes",),
        endpoints=("a_to_b", "b_to_a"),
        demo="cyclegan",
        # the paper has batches of 1 and a learning rate of 2e-4
        batch_size=8,
        updates=7_500,
        learning_rate=5e-4,
        betas=(0.5, 0.999),
        view="domains",
        default_views=(DefaultView({"domains": ["plain", "striped"], "domain_field": "texture"}, dataset="shapes"),),
        decay=0.5,
        presets=PRESETS,
    ),
)
