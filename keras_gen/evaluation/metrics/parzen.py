"""The Parzen-window log-likelihood: a historical measure, only for tables that stand beside papers of 2014 to 2016."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.special

from .feature_sets import feature_pair
from .pairwise import squared_distances
from .standard_error import standard_error

SIGMAS = tuple(np.logspace(-1.0, 0.0, 10))


class Parzen(NamedTuple):
    """A Parzen-window log-likelihood, and what training images get in place of samples.

    value: mean log density of the test images under the kernels around samples, nats per image.
    error: standard error of the mean over test images.
    sigma: of the kernels, chosen on the validation images.
    train_value, train_error, train_sigma: the same with training images in the place of samples.
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
    sigmas: Sequence[float] = SIGMAS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Parzen:
    """The HISTORICAL Parzen-window log-likelihood of test images, and that of the training images beside it.

    A Gaussian kernel stands on every sample, and the mean log density of test images is taken. It does not measure
    quality: in many dimensions no number of samples brings it near the true log-likelihood, a model can beat the
    training images themselves, and the ranking of models differs from that by likelihood (Theis et al.). It is here to
    stand beside old tables, with `train_value` to show what it is worth, and never beside a log-likelihood.

    Args:
        generated: images [num, ...] in [0, 1]; the papers took 10,000.
        train: training images [count, ...]; the first `num` of them are used, so that both have as many kernels.
        validation: images [some, ...] that sigma is chosen on, for both; the papers took 1,000 or more.
        test: images [many, ...], >= 2.
        sigmas: the grid; an optimum at its end is refused, since the value would not be the best one.
        progress: called with (images compared, all of them), of both sets of kernels.

    Returns:
        A Parzen.

    Raises:
        ValueError: for images of different shape, an empty set, sigmas <= 0 or a grid that does not hold the optimum.

    Reference:
        Breuleux, Bengio, Vincent 2011, Quickly generating representative samples from an RBM-derived process, Neural
        Computation 23(8).
        Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661, section 5.
        Theis, van den Oord, Bethge 2016, A note on the evaluation of generative models, arXiv:1511.01844, section 3.
    """
    if len(test) < 2:
        raise ValueError(f"A standard error over test images needs 2 or more; received {len(test)}")
    results, done, total = [], 0, 2 * (len(validation) + len(test))
    for centers, what in ((generated, "generated"), (train[: len(generated)], "training")):
        progress(done, total)
        sigma = best_sigma(validation, centers, sigmas, what)
        done += len(validation)
        values = parzen_log_density(
            test, centers, (sigma,), progress=lambda rows, done=done: progress(done + rows, total)
        )[0]
        done += len(test)
        results += [float(values.mean()), standard_error(values), sigma]
    return Parzen(*results)


def best_sigma(
    validation: np.ndarray, centers: np.ndarray, sigmas: Sequence[float] = SIGMAS, what: str = "given"
) -> float:
    """The sigma of the grid under which validation images have the highest mean log density.

    Args:
        validation: [some, ...].
        centers: images that the kernels stand on [num, ...].
        sigmas: the grid, each > 0, in increasing order.
        what: what the centers are called in an error.

    Raises:
        ValueError: where the best is the first or the last of several: the optimum may lie outside.
    """
    means = parzen_log_density(validation, centers, sigmas).mean(axis=1)
    best = int(np.argmax(means))
    if len(sigmas) > 1 and best in (0, len(sigmas) - 1):
        raise ValueError(
            f"The best sigma for the {what} images is {sigmas[best]:.3g}, the end of the grid {sigmas[0]:.3g} to "
            f"{sigmas[-1]:.3g}: the optimum may lie outside. Give sigmas that reach farther"
        )
    return float(sigmas[best])


def parzen_log_density(
    images: np.ndarray,
    centers: np.ndarray,
    sigmas: Sequence[float],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> np.ndarray:
    """log of the mean over centers c of N(image; c, sigma^2 I), for each sigma.

    Args:
        images: [many, ...].
        centers: [num, ...], images of the same shape.
        sigmas: standard deviations, each > 0.
        progress: called with the number of images done.

    Returns:
        float64 [sigmas, many], nats.

    Raises:
        ValueError: for images of different shape, none of them, or sigmas <= 0.
    """
    sigmas = np.asarray(sigmas, np.float64)
    if sigmas.ndim != 1 or len(sigmas) == 0 or not np.all(sigmas > 0):
        raise ValueError(f"Expected sigmas > 0; received {sigmas}")
    if np.shape(images)[1:] != np.shape(centers)[1:]:
        raise ValueError(f"Expected images of one shape; received {np.shape(images)} and {np.shape(centers)}")
    images, centers = feature_pair(*(np.reshape(rows, (len(rows), -1)) for rows in (images, centers)), least=1)
    values = np.empty((len(sigmas), len(images)))
    for rows, distances in squared_distances(images, centers):
        for index, sigma in enumerate(sigmas):
            values[index, rows] = scipy.special.logsumexp(-0.5 * distances / sigma**2, axis=1)
        progress(rows.stop)
    size = images.shape[1]
    return values - np.log(len(centers)) - 0.5 * size * np.log(2.0 * np.pi * sigmas[:, None] ** 2)
