import numpy as np
import pytest

from keras_gen.data.shapes.factors import FACTORS, Factors
from keras_gen.data.shapes.renderer import COLORS, PERIODS, RIM, render_shapes

DRAWN = Factors.draw(40, 3)


def test_a_picture_does_not_depend_on_the_batch():
    full = render_shapes(DRAWN)
    assert full.shape == (40, 64, 64, 3) and full.dtype == np.uint8
    np.testing.assert_array_equal(render_shapes(DRAWN[20:30]), full[20:30])


def object_pixels(factors, size=64):
    """Returns the pixels that the object can cover: a disc of its radius, and one pixel for the smooth edge."""
    middle = (np.arange(size) + 0.5) / size
    distance = np.hypot(middle[None, None] - factors.x[:, None, None], middle[None, :, None] - factors.y[:, None, None])
    return distance < factors.radius[:, None, None] * 1.07 + 1 / size


@pytest.mark.parametrize("factor", [f for f in FACTORS if f != "background"])
def test_changing_a_factor_changes_only_the_object(factor):
    before = render_shapes(DRAWN)
    for name in FACTORS[factor]:
        changed = DRAWN.change(**{factor: name})
        after = render_shapes(changed)
        touched = object_pixels(DRAWN) | object_pixels(changed)
        np.testing.assert_array_equal(after[~touched], before[~touched])
        changed_pictures = (after != before).any((1, 2, 3))
        # a picture changes if and only if a factor changes (`change` resets invisible factors)
        changed_factors = np.any([getattr(changed, f) != getattr(DRAWN, f) for f in FACTORS], axis=0)
        np.testing.assert_array_equal(changed_pictures, changed_factors)


def test_background_has_its_shade_and_does_not_affect_the_object():
    pictures = render_shapes(DRAWN)
    outside = ~object_pixels(DRAWN)
    for i in range(40):
        assert set(pictures[i][outside[i]].ravel()) == {int(np.rint(DRAWN.shade[i] * 255))}
    inner = render_shapes(DRAWN.change(background="white"))
    plain = np.flatnonzero(DRAWN.texture == 0)
    x, y = (DRAWN.x * 64).astype(int), (DRAWN.y * 64).astype(int)
    np.testing.assert_array_equal(inner[plain, y[plain], x[plain]], pictures[plain, y[plain], x[plain]])


def test_center_of_a_plain_object_has_its_color():
    for i, color in enumerate(FACTORS["color"]):
        picture = render_shapes(Factors.named(shape="square", color=color))[0]
        np.testing.assert_array_equal(picture[32, 32], np.rint(COLORS[i] * 255))


def covered(factors, size):
    """Returns the fraction of the image that a plain red object covers, from the red channel (214 on black)."""
    background = np.rint(factors.shade[0] * 255) / 255
    pictures = render_shapes(factors.change(color="red", texture="plain"), size)[..., 0] / 255
    return (pictures - background).mean((1, 2)) / (214 / 255 - background)


@pytest.mark.parametrize(
    "shape, area",
    [
        ("circle", np.pi * 0.9**2),
        ("square", 1.5**2),
        ("triangle", 1.5 * 0.75**0.5),
        ("star", 5 * np.sin(np.pi / 5) * 0.52),
        # two halves of discs of radius 0.3536 and a square of side 0.7071, in units of 1.55
        ("heart", (np.pi * 0.125 + 0.5) * 1.55**2),
        ("cross", 4 * (2 * 0.92 * 0.37 - 0.37**2)),
    ],
)
@pytest.mark.parametrize("rotation", FACTORS["rotation"])
def test_areas_equal_the_geometric_areas_at_every_angle(shape, area, rotation):
    factors = Factors.named(shape=shape, size="large", rotation=rotation)
    expected = area * factors.radius[0] ** 2
    # smooth edges keep the area of straight sides; sharp corners lose a little of it
    assert abs(covered(factors, 256)[0] / expected - 1) < 0.003


def test_no_object_is_cut_off_at_the_edge():
    large = DRAWN.change(size="large", background="black", texture="plain", color="red")
    centered = render_shapes(large.change(position="center"))[..., 0].astype(float).sum((1, 2))
    for position in FACTORS["position"]:
        shifted = render_shapes(large.change(position=position))[..., 0].astype(float).sum((1, 2))
        assert abs(shifted / centered - 1).max() < 0.01


def test_edges_are_smooth():
    picture = render_shapes(Factors.named(shape="circle", size="large"))[0, ..., 0].astype(int)
    low, high = picture.min(), picture.max()
    between = (picture > low + 10) & (picture < high - 10)
    assert 60 < between.sum() < 220  # a ring about one pixel wide around a circle of radius 18 (113 pixels)


def test_turned_left_is_counterclockwise():
    pictures = render_shapes(Factors.named(shape="triangle", size="large").change(rotation=np.array([1])), 64)
    tip = np.argwhere(pictures[0, ..., 0] > 150)[0]  # the topmost red pixel
    assert tip[1] < 31


def test_stripes_have_their_period_and_phase():
    size, square = 256, Factors.named(shape="square", size="large", texture="striped", texture_color="dark")
    for period in (0, 1):
        for phase in (0, 1):
            row = render_shapes(square.change(texture_period=period, texture_phase=phase), size)[0, size // 2, :, 0]
            u = ((np.arange(size) + 0.5) / size - 0.5) / PERIODS[period] + 0.5 * phase
            distance = abs(u - np.rint(u))
            centered = abs(np.arange(size) + 0.5 - size / 2) < 0.75 * square.radius[0] * size - RIM * size - 1
            certain = centered & (abs(distance - 0.25) * PERIODS[period] * size > 1)
            np.testing.assert_array_equal(row[certain] > 150, distance[certain] < 0.25)


def test_a_quarter_turn_of_the_texture_turns_the_picture():
    upright = Factors.named(shape="square", size="large", texture="striped", texture_phase="shifted")
    turned = render_shapes(upright.change(texture_angle="90 degrees"))[0]
    np.testing.assert_allclose(np.rot90(render_shapes(upright)[0]).astype(int), turned, atol=1)


def test_other_sizes_show_the_same_picture():
    small, large = render_shapes(DRAWN, 32) / 255, render_shapes(DRAWN, 128) / 255
    means = large.reshape(40, 32, 4, 32, 4, 3).mean((2, 4))
    assert abs(means - small).mean() < 0.01
    with pytest.raises(ValueError, match="size >= 8 pixels; received 4"):
        render_shapes(DRAWN, 4)
