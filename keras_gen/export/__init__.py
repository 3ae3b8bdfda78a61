"""Export: SavedModel, TFLite in four precisions, parity with Keras, and the device runtime (`keras_gen.runtime`).

Attributes are loaded on first use, so that parity.json can be read without TensorFlow.
"""

from typing import TYPE_CHECKING

from keras_gen.lazy import lazy_attributes

_MEMBERS = {
    "export": "exporting",
    "export_model": "exporting",
    "comparison_note": "parity",
    "parity_rows": "parity",
    "read_parity": "parity",
    "PRECISIONS": "precisions",
}
__all__ = list(_MEMBERS)
__getattr__, __dir__ = lazy_attributes(__name__, _MEMBERS)

if TYPE_CHECKING:
    from .exporting import export as export
    from .exporting import export_model as export_model
    from .parity import comparison_note as comparison_note
    from .parity import parity_rows as parity_rows
    from .parity import read_parity as read_parity
    from .precisions import PRECISIONS as PRECISIONS
