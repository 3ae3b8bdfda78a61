"""Converts an image of any size to a given shape: channels first, then one resampling that keeps the aspect ratio."""

import dataclasses

import numpy as np

from keras_gen.runtime.resize import resize_image

CROPS = ("center", "pad")


@dataclasses.dataclass(frozen=True)
class Resize:
    """A function that converts an image to a fixed shape without distortion.

    Channels: gray -> color repeats the channel; color -> gray is the luminance (ITU-R 601-2); transparent images are
    composited on `background`, unless the shape has four channels. Other conversions raise an error.
    Size: "center" scales the image until it covers the shape and crops the center; "pad" scales it until it fits into
    the shape and fills the rest with `background`. An image of the right shape is returned unchanged.

    Args:
        image_shape: (height, width, channels), with 1, 3 or 4 channels.
        crop: "center" or "pad".
        background: (red, green, blue), integers from 0 to 255.

    Raises:
        ValueError: For an invalid argument.

    Example:
        >>> Resize((32, 32, 3))(np.zeros((48, 64, 4), np.uint8)).shape
        (32, 32, 3)
    """

    image_shape: tuple[int, int, int]
    crop: str = "center"
    background: tuple[int, int, int] = (255, 255, 255)

    def __post_init__(self):
        shape = tuple(self.image_shape)
        if len(shape) != 3 or any(not isinstance(n, (int, np.integer)) or n < 1 for n in shape):
            raise ValueError(
                f"Expected image_shape as (height, width, channels), three positive integers; received "
                f"{self.image_shape!r}."
            )
        if shape[2] not in (1, 3, 4):
            raise ValueError(
                f"Expected image_shape with 1 (gray), 3 (color) or 4 (color and alpha) channels; received {shape[2]}."
            )
        if self.crop not in CROPS:
            raise ValueError(f"Expected crop as one of {', '.join(map(repr, CROPS))}; received {self.crop!r}.")
        background = tuple(self.background)
        if len(background) != 3 or any(not 0 <= n <= 255 or n != int(n) for n in background):
            raise ValueError(
                f"Expected background as (red, green, blue), integers from 0 to 255; received {self.background!r}."
            )
        object.__setattr__(self, "image_shape", tuple(int(n) for n in shape))
        object.__setattr__(self, "background", tuple(int(n) for n in background))

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Resizes one image.

        Args:
            image: [h, w] or [h, w, 1 | 2 | 3 | 4], uint8 (0 to 255) or float32 (0 to 1); two channels are gray and
                alpha.

        Returns:
            The image with the shape `image_shape` and the same dtype.

        Raises:
            ValueError: If the channels cannot be converted.
        """
        image = image[..., None] if image.ndim == 2 else image
        try:
            return resize_image(image, self.image_shape, self.crop, self.background)
        except ValueError as error:
            fitting = image.shape[-1] if image.shape[-1] in (1, 3, 4) else 3
            raise ValueError(f"{error}, or ask for {fitting} channels in image_shape") from error
