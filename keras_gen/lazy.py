"""Attributes of a package that are imported on first use (PEP 562), so that importing the package does not load
TensorFlow.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def lazy_attributes(
    package: str, members: Mapping[str, str], modules: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Returns the functions `__getattr__` and `__dir__` of a package.

    Args:
        package: The `__name__` of the package.
        members: Name of an attribute -> the module that defines it, relative to the package: `"metrics.ms_ssim"`.
        modules: Names of modules of the package that are attributes themselves.

    Example:
        >>> get, names = lazy_attributes("json", {"JSONDecoder": "decoder"}, modules=["scanner"])
        >>> get("JSONDecoder").__module__, get("scanner").__name__
        ('json.decoder', 'json.scanner')
    """
    modules = tuple(modules)
    known = sorted({*modules, *members})

    def get(name: str) -> Any:
        if name in modules:
            return importlib.import_module(f".{name}", package)
        if name in members:
            return getattr(importlib.import_module(f".{members[name]}", package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(known)}")

    return get, lambda: sorted({*vars(sys.modules[package]), *known})
