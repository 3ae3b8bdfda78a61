"""Toy settings of InfoGAN."""

from tests.toy import Toy

TOYS = (
    Toy(
        "infogan",
        {"base_filters": 4, "dense_units": 8, "noise_size": 3, "num_categories": 3, "num_codes": 2},
        monitor="information_loss",
        normalized=True,
    ),
)
