"""Toy settings of CycleGAN."""

import pathlib

import numpy as np

from tests.toy import Toy


def _write_domains(toy: Toy, folder: pathlib.Path, num: int) -> str:
    """Writes two .npz files, images and their negatives, and returns their paths as one source."""
    images, files = toy.pixels(num), [folder / "positive.npz", folder / "negative.npz"]
    for file, values in zip(files, (images, 255 - images), strict=True):
        np.savez(file, image=values, label=toy.columns(num)["label"])
    return ",".join(map(str, files))


TOYS = (
    Toy(
        "cyclegan",
        # the pool is full after six images and exchanges images afterwards
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
        write_source=_write_domains,
        # The default is hundreds of steps. The pool is full in the second step. In the ninth step, with the seed of
        # benchmarks/replicas.py, rounding determines the sign of one absolute error, and gradients differ afterwards
        # (by 1.8e-4 in the weights, for two devices and for two workers; by 4e-7 with another seed).
        train_options={"steps": 2},
    ),
)
