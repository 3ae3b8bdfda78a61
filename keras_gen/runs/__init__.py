"""The run directory: training writes it; evaluation, export and demos read it. Its files are atomic and verified."""

from .lock import RunInUseError as RunInUseError
from .lock import lock as lock
from .run import Run as Run
from .run import check_free as check_free
from .run import check_model as check_model
from .run import check_weights as check_weights
from .run import load as load
from .run import load_file as load_file
from .run import load_weights as load_weights
from .run import read_json as read_json
from .run import versions as versions
from .run import write_json as write_json
from .run_format import FORMAT as FORMAT
from .run_format import format_problem as format_problem
