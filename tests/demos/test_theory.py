"""The tab on the theory of GANs: an app without any run, and its values against closed forms."""

import sys

import gradio_client
import numpy as np
import pytest

from demos import theory

from .conftest import serve


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    cwd = tmp_path_factory.mktemp("empty")
    with serve(["-m", "demos"], cwd / "log.txt", cwd) as address:
        client = gradio_client.Client(address, verbose=False, download_files=cwd / "downloads")
        yield client
        client.close()


def test_without_runs_the_app_has_theory_and_export_commands(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/theory_optimal", "/theory_learn"}
    texts = [part["props"].get("value") or "" for part in client.config["components"] if part["type"] == "markdown"]
    assert any("keras-gen export runs/vae" in text for text in texts)


def curves(plot: dict) -> dict[str, np.ndarray]:
    """Returns curve -> its points [num, (x, y)]."""
    names, rows = plot["columns"], plot["data"]
    x, y, curve = (names.index(name) for name in ("x", "y", "curve"))
    points = {}
    for row in rows:
        points.setdefault(row[curve], []).append((row[x], row[y]))
    return {name: np.array(values) for name, values in points.items()}


def normal(x, mean, width):
    return np.exp(-(((x - mean) / width) ** 2) / 2) / width / np.sqrt(2 * np.pi)


def test_optimal_discriminator(client):
    densities, discriminators, divergence, bound, value, step, *learned = client.predict(
        3.0, 0.5, 1.5, api_name="/theory_optimal"
    )
    points = curves(densities)
    x = points["p(x), data"][:, 0]
    p, q = normal(x, -1.5, 0.5), normal(x, 1.5, 1.5)
    np.testing.assert_allclose(points["p(x), data"][:, 1], p, atol=1e-6)
    np.testing.assert_allclose(points["q(x), generator"][:, 1], q, atol=1e-6)
    optimal = curves(discriminators)
    assert all(y is None for _, y in optimal["D(x), learned"])
    np.testing.assert_allclose(optimal["D*(x)"][:, 1], p / (p + q), atol=1e-5)
    # the divergence by a plain sum over a fine grid
    fine = np.linspace(-15, 20, 200_001)
    p, q = normal(fine, -1.5, 0.5), normal(fine, 1.5, 1.5)
    m = (p + q) / 2
    terms = [np.where(each > 0, each * np.log(np.where(each > 0, each, 1) / m), 0).sum() for each in (p, q)]
    np.testing.assert_allclose(divergence, sum(terms) / 2 * (fine[1] - fine[0]), atol=2e-6)
    assert bound == pytest.approx(2 * divergence - np.log(4), abs=3e-6)
    assert value == pytest.approx(bound, abs=3e-6)
    assert step is None and learned == [None, None]


def test_equal_densities_have_no_divergence(client):
    _, discriminators, divergence, bound, value, *_ = client.predict(0.0, 1.0, 1.0, api_name="/theory_optimal")
    np.testing.assert_allclose(curves(discriminators)["D*(x)"][:, 1], 0.5)
    assert divergence == 0 and bound == value == round(-np.log(4), 6)


def test_training_converges_to_the_optimal_discriminator(client):
    job = client.submit(2.0, 1.0, 1.0, 300, api_name="/theory_learn")
    job.result()
    states = job.outputs()
    steps, values, errors = (np.array([state[index] for state in states]) for index in (5, 6, 7))
    assert steps[0] == 0 and steps[-1] == 300 and np.all(np.diff(steps) > 0) and len(states) > 10
    assert states[0][2] == states[-1][2] and values.max() <= states[0][3] + 1e-6  # V(D) <= V(D*)
    assert errors[0] > 0.1 and errors[-1] < 0.02
    last = curves(states[-1][1])
    first = curves(states[0][1])
    gaps = [np.abs(each["D(x), learned"] - each["D*(x)"])[:, 1].mean() for each in (first, last)]
    assert gaps[1] < 0.05 < gaps[0]


def test_without_tensorflow_the_error_explains_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert not theory.available()
    with pytest.raises(ValueError, match="pip install keras-gen"):
        theory.optimal(2.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="pip install keras-gen"):
        next(theory.learn(2.0, 1.0, 1.0, 10))
