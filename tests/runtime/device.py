"""Runs the copied runtime as on a device: in its folder, without TensorFlow, Keras, keras_gen and Pillow."""

import pathlib
import subprocess
import sys

BLOCKED = """
import os, runpy, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "tensorflow_probability", "tf_keras", "keras_gen", "PIL"):
            raise ImportError(f"{name} is not installed here")
sys.meta_path.insert(0, Blocker())
sys.path.insert(0, os.getcwd())
runpy.run_module("runtime", run_name="__main__")
"""


def command_line(folder: pathlib.Path, *arguments, code: int = 0, blocked: bool = True) -> subprocess.CompletedProcess:
    """Runs the `python -m runtime` of an export and checks its exit code.

    Args:
        folder: The export folder, which is the working directory.
        *arguments: Arguments of the command line.
        code: The expected exit code.
        blocked: Whether TensorFlow, Keras, keras_gen and Pillow cannot be imported.
    """
    start = ["-P", "-c", BLOCKED] if blocked else ["-m", "runtime"]
    command = [sys.executable, *start, *map(str, arguments)]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.returncode == code, process.stderr
    return process
