"""Datasets of images as `tf.data`: TFDS datasets, folders, array files and the built-in `shapes`.

`load` and `multi_resolution` are imported on first use, since `describe` does not need TensorFlow.
"""

from typing import TYPE_CHECKING

from keras_gen.lazy import lazy_attributes

from .info import DataInfo as DataInfo
from .resolve import Description as Description
from .resolve import describe as describe
from .resolve import list_sources as list_sources
from .shapes.captions import caption_shapes as caption_shapes
from .shapes.factors import FACTORS as FACTORS
from .shapes.factors import HELD_OUT as HELD_OUT
from .shapes.factors import Factors as Factors
from .shapes.renderer import render_shapes as render_shapes
from .tokenizer import Reading as Reading
from .tokenizer import Tokenizer as Tokenizer
from .tokenizer import build_vocabulary as build_vocabulary
from .tokenizer import normalize as normalize

if TYPE_CHECKING:
    from .loading import load as load
    from .pipeline.multi_resolution import multi_resolution as multi_resolution

__getattr__, __dir__ = lazy_attributes(__name__, {"load": "loading", "multi_resolution": "pipeline.multi_resolution"})
