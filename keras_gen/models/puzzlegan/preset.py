"""Default networks and settings of Puzzle-GAN, for patches and for tiles."""

from typing import TYPE_CHECKING

from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models

LAYOUTS = ("free", "grid")


def puzzlegan(
    image_shape,
    seed,
    *,
    layout: str = "free",
    patch_size: float = 0.375,
    num_patches: int = 3,
    max_patches: int = 4,
    min_patches: int = 2,
    jitter: float = 0.05,
    use_mask: bool = True,
    grid_size: int = 3,
    max_missing: int = 2,
    shuffle_channels: bool = True,
    base_filters: int = 16,
    image_filters: int = 16,
    discriminator_filters: int = 16,
    code_size: int = 256,
    latent_size: int = 16,
    normalization: str = "spectral",
    objective: str | dict = "non_saturating",
    adversarial_weight: float = 1.0,
    place_weight: float = 10.0,
    appearance_weight: float = 50.0,
    half_life: int | None = 5000,
    min_weight: float = 0.1,
    ema: float | None = 0.999,
) -> "models.Puzzle":
    from keras_gen import models, networks

    from .grid_networks import canvas_painter, tile_encoder, tile_placer
    from .patch_networks import image_decoder, mask_decoder, part_encoder

    height, columns, channels = image_shape
    game = {
        "objective": objective,
        "adversarial_weight": adversarial_weight,
        "place_weight": place_weight,
        "appearance_weight": appearance_weight,
        "half_life": half_life,
        "min_weight": min_weight,
        "ema": ema,
        "seed": seed,
    }
    if layout not in LAYOUTS:
        raise ValueError(f"Unknown layout {layout!r}: expected one of {', '.join(LAYOUTS)}")
    if layout == "grid":
        if height % grid_size or columns % grid_size:
            raise ValueError(
                f"Images of {height}x{columns} do not cut into {grid_size} x {grid_size} tiles: choose sides that are multiples "
                f"of {grid_size} and even, such as --image-size {networks.nearest_size(image_shape, 4 * grid_size, 8 * grid_size)}"
            )
        tile_shape = (height // grid_size, columns // grid_size, channels)
        generator = (
            tile_encoder(tile_shape, base_filters=base_filters, size=code_size),
            tile_placer(grid_size * grid_size, code_size, base_filters=code_size),
            canvas_painter(image_shape, latent_size, base_filters=image_filters),
        )
    else:
        if not 0 < patch_size <= 1:
            raise ValueError(f"patch_size must be a part of the image's sides in (0, 1]; received {patch_size!r}")
        patch_shape = (max(1, round(patch_size * height)), max(1, round(patch_size * columns)), channels)
        encoder = part_encoder(patch_shape, image_shape, base_filters=base_filters, code_size=code_size)
        masks = mask_decoder([each.shape[1:] for each in encoder.outputs], base_filters=base_filters, head=use_mask)
        skips = [each.shape[1:] for each in masks.outputs[use_mask:]]
        generator = (
            encoder,
            masks,
            image_decoder(code_size, latent_size, skips, channels, base_filters=image_filters),
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
            **game,
        )
    return models.PuzzleGAN(
        *generator,
        discriminator,
        num_patches=num_patches,
        max_patches=max_patches,
        min_patches=min_patches,
        jitter=jitter,
        use_mask=use_mask,
        **game,
    )


SYSTEMS = (
    System(
        "puzzlegan",
        "Puzzle-GAN",
        "Lee et al. 2017, arXiv:1703.10730",
        puzzlegan,
        data=("shapes",),
        endpoints=("restore",),
        batch_size=32,
        epochs=10,
        learning_rate=1e-3,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"discriminator": 0.4},
        view="patches",
        # the images in which the appearance of a patch shows its position
        dataset_variants={"shapes": "shapes/placed"},
        decay=0.5,
    ),
)
