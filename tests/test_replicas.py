"""Runs on several devices, started as users start them, equal runs on one device; see benchmarks/replicas.py."""

import functools

import pytest

from benchmarks import replicas
from keras_gen import runs

from .parametrize import slow_except

# Maximum differences after four to six steps in float32, if only the order of sums differs. Measured differences are
# 3e-6 for weights, 2e-5 for the moments of Adam, 2e-6 for metrics and samples, and 0 for pictures. Learning rates are
# 2e-4 to 1e-3, so one step in another direction exceeds the bound of the weights. A wrongly scaled loss, or the same
# noise on both devices, changes the moments by at least half of their size.
SAME_SUMS = {"weights": 5e-5, "moments": 1e-3, "metrics": 1e-4, "pictures": 1, "samples": 1e-4}
# Two steps in bfloat16. If a gradient is only rounding error, Adam moves by its sign, so a weight can differ by twice
# two steps of 1e-3; measured differences are 3.1e-3 for weights and 8e-3 for metrics.
ROUGH = {"weights": 5e-3, "metrics": 5e-2}
# The measured maximum is 2e-2 in systems without normalization layers. Behind these layers gradients nearly cancel, so
# few of the eight bits are significant, and their moments are not compared.
UNNORMALIZED, ROUGH_MOMENTS = ("autoencoder", "vae", "gan", "aae"), 0.1
USE = {"evaluation": 1e-3, "exported": 1e-4}


def check(differences: dict, tolerances: dict[str, float]) -> None:
    """Checks that only rounding differs."""
    assert not differences["integers"] and not differences["card"] and not differences["files"], differences
    assert all(differences[name] <= tolerance for name, tolerance in tolerances.items()), differences


@pytest.fixture(scope="module")
def compare(tmp_path_factory):
    """A function from a system's key to the folder of its runs and their differences; each is trained once."""

    @functools.cache
    def train_and_measure(key):
        folder = tmp_path_factory.mktemp(key)
        return folder, replicas.measure(key, folder)

    return train_and_measure


@slow_except("vae", "dcgan", "progan", "stargan", "text2image")
def test_a_resumed_run_on_two_devices_equals_a_run_on_one(key, compare):
    check(compare(key)[1], SAME_SUMS)


@slow_except("vae", "dcgan")
def test_evaluation_and_export_of_a_run_on_two_devices_equal_those_of_one(key, compare):
    folder = compare(key)[0]
    differences = replicas.use(key, runs.Run.open(folder / "one"), runs.Run.open(folder / "several"))
    assert all(differences[name] <= tolerance for name, tolerance in USE.items()), differences


@slow_except("vae", "gan")
def test_in_bfloat16_a_run_on_two_devices_is_close_to_a_run_on_one(key, tmp_path):
    differences = replicas.measure(key, tmp_path, "mixed_bfloat16")
    assert not differences["integers"] and not differences["files"], differences
    assert all(differences[name] <= tolerance for name, tolerance in ROUGH.items()), differences
    assert key not in UNNORMALIZED or differences["moments"] <= ROUGH_MOMENTS, differences


@slow_except(
    keys=replicas.WORKER_SYSTEMS
)  # tests/training/test_distributed.py and test_launch.py train a VAE on two workers
def test_a_run_of_two_workers_equals_a_run_of_one_process(key, tmp_path):
    check(replicas.measure(key, tmp_path, workers=2), SAME_SUMS)


def test_a_system_without_toy_settings_is_refused(tmp_path, monkeypatch):
    monkeypatch.delitem(replicas.TOYS, "vae")
    with pytest.raises(ValueError, match="a system with toy settings; received 'vae'"):
        replicas.arguments("vae", tmp_path)
