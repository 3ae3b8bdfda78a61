import subprocess
import sys

import pytest

from keras_gen import runs
from keras_gen.runs.lock import HOLDER, holder_of

HOLD = """
import pathlib, sys, time
from keras_gen.runs.lock import lock
with lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_lock_names_its_process_and_is_released_by_sigkill(tmp_path):
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        assert f"process {other.pid} on " in holder_of(folder)
        with pytest.raises(runs.RunInUseError, match=f"run is in use by process {other.pid} on .*Wait until it ends"):
            with runs.lock(folder):
                pass
        other.kill()
        other.wait()
    assert holder_of(folder) is None and (folder / HOLDER).exists()  # the killed process left the file
    with runs.lock(folder):
        pass
    assert not (folder / HOLDER).exists()


def test_an_unreadable_lock_file_names_no_process(tmp_path):
    with runs.lock(tmp_path):
        (tmp_path / HOLDER).write_text("{")
        with pytest.raises(runs.RunInUseError, match="in use by another process"):
            with runs.lock(tmp_path):
                pass
