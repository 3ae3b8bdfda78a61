"""Toy settings of the VAE."""

from tests.toy import Toy

TOYS = (
    Toy(
        "vae",
        {"network": "mlp", "hidden_units": 8, "latent_size": 2, "head": "discretized_logistic_mixture"},
        image_shape=(8, 8, 3),
    ),
)
