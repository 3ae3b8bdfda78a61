"""Toy settings of text to image."""

import csv
import pathlib

import numpy as np
from PIL import Image

from tests.toy import Toy


def _tokens(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Returns tokens [num, 3] of captions of one or two words."""
    label = columns["label"]
    return np.stack([label + 2, label % 2, 0 * label], 1)


def _write_captions(toy: Toy, folder: pathlib.Path, num: int) -> str:
    """Writes a folder of images with captions in metadata.csv, and returns its path."""
    rows, words = [["file_name", "caption"]], ("one", "two", "three")
    for index, (image, label) in enumerate(zip(toy.pixels(num), toy.columns(num)["label"], strict=True)):
        name = f"{index:03d}.png"
        Image.fromarray(image).save(folder / name)
        rows.append([name, f"{words[label]} {'even' if index % 2 == 0 else 'odd'}"])
    with (folder / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return str(folder)


TOYS = (
    Toy(
        "text2image",
        {
            "vocabulary": ("one", "two", "three", "four"),
            "length": 3,
            "embedding_size": 4,
            "text_filters": 4,
            "base_filters": 4,
            "latent_size": 3,
            "modulated": True,
            "style_weight": 0.01,
        },
        image_shape=(8, 8, 3),
        conditions={"caption": "two, three"},
        monitor="discriminator_loss",
        normalized=True,
        fields={"tokens": _tokens},
        write_source=_write_captions,
        run_settings={"embedding": {"updates": 1}, "vae": {"updates": 1}},
        derived_settings=("vocabulary", "length"),
    ),
)
