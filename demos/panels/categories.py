"""Models with learned categories, presented to the panels as models that are conditioned on a class."""

from typing import Any

import numpy as np

from keras_gen.runtime import Runtime


def has_categories(model: Runtime) -> bool:
    """Returns whether `generate` takes a category as part of its noise."""
    return "category" in model.signatures["generate"]["inputs"]


class Categories:
    """An exported model whose categories act as classes: `label` is the category, and a code is the style alone.

    The dataset's class names are left out, because which category corresponds to which class is for the user to see.

    Args:
        model: Model whose `generate` takes `category`. If it also encodes, its codes are [num, categories + style].

    Attributes:
        model: The exported model itself.
        signatures: As `Runtime.signatures`, with an input `label` of `generate` and `decode`.
        description: As `Runtime.description`, without class names.
        image_shape: (height, width, channels).
        count: Number of categories.
    """

    def __init__(self, model: Runtime):
        self.model, self.image_shape = model, model.image_shape
        self.description: dict[str, Any] = {**model.description, "labels": None}
        self.signatures: dict[str, Any] = dict(model.signatures)
        port = model.signatures["generate"]["inputs"]["category"]
        self.count: int = port["shape"][0]
        for name in {"generate", "decode"} & set(model.signatures):
            signature = model.signatures[name]
            self.signatures[name] = {**signature, "inputs": {**signature["inputs"], "label": port}}

    @property
    def preprocessing(self) -> dict[str, Any]:
        """The arguments of `read_images` with which the training data was read."""
        return self.model.preprocessing

    def noise(self, num: int, seed: int) -> dict[str, np.ndarray]:
        """Returns the noise of `num` images as `Runtime.noise` does, the category included."""
        return self.model.noise(num, seed)

    def generate(self, num: int, seed: int | None = None, **conditions: Any) -> np.ndarray:
        """Returns generated images.

        Args:
            num: Number of images.
            seed: Seed of the noise.
            **conditions: The categories `label` [num], and noise that replaces the seed's.

        Returns:
            float32 [num, height, width, channels] in [0, 1].
        """
        label = conditions.pop("label")
        return self.model.generate(num, seed, category=label, **conditions)

    def encode(self, image: np.ndarray, **conditions: Any) -> np.ndarray:
        """Returns the styles of images, [num, style], without their categories; the conditions are not used."""
        return self.model.encode(image)[:, self.count :]

    def decode(self, z: np.ndarray, **conditions: Any) -> np.ndarray:
        """Returns the images of styles `z` [num, style] in the categories `label` [num] of the conditions."""
        category = np.eye(self.count, dtype=np.float32)[np.asarray(conditions["label"], int)]
        return self.model.decode(np.concatenate([category, np.asarray(z, np.float32)], axis=1))
