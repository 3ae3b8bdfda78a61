"""How many modes of a labeled set are generated, and how evenly: Stacked MNIST's 1,000 combinations of digits."""

from typing import NamedTuple

import numpy as np


class Modes(NamedTuple):
    """What a set of samples covers.

    covered: modes that at least one sample falls into.
    kl: KL(generated || data) of the modes' frequencies, nats, >= 0.
    samples: how many samples were counted.
    """

    covered: int
    kl: float
    samples: int


class ModesFloor(NamedTuple):
    """What as many draws from the data itself would give: means over the repeats, and deviations of one draw.

    covered, kl: means.
    covered_deviation, kl_deviation: standard deviations between repeats.
    """

    covered: float
    kl: float
    covered_deviation: float
    kl_deviation: float


def mode_coverage(classes: np.ndarray, *, num_classes: int = 10, data: np.ndarray | None = None) -> Modes:
    """Modes covered, and KL(generated || data), of predicted classes.

    A mode is a combination of classes: for Stacked MNIST, whose three channels hold three digits, a classifier of
    digits looks at each channel, and there are 10^3 modes. With p the share of samples in each mode and q the data's,
    KL = sum p log(p / q). Neither number reaches the ideal with finitely many samples: read them beside `modes_floor`.
    The classifier's own errors blur both.

    Args:
        classes: integers [num] or [num, channels], each 0 <= class < num_classes.
        num_classes: classes of one channel.
        data: shares or counts of the modes in the data [num_classes ** channels], the first channel counting most
            (class 7, 0, 2 is mode 702); None is uniform.

    Returns:
        A Modes.

    Raises:
        ValueError: for classes out of range, or data that excludes a mode that was generated.

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
    shares = _shares(data, num_classes ** classes.shape[1])
    counts = np.bincount(modes, minlength=len(shares))
    if np.any(counts[shares == 0]):
        raise ValueError("Samples fall into a mode that the data does not have: KL(generated || data) is infinite")
    return Modes(int(np.count_nonzero(counts)), _divergence(counts, shares), len(classes))


def modes_floor(
    samples: int, modes: int = 1000, *, data: np.ndarray | None = None, repeats: int = 100, seed: int = 0
) -> ModesFloor:
    """The modes and the KL divergence that as many draws from the data's own distribution have, by simulation.

    For many samples the divergence is about (modes - 1) / (2 * samples): 0.019 nats for 26,000 and 1,000 modes.

    Args:
        samples: draws in each repeat.
        modes: modes of the data; must agree with `data` where that is given.
        data: shares or counts of the modes [modes]; None is uniform.
        repeats: simulated sets, >= 2.
        seed: of the draws.

    Returns:
        A ModesFloor.
    """
    if samples < 1 or repeats < 2:
        raise ValueError(f"Expected samples >= 1 and repeats >= 2; received {samples} and {repeats}")
    shares = _shares(data, modes)
    generator = np.random.Generator(np.random.Philox(key=seed))
    counts = generator.multinomial(samples, shares, size=repeats)
    covered = np.count_nonzero(counts, axis=1)
    divergences = np.array([_divergence(row, shares) for row in counts])
    return ModesFloor(
        float(covered.mean()), float(divergences.mean()), float(covered.std(ddof=1)), float(divergences.std(ddof=1))
    )


def _shares(data: np.ndarray | None, modes: int) -> np.ndarray:
    if data is None:
        return np.full(modes, 1.0 / modes)
    data = np.asarray(data, np.float64)
    if data.shape != (modes,) or not np.isfinite(data).all() or data.min() < 0 or data.sum() == 0:
        raise ValueError(f"Expected {modes} shares or counts of modes, none below 0; received shape {data.shape}")
    return data / data.sum()


def _divergence(counts: np.ndarray, shares: np.ndarray) -> float:
    seen = counts > 0
    share = counts[seen] / counts.sum()
    return float(max(0.0, np.sum(share * np.log(share / shares[seen]))))
