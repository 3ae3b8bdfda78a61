"""Changes where nothing should change, by hand."""

import numpy as np
import pytest

from benchmarks.unchanged import unchanged_error

GIVEN, MADE = np.zeros((2, 2, 2, 3)), np.zeros((2, 2, 2, 3))
MADE[0, 0, 0] = 0.5, 0.25, 0.0
MADE[1, 1] = 1.0


def test_only_pixels_that_should_stay():
    stay = np.zeros((2, 2, 2), bool)
    stay[0, 0], stay[1, 1, 0] = True, True
    # three pixels with changes 0.25, 0 and 1 on average over their channels
    assert unchanged_error(MADE, GIVEN, stay) == pytest.approx(1.25 / 3)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="of one shape"):
        unchanged_error(MADE, GIVEN[:1], np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="0 of them"):
        unchanged_error(MADE, GIVEN, np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"\[2, 2, 2\]"):
        unchanged_error(MADE, GIVEN, np.ones((2, 2)))
