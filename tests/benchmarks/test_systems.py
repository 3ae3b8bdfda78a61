"""The table of systems."""

import pytest

from benchmarks.systems import CHECKS, passed


@pytest.mark.slow
def test_a_system_passes_every_part_of_the_contract():
    assert passed("autoencoder") == dict.fromkeys(CHECKS, "yes")
