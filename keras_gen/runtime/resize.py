"""Conversion of an image to a shape: channels first, then one resize that keeps the aspect ratio. It needs Pillow."""

from collections.abc import Sequence

import numpy as np

WHITE = (255, 255, 255)


def resize_image(
    image: np.ndarray, image_shape: Sequence[int], crop: str = "center", background: Sequence[int] = WHITE
) -> np.ndarray:
    """Converts an image to a shape without distorting it.

    Args:
        image: [height, width, 1 to 4], uint8 or float32 in [0, 1]; two channels are gray and opacity.
        image_shape: (height, width, channels), channels 1, 3 or 4.
        crop: "center" scales until the image covers the shape and crops the center; "pad" scales until it fits inside
            and fills the rest with the background.
        background: (red, green, blue), integers from 0 to 255, behind transparent pixels and around a padded image.

    Returns:
        The image in `image_shape`, of the same dtype.

    Raises:
        ValueError: if the channels cannot be converted.
    """
    height, width, channels = image_shape
    image = convert_channels(image, channels, background)
    if image.shape == (height, width, channels):
        return image
    own_height, own_width = image.shape[:2]
    if crop == "center":
        scale = min(own_width / width, own_height / height)
        crop_width, crop_height = width * scale, height * scale
        left, top = (own_width - crop_width) / 2, (own_height - crop_height) / 2
        return _resample(image, (width, height), (left, top, left + crop_width, top + crop_height))
    scale = max(own_width / width, own_height / height)
    inner_width, inner_height = max(1, round(own_width / scale)), max(1, round(own_height / scale))
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    canvas = _canvas((height, width, channels), image.dtype, background)
    inner = _resample(image, (inner_width, inner_height), (0, 0, own_width, own_height))
    canvas[top : top + inner_height, left : left + inner_width] = inner
    return canvas


def fit_image(
    image: np.ndarray, image_shape: Sequence[int], crop: str = "center", background: Sequence[int] = WHITE
) -> np.ndarray:
    """Converts an image to the shape of a model's inputs, as for training.

    Args:
        image: as in `resize_image`.
        image_shape: as in `resize_image`.
        crop: as in `resize_image`.
        background: as in `resize_image`.

    Returns:
        float32 [height, width, channels] in [0, 1].

    Raises:
        ValueError: if the channels cannot be converted.
    """
    image = resize_image(image, image_shape, crop, background)
    return image.astype(np.float32) / 255 if image.dtype == np.uint8 else image


def convert_channels(image: np.ndarray, channels: int, background: Sequence[int] = WHITE) -> np.ndarray:
    """Changes the number of channels of an image.

    Gray is repeated to color, color becomes its luminance (ITU-R BT.601), and transparency is composited on the
    background unless there are four channels.

    Args:
        image: [height, width, 1 to 4], uint8 or float32 in [0, 1].
        channels: 1 (gray), 3 (color) or 4 (color and opacity).
        background: (red, green, blue), integers from 0 to 255.

    Returns:
        [height, width, channels] of the same dtype.

    Raises:
        ValueError: if the channels cannot be converted.
    """
    if image.shape[-1] == 2 and channels == 4:
        return np.concatenate([np.repeat(image[..., :1], 3, axis=-1), image[..., 1:]], axis=-1)
    if image.shape[-1] in (2, 4) and channels in (1, 3):
        image = _composite(image, background)
    received = image.shape[-1]
    if received == channels:
        return image
    if (received, channels) == (1, 3):
        return np.repeat(image, 3, axis=-1)
    if (received, channels) == (3, 1):
        return _luminance(image)
    raise ValueError(
        f"Expected an image with {channels} channels; received {received}. Gray is converted to color and color to "
        "gray, and transparency is composited on the background; convert other images before"
    )


def _composite(image: np.ndarray, background: Sequence[int]) -> np.ndarray:
    color, opacity = image[..., :-1], image[..., -1:]
    if color.shape[-1] == 1:
        color = np.repeat(color, 3, axis=-1)
    if image.dtype == np.uint8:
        opacity = opacity.astype(np.uint32)
        return ((color * opacity + np.array(background, np.uint32) * (255 - opacity) + 127) // 255).astype(np.uint8)
    return (color * opacity + np.array(background, np.float32) / 255 * (1 - opacity)).astype(np.float32)


def _luminance(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:  # Pillow's fixed-point weights, so that files and arrays agree to the bit
        weights = np.array([19595, 38470, 7471], np.uint32)
        return ((image @ weights + 0x8000) >> 16).astype(np.uint8)[..., None]
    return (image @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]


def _canvas(image_shape: tuple[int, int, int], dtype: np.dtype, background: Sequence[int]) -> np.ndarray:
    color = np.array(background, np.uint8)[None, None]
    if dtype != np.uint8:
        color = color.astype(np.float32) / 255
    if image_shape[2] == 4:  # the padding of an image with transparency is transparent
        color = np.concatenate([color, np.zeros((1, 1, 1), dtype)], axis=-1)
    else:
        color = convert_channels(color, image_shape[2], background)
    return np.broadcast_to(color, image_shape).astype(dtype)


def _resample(image: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float]) -> np.ndarray:
    """Resizes with a bicubic filter that widens as the image shrinks, which avoids aliasing."""
    from PIL import Image

    if image.dtype == np.uint8:
        squeezed = image[..., 0] if image.shape[-1] == 1 else image
        resized = np.asarray(Image.fromarray(squeezed).resize(size, Image.Resampling.BICUBIC, box=box))
        return resized[..., None] if resized.ndim == 2 else resized
    planes = [  # Pillow resizes floats one channel at a time
        Image.fromarray(image[..., channel]).resize(size, Image.Resampling.BICUBIC, box=box)
        for channel in range(image.shape[-1])
    ]
    return np.clip(np.stack([np.asarray(plane) for plane in planes], axis=-1), 0.0, 1.0).astype(np.float32)
