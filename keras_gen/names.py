"""Classes and attributes by name or by index, with the same rule for every entry point.

In Python an integer is an index and a string is a name. On the command line everything is a string: see `read_index`.
The functions are those of the device runtime, which imports nothing of this package.
"""

from .export.runtime import index_of as index_of
from .export.runtime import indices_of as indices_of
from .export.runtime import read_domain as read_domain
from .export.runtime import read_index as read_index
from .export.runtime import read_indices as read_indices
