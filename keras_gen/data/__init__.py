"""Images in, as `tf.data`: TFDS sets, folders, arrays and the built-in `shapes`."""

from .captions import Reading as Reading
from .captions import Tokenizer as Tokenizer
from .captions import build_vocabulary as build_vocabulary
from .captions import normalize as normalize
from .info import DataInfo as DataInfo
from .loading import load as load
from .shapes_captions import caption_shapes as caption_shapes
from .shapes_factors import FACTORS as FACTORS
from .shapes_factors import HELD_OUT as HELD_OUT
from .shapes_factors import Factors as Factors
from .shapes_renderer import render_shapes as render_shapes
from .sources import Description as Description
from .sources import describe as describe
from .sources import sources as sources
from .stages import staged as staged
