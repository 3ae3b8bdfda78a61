"""Runs on several devices, started as users start them, equal runs on one device: see benchmarks/replicas.py."""

import functools

import pytest

from benchmarks import replicas
from keras_gen import runs, zoo

# Largest differences of four to six steps in float32, in which only the order of sums differs. Measured
# are 3e-6 for weights, 2e-5 for the moments of Adam, 2e-6 for metrics and samples, and 0 for pictures. A learning rate
# is 2e-4 to 1e-3, so one step in another direction is more than `weights` allows; a loss that is scaled wrongly, or the
# same noise on both devices, changes the moments by half of their size or more.
SAME_SUMS = {"weights": 5e-5, "moments": 1e-3, "metrics": 1e-4, "pictures": 1, "samples": 1e-4}
# Two steps with activations of eight bits. Adam steps by the sign of a gradient that is rounding alone, so a weight may
# be twice two steps of 1e-3 off; measured is 3.1e-3, and 8e-3 for metrics.
ROUGH = {"weights": 5e-3, "metrics": 5e-2}
# measured is 2e-2 at most, without layers that normalize: behind these, gradients nearly cancel and little of the eight
# bits is left, so that their moments are not compared
UNNORMALIZED, ROUGH_MOMENTS = ("autoencoder", "vae", "gan", "aae"), 0.1
USE = {"evaluation": 1e-3, "exported": 1e-4}


def slow_except(*fast: str, keys=tuple(zoo.SYSTEMS)) -> pytest.MarkDecorator:
    """Parametrizes a test by system; all but a few are slow, because they share the code that is tested."""
    return pytest.mark.parametrize(
        "key", [pytest.param(key, marks=() if key in fast else pytest.mark.slow) for key in keys]
    )


def check(differences: dict, tolerances: dict[str, float]) -> None:
    """Checks that only rounding differs."""
    assert not differences["integers"] and not differences["card"] and not differences["files"], differences
    assert all(differences[name] <= tolerance for name, tolerance in tolerances.items()), differences


@pytest.fixture(scope="module")
def compare(tmp_path_factory):
    """A function of a key: (folder of its runs, their differences), trained once."""

    @functools.cache
    def trained(key):
        folder = tmp_path_factory.mktemp(key)
        return folder, replicas.measure(key, folder)

    return trained


@pytest.mark.parametrize("key", zoo.SYSTEMS)
def test_two_devices_stopped_and_resumed_leave_the_run_of_one(key, compare):
    check(compare(key)[1], SAME_SUMS)


@slow_except("vae", "dcgan")
def test_the_run_of_two_devices_is_evaluated_and_exported_as_that_of_one(key, compare):
    folder = compare(key)[0]
    differences = replicas.use(key, runs.Run.open(folder / "one"), runs.Run.open(folder / "several"))
    assert all(differences[name] <= tolerance for name, tolerance in USE.items()), differences


@slow_except("vae", "gan")
def test_in_bfloat16_two_devices_leave_a_run_near_that_of_one(key, tmp_path):
    differences = replicas.measure(key, tmp_path, "mixed_bfloat16")
    assert not differences["integers"] and not differences["files"], differences
    assert all(differences[name] <= tolerance for name, tolerance in ROUGH.items()), differences
    assert key not in UNNORMALIZED or differences["moments"] <= ROUGH_MOMENTS, differences


@slow_except(
    keys=replicas.WORKER_SYSTEMS
)  # tests/training/test_distributed.py and test_launch.py have a VAE on two workers
def test_two_workers_of_the_command_line_leave_the_run_of_one_process(key, tmp_path):
    check(replicas.measure(key, tmp_path, workers=2), SAME_SUMS)


def test_a_system_without_a_toy_is_rejected(tmp_path, monkeypatch):
    monkeypatch.delitem(replicas.TOYS, "vae")
    with pytest.raises(ValueError, match="a system with toy settings; received 'vae'"):
        replicas.arguments("vae", tmp_path)
