"""Toy settings of ProGAN."""

from tests.toy import Toy

TOYS = (
    Toy(
        "progan",
        # one stage, so that every layer learns; growing is tested with the model
        {"base_filters": 8, "latent_size": 3, "group_size": 2, "start_resolution": 8},
        monitor="discriminator_loss",
        # a run grows in its second epoch
        run_settings={"start_resolution": 4, "fade_images": 8, "stable_images": 8},
    ),
)
