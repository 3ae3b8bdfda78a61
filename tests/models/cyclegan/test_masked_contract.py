"""The contract of all systems for the CycleGAN of small images, whose generators are masked U-Nets."""

import pytest

from tests import contract
from tests.toy import Toy

TOY = Toy(
    "cyclegan",
    {"base_filters": 4, "num_downsamples": 1, "discriminator_downsamples": 1, "pool_size": 6},
    monitor="generators_loss",
    sgd=0.05,
    fields={"domain_a": "image", "domain_b": lambda columns: 1 - columns["image"], "label_a": "label"},
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> contract.Trained:
    return contract.train(TOY, tmp_path_factory.mktemp("masked"))


def test_trains(trained):
    contract.check_trains(trained)


@pytest.mark.slow  # see test_contract.py
def test_two_replicas_equal_one_device(tmp_path):
    contract.check_two_replicas_equal_one_device(TOY, tmp_path)


def test_export(trained, tmp_path):
    contract.check_export(trained, tmp_path)


def test_generators_are_masked():
    model = TOY.build()
    assert model.generator_ab.get_layer("change").output.shape == (None, *TOY.image_shape)
