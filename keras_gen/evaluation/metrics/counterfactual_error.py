"""Errors of translations of `shapes` to their true counterfactuals: images that differ in one factor alone."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_gen.data import FACTORS, Factors, render_shapes
from keras_gen.data.resize import Resize

RENDERED_SIZE = 64  # pixels; the images are then resized
TEXTURE_FACTORS = ("texture_angle", "texture_period", "texture_phase", "texture_color")


class CounterfactualErrors(NamedTuple):
    """Mean absolute errors over pixels, in units of the range [0, 1], each to the nearest true counterfactual.

    Attributes:
        translation: of the translations, float64 [num].
        identity: of the input images, float64 [num].
    """

    translation: np.ndarray
    identity: np.ndarray

    @property
    def ratio(self) -> float:
        """The mean error of the translations divided by that of the input images."""
        return float(self.translation.mean() / self.identity.mean())


def counterfactuals(factors: Factors, factor: str, value: str | int, image_shape: Sequence[int]) -> np.ndarray:
    """Renders the true counterfactuals of images of `shapes`, in which one factor has another class.

    A plain object does not determine the angle, period, phase and second color of a texture: where `factor` is the
    texture, every combination of these is a counterfactual. Otherwise there is one.

    Args:
        factors: factors of n images.
        factor: the factor that changes.
        value: its new class, by name or number.
        image_shape: (height, width, channels) to which the images are resized, as `keras_gen.data.load` does.

    Returns:
        float32 [counterfactuals, n, height, width, channels] in [0, 1].
    """
    name = value if isinstance(value, str) else FACTORS[factor][value]
    free_factors = TEXTURE_FACTORS if factor == "texture" and name != "plain" else ()
    classes = [range(len(FACTORS[free])) for free in free_factors]
    height, width, channels = image_shape
    resize, rendered = Resize((height, width, channels)), {}
    for combination in itertools.product(*classes):
        changed = factors.change(**{factor: value}, **dict(zip(free_factors, combination, strict=True)))
        # dots and checks repeat after 90 degrees: equal images are rendered once
        key = tuple(np.concatenate([getattr(changed, each) for each in FACTORS]).tolist())
        if key not in rendered:
            rendered[key] = np.stack([resize(image) for image in render_shapes(changed, RENDERED_SIZE)])
    return np.stack(list(rendered.values())).astype(np.float32) / 255


def counterfactual_errors(images: np.ndarray, translations: np.ndarray, truths: np.ndarray) -> CounterfactualErrors:
    """Returns the errors of translations, and of the input images, to the nearest true counterfactual of each.

    Args:
        images: input images [num, height, width, channels].
        translations: the same shape.
        truths: from `counterfactuals`, [counterfactuals, num, height, width, channels].

    Raises:
        ValueError: for arrays of other shapes.
    """
    if images.shape != translations.shape or truths.shape[1:] != images.shape:
        raise ValueError(
            "Expected images and translations of one shape, and counterfactuals of the shape [k, *images.shape]; "
            f"received {images.shape}, {translations.shape} and {truths.shape}"
        )

    def nearest_error(candidates: np.ndarray) -> np.ndarray:
        errors = [np.abs(candidates.astype(np.float64) - truth).mean(axis=(1, 2, 3)) for truth in truths]
        return np.min(errors, axis=0)

    return CounterfactualErrors(nearest_error(translations), nearest_error(images))
