"""How close translations of `shapes` come to the truth, which is known there: the same factors, drawn anew."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_gen.data import FACTORS, Factors, render_shapes
from keras_gen.data.resize import Resize

RENDERED = 64  # the size that `shapes` is drawn at before it is fitted
TEXTURED = ("texture_angle", "texture_period", "texture_phase", "texture_color")


class CounterfactualErrors(NamedTuple):
    """Mean absolute errors over pixels, in units of the range [0, 1], float64 [num].

    Attributes:
        made: of the translations, each to the nearest of its true counterfactuals.
        untouched: of the images as they were, each to the nearest of its true counterfactuals: doing nothing.
    """

    made: np.ndarray
    untouched: np.ndarray

    @property
    def ratio(self) -> float:
        """The mean error of the translations over that of doing nothing."""
        return float(self.made.mean() / self.untouched.mean())


def counterfactuals(factors: Factors, by: str, value: str | int, image_shape: Sequence[int]) -> np.ndarray:
    """The true counterfactuals of pictures of `shapes` of which one factor becomes another class.

    A plain object tells nothing of the angle, period, phase and second color that a texture would have: where `domain_field` is
    the texture, every combination of these is a counterpart. Else there is one.

    Args:
        factors: of n pictures.
        by: the factor that changes.
        value: its class, by name or number.
        image_shape: (height, width, channels) that the pictures are fitted to, as `keras_gen.data.load` does.

    Returns:
        float32 [counterfactuals, n, height, width, channels] in [0, 1].
    """
    name = value if isinstance(value, str) else FACTORS[by][value]
    free = TEXTURED if by == "texture" and name != "plain" else ()
    classes = [range(len(FACTORS[factor])) for factor in free]
    fit, drawn = Resize(tuple(image_shape)), {}
    for chosen in itertools.product(*classes):
        changed = factors.change(**{by: value}, **dict(zip(free, chosen, strict=True)))
        # dots and checks repeat after 90 degrees: the same picture is drawn once
        key = tuple(np.concatenate([getattr(changed, factor) for factor in FACTORS]).tolist())
        if key not in drawn:
            drawn[key] = np.stack([fit(picture) for picture in render_shapes(changed, RENDERED)])
    return np.stack(list(drawn.values())).astype(np.float32) / 255


def counterfactual_errors(images: np.ndarray, made: np.ndarray, truths: np.ndarray) -> CounterfactualErrors:
    """Errors of translations, and of doing nothing, to the nearest true counterpart of each.

    Args:
        images: what was translated [num, height, width, channels].
        made: the translations, of the same shape.
        truths: from `counterfactuals`.

    Raises:
        ValueError: for shapes that do not fit.
    """
    if images.shape != made.shape or truths.shape[1:] != images.shape:
        raise ValueError(
            f"Expected images and translations of one shape and counterfactuals [k, *that]; received {images.shape}, "
            f"{made.shape} and {truths.shape}"
        )

    def nearest(given: np.ndarray) -> np.ndarray:
        errors = [np.abs(given.astype(np.float64) - truth).mean(axis=(1, 2, 3)) for truth in truths]
        return np.min(errors, axis=0)

    return CounterfactualErrors(nearest(made), nearest(images))
