"""Settings that make every system of the zoo small enough to be trained in a second."""

import numpy as np

from .contract import Toy


def _even(columns: dict[str, np.ndarray]) -> np.ndarray:
    """A fourth attribute that every other example has."""
    return (np.arange(len(columns["label"]))[:, None] % 2 * np.eye(4)[3]).astype(np.float32)


TOYS = {
    "autoencoder": Toy("autoencoder", {"network": "conv", "base_filters": 4, "latent_size": 2}),
    "vae": Toy("vae", {"network": "mlp", "hidden_units": 8, "latent_size": 2}, image_shape=(8, 8, 3)),
    "gan": Toy("gan", {"hidden_units": 8, "latent_size": 3}, monitor="discriminator_loss"),
    "dcgan": Toy(
        "dcgan",
        # evaluation must not move the spectral norms in the penalty's pass
        {"base_filters": 4, "latent_size": 3, "num_classes": 3, "penalty": "r1", "normalization": "spectral"},
        image_shape=(8, 8, 3),
        conditions={"label": 1},
        monitor="discriminator_loss",
        normalized=True,
        sgd=0.01,
    ),
    "infogan": Toy(
        "infogan",
        {"base_filters": 4, "dense_units": 8, "noise_size": 3, "num_categories": 3, "num_codes": 2},
        monitor="information_loss",
        normalized=True,
    ),
    "aae": Toy(
        "aae",
        {
            **{"hidden_units": 8, "latent_size": 2, "discriminator_units": 8, "prior": "petals"},
            **{"num_categories": 3, "supervised": True},
        },
        monitor="reconstruction_loss",
        fields={"labeled_image": "image", "labeled_label": "label"},
    ),
    # of one stage, so that every layer learns; growing is tested with the model
    "progan": Toy(
        "progan",
        {"base_filters": 8, "latent_size": 3, "group_size": 2, "start_resolution": 8},
        monitor="discriminator_loss",
    ),
    "stargan": Toy(
        "stargan",
        {
            "groups": [3, 1],
            "base_filters": 4,
            "blocks": 1,
            "num_downsamples": 1,
            "discriminator_filters": 4,
            "n_critic": 2,
            "conditioning": "normalization",
            "residual": True,
        },
        monitor="generator_loss",
        normalized=True,  # each update of the critic needs an example
        fields={"attributes": lambda columns: np.eye(4, dtype=np.float32)[:3][columns["label"]] + _even(columns)},
    ),
    "cyclegan": Toy(
        "cyclegan",
        # the pool is full after six images: then it exchanges
        {
            "base_filters": 4,
            "blocks": 1,
            "num_downsamples": 1,
            "discriminator_downsamples": 1,
            "pool_size": 6,
            "ema": 0.9,
        },
        monitor="generators_loss",
        sgd=0.05,
        fields={"domain_a": "image", "domain_b": lambda columns: 1 - columns["image"], "label_a": "label"},
    ),
    "puzzlegan": Toy(
        "puzzlegan",
        {
            **{"base_filters": 4, "image_filters": 4, "discriminator_filters": 4, "code_size": 8, "latent_size": 2},
            **{"num_patches": 2, "max_patches": 3, "min_patches": 1},
        },
        image_shape=(8, 8, 3),
        monitor="spatial_loss",
    ),
    "text2image": Toy(
        "text2image",
        {
            **{"vocabulary": ("one", "two", "three", "four"), "length": 3, "embedding_size": 4, "text_filters": 4},
            **{"base_filters": 4, "latent_size": 3, "modulated": True, "style_weight": 0.01},
        },
        image_shape=(8, 8, 3),
        conditions={"caption": "two, three"},
        monitor="discriminator_loss",
        normalized=True,
        fields={
            "tokens": lambda columns: np.stack([columns["label"] + 2, columns["label"] % 2, 0 * columns["label"]], 1)
        },
    ),
}
