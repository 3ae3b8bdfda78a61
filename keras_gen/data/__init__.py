"""Images in, as `tf.data`: TFDS sets, folders, arrays and the built-in `shapes`.

`load` and `staged` are imported on first use, so that a source is described without importing TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING

from .captions import Reading as Reading
from .captions import Tokenizer as Tokenizer
from .captions import build_vocabulary as build_vocabulary
from .captions import normalize as normalize
from .info import DataInfo as DataInfo
from .shapes_captions import caption_shapes as caption_shapes
from .shapes_factors import FACTORS as FACTORS
from .shapes_factors import HELD_OUT as HELD_OUT
from .shapes_factors import Factors as Factors
from .shapes_renderer import render_shapes as render_shapes
from .sources import Description as Description
from .sources import describe as describe
from .sources import sources as sources

if TYPE_CHECKING:
    from .loading import load as load
    from .stages import staged as staged

_LATER = {"load": "loading", "staged": "stages"}


def __getattr__(name: str):
    if name in _LATER:
        return getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
