"""The command line: help, and errors without a traceback. The other tests cover the app that it starts."""

import subprocess
import sys

import pytest

from demos.__main__ import main

from .conftest import WITHOUT_TENSORFLOW, environment


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "example: python -m demos runs/vae" in capsys.readouterr().out


def test_without_runs_and_tensorflow_the_error_explains_what_to_do(tmp_path):
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"error: Expected an exported run under {tmp_path / 'runs'}")
    assert "keras-gen train vae" in done.stderr


def test_an_invalid_port_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--port", "many"])
    assert "invalid int value: 'many'" in capsys.readouterr().err
