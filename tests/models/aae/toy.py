"""Toy settings of the adversarial autoencoder."""

from tests.toy import Toy

TOYS = (
    Toy(
        "aae",
        {
            "network": "mlp",
            "hidden_units": 8,
            "latent_size": 2,
            "discriminator_units": 8,
            "prior": "petals",
            "num_categories": 3,
            "supervised": True,
        },
        monitor="reconstruction_loss",
        fields={"labeled_image": "image", "labeled_label": "label"},
        train_options={"labeled": 6},
    ),
)
