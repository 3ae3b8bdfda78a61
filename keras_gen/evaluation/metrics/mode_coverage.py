"""Mode coverage: how many modes of a labeled dataset are generated, and how evenly, as in Stacked MNIST."""

from typing import NamedTuple

import numpy as np

from ..seeding import seeded_generator


class Modes(NamedTuple):
    """The mode coverage of a set of samples.

    Attributes:
        covered: number of modes with at least one sample.
        kl: KL(generated || data) of the frequencies of the modes, nats, >= 0.
        samples: number of samples.
    """

    covered: int
    kl: float
    samples: int


class ModesFloor(NamedTuple):
    """The mode coverage of as many samples from the data's own distribution, over repeated simulations.

    Attributes:
        covered: mean number of modes with at least one sample.
        kl: mean KL divergence, nats.
        covered_std: standard deviation of the number of modes.
        kl_std: standard deviation of the KL divergence.
    """

    covered: float
    kl: float
    covered_std: float
    kl_std: float


def mode_coverage(classes: np.ndarray, *, num_classes: int = 10, data: np.ndarray | None = None) -> Modes:
    """Returns the number of covered modes, and KL(generated || data), from predicted classes.

    A mode is a combination of classes: for Stacked MNIST, whose three channels are three digits, a classifier of digits
    is applied to each channel, and there are 10^3 modes. With p the fraction of samples in each mode and q that of the
    data, KL = sum p log(p / q). With finitely many samples neither number reaches the ideal: compare them with
    `modes_floor`. Errors of the classifier affect both.

    Args:
        classes: integers [num] or [num, channels], each 0 <= class < num_classes.
        num_classes: number of classes of one channel.
        data: frequencies or counts of the modes in the data [num_classes ** channels], the first channel being the most
            significant (classes 7, 0, 2 are mode 702); None is uniform.

    Returns:
        a Modes.

    Raises:
        ValueError: for classes out of range, or samples in a mode that the data do not have.

    Reference:
        Metz, Poole, Pfau, Sohl-Dickstein 2017, Unrolled GANs, arXiv:1611.02163, section 3.3.1.
        Srivastava, Valkov, Russell, Gutmann, Sutton 2017, VEEGAN, arXiv:1705.07761, section 5.2 (26,000 samples).
    """
    classes = np.asarray(classes)
    classes = classes[:, None] if classes.ndim == 1 else classes
    if classes.ndim != 2 or len(classes) == 0 or not np.issubdtype(classes.dtype, np.integer):
        raise ValueError(f"Expected integer classes [num] or [num, channels]; received {classes.dtype} {classes.shape}")
    if classes.min() < 0 or classes.max() >= num_classes:
        raise ValueError(f"Expected classes from 0 to {num_classes - 1}; received {classes.min()} to {classes.max()}")
    modes = np.ravel_multi_index(tuple(classes.T), (num_classes,) * classes.shape[1])
    frequencies = _frequencies(data, num_classes ** classes.shape[1])
    counts = np.bincount(modes, minlength=len(frequencies))
    if np.any(counts[frequencies == 0]):
        raise ValueError(
            "Expected samples in modes of the data; received samples in a mode of frequency 0, where "
            "KL(generated || data) is infinite"
        )
    return Modes(int(np.count_nonzero(counts)), _divergence(counts, frequencies), len(classes))


def modes_floor(
    samples: int, modes: int = 1000, *, data: np.ndarray | None = None, repeats: int = 100, seed: int = 0
) -> ModesFloor:
    """Simulates the mode coverage of as many samples from the data's own distribution.

    For many samples the divergence is about (modes - 1) / (2 * samples): 0.019 nats for 26,000 and 1,000 modes.

    Args:
        samples: samples in each simulation.
        modes: number of modes of the data; the length of `data`.
        data: frequencies or counts of the modes [modes]; None is uniform.
        repeats: number of simulations, >= 2.
        seed: seed of the simulations.

    Returns:
        a ModesFloor.

    Raises:
        ValueError: for samples < 1, repeats < 2 or data of another shape.
    """
    if samples < 1 or repeats < 2:
        raise ValueError(f"Expected samples >= 1 and repeats >= 2; received {samples} and {repeats}")
    frequencies = _frequencies(data, modes)
    counts = seeded_generator(seed).multinomial(samples, frequencies, size=repeats)
    covered = np.count_nonzero(counts, axis=1)
    divergences = np.array([_divergence(row, frequencies) for row in counts])
    return ModesFloor(
        float(covered.mean()), float(divergences.mean()), float(covered.std(ddof=1)), float(divergences.std(ddof=1))
    )


def _frequencies(data: np.ndarray | None, modes: int) -> np.ndarray:
    if data is None:
        return np.full(modes, 1.0 / modes)
    data = np.asarray(data, np.float64)
    if data.shape != (modes,) or not np.isfinite(data).all() or data.min() < 0 or data.sum() == 0:
        raise ValueError(f"Expected {modes} frequencies or counts of modes, all >= 0; received shape {data.shape}")
    return data / data.sum()


def _divergence(counts: np.ndarray, frequencies: np.ndarray) -> float:
    covered = counts > 0
    p, q = counts[covered] / counts.sum(), frequencies[covered]
    return float(max(0.0, np.sum(p * np.log(p / q))))
