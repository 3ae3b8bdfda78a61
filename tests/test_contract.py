"""The contract, for every system of the zoo."""

import pytest

from keras_gen import zoo
from tests import contract

from .toy import Toy
from .toys import TOYS


@pytest.fixture(scope="module", params=zoo.SYSTEMS)
def toy(request) -> Toy:
    assert request.param in TOYS, f"add a toy of {request.param} to tests/models/<system>/toy.py"
    return TOYS[request.param]


@pytest.fixture(scope="module")
def trained(toy, tmp_path_factory) -> contract.Trained:
    return contract.train(toy, tmp_path_factory.mktemp(toy.key))


def slow_except(*keys: str):
    """Parametrizes by system; all but `keys` are slow, because these checks are about shared code."""
    params = [pytest.param(key, marks=() if key in keys else pytest.mark.slow) for key in zoo.SYSTEMS]
    return pytest.mark.parametrize("toy", params, indirect=True, scope="module")


# one optimizer, and one for each of two players
BY_OPTIMIZERS = slow_except("vae", "dcgan")
# an encoder and a decoder; a GAN with labels and batch normalization; a translator with a history of images
BY_STEPS = slow_except("vae", "dcgan", "cyclegan")
# test_replicas.py has every system on two devices; here one with an uneven last batch and SGD
BY_REPLICAS = slow_except("vae")


def test_trains(trained):
    contract.check_trains(trained)


def test_resumes_exactly(trained):
    contract.check_resumes_exactly(trained)


def test_resumes_exactly_from_arrays(tmp_path):
    contract.check_resumes_exactly(contract.train(TOYS["vae"], tmp_path, "arrays"))


def test_export(trained, tmp_path):
    contract.check_export(trained, tmp_path)


def test_refuses_images_out_of_range(trained):
    contract.check_rejects_images_out_of_range(trained)


def test_mixed_precision(toy, tmp_path):
    contract.check_mixed_precision(toy, tmp_path)


@BY_OPTIMIZERS
def test_several_steps_per_execution_are_the_same(trained):
    contract.check_several_steps_per_execution_are_the_same(trained)


@BY_OPTIMIZERS
def test_callbacks(trained, tmp_path):
    contract.check_callbacks(trained, tmp_path)


@BY_REPLICAS
def test_two_replicas_are_one_device(toy, tmp_path):
    contract.check_two_replicas_are_one_device(toy, tmp_path)


@BY_STEPS
def test_jit(toy):
    contract.check_jit(toy)
