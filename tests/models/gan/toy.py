"""Toy settings of GAN and DCGAN."""

from tests.toy import Toy

TOYS = (
    Toy(
        "gan",
        {
            **{"hidden_units": 8, "latent_size": 3, "augment": ["color", "translation"]},
            # changes within the few steps of the tests
            "augment_probability": {"name": "adaptive", "target": 0.1, "images": 30},
        },
        monitor="discriminator_loss",
    ),
    Toy(
        "dcgan",
        # evaluation must not change the spectral norms in the penalty's pass
        {"base_filters": 4, "latent_size": 3, "num_classes": 3, "penalty": "r1", "normalization": "spectral"},
        image_shape=(8, 8, 3),
        conditions={"label": 1},
        monitor="discriminator_loss",
        normalized=True,
        sgd=0.01,
    ),
)
