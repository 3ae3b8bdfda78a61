"""From an image of any size and kind to the asked shape: channels first, then one resize that keeps the aspect."""

import dataclasses

import numpy as np

from keras_gen.runtime.resize import resize_image

CROPS = ("center", "pad")


@dataclasses.dataclass(frozen=True)
class Resize:
    """Bring an image to a shape without distorting it.

    Channels: equal counts stay; gray -> color repeats the channel; color -> gray is the luminance (ITU-R 601-2);
    transparency is composited on `background` (unless four channels are asked for). Nothing else is converted.
    Size: "center" scales until the image covers the shape and cuts the middle; "pad" scales until it fits inside
    and fills the rest with `background`. An image that has the shape already is returned as it is.

    Args:
        image_shape: (height, width, channels), channels 1, 3 or 4.
        crop: "center" or "pad".
        background: (red, green, blue), integers from 0 to 255.

    Example:
        >>> Fit((32, 32, 3))(np.zeros((48, 64, 4), np.uint8)).shape
        (32, 32, 3)
    """

    image_shape: tuple[int, int, int]
    crop: str = "center"
    background: tuple[int, int, int] = (255, 255, 255)

    def __post_init__(self):
        shape = tuple(self.image_shape)
        if len(shape) != 3 or any(not isinstance(n, (int, np.integer)) or n < 1 for n in shape):
            raise ValueError(
                f"image_shape is (height, width, channels), three positive integers; got {self.image_shape!r}."
            )
        if shape[2] not in (1, 3, 4):
            raise ValueError(
                f"image_shape asks for {shape[2]} channels; known: 1 (gray), 3 (color), 4 (color and transparency)."
            )
        if self.crop not in CROPS:
            raise ValueError(f"crop={self.crop!r} is unknown; known: {', '.join(CROPS)}.")
        background = tuple(self.background)
        if len(background) != 3 or any(not 0 <= n <= 255 or n != int(n) for n in background):
            raise ValueError(f"background is (red, green, blue), integers from 0 to 255; got {self.background!r}.")
        object.__setattr__(self, "image_shape", tuple(int(n) for n in shape))
        object.__setattr__(self, "background", tuple(int(n) for n in background))

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Fit one image.

        Args:
            image: [h, w] or [h, w, 1 | 2 | 3 | 4], uint8 (0 to 255) or float32 (0 to 1); two channels are gray and
                transparency.

        Returns:
            The image in `image_shape`, of the same dtype.

        Raises:
            ValueError: the channels cannot be converted.
        """
        image = image[..., None] if image.ndim == 2 else image
        try:
            return resize_image(image, self.image_shape, self.crop, self.background)
        except ValueError as error:
            fitting = image.shape[-1] if image.shape[-1] in (1, 3, 4) else 3
            raise ValueError(f"{error}, or ask for {fitting} channels in image_shape") from error
