"""Whether the pixels of images are nearly all black or white. TensorFlow is imported only for a stream of examples."""

import os
from typing import Any, NamedTuple

import numpy as np

from keras_gen.runtime.image_file import UnreadableImage

from .info import Images, Table
from .options import LoadOptions
from .orientation import orientation_accuracy
from .resolve import identify, open_table
from .shapes.renderer import render_shapes
from .shapes.splits import draw_split

# maximum `noise_share` of gray images that "auto" binarizes. Digits have .16 (MNIST at 28x28) to .22 (USPS, MNIST at
# 64x64), gray photographs .4 (objects on a plain background) to .8 (faces), of which a model would mostly learn noise
MAX_NOISE_SHARE = 0.3
# of color images, whose noise would have other colors: only channels of two levels
MAX_COLOR_NOISE_SHARE = 0.01
# maximum `orientation_accuracy` of images that look like their mirror images: drawn faces have .52, Twemoji .56 (with
# standard errors of .05 for 256 images), digits of USPS .83 and of MNIST .94, in any colors
MAX_ORIENTATION_ACCURACY = 0.65
SAMPLE = 256


class Pixels(NamedTuple):
    """Statistics of the pixels of a sample of images.

    Attributes:
        channels: number of channels.
        noise_share: see `noise_share`.
        orientation_accuracy: see `keras_gen.data.orientation`; for two domains, the larger one.
    """

    channels: int
    noise_share: float
    orientation_accuracy: float = 0.5

    @property
    def max_noise_share(self) -> float:
        """The largest `noise_share` of images that are nearly binary."""
        return MAX_NOISE_SHARE if self.channels == 1 else MAX_COLOR_NOISE_SHARE

    @property
    def binarization(self) -> str | None:
        """The binarization that `binarize="auto"` stands for: "dynamic" for nearly binary images, otherwise None."""
        return "dynamic" if self.noise_share <= self.max_noise_share else None

    @property
    def symmetric(self) -> bool:
        """Whether mirrored images look like the others, and are photos or drawings: not nearly binary, as digits."""
        return self.binarization is None and self.orientation_accuracy <= MAX_ORIENTATION_ACCURACY

    def describe_symmetry(self) -> str:
        """Returns the reason for `symmetric`, as a sentence without its full stop."""
        if self.binarization is not None:
            return "The pixels are nearly binary"
        share = f"a classifier recognizes the orientation of {self.orientation_accuracy:.0%}"
        return f"Mirrored images look {'like' if self.symmetric else 'unlike'} the others ({share})"

    def describe(self) -> str:
        """Returns the decision with its reason, as a sentence without its full stop."""
        values, binary = ("gray values", "black and white") if self.channels == 1 else ("colors", "of two levels")
        share = f"binarization would make {self.noise_share:.0%} of their variance noise"
        if self.binarization is None:
            return f"The pixels are {values}, not {binary}, and are not binarized ({share})"
        return f"The pixels are nearly {binary} and are binarized (dynamic; {share.replace('would make', 'makes')})"


def noise_share(images: np.ndarray) -> float:
    """Returns the share of noise in the variance of dynamically binarized pixels.

    A pixel of value x becomes 1 with probability x, so its noise has the variance x (1 - x), which is 0 for black and
    white pixels. All pixels together have the variance m (1 - m), where m is their mean.

    Args:
        images: float in [0, 1], of any shape.

    Returns:
        From 0 (all pixels are black or white) to 1 (all pixels are equal).

    Example:
        >>> round(noise_share(np.array([0.0, 0.0, 0.5, 1.0])), 4)
        0.2667
    """
    mean = float(images.mean())
    total = mean * (1 - mean)
    return float((images * (1 - images)).mean()) / total if total > 0 else 0.0


def pixels_of(table: Table) -> Pixels | None:
    """Returns statistics of up to 256 images of a table, or of each of its domains, which are a fixed random choice.

    The noise share is that of the first domain.

    Args:
        table: The table. Images that cannot be read are skipped.

    Returns:
        The statistics; None if no image can be read.
    """
    return _statistics(*[_of_stream(table)] if table.stream else [_of_images(each) for each in table.images.values()])


def measure_pixels(source: str | os.PathLike, split: str, **options: Any) -> Pixels | None:
    """Returns statistics of up to 256 images of a source, without decoding the others.

    Args:
        source: One source, as in `keras_gen.data.load`.
        split: As in `keras_gen.data.load`.
        **options: `image_shape` and further arguments of `keras_gen.data.load` that decide how images are read.

    Returns:
        The statistics; None for two sources, or if no image can be read.

    Raises:
        ValueError: For an invalid argument, source, split or file.
    """
    checked = LoadOptions(split, batch_size=1, cache=None, **options)
    kind, _ = identify(source, checked.data_dir)
    if kind == "pair":
        return None
    if kind == "shapes":  # rendered: the dataset need not be built
        return _statistics([checked.resize(image) for image in render_shapes(draw_split("train")[0][:SAMPLE])])
    return pixels_of(open_table(source, checked))


def _statistics(*samples: list[np.ndarray]) -> Pixels | None:
    """Returns statistics of the images of each domain; None if one of them has none."""
    if not all(samples):
        return None
    domains = [np.stack(sample) for sample in samples]
    domains = [images / np.float32(255) if images.dtype == np.uint8 else images for images in domains]
    return Pixels(domains[0].shape[-1], noise_share(domains[0]), max(map(orientation_accuracy, domains)))


def _of_images(images: Images) -> list[np.ndarray]:
    sample: list[np.ndarray] = []
    for row in np.random.Generator(np.random.Philox(key=0)).permutation(images.count):
        try:
            sample.append(images.get(int(row)))
        except UnreadableImage:
            continue
        if len(sample) == SAMPLE:
            break
    return sample


def _of_stream(table: Table) -> list[np.ndarray]:
    import tensorflow as tf

    stream = table.stream
    assert stream is not None
    records = stream(tf.constant([0, 0], tf.int64)).take(SAMPLE)
    return [row.numpy() for row in records.map(lambda _, record: stream.decode(record)["image"])]
