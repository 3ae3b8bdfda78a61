"""The toys of all systems, collected from `tests/models/<system>/toy.py`, and tests parametrized by system."""

import importlib.util
import pkgutil

import pytest

from keras_gen import zoo
from tests import models

from .toy import Toy


def _collect() -> dict[str, Toy]:
    toys = {}
    for package in pkgutil.iter_modules(models.__path__):
        if package.ispkg and importlib.util.find_spec(f"{models.__name__}.{package.name}.toy"):
            module = importlib.import_module(f"{models.__name__}.{package.name}.toy")
            toys |= {toy.key: toy for toy in module.TOYS}
    return {key: toys[key] for key in zoo.SYSTEMS if key in toys}


TOYS = _collect()


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
