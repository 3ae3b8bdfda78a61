import pytest

from benchmarks.systems import CHECKS, passed


@pytest.mark.slow
def test_the_contract_is_called_as_it_is_written():
    assert passed("autoencoder") == dict.fromkeys(CHECKS, "yes")
