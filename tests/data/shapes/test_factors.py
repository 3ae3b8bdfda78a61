import numpy as np
import pytest

from keras_gen.data.shapes.factors import (
    ANGLE,
    FACTORS,
    HELD_OUT,
    MEASURES,
    OFFSET,
    RADIUS,
    SHADE,
    Factors,
    attribute_names,
)

DRAWN = Factors.draw(6000, 7)


def test_same_seed_same_factors_and_other_seeds_differ():
    again, other = Factors.draw(6000, 7), Factors.draw(6000, 8)
    for field, value in DRAWN.as_dict().items():
        np.testing.assert_array_equal(again.as_dict()[field], value)
    assert (other.shape != DRAWN.shape).mean() > 0.5
    np.testing.assert_array_equal(Factors.draw(10, 7).x, DRAWN.x[:10])  # fewer factors are the first of more factors


@pytest.mark.parametrize("factor", FACTORS)
def test_classes_are_equally_likely_where_visible(factor):
    visible = {
        "rotation": DRAWN.shape != 0,
        "texture_angle": DRAWN.texture == FACTORS["texture"].index("striped"),
    }.get(factor, DRAWN.texture != 0 if factor.startswith("texture_") else np.ones(6000, bool))
    values = getattr(DRAWN, factor)[visible]
    counts = np.bincount(values, minlength=len(FACTORS[factor]))
    expected = len(values) / len(FACTORS[factor])
    assert len(counts) == len(FACTORS[factor])
    assert abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_shape_and_color_are_independent():
    table = np.zeros((6, 8))
    np.add.at(table, (DRAWN.shape, DRAWN.color), 1)
    # chi-square with 47 degrees of freedom: standard deviation 9.7; the bound is six of them
    assert ((table - 125) ** 2 / 125).sum() < 47 + 6 * 9.7


def test_measures_stay_in_the_range_of_their_class_with_gaps_between_classes():
    row, column = DRAWN.position // 3, DRAWN.position % 3
    for values, classes, (middles, reach) in (
        (DRAWN.radius, DRAWN.size, RADIUS),
        (DRAWN.x, column, OFFSET),
        (DRAWN.y, row, OFFSET),
        (DRAWN.angle[DRAWN.shape > 0], DRAWN.rotation[DRAWN.shape > 0], ANGLE),
        (DRAWN.shade, DRAWN.background, SHADE),
    ):
        assert abs(values - middles[classes]).max() <= reach + 1e-6
        assert abs(values - middles[classes]).max() > 0.9 * reach
        assert np.diff(np.sort(middles)).min() > 3 * reach
    # objects lie inside the image
    assert (DRAWN.x + DRAWN.radius).max() < 1 and (DRAWN.x - DRAWN.radius).min() > 0


def test_invisible_factors_are_zero():
    circle, plain = DRAWN.shape == 0, DRAWN.texture == 0
    assert (DRAWN.rotation[circle] == 0).all() and (DRAWN.angle[circle] == 0).all()
    for factor in ("texture_angle", "texture_period", "texture_phase", "texture_color"):
        assert (getattr(DRAWN, factor)[plain] == 0).all()
    assert set(DRAWN.texture_angle[DRAWN.texture > 1]) == {0, 1}


def test_change_keeps_the_other_factors():
    for factor, names in FACTORS.items():
        changed = DRAWN.change(**{factor: names[1]})
        again = changed.change(**{factor: getattr(DRAWN, factor)})
        for field, value in DRAWN.as_dict().items():
            if field not in (factor, "radius", "x", "y", "angle", "shade") and factor not in ("texture", "shape"):
                np.testing.assert_array_equal(changed.as_dict()[field], value)
            if factor not in ("texture", "shape"):  # these may hide other factors
                np.testing.assert_allclose(again.as_dict()[field], value, atol=1e-5)


def test_change_keeps_the_offset_within_a_class():
    large = DRAWN.change(size="large")
    np.testing.assert_allclose(large.radius - RADIUS[0][2], DRAWN.radius - RADIUS[0][DRAWN.size], atol=1e-6)
    np.testing.assert_array_equal(large.x, DRAWN.x)


def test_held_out_pairs_keep_every_shape_and_color_in_training():
    held_out = DRAWN.held_out()
    pairs = {(FACTORS["shape"][s], FACTORS["color"][c]) for s, c in zip(DRAWN.shape, DRAWN.color, strict=True)}
    rest = {
        (FACTORS["shape"][s], FACTORS["color"][c])
        for s, c in zip(DRAWN.shape[~held_out], DRAWN.color[~held_out], strict=True)
    }
    assert pairs - rest == set(HELD_OUT) and len(HELD_OUT) == 8
    assert {shape for shape, _ in rest} == set(FACTORS["shape"])
    assert {color for _, color in rest} == set(FACTORS["color"])


def test_attributes_have_a_one_per_factor():
    attributes = DRAWN.attributes()
    assert attributes.shape == (6000, len(attribute_names())) and attributes.dtype == np.float32
    assert (attributes.sum(1) == len(FACTORS)).all()
    red = attribute_names().index("color=red")
    np.testing.assert_array_equal(attributes[:, red], DRAWN.color == 0)


def test_named_and_from_batch():
    star = Factors.named(shape="star", position="top left", size="large", rotation="turned left")
    assert (star.x[0], star.radius[0], star.angle[0]) == (
        np.float32(OFFSET[0][0]),
        np.float32(RADIUS[0][2]),
        20.0,
    )
    batch = {**DRAWN.as_dict(), "image": None}
    np.testing.assert_array_equal(Factors.from_batch(batch).angle, DRAWN.angle)
    with pytest.raises(ValueError, match="no radius. Load shapes without `fields`"):
        Factors.from_batch({key: value for key, value in batch.items() if key != "radius"})
    assert set(MEASURES) <= set(batch)


@pytest.mark.parametrize(
    "names, message",
    [
        ({"hue": "red"}, "Expected a factor among shape, color, .*; received 'hue'"),
        ({"color": "mauve"}, "Expected color among red, orange, .*; received 'mauve'"),
        ({"size": 3}, r"Expected size from 0 to 2 \(small, medium, large\); received 3"),
    ],
)
def test_unknown_names(names, message):
    with pytest.raises(ValueError, match=message):
        Factors.named(**names)
