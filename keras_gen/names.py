"""Classes and attributes by name or by index: the one rule that every entry point follows.

In Python an integer is an index and a text is a name. On a command line everything is text: see `read_index`. The
functions are the runtime's, which is copied to devices alone and imports nothing of this package.
"""

from .export.runtime import index_of as index_of
from .export.runtime import indices_of as indices_of
from .export.runtime import read_domain as read_domain
from .export.runtime import read_index as read_index
from .export.runtime import read_indices as read_indices
