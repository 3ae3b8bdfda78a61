"""Parametrization by system."""

import pytest

from keras_gen import zoo


def slow_except(*fast: str, argument: str = "key", keys=tuple(zoo.SYSTEMS), **options) -> pytest.MarkDecorator:
    """Parametrizes a test of shared code by system.

    Args:
        *fast: Keys of the systems with which the test runs in `make test`. With the others it is slow.
        argument: Name of the parameter.
        keys: Keys of all systems of the test.
        **options: Further arguments of `pytest.mark.parametrize`.
    """
    params = [pytest.param(key, marks=() if key in fast else pytest.mark.slow) for key in keys]
    return pytest.mark.parametrize(argument, params, **options)
