"""Export: SavedModel, TFLite in four precisions, parity with Keras, and a runtime that needs no TensorFlow.

Attributes are loaded on first use, so that `keras_gen.export.runtime` can be imported without TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING

_MEMBERS = {
    "export": "exporting",
    "export_model": "exporting",
    "few_images": "parity",
    "parity_rows": "parity",
    "read_parity": "parity",
    "PRECISIONS": "precisions",
    "Runtime": "runtime",
}
__all__ = list(_MEMBERS)

if TYPE_CHECKING:
    from .exporting import export as export
    from .exporting import export_model as export_model
    from .parity import few_images as few_images
    from .parity import parity_rows as parity_rows
    from .parity import read_parity as read_parity
    from .precisions import PRECISIONS as PRECISIONS
    from .runtime import Runtime as Runtime


def __getattr__(name: str):
    if name in _MEMBERS:
        return getattr(importlib.import_module(f".{_MEMBERS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
