"""From an image of any size and kind to the asked shape: channels first, then one resize that keeps the aspect."""

import dataclasses

import numpy as np
from PIL import Image

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
        image = convert_channels(image[..., None] if image.ndim == 2 else image, self.image_shape[2], self.background)
        return image if image.shape == self.image_shape else self._resize(image)

    def _resize(self, image: np.ndarray) -> np.ndarray:
        (height, width), (h, w) = image.shape[:2], self.image_shape[:2]
        if self.crop == "center":
            scale = min(width / w, height / h)
            cut_w, cut_h = w * scale, h * scale
            left, top = (width - cut_w) / 2, (height - cut_h) / 2
            return _resample(image, (w, h), (left, top, left + cut_w, top + cut_h))
        scale = max(width / w, height / h)
        inner_w, inner_h = max(1, round(width / scale)), max(1, round(height / scale))
        canvas = self._canvas(image.dtype)
        left, top = (w - inner_w) // 2, (h - inner_h) // 2
        canvas[top : top + inner_h, left : left + inner_w] = _resample(image, (inner_w, inner_h), (0, 0, width, height))
        return canvas

    def _canvas(self, dtype: np.dtype) -> np.ndarray:
        color = np.array(self.background, np.uint8)[None, None]
        if dtype != np.uint8:
            color = color.astype(np.float32) / 255
        if self.image_shape[2] == 4:  # the rest of a picture with transparency is transparent
            color = np.concatenate([color, np.zeros((1, 1, 1), dtype)], axis=-1)
        else:
            color = convert_channels(color, self.image_shape[2], self.background)
        return np.broadcast_to(color, self.image_shape).astype(dtype)


def convert_channels(image: np.ndarray, channels: int, background: tuple[int, int, int]) -> np.ndarray:
    """Change the number of channels of [h, w, c] by the rules that `Fit` states."""
    if image.shape[-1] == 2 and channels == 4:
        return np.concatenate([np.repeat(image[..., :1], 3, axis=-1), image[..., 1:]], axis=-1)
    if image.shape[-1] in (2, 4) and channels in (1, 3):
        image = _composite(image, background)
    found = image.shape[-1]
    if found == channels:
        return image
    if (found, channels) == (1, 3):
        return np.repeat(image, 3, axis=-1)
    if (found, channels) == (3, 1):
        return _luminance(image)
    fitting = found if found in (1, 3, 4) else 3
    raise ValueError(
        f"The image has {found} channels and image_shape asks for {channels}. Known: 1 -> 3 repeats, 3 -> 1 takes the "
        f"luminance, 2 or 4 -> 1 or 3 puts the transparent image on the background. Ask for {fitting} "
        f"channels in image_shape, or convert the images."
    )


def _composite(image: np.ndarray, background: tuple[int, int, int]) -> np.ndarray:
    color, alpha = image[..., :-1], image[..., -1:]
    if color.shape[-1] == 1:
        color = np.repeat(color, 3, axis=-1)
    if image.dtype == np.uint8:
        ground = np.array(background, np.uint32)
        alpha = alpha.astype(np.uint32)
        return ((color * alpha + ground * (255 - alpha) + 127) // 255).astype(np.uint8)
    return (color * alpha + np.array(background, np.float32) / 255 * (1 - alpha)).astype(np.float32)


def _luminance(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:  # Pillow's fixed-point weights, so that files and arrays agree to the bit
        weights = np.array([19595, 38470, 7471], np.uint32)
        return ((image @ weights + 0x8000) >> 16).astype(np.uint8)[..., None]
    return (image @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]


def _resample(image: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float]) -> np.ndarray:
    """Bicubic with a filter as wide as the shrinking asks for (no aliasing)."""
    if image.dtype == np.uint8:
        squeezed = image[..., 0] if image.shape[-1] == 1 else image
        out = np.asarray(Image.fromarray(squeezed).resize(size, Image.Resampling.BICUBIC, box=box))
        return out[..., None] if out.ndim == 2 else out
    planes = [
        Image.fromarray(image[..., c]).resize(size, Image.Resampling.BICUBIC, box=box) for c in range(image.shape[-1])
    ]
    return np.clip(np.stack([np.asarray(plane) for plane in planes], axis=-1), 0.0, 1.0).astype(np.float32)
