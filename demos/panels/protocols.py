"""The parts of a model's interface that the panels use: a `Runtime` has them, and so has `Categories`."""

from typing import Any, Protocol

import numpy as np


class Conditional(Protocol):
    """A model whose endpoints may take a class.

    Attributes:
        description: The contents of model.json.
        signatures: Endpoint -> its inputs and outputs.
    """

    description: dict[str, Any]
    signatures: dict[str, Any]


class ImageReader(Protocol):
    """A model that takes images of one size.

    Attributes:
        image_shape: (height, width, channels).
    """

    image_shape: tuple[int, int, int]

    @property
    def preprocessing(self) -> dict[str, Any]:
        """The arguments of `read_images` with which its training data was read."""
        ...


class ImageGenerator(Conditional, Protocol):
    """A model that generates images from noise.

    Attributes:
        image_shape: (height, width, channels).
    """

    image_shape: tuple[int, int, int]

    def generate(self, num: int, seed: int | None = None, **conditions: Any) -> np.ndarray:
        """Returns images, float32 [num, height, width, channels] in [0, 1]."""
        ...


class NoiseSource(Protocol):
    """A model that draws the noise of its images from a seed.

    Attributes:
        description: The contents of model.json.
    """

    description: dict[str, Any]

    def noise(self, num: int, seed: int) -> dict[str, np.ndarray]:
        """Returns the noise of `num` images: input name -> [num, *shape]."""
        ...


class GeneratorWithNoise(ImageGenerator, NoiseSource, Protocol):
    """A model that generates images, and whose noise can be drawn and changed."""


class LatentModel(ImageGenerator, ImageReader, Protocol):
    """A model that also encodes images."""

    def encode(self, image: np.ndarray, **conditions: Any) -> np.ndarray:
        """Returns the codes of images, float32 [num, size]."""
        ...

    def decode(self, z: np.ndarray, **conditions: Any) -> np.ndarray:
        """Returns the images of codes [num, size], float32 [num, height, width, channels] in [0, 1]."""
        ...
