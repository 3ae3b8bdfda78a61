"""Whether images are binary, 8-bit or anything else, and whether a head is a likelihood of them."""

import numpy as np

BINARY, EIGHT_BIT, CONTINUOUS = "binary", "8-bit", "continuous"

# k / 255 in float32 is off by 255 * 6e-8 at most
TOLERANCE = 1e-3


def pixel_support(images: np.ndarray) -> str:
    """`"binary"` (all 0 or 1), `"8-bit"` (all k / 255, k = 0..255) or `"continuous"`.

    Args:
        images: float32, any shape, in [0, 1].
    """
    levels = np.asarray(images, np.float32) * 255.0
    if np.abs(levels - np.rint(levels)).max() > TOLERANCE:
        return CONTINUOUS
    return BINARY if np.all((images == 0) | (images == 1)) else EIGHT_BIT


def likelihood_mismatch(support: str, images: np.ndarray) -> str | None:
    """Why a head is no likelihood of these images, or None where it is one.

    Args:
        support: the head's, `"binary"`, `"8-bit"` or `"continuous"` (which needs dequantization of 8-bit images).
        images: float32, in [0, 1].
    """
    kind = pixel_support(images)
    if support == BINARY:
        if kind == BINARY:
            return None
        between = np.mean((images != 0) & (images != 1))
        return (
            f"a Bernoulli head is a likelihood of binary pixels, and {between:.1%} of the pixels are neither 0 nor 1; "
            "train with binarize='dynamic' or 'threshold', or with the head discretized_logistic_mixture"
        )
    if kind != CONTINUOUS:
        return None
    if support == EIGHT_BIT:
        return "a discretized head is a likelihood of 8-bit levels k / 255, and these images have values in between"
    return (
        "a continuous head gives a density; only 8-bit images k / 255 turn it into a probability (by uniform "
        "dequantization), and these images have values in between"
    )
