"""The contract of all systems for Puzzle-GAN's second layout, which is a different model."""

import pytest

from tests import contract
from tests.toy import Toy

TOY = Toy(
    "puzzlegan",
    {
        **{"layout": "grid", "grid_size": 2, "max_missing": 1, "latent_size": 2},
        **{"base_filters": 4, "image_filters": 4, "discriminator_filters": 4, "code_size": 8},
    },
    image_shape=(8, 8, 3),
    monitor="spatial_loss",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> contract.Trained:
    return contract.train(TOY, tmp_path_factory.mktemp("grid"))


def test_resumes_exactly(trained):
    contract.check_resumes_exactly(trained)


@pytest.mark.slow  # see test_contract.py
def test_two_replicas_equal_one_device(tmp_path):
    contract.check_two_replicas_equal_one_device(TOY, tmp_path)


def test_export(trained, tmp_path):
    contract.check_export(trained, tmp_path)
