import numpy as np
import pytest
import scipy.stats

from keras_gen import zoo
from keras_gen.evaluation.figures.latent_map import PANEL_SIZE, principal_plane, prior_grid, scatter


def model(prior="normal"):
    return zoo.build("vae", (8, 8, 1), network="mlp", latent_size=2, hidden_units=4, prior=prior)


@pytest.mark.parametrize(
    "prior, quantile",
    [
        ("normal", scipy.stats.norm.ppf),
        ({"name": "Normal", "loc": 1.0, "scale": 2.0}, scipy.stats.norm(1, 2).ppf),
        ({"name": "Laplace", "loc": 0.0, "scale": 1.0}, scipy.stats.laplace.ppf),
    ],
    ids=["standard normal", "normal", "Laplace"],
)
def test_grid_of_independent_dimensions_has_exact_quantiles(prior, quantile):
    grid = prior_grid(model(prior), 5).reshape(5, 5, 2)
    expected = quantile([0.1, 0.3, 0.5, 0.7, 0.9])
    np.testing.assert_allclose(grid[2, :, 0], expected, atol=1e-5)
    np.testing.assert_allclose(grid[:, 2, 1], expected[::-1], atol=1e-5)


def test_grid_of_a_mixture_from_samples():
    vae = model({"name": "mixture", "components": 2})
    vae.prior.loc.assign([[-5.0, 0.0], [5.0, 0.0]])
    grid = prior_grid(vae, 4).reshape(4, 4, 2)
    # the outer quantiles are the medians of the components, up to the sampling error of 10,000 samples
    quarter = scipy.stats.norm.ppf([0.25, 0.75])
    np.testing.assert_allclose(grid[0, :, 0], [*(-5 + quarter), *(5 + quarter)], atol=0.1)


def test_grid_of_a_flow_is_rectangular_in_code_space():
    vae = model("flow")
    grid = prior_grid(vae, 4).reshape(4, 4, 2)
    assert (grid == grid[:1])[..., 0].all() and (grid == grid[:, :1])[..., 1].all()
    assert (np.diff(grid[0, :, 0]) > 0).all() and (np.diff(grid[:, 0, 1]) < 0).all()


def test_plane_of_the_dimensions_with_the_largest_variance():
    generator = np.random.default_rng(0)
    inside = generator.normal(0, [5, 3], (500, 2)) @ np.array([[0, 1, 0, 0], [0, 0, 0, 1.0]])
    center, basis, share = principal_plane(inside + 7 + generator.normal(0, 0.01, (500, 4)))
    np.testing.assert_allclose(np.abs(basis.T), [[0, 1, 0, 0], [0, 0, 0, 1]], atol=0.15)
    np.testing.assert_allclose(center, 7, atol=1)
    assert 0.999 < share <= 1


def test_points_are_drawn_at_their_coordinates():
    corners = np.array([[-1.0, -1.0], [1.0, 1.0]])
    picture = scatter(np.repeat(corners, 500, axis=0), corners, np.repeat([0, 1], 500), names=("low", "high"))
    colored = picture[:, :PANEL_SIZE].max(-1).astype(int) - picture[:, :PANEL_SIZE].min(-1) > 30
    rows, columns = np.nonzero(colored)
    low = (rows > PANEL_SIZE / 2) & (columns < PANEL_SIZE / 2)  # the second coordinate increases upwards
    high = (rows < PANEL_SIZE / 2) & (columns > PANEL_SIZE / 2)
    assert low.sum() > 5 and high.sum() > 5 and np.all(low | high)
    assert len({tuple(picture[rows[mask][0], columns[mask][0]]) for mask in (low, high)}) == 2
