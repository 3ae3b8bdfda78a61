"""Emoji of Twemoji in all five skin tones: five domains with known counterfactuals.

The zip contains `captions.jsonl` (a line for each emoji: `file`, `label`, `tone`) and the pictures, 72x72 with alpha.
"""

import collections
import io
import json
import pathlib
import zipfile

import numpy as np
from PIL import Image

TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
HELD_OUT = 60  # number of emoji, each in all tones


def read(file: str | pathlib.Path, size: int) -> tuple[np.ndarray, list[str]]:
    """Returns the emoji in five tones, on white.

    Args:
        file: The zip file.
        size: Height and width of the returned images.

    Returns:
        float32 [emoji, 5, size, size, 3] in [0, 1] in the file's order, and the emoji's labels.
    """
    by_name = collections.defaultdict(dict)
    with zipfile.ZipFile(file) as archive:
        for line in archive.read("captions.jsonl").decode().splitlines():
            row = json.loads(line)
            # "man: light skin tone, beard"; a list has the tones of several people
            if isinstance(row["tone"], int):
                name = row["label"].replace(f"{TONES[row['tone'] - 1]} skin tone", "tone")
                by_name[name][row["tone"]] = row["file"]
        complete = {name: files for name, files in by_name.items() if len(files) == len(TONES)}
        images = [
            [_on_white(archive.read(files[tone]), size) for tone in range(1, 1 + len(TONES))]
            for files in complete.values()
        ]
    return np.array(images, np.float32), list(complete)


def _on_white(data: bytes, size: int) -> np.ndarray:
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return np.asarray(white.resize((size, size), Image.Resampling.BOX)) / np.float32(255)


def split(emoji: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns indices of the emoji for training, and of those that are held out in all tones."""
    order = np.random.default_rng(seed).permutation(emoji)
    return np.sort(order[HELD_OUT:]), np.sort(order[:HELD_OUT])
