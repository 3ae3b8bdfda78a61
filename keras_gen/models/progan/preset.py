"""Default networks and settings of Progressive GAN."""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.defaults import EMA
from ..core.system import Preset, System

# the largest share of the epochs in which a model grows
MAX_GROWING = 13 / 24

if TYPE_CHECKING:
    from keras_gen import models


def progan(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    latent_size: int = 128,
    base_filters: int = 64,
    full_width_resolution: int = 8,
    start_resolution: int | None = None,
    upsampling: str = "resize",
    group_size: int = 4,
    fade_images: int = 16_000,
    stable_images: int = 16_000,
    batch_sizes: Mapping | None = None,
    stage_learning_rate_multipliers: Mapping | None = None,
    reset_optimizers: bool = True,
    objective: str | dict = "wasserstein",
    penalty: str | dict | None = "wgan_gp",
    n_critic: int = 1,
    augment: Sequence[str] = (),
    augment_probability: float | str | dict = 1.0,
    ema: float | None = EMA,
    num_classes: int | None = None,
) -> "models.ProgressiveGAN":
    """Builds a Progressive GAN with the default networks, not yet compiled.

    A resolution is the smaller side of a stage's images in pixels; see `keras_gen.models.ProgressiveGAN`.

    Args:
        image_shape: (height, width, channels) of the images. The smaller side must be 4, 5, 6 or 7 pixels times a power
            of two, and the larger one divisible by that power.
        seed: Seed of the model's noise; None draws one.
        latent_size: Dimensions of the latent code, >= 1; 512 in Karras et al. 2018, appendix A.1.
        base_filters: Channels of the convolutions up to full_width_resolution, >= 1; 512 in the paper, table 2.
        full_width_resolution: Largest height in pixels with base_filters channels; they halve with each doubling above
            it. 32 in the paper, table 2.
        start_resolution: Resolution of the first stage, or None for the smallest, 4 to 7 pixels, as in the paper. The
            resolution of the images trains without growing.
        upsampling: How the generator doubles the size of its features: `"resize"` (nearest-neighbor upsampling, then a
            convolution), as in the paper, table 2, `"transposed"`, `"blur"` or `"subpixel"`; see
            `keras_gen.networks.upsampling`.
        group_size: Images in a group of the minibatch standard deviation, >= 1, a divisor of the batch sizes; 4 in the
            authors' code.
        fade_images: Images in each fade-in, >= 1; 800,000 in the paper, appendix A.2.
        stable_images: Images in each stabilization but the last, which lasts to the end of the training, >= 1; 800,000
            in the paper, appendix A.2.
        batch_sizes: Mapping of resolutions to images in a step, such as {4: 64, 8: 64}; other resolutions have the
            training's batch size, and those above the images' own have no effect. None doubles it from stage to stage
            towards the smallest, at most fourfold.
        stage_learning_rate_multipliers: Mapping of resolutions to factors of the learning rates in their phases, > 0;
            1 for other resolutions. Cannot be combined with a learning-rate schedule.
        reset_optimizers: Whether each phase begins with a new state of the optimizers, as in the authors' code.
        objective: `"wasserstein"`, the paper's, here with a drift of 0.001 by default (appendix A.1), or another, see
            `keras_gen.losses.adversarial`; a dict has `name` and arguments.
        penalty: Gradient penalty of the discriminator: `"wgan_gp"`, the paper's, `"r1"`, `"r2"`, `"dragan"`, a dict
            with `name` and arguments such as `weight` or `gamma`, or None; see `keras_gen.losses.penalties`.
        n_critic: Discriminator updates in a step, >= 1, each on its own part of the batch; 1 in the paper.
        augment: Differentiable augmentations of all images that the discriminator sees: `"color"`, `"translation"`,
            `"cutout"` (DiffAugment, Zhao et al. 2020, arXiv:2006.10738). They help with few training images.
        augment_probability: Probability with which an image gets each of these augmentations, in [0, 1], or
            `"adaptive"`, by the share of real training images that the discriminator recognizes (Karras et al. 2020,
            arXiv:2006.06676), or a dict with this `name` and `target` or `images`; 1 in Zhao et al.
        ema: Decay of the moving average of the generator's weights, in (0, 1), that generates images; None generates
            with the trained weights. 0.999 in the paper, appendix A.1.
        num_classes: Number of classes to condition on, or None for an unconditional model.

    Raises:
        ValueError: for images that cannot grow by doubling, and as `keras_gen.models.ProgressiveGAN`.
    """
    from keras_gen import models

    from .networks import progressive_discriminator, progressive_generator

    if batch_sizes is not None:  # those of 1024x1024 images also suit smaller ones
        batch_sizes = {key: size for key, size in batch_sizes.items() if int(key) <= min(image_shape[:2])}
    return models.ProgressiveGAN(
        progressive_generator(
            latent_size,
            image_shape,
            base_filters=base_filters,
            full_width_resolution=full_width_resolution,
            start_resolution=start_resolution,
            upsampling=upsampling,
            num_classes=num_classes,
        ),
        progressive_discriminator(
            image_shape,
            base_filters=base_filters,
            full_width_resolution=full_width_resolution,
            group_size=group_size,
            start_resolution=start_resolution,
            num_classes=num_classes,
        ),
        fade_images=fade_images,
        stable_images=stable_images,
        batch_sizes=batch_sizes,
        stage_learning_rate_multipliers=stage_learning_rate_multipliers,
        reset_optimizers=reset_optimizers,
        objective=objective,
        penalty=penalty,
        n_critic=n_critic,
        augment=augment,
        augment_probability=augment_probability,
        ema=ema,
        num_classes=num_classes,
        seed=seed,
    )


def growth(
    settings: Mapping, image_shape: tuple[int, int, int], epochs: int, steps: int, batch_size: int
) -> dict[str, int]:
    """Returns `fade_images` and `stable_images` with which growing takes about half of a training.

    Phases are rounded up to full epochs. Their images are therefore a multiple of those in an epoch of the last stage,
    the largest multiple with which the last stabilization has at least 11 of 24 epochs.

    Args:
        settings: All settings of `progan`.
        image_shape: (height, width, channels) of the images.
        epochs: Number of epochs.
        steps: Steps in an epoch.
        batch_size: Images in a step of the last stage.

    Example:
        >>> growth({"start_resolution": None, "batch_sizes": None}, (64, 64, 3), epochs=24, steps=250, batch_size=16)
        {'fade_images': 16000, 'stable_images': 16000}
    """
    from .networks import resolutions
    from .phases import phases

    sides = [min(size) for size in resolutions(image_shape, settings["start_resolution"])]
    sizes = {int(side): size for side, size in (settings["batch_sizes"] or {}).items()}
    if settings["batch_sizes"] is None:
        sizes = {side: batch_size * min(4, sides[-1] // side) for side in sides}
    stages = [sides[phase.stage] for phase in phases(len(sides))[:-1]]

    def growing(multiple: int) -> int:
        return sum(math.ceil(multiple * batch_size / sizes.get(side, batch_size)) for side in stages)

    multiples = [multiple for multiple in range(1, epochs + 1) if growing(multiple) <= MAX_GROWING * epochs]
    images = max(multiples) * steps * batch_size if multiples else 1
    return {"fade_images": images, "stable_images": images}


PRESETS = {
    "paper": Preset(
        "The Progressive GAN of CelebA-HQ at 1024x1024 pixels.",
        {
            "latent_size": 512,
            "base_filters": 512,
            "full_width_resolution": 32,
            "group_size": 16,
            "fade_images": 800_000,
            "stable_images": 800_000,
            "batch_sizes": {"4": 16, "8": 16, "16": 16, "32": 16, "64": 16, "128": 16, "256": 14, "512": 6, "1024": 3},
            "objective": {"name": "wasserstein", "drift": 0.001},
            "penalty": {"name": "wgan_gp", "weight": 10.0, "target": 1.0},
            "n_critic": 1,
            "ema": EMA,
        },
        {
            "image_size": 1024,
            "batch_size": 3,
            "steps": 2000,
            # 19 million images: 8.8 million up to 128 pixels in batches of 16, 1.6 million each in batches of 14 and 6,
            # and 7 million in batches of 3
            "updates": 3_264_286,
            "learning_rate": 1e-3,
            "optimizer": {"name": "Adam", "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8},
            "augment": ("flip",),
        },
        image_shape=(1024, 1024, 3),
        weights={"generator": 23_100_000, "discriminator": 23_100_000},
        sources=(
            "arXiv:1710.10196, appendix A.1 and table 2 (networks, 23.1 million weights each, phases, batches, Adam, "
            "penalty, drift, moving average)",
            "the authors' code (19 million images, flips, the minibatch standard deviation over the whole batch)",
        ),
        departures=(
            "A phase is rounded up to whole epochs of 2000 updates.",
            "No warm-up of the learning rate over the first 40,000 images, which only the code has.",
        ),
    ),
    "small": Preset(
        "32 pixels and narrow networks for a few minutes on a CPU.",
        {"base_filters": 32, "latent_size": 64},
        {"image_size": 32, "updates": 2500},
        image_shape=(32, 32, 3),
        departures=("Narrow networks at 32 pixels, with phases that follow the length.",),
    ),
    "gpu": Preset(
        "128 pixels with the non-saturating loss and an R1 penalty, in bfloat16.",
        {
            "latent_size": 512,
            "base_filters": 256,
            "full_width_resolution": 16,
            "fade_images": 600_000,
            "stable_images": 600_000,
            "objective": "non_saturating",
            "penalty": {"name": "r1", "gamma": 10.0},
        },
        {
            "image_size": 128,
            "batch_size": 32,
            "steps": 1000,
            "updates": 145_000,
            "precision": "mixed_bfloat16",
        },
        image_shape=(128, 128, 3),
        departures=(
            "The non-saturating loss with R1 converges where WGAN-GP oscillates, and its penalty needs one pass "
            "instead of two (Mescheder et al. 2018, arXiv:1801.04406; StyleGAN, Karras et al. 2018, arXiv:1812.04948).",
            "Batches of 32 and bfloat16 use a GPU's throughput; 128 pixels with half of the channels take hours, not "
            "days.",
        ),
    ),
}

SYSTEMS = (
    System(
        "progan",
        "Progressive GAN",
        "Karras et al. 2018, arXiv:1710.10196",
        # the paper's weight of 10 and slope of 1, for images in [0, 1]: in the units of the penalties, of images in
        # [-1, 1], four times the weight and half the slope
        functools.partial(
            progan,
            objective={"name": "wasserstein", "drift": 0.001},
            penalty={"name": "wgan_gp", "weight": 40.0, "target": 0.5},
        ),
        data=("shapes",),
        endpoints=("generate",),
        demo="progan",
        image_size=64,
        photo_size=64,
        # at the largest resolution; up to four times as many at smaller ones
        batch_size=16,
        updates=6_000,
        schedule=growth,
        learning_rate=1e-3,
        betas=(0.0, 0.99),
        drop_remainder=True,
        presets=PRESETS,
    ),
)
