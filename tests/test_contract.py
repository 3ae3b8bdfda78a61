"""The contract, for every system of the zoo."""

import pytest

from keras_gen import zoo

from . import contract
from .contract import Toy
from .toys import TOYS


@pytest.fixture(params=zoo.SYSTEMS)
def toy(request) -> Toy:
    assert request.param in TOYS, f"{request.param} is in the zoo: give it toy sizes in tests/toys.py"
    return TOYS[request.param]


def test_trains(toy):
    contract.check_trains(toy)


@pytest.mark.parametrize("form", ["dataset", "arrays"])
def test_resumes_exactly(toy, tmp_path, form):
    contract.check_resumes_exactly(toy, tmp_path, form)


def test_two_replicas_are_one_device(toy, tmp_path):
    contract.check_two_replicas_are_one_device(toy, tmp_path)


def test_training_does_not_depend_on_how_it_is_run(toy):
    contract.check_training_does_not_depend_on_how_it_is_run(toy)


def test_mixed_precision(toy, tmp_path):
    contract.check_mixed_precision(toy, tmp_path)


def test_jit(toy):
    contract.check_jit(toy)


def test_callbacks(toy, tmp_path):
    contract.check_callbacks(toy, tmp_path)


def test_export(toy, tmp_path):
    contract.check_export(toy, tmp_path)
