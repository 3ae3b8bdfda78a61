"""GANs on 2D points: the data, a short run, and the table."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import gaussians
from benchmarks.gaussians import METHODS, MIXTURES, Settings, covered, gaussian_modes, measure, points_of, summary
from keras_gen.distributions import gaussian_grid, gaussian_ring

TOY = Settings(steps=2, batch_size=8, hidden=(4,), steps_per_execution=2)


def test_every_step_has_new_points_of_the_mixture():
    batches = [batch["image"].numpy() for batch in points_of(MIXTURES["ring"](), 512, 2, seed=3)]
    again = [batch["image"].numpy() for batch in points_of(MIXTURES["ring"](), 512, 2, seed=3)]
    other = next(iter(points_of(MIXTURES["ring"](), 512, 1, seed=4)))["image"].numpy()
    np.testing.assert_array_equal(batches, again)
    assert len(batches) == 2 and not np.intersect1d(batches[0], batches[1]).size
    assert not np.intersect1d(batches[0], other).size
    # radius 1 and standard deviation .01: all of 512 points are within five standard deviations
    assert np.abs(np.linalg.norm(batches[0], axis=1) - 1).max() < 0.05
    coverage = covered(batches[0], MIXTURES["ring"]())
    assert coverage["modes"] == 8 and coverage["high_quality"] > 0.95  # 0.989 expected


@pytest.mark.parametrize("method, again", [("WGAN-GP", True), ("packing 2", False)])
def test_metrics_of_a_run_are_those_of_its_points(method, again, monkeypatch):
    monkeypatch.setattr(gaussians, "POINTS", 64)
    row, points = measure("grid", method, 1, TOY)
    assert points.shape == (64, 2) and points.dtype == np.float32
    assert {name: row[name] for name in ("modes", "high_quality")} == covered(points, MIXTURES["grid"]())
    if again:
        np.testing.assert_array_equal(measure("grid", method, 1, TOY)[1], points)


def test_learning_rates_of_both_players_end_at_zero():
    model = gaussians.build("WGAN-GP", TOY, 0)
    for name, optimizer in model.optimizers.items():
        updates = TOY.steps * METHODS["WGAN-GP"].get("n_critic", 1) if name == "discriminator" else TOY.steps
        schedule = optimizer._learning_rate
        assert tf.get_static_value(schedule(updates)) == pytest.approx(0, abs=1e-9)
        assert schedule(updates - 1) > 0


def test_table_has_means_over_seeds():
    rows = [
        {"mixture": mixture, "method": method, "modes": modes, "high_quality": share}
        for mixture in MIXTURES
        for method in METHODS
        for modes, share in ((8, 0.5), (7, 0.9))
    ]
    rows[0]["modes"] = 4  # the first of ring, minimax
    first, *others = summary(rows)
    assert first["modes"] == [4, 7] and first["modes_mean"] == 5.5
    assert all(row["modes_mean"] == 7.5 and row["high_quality_mean"] == 0.7 for row in others)
    assert len(others) == 9


RING, GRID = (m.components_distribution.mean().numpy() for m in (gaussian_ring(), gaussian_grid()))


def sample(centers, std, num, seed=0):
    generator = np.random.default_rng(seed)
    return centers[generator.integers(len(centers), size=num)] + std * generator.normal(size=(num, 2))


@pytest.mark.parametrize("centers, std", [(RING, 0.01), (GRID, 0.05)])
def test_metrics_of_the_mixture_itself(centers, std):
    modes = gaussian_modes(sample(centers, std, 40_000), centers, std)
    assert modes.covered == len(centers)
    # a squared distance in units of the variance is chi-squared with 2 degrees of freedom
    assert modes.high_quality == pytest.approx(1 - np.exp(-4.5), abs=4 * np.sqrt(0.989 * 0.011 / 40_000))


def test_points_within_three_standard_deviations_are_high_quality():
    points = np.array([[2.99, 0.0], [3.01, 0.0], [0.0, -2.99], [-2.2, -2.2], [10.0, 2.9]])
    modes = gaussian_modes(points, np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]]), 1.0)
    assert (modes.covered, modes.high_quality, list(modes.counts)) == (2, 0.6, [2, 1, 0])


def test_metrics_of_dropped_modes_and_of_points_between_modes():
    points = np.concatenate([sample(GRID[:10], 0.001, 500), np.full((500, 2), 1.0)])
    modes = gaussian_modes(points, GRID, 0.05)
    assert (modes.covered, modes.high_quality) == (10, 0.5)
    assert modes.counts.sum() == 500 and not modes.counts[10:].any()


def test_invalid_points_and_centers():
    with pytest.raises(ValueError, match="Expected points and centers"):
        gaussian_modes(np.zeros((4, 3)), RING, 0.1)
    with pytest.raises(ValueError, match="NaN"):
        gaussian_modes(np.full((4, 2), np.nan), RING, 0.1)
    with pytest.raises(ValueError, match="Expected std > 0"):
        gaussian_modes(np.zeros((4, 2)), RING, 0.0)
