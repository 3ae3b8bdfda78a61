"""Export: SavedModel, TFLite in four precisions, parity with Keras, and the device runtime (`keras_gen.runtime`).

Attributes are loaded on first use, so that parity.json can be read without TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

_MEMBERS = {
    "export": "exporting",
    "export_model": "exporting",
    "comparison_note": "parity",
    "parity_rows": "parity",
    "read_parity": "parity",
    "PRECISIONS": "precisions",
}
__all__ = list(_MEMBERS)

if TYPE_CHECKING:
    from .exporting import export as export
    from .exporting import export_model as export_model
    from .parity import comparison_note as comparison_note
    from .parity import parity_rows as parity_rows
    from .parity import read_parity as read_parity
    from .precisions import PRECISIONS as PRECISIONS


def __getattr__(name: str) -> Any:
    if name in _MEMBERS:
        return getattr(importlib.import_module(f".{_MEMBERS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
