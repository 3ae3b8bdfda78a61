"""Collects the toys of all systems from `tests/models/<system>/toy.py`."""

import importlib.util
import pkgutil

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
