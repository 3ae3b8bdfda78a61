"""The run directory: what training writes and what evaluation, export and demos read, kept whole and verified."""

from .lock import RunInUseError as RunInUseError
from .lock import lock as lock
from .run import CHANGEABLE as CHANGEABLE
from .run import FORMAT as FORMAT
from .run import SCHEDULE as SCHEDULE
from .run import Run as Run
from .run import changed as changed
from .run import check_free as check_free
from .run import check_model as check_model
from .run import check_weights as check_weights
from .run import data_changed as data_changed
from .run import load as load
from .run import load_file as load_file
from .run import load_weights as load_weights
from .run import read_json as read_json
from .run import versions as versions
from .run import write_json as write_json
