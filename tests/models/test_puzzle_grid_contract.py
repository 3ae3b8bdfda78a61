"""The contract of all systems, for Puzzle-GAN's second layout: what its graph does otherwise."""

from tests import contract
from tests.contract import Toy

TOY = Toy(
    "puzzlegan",
    {
        **{"layout": "grid", "side": 2, "max_missing": 1, "latent_size": 2},
        **{"width": 4, "image_width": 4, "discriminator_width": 4, "code_size": 8},
    },
    image_shape=(8, 8, 3),
    monitor="place_loss",
)


def test_resumes_exactly(tmp_path):
    contract.check_resumes_exactly(TOY, tmp_path, "arrays")


def test_two_replicas_are_one_device(tmp_path):
    contract.check_two_replicas_are_one_device(TOY, tmp_path)


def test_export(tmp_path):
    contract.check_export(TOY, tmp_path)
