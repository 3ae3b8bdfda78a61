"""Toy settings of StarGAN."""

import pathlib

import numpy as np

from tests.toy import Toy


def _attributes(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Returns four attributes: three classes as a one-hot vector, and a binary one that alternates."""
    even = np.arange(len(columns["label"]))[:, None] % 2 * np.eye(4)[3]
    return np.eye(4, dtype=np.float32)[:3][columns["label"]] + even.astype(np.float32)


def _write_attributes(toy: Toy, folder: pathlib.Path, num: int) -> str:
    """Writes an .npz of images with labels of three classes and a binary attribute, and returns its path."""
    np.savez(
        folder / "images.npz",
        image=toy.pixels(num),
        label=toy.columns(num)["label"],
        attributes=(np.arange(num)[:, None] % 2 == 0).astype(np.float32),
        label_names=["one", "two", "three"],
        attribute_names=["even"],
    )
    return str(folder / "images.npz")


TOYS = (
    Toy(
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
        fields={"attributes": _attributes},
        write_source=_write_attributes,
        derived_settings=("groups",),
        train_options={"view": {"attributes": ["label", "even"]}},
    ),
)
