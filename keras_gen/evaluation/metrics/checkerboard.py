"""The energy of images at the frequencies of a checkerboard."""

import numpy as np

from keras_gen.batching import batch_slices

IMAGES_PER_PASS = 1024


def checkerboard_ratio(samples: np.ndarray, real: np.ndarray) -> float:
    """Returns how much larger the share of energy at the highest frequencies is in samples than in real images.

    1 is as in real images. Larger values are checkerboards or stripes of one pixel, as strided transposed convolutions
    draw them; smaller values are blurred images.

    Args:
        samples: float32 [num, height, width, channels], height and width even.
        real: float32 [other num, height, width, channels].

    Returns:
        `nyquist_share(samples) / nyquist_share(real)`, >= 0; infinite if only samples have such energy, and NaN if
        neither have.

    Raises:
        ValueError: as `nyquist_share`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(nyquist_share(samples)) / nyquist_share(real))


def nyquist_share(images: np.ndarray) -> float:
    """Returns the share of the images' energy at the Nyquist frequency (a period of two pixels) of either axis.

    With the discrete Fourier transform F of an image's channel, it is the sum of |F[u, v]|^2 over u = height / 2 or
    v = width / 2, divided by the sum over all (u, v) but (0, 0). Both sums are over all images and channels.

    Args:
        images: float32 [num, height, width, channels], height and width even.

    Returns:
        The share, 0 to 1; 0 for constant images.

    Raises:
        ValueError: For an array of another rank, no images, or an odd side, which has no Nyquist frequency.

    Example:
        >>> rows, columns = np.indices((4, 4))
        >>> nyquist_share(0.5 + 0.1 * (-1.0) ** (rows + columns)[None, :, :, None])
        1.0

    Reference:
        Odena, Dumoulin, Olah 2016, Deconvolution and Checkerboard Artifacts, doi:10.23915/distill.00003.
    """
    if np.ndim(images) != 4 or len(images) == 0 or np.shape(images)[1] % 2 or np.shape(images)[2] % 2:
        raise ValueError(
            f"Expected images [num, height, width, channels] with even sides; received {np.shape(images)}: crop or "
            "resize them"
        )
    height, width = np.shape(images)[1:3]
    nyquist, total = 0.0, 0.0
    for rows in batch_slices(len(images), IMAGES_PER_PASS):
        pixels = np.asarray(images[rows], np.float64)
        power = np.square(np.abs(np.fft.fft2(pixels - pixels.mean(axis=(1, 2), keepdims=True), axes=(1, 2))))
        total += power.sum()
        nyquist += power[:, height // 2].sum() + power[:, :, width // 2].sum() - power[:, height // 2, width // 2].sum()
    return float(nyquist / total) if total > 0 else 0.0
