"""The Parzen-window log-likelihood, for comparison with the tables of papers of 2014 to 2016 only."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.special

from ..types import Progress, no_progress
from .feature_sets import feature_pair
from .pairwise import squared_distances
from .standard_error import sample_standard_error

SIGMAS: tuple[float, ...] = tuple(np.logspace(-1.0, 0.0, 10))


class Parzen(NamedTuple):
    """A Parzen-window log-likelihood, and its value for training images instead of samples.

    Attributes:
        value: mean log density of the test images under the kernels around samples, nats per image.
        error: standard error of the mean over test images.
        sigma: standard deviation of the kernels, chosen on the validation images.
        train_value: `value` with training images instead of samples.
        train_error: `error` with training images instead of samples.
        train_sigma: `sigma` with training images instead of samples.
    """

    value: float
    error: float
    sigma: float
    train_value: float
    train_error: float
    train_sigma: float


def parzen(
    generated: np.ndarray,
    train: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
    *,
    sigmas: Sequence[float] | np.ndarray = SIGMAS,
    progress: Progress = no_progress,
) -> Parzen:
    """Returns the Parzen-window log-likelihood of test images under samples, and under training images.

    It is the mean log density of the test images under a mixture of Gaussian kernels, one around each sample. It does
    not measure quality: in many dimensions no number of samples brings it near the true log-likelihood, a model can
    exceed the training images themselves, and it ranks models differently than the likelihood (Theis et al.). Use it
    for comparison with the tables of old papers only, next to `train_value`, and never next to a log-likelihood.

    Args:
        generated: images [num, ...] in [0, 1]; the papers used 10,000.
        train: training images [count, ...]; the first `num` are used, so that both mixtures have as many kernels.
        validation: images [count, ...] on which sigma is chosen, for both; the papers used 1,000 or more.
        test: images [count, ...], count >= 2.
        sigmas: the grid, in increasing order; an optimum at either end raises an error.
        progress: called with (images compared, total), over both mixtures.

    Returns:
        a Parzen.

    Raises:
        ValueError: for images of different shape, an empty set, sigmas <= 0 or an optimum at an end of the grid.

    Reference:
        Breuleux, Bengio, Vincent 2011, Quickly generating representative samples from an RBM-derived process, Neural
        Computation 23(8).
        Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661, section 5.
        Theis, van den Oord, Bethge 2016, A note on the evaluation of generative models, arXiv:1511.01844, section 3.
    """
    if len(test) < 2:
        raise ValueError(f"Expected 2 or more test images for a standard error; received {len(test)}")
    num_steps = len(validation) + len(test)

    def log_density(centers: np.ndarray, name: str, start: int) -> tuple[float, float, float]:
        progress(start, 2 * num_steps)
        sigma = best_sigma(validation, centers, sigmas, name)
        start += len(validation)
        values = parzen_log_density(
            test, centers, (sigma,), progress=lambda rows: progress(start + rows, 2 * num_steps)
        )[0]
        return float(values.mean()), sample_standard_error(values), sigma

    of_samples = log_density(generated, "generated", 0)
    return Parzen(*of_samples, *log_density(train[: len(generated)], "training", num_steps))


def best_sigma(
    validation: np.ndarray, centers: np.ndarray, sigmas: Sequence[float] | np.ndarray = SIGMAS, name: str = "center"
) -> float:
    """Returns the sigma of a grid with the highest mean log density of validation images.

    Args:
        validation: images [count, ...].
        centers: images at the centers of the kernels [num, ...].
        sigmas: the grid, each > 0, in increasing order.
        name: name of the centers in an error.

    Raises:
        ValueError: for an optimum at an end of the grid, where the true optimum may lie outside.
    """
    means = parzen_log_density(validation, centers, sigmas).mean(axis=1)
    best = int(np.argmax(means))
    if len(sigmas) > 1 and best in (0, len(sigmas) - 1):
        raise ValueError(
            f"Expected sigmas with the optimum inside; received {sigmas[0]:.3g} to {sigmas[-1]:.3g}, of which the best "
            f"for the {name} images is {sigmas[best]:.3g}, an end of the grid. Extend the grid"
        )
    return float(sigmas[best])


def parzen_log_density(
    images: np.ndarray,
    centers: np.ndarray,
    sigmas: Sequence[float] | np.ndarray,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> np.ndarray:
    """Returns the log of the mean over centers c of N(image; c, sigma^2 I), for each sigma.

    Args:
        images: [count, ...].
        centers: [num, ...], images of the same shape.
        sigmas: standard deviations, each > 0.
        progress: called with the number of images done.

    Returns:
        float64 [sigmas, count], nats.

    Raises:
        ValueError: for images of different shape, no images, or sigmas <= 0.
    """
    sigmas = np.asarray(sigmas, np.float64)
    if sigmas.ndim != 1 or len(sigmas) == 0 or not np.all(sigmas > 0):
        raise ValueError(f"Expected sigmas > 0; received {sigmas}")
    if np.shape(images)[1:] != np.shape(centers)[1:]:
        raise ValueError(f"Expected images of one shape; received {np.shape(images)} and {np.shape(centers)}")
    images, centers = feature_pair(*(np.reshape(rows, (len(rows), -1)) for rows in (images, centers)), min_features=1)
    values = np.empty((len(sigmas), len(images)))
    for rows, distances in squared_distances(images, centers):
        for index, sigma in enumerate(sigmas):
            values[index, rows] = scipy.special.logsumexp(-0.5 * distances / sigma**2, axis=1)
        progress(rows.stop)
    size = images.shape[1]
    return values - np.log(len(centers)) - 0.5 * size * np.log(2.0 * np.pi * sigmas[:, None] ** 2)
