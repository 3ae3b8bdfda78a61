"""Toy settings of the autoencoder."""

from tests.toy import Toy

TOYS = (Toy("autoencoder", {"network": "conv", "base_filters": 4, "latent_size": 2}),)
