"""Toy settings of Puzzle-GAN."""

from tests.toy import Toy

TOYS = (
    Toy(
        "puzzlegan",
        {
            "base_filters": 4,
            "image_filters": 4,
            "discriminator_filters": 4,
            "code_size": 8,
            "latent_size": 2,
            "num_patches": 2,
            "max_patches": 3,
            "min_patches": 1,
        },
        image_shape=(8, 8, 3),
        monitor="spatial_loss",
        # otherwise it follows from the epochs of the first of several calls
        run_settings={"half_life": 8},
    ),
)
