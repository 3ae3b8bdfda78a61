"""Images in, as `tf.data`: TFDS sets, folders, arrays and the built-in `shapes`."""

from .info import DataInfo as DataInfo
from .loading import load as load
