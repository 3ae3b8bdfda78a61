"""Default networks and settings of Puzzle-GAN, for patches and for tiles."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..core.defaults import EMA, OBJECTIVE
from ..core.system import Preset, System

if TYPE_CHECKING:
    import keras

    from keras_gen import models

LAYOUTS = ("free", "grid")

# defaults of the constructors too
NUM_PATCHES = 3
JITTER = 0.05
GRID_SIZE = 3
MAX_MISSING = 2
ADVERSARIAL_WEIGHT = 1.0
SPATIAL_WEIGHT = 10.0
APPEARANCE_WEIGHT = 50.0
HALF_LIFE = 5000
UPDATES = 5_600
MIN_WEIGHT = 0.1


def puzzlegan(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    layout: str = "free",
    patch_size: float = 0.375,
    num_patches: int = NUM_PATCHES,
    max_patches: int = 4,
    min_patches: int = 2,
    jitter: float = JITTER,
    use_mask: bool = True,
    grid_size: int = GRID_SIZE,
    max_missing: int = MAX_MISSING,
    shuffle_channels: bool = True,
    base_filters: int = 16,
    image_filters: int = 16,
    discriminator_filters: int = 16,
    code_size: int = 256,
    latent_size: int = 16,
    normalization: str = "spectral",
    objective: str | dict = OBJECTIVE,
    adversarial_weight: float = ADVERSARIAL_WEIGHT,
    spatial_weight: float = SPATIAL_WEIGHT,
    appearance_weight: float = APPEARANCE_WEIGHT,
    half_life: int | None = HALF_LIFE,
    min_weight: float = MIN_WEIGHT,
    ema: float | None = EMA,
) -> "models.Puzzle":
    """Builds a Puzzle-GAN with its default networks.

    Lee et al. 2017, arXiv:1703.10730, for the layout "free"; the layout "grid" is ours, with Sinkhorn's normalization
    (Mena et al. 2018, arXiv:1802.08665).

    Args:
        image_shape: (height, width, channels) of the images. The sides must halve at least once to 4 or more pixels
            and, with layout "grid", be multiples of grid_size.
        seed: seed of the model's noise; None draws one.
        layout: "free" (default): a few patches at unknown positions; or "grid": all tiles of the image in unknown
            order.
        patch_size: for "free", height and width of a patch as a fraction of the image's, in (0, 1]; default 0.375.
        num_patches: for "free", patches per image in evaluation, from min_patches to max_patches; default 3.
        max_patches: for "free", the most patches in training and in an exported model; default 4.
        min_patches: for "free", the fewest patches in training, >= 1; default 2.
        jitter: for "free", the largest random shift of a patch in training, as a fraction of the image's sides, in
            [0, 0.5]; default 0.05.
        use_mask: for "free", whether the model also predicts the mask of the patches, with the spatial loss; default
            true. False is the paper's ablation.
        grid_size: for "grid", tiles in a row and in a column, 2 to 5; default 3.
        max_missing: for "grid", the most missing tiles in training, from 0 to grid_size^2 - 1; default 2.
        shuffle_channels: for "grid", whether the encoder sees the channels of each training image in a random order,
            so that it learns shapes rather than colors; default true.
        base_filters: channels of the first convolution of the encoder (and of the mask decoder), >= 1; default 16.
        image_filters: channels of the image decoder at the image's size, >= 1; default 16.
        discriminator_filters: channels of the discriminator's first convolution, >= 1; default 16.
        code_size: dimensions of a piece's code, >= 1; default 256.
        latent_size: dimensions of the noise z, >= 1; default 16.
        normalization: normalization of the discriminator, see `keras_gen.networks.dcgan_discriminator`; default
            "spectral".
        objective: adversarial objective, a name or a dict, see `keras_gen.losses.adversarial`; default
            "non_saturating". It must need no mean over the batch.
        adversarial_weight: weight of the generator's adversarial loss, >= 0; default 1.
        spatial_weight: initial weight of the spatial loss, >= 0: the cross-entropy of the mask ("free") or of the
            tiles' positions ("grid"); default 10.
        appearance_weight: initial weight of the appearance loss, >= 0: the error of the pixels inside the true mask
            ("free") or of the whole image ("grid"); default 50.
        half_life: steps in which the decaying part of the spatial and the appearance weight halves, > 0; default 5000.
            None keeps the weights constant.
        min_weight: fraction of the two weights that does not decay, in [0, 1]; default 0.1.
        ema: decay of the generator's moving averages in (0, 1), which inference uses; default 0.999. None turns it off.
    """
    from keras_gen import models, networks

    if layout not in LAYOUTS:
        raise ValueError(f"Expected layout as one of {', '.join(LAYOUTS)}; received {layout!r}")
    if layout == "grid":
        generator = _grid_generator(image_shape, grid_size, base_filters, image_filters, code_size, latent_size)
    else:
        generator = _patch_generator(
            image_shape, patch_size, use_mask, base_filters, image_filters, code_size, latent_size
        )
    discriminator = networks.dcgan_discriminator(
        image_shape, base_filters=discriminator_filters, normalization=normalization
    )
    if layout == "grid":
        return models.PuzzleGrid(
            *generator,
            discriminator,
            grid_size=grid_size,
            max_missing=max_missing,
            shuffle_channels=shuffle_channels,
            objective=objective,
            adversarial_weight=adversarial_weight,
            spatial_weight=spatial_weight,
            appearance_weight=appearance_weight,
            half_life=half_life,
            min_weight=min_weight,
            ema=ema,
            seed=seed,
        )
    return models.PuzzleGAN(
        *generator,
        discriminator,
        num_patches=num_patches,
        max_patches=max_patches,
        min_patches=min_patches,
        jitter=jitter,
        use_mask=use_mask,
        objective=objective,
        adversarial_weight=adversarial_weight,
        spatial_weight=spatial_weight,
        appearance_weight=appearance_weight,
        half_life=half_life,
        min_weight=min_weight,
        ema=ema,
        seed=seed,
    )


def _patch_generator(
    image_shape: tuple[int, int, int],
    patch_size: float,
    use_mask: bool,
    base_filters: int,
    image_filters: int,
    code_size: int,
    latent_size: int,
) -> "tuple[keras.Model, keras.Model, keras.Model]":
    """Returns the part encoder, the mask decoder and the image decoder of the layout "free"."""
    from .patch_networks import image_decoder, mask_decoder, part_encoder

    if not 0 < patch_size <= 1:
        raise ValueError(f"Expected patch_size as a fraction of the image's sides in (0, 1]; received {patch_size!r}")
    height, width, channels = image_shape
    patch_shape = (max(1, round(patch_size * height)), max(1, round(patch_size * width)), channels)
    encoder = part_encoder(patch_shape, image_shape, base_filters=base_filters, code_size=code_size)
    masks = mask_decoder([each.shape[1:] for each in encoder.outputs], base_filters=base_filters, head=use_mask)
    skips = [each.shape[1:] for each in masks.outputs[use_mask:]]
    return encoder, masks, image_decoder(code_size, latent_size, skips, channels, base_filters=image_filters)


def _grid_generator(
    image_shape: tuple[int, int, int],
    grid_size: int,
    base_filters: int,
    image_filters: int,
    code_size: int,
    latent_size: int,
) -> "tuple[keras.Model, keras.Model, keras.Model]":
    """Returns the tile encoder, the tile placer and the canvas painter of the layout "grid"."""
    from keras_gen.networks import nearest_size

    from .grid_networks import canvas_painter, tile_encoder, tile_placer

    height, width, channels = image_shape
    if height % grid_size or width % grid_size:
        size = nearest_size(image_shape, 4 * grid_size, 8 * grid_size)
        raise ValueError(
            f"Expected images with even sides that are multiples of {grid_size}, for {grid_size} x {grid_size} tiles; "
            f"received {height}x{width}: resize them, for example with --image-size {size}"
        )
    tile_shape = (height // grid_size, width // grid_size, channels)
    return (
        tile_encoder(tile_shape, base_filters=base_filters, size=code_size),
        tile_placer(grid_size * grid_size, code_size, base_filters=code_size),
        canvas_painter(image_shape, latent_size, base_filters=image_filters),
    )


def half_life_of(
    settings: Mapping, image_shape: tuple[int, int, int], epochs: int, steps: int, batch_size: int
) -> dict[str, int]:
    """Returns the half-life for a training of another length than the default, in proportion.

    Args:
        settings: All settings of `puzzlegan`.
        image_shape: (height, width, channels) of the images.
        epochs: Number of epochs.
        steps: Steps in an epoch.
        batch_size: Images in a step.

    Example:
        >>> half_life_of({}, (32, 32, 3), epochs=10, steps=56, batch_size=32)
        {'half_life': 500}
    """
    return {"half_life": max(1, round(HALF_LIFE * epochs * steps / UPDATES))}


PRESETS = {
    "paper": Preset(
        "The model of 128x128 images with three patches.",
        {
            "layout": "free",
            "num_patches": 3,
            "max_patches": 3,
            "min_patches": 3,
            "use_mask": True,
            "base_filters": 64,
            "image_filters": 64,
            "discriminator_filters": 64,
            "code_size": 128,
            "latent_size": 128,
            "normalization": "batch",
            "objective": "non_saturating",
            "half_life": 11_912,
            "min_weight": 0.0,
            "ema": None,
        },
        {
            "image_size": 128,
            "batch_size": 64,
            "epochs": 25,
            "learning_rate": 2e-4,
            "learning_rate_multipliers": {},
            "betas": (0.5, 0.999),
            "decay": None,
            "augment": ("flip",),
        },
        image_shape=(128, 128, 3),
        sources=(
            "arXiv:1703.10730, sections 3 and 4 (networks, losses, three patches, 128 pixels)",
            "the code of a co-author (64 channels, codes and noise of 128 dimensions, Adam, batches of 64, 25 epochs, "
            "guided losses that fall hundredfold, flips)",
        ),
        departures=(
            "Patches of one size from fixed key regions, shifted at random; the paper has EdgeBoxes of any size.",
            "The guided losses are the cross-entropy of the mask and the mean error inside it, with the system's "
            "weights; in the paper both are L1 norms with weights from 0.01 to 0.0001, whose units it does not state. "
            "They fall by the same factor: half in 11,912 updates, a hundredth after 25 epochs of CelebA.",
            "Kernels of 4 or 3, and no batch normalization in the generator, whose features of several patches are "
            "summed; the code has kernels of 5 with batch normalization.",
            "The discriminator has one update for each update of the generator; the code has two.",
        ),
    ),
    "small": Preset(
        "32 pixels and narrow networks for a few minutes on a CPU.",
        {"base_filters": 8, "image_filters": 8, "discriminator_filters": 8, "code_size": 64},
        {"image_size": 32, "updates": 4000},
        image_shape=(32, 32, 3),
        departures=("Narrow networks and few updates, with spectral normalization in the discriminator.",),
    ),
    "gpu": Preset(
        "128 pixels with spectral normalization and moving averages, in bfloat16.",
        {
            "base_filters": 64,
            "image_filters": 64,
            "discriminator_filters": 64,
            "code_size": 512,
            "latent_size": 64,
            "normalization": "spectral",
            "ema": 0.999,
        },
        {
            "image_size": 128,
            "batch_size": 64,
            "updates": 100_000,
            "learning_rate": 4e-4,
            "precision": "mixed_bfloat16",
        },
        image_shape=(128, 128, 3),
        departures=(
            "Spectral normalization bounds the slope of the discriminator (Miyato et al. 2018, arXiv:1802.05957), "
            "which otherwise recognizes composites early.",
            "Two to four patches instead of three, so that one model restores from any of these numbers.",
            "Moving averages of the generator restore images. bfloat16 halves memory and time.",
        ),
    ),
}

SYSTEMS = (
    System(
        "puzzlegan",
        "Puzzle-GAN",
        "Lee et al. 2017, arXiv:1703.10730",
        puzzlegan,
        data=("shapes",),
        endpoints=("restore",),
        demo="puzzlegan",
        photo_size=64,
        batch_size=32,
        updates=UPDATES,
        schedule=half_life_of,
        learning_rate=1e-3,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"discriminator": 0.4},
        view="patches",
        # the images in which the appearance of a patch shows its position
        dataset_variants={"shapes": "shapes/placed"},
        decay=0.5,
        presets=PRESETS,
    ),
)
