"""The contract of all systems, for the CycleGAN of small images: what its masked U-Net does otherwise."""

from tests import contract
from tests.contract import Toy

TOY = Toy(
    "cyclegan",
    {"width": 4, "halvings": 1, "patch_halvings": 1, "pool_size": 6},
    monitor="generators_loss",
    sgd=0.05,
    fields={"domain_a": "image", "domain_b": lambda columns: 1 - columns["image"], "label_a": "label"},
)


def test_trains():
    contract.check_trains(TOY)


def test_two_replicas_are_one_device(tmp_path):
    contract.check_two_replicas_are_one_device(TOY, tmp_path)


def test_export(tmp_path):
    contract.check_export(TOY, tmp_path)


def test_it_is_the_masked_one():
    model = TOY.build()
    assert model.generator_ab.get_layer("change").output.shape == (None, *TOY.image_shape)
