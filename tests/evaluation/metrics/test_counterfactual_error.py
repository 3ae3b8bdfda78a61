"""The true counterfactuals of `shapes`, and hand-computed errors to the nearest counterfactual."""

import numpy as np
import pytest

from keras_gen.data import Factors, render_shapes
from keras_gen.evaluation.metrics.counterfactual_error import counterfactual_errors, counterfactuals

SHAPE = (64, 64, 3)


def test_numbers_of_counterfactuals():
    plain = Factors.named(shape="star", color="blue", texture="plain")
    striped = counterfactuals(plain, "texture", "striped", SHAPE)
    assert striped.shape == (4 * 2 * 2 * 2, 1, *SHAPE)  # angles, periods, phases, second colors
    target = plain.change(texture="striped", texture_angle="135 degrees", texture_color="dark")
    picture = render_shapes(target)[0].astype(np.float32) / 255
    assert np.abs(striped[:, 0] - picture).max(axis=(1, 2, 3)).min() == 0
    # dots repeat after 90 degrees: half as many
    assert len(counterfactuals(plain, "texture", "dotted", SHAPE)) == 2 * 2 * 2 * 2
    back = counterfactuals(target, "texture", "plain", SHAPE)
    assert len(back) == 1 and np.array_equal(np.rint(255 * back[0]), render_shapes(plain))
    assert len(counterfactuals(plain, "color", 3, SHAPE)) == 1


def test_counterfactuals_are_resized_like_the_data():
    plain = Factors.draw(3, 0).change(texture="plain")
    small = counterfactuals(plain, "color", "red", (32, 32, 1))
    assert small.shape == (1, 3, 32, 32, 1) and small.dtype == np.float32 and 0 <= small.min() <= small.max() <= 1


def test_errors_are_those_to_the_nearest_counterfactual():
    images = np.array([0.5, 0.5]).reshape(2, 1, 1, 1)
    translations = np.array([0.9, 0.2]).reshape(2, 1, 1, 1)
    truths = np.array([[1.0, 0.0], [0.0, 0.8]]).reshape(2, 2, 1, 1, 1)
    errors = counterfactual_errors(images, translations, truths)
    np.testing.assert_allclose(errors.translation, [0.1, 0.2])  # nearest to 1 and to 0
    np.testing.assert_allclose(errors.identity, [0.5, 0.3])  # equally near to both, and nearest to .8
    assert errors.ratio == pytest.approx(0.15 / 0.4)
    with pytest.raises(ValueError, match="counterfactuals of the shape .k, .images.shape."):
        counterfactual_errors(images, translations, truths[:, :1])
