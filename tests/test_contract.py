"""The contract, for every system of the zoo."""

import functools

import pytest

from keras_gen import zoo
from tests import contract

from .parametrize import slow_except
from .toy import Toy
from .toys import TOYS


@pytest.fixture(scope="module", params=zoo.SYSTEMS)
def toy(request) -> Toy:
    assert request.param in TOYS, f"add a toy of {request.param} to tests/models/<system>/toy.py"
    return TOYS[request.param]


@pytest.fixture(scope="module")
def trained(toy, tmp_path_factory) -> contract.Trained:
    return contract.train(toy, tmp_path_factory.mktemp(toy.key))


by_system = functools.partial(slow_except, argument="toy", indirect=True, scope="module")
# a system with one optimizer, and one with two players
BY_OPTIMIZERS = by_system("vae", "dcgan")
# encoder and decoder; a GAN with labels and batch normalization; a translator with an image pool
BY_STEPS = by_system("vae", "dcgan", "cyclegan")
# test_replicas.py trains every system on two devices; here an uneven last batch and SGD are tested
BY_REPLICAS = by_system("vae")


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
def test_several_steps_per_execution_change_nothing(trained):
    contract.check_several_steps_per_execution_change_nothing(trained)


@BY_OPTIMIZERS
def test_callbacks(trained, tmp_path):
    contract.check_callbacks(trained, tmp_path)


@BY_REPLICAS
def test_two_replicas_equal_one_device(toy, tmp_path):
    contract.check_two_replicas_equal_one_device(toy, tmp_path)


@BY_STEPS
def test_jit(toy):
    contract.check_jit(toy)
