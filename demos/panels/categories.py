"""Models that find categories themselves, so that the panels can treat a category as they treat a class."""

import numpy as np

from keras_gen.runtime import Runtime


def has_categories(model: Runtime) -> bool:
    """Whether `generate` takes a category as part of its noise."""
    return "category" in model.signatures["generate"]["inputs"]


class Categories:
    """An exported model with categories, as a conditional model: its `label` is the category, its code the style alone.

    The names of the data's classes are left out: which category holds which class is for the person to see.

    Args:
        model: whose `generate` takes `category`. Where it also encodes, codes are [num, categories + style].

    Attributes:
        signatures, description, image_shape: as `Runtime`'s, for what `generate`, `encode` and `decode` take here.
        count: categories.
    """

    def __init__(self, model: Runtime):
        self.model, self.image_shape = model, model.image_shape
        self.description = {**model.description, "labels": None}
        self.signatures = dict(model.signatures)
        port = model.signatures["generate"]["inputs"]["category"]
        self.count = port["shape"][0]
        for name in {"generate", "decode"} & set(model.signatures):
            signature = model.signatures[name]
            self.signatures[name] = {**signature, "inputs": {**signature["inputs"], "label": port}}

    def generate(self, num: int, seed: int, *, label, **noise) -> np.ndarray:
        """Images of the given categories [num], float32 [num, height, width, channels] in [0, 1]."""
        return self.model.generate(num, seed, category=label, **noise)

    def encode(self, image, label=None) -> np.ndarray:
        """Images -> their styles [num, style]; the category that the model finds is left out, and `label` not used."""
        return self.model.encode(image)[:, self.count :]

    def decode(self, z, *, label) -> np.ndarray:
        """Styles [num, style] in the given categories [num] -> images."""
        category = np.eye(self.count, dtype=np.float32)[np.asarray(label, int)]
        return self.model.decode(np.concatenate([category, np.asarray(z, np.float32)], axis=1))
