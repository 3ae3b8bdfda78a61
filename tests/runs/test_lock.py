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


def test_the_process_that_holds_the_lock_is_named_and_kill_9_frees_it(tmp_path):
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        assert f"process {other.pid} on " in holder_of(folder)
        with pytest.raises(runs.RunInUseError, match=f"run is in use by process {other.pid} on .*Wait until it ends"):
            with runs.lock(folder):
                pass
        other.kill()
        other.wait()
    assert holder_of(folder) is None and (folder / HOLDER).exists()  # what the killed process left
    with runs.lock(folder):
        pass
    assert not (folder / HOLDER).exists()


def test_a_holder_that_cannot_be_read_is_another_process(tmp_path):
    with runs.lock(tmp_path):
        (tmp_path / HOLDER).write_text("{")
        with pytest.raises(runs.RunInUseError, match="in use by another process"):
            with runs.lock(tmp_path):
                pass
