"""GANs on points of the plane: the data, a short run, the table."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import gaussians
from benchmarks.gaussians import METHODS, MIXTURES, Settings, covered, measure, points_of, summary

TOY = Settings(steps=2, batch_size=8, hidden=(4,), steps_per_execution=2)


def test_every_step_has_fresh_points_of_the_mixture():
    batches = [batch["image"].numpy() for batch in points_of(MIXTURES["ring"](), 512, 2, seed=3)]
    again = [batch["image"].numpy() for batch in points_of(MIXTURES["ring"](), 512, 2, seed=3)]
    other = next(iter(points_of(MIXTURES["ring"](), 512, 1, seed=4)))["image"].numpy()
    np.testing.assert_array_equal(batches, again)
    assert len(batches) == 2 and not np.intersect1d(batches[0], batches[1]).size
    assert not np.intersect1d(batches[0], other).size
    # radius 1 and deviation .01: five deviations hold all of 512 points
    assert np.abs(np.linalg.norm(batches[0], axis=1) - 1).max() < 0.05
    found = covered(batches[0], MIXTURES["ring"]())
    assert found["modes"] == 8 and found["high_quality"] > 0.95  # 0.989 expected


@pytest.mark.parametrize("method, again", [("WGAN-GP", True), ("packing 2", False)])
def test_the_numbers_of_a_run_are_those_of_its_points(method, again, monkeypatch):
    monkeypatch.setattr(gaussians, "POINTS", 64)
    row, points = measure("grid", method, 1, TOY)
    assert points.shape == (64, 2) and points.dtype == np.float32
    assert {name: row[name] for name in ("modes", "high_quality")} == covered(points, MIXTURES["grid"]())
    if again:
        np.testing.assert_array_equal(measure("grid", method, 1, TOY)[1], points)


def test_both_players_end_with_a_rate_of_zero():
    model = gaussians.build("WGAN-GP", TOY, 0)
    for name, optimizer in model.optimizers.items():
        updates = TOY.steps * METHODS["WGAN-GP"].get("n_critic", 1) if name == "discriminator" else TOY.steps
        schedule = optimizer._learning_rate
        assert tf.get_static_value(schedule(updates)) == pytest.approx(0, abs=1e-9)
        assert schedule(updates - 1) > 0


def test_the_table_holds_means_over_seeds():
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
