"""Several workers on one machine: start, supervision and termination."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from keras_gen import launch, runs
from keras_gen.runs.checkpoints import Checkpoints, State
from tests.small import SMALL

ROOT = pathlib.Path(__file__).parents[2]
# a worker without TensorFlow; it keeps FIFO open and reports its index
WORKER = """
import os, signal, sys, time
from keras_gen.launch import end_with_launcher
end_with_launcher()
index = os.environ["INDEX"]
fifo = open(os.environ["FIFO"], "w") if "FIFO" in os.environ else None
def report(text):
    print(index, text, file=fifo, flush=True)
"""
LAUNCHER = """
import sys
from keras_gen.launch import supervise
fifo, program, grace = sys.argv[1:]
environments = [{"INDEX": index, "FIFO": fifo} for index in "01"]
sys.exit(supervise([sys.executable, "-c", program], environments, grace=float(grace)))
"""
SLEEPS = WORKER + "report('up'); time.sleep(600)"
COUNTS_SIGNALS = (
    WORKER
    + """
def stop(number, _):
    report(signal.Signals(number).name)
    time.sleep(0.5)  # a second signal would be reported too
    sys.exit(130)
signal.signal(signal.SIGINT, stop)
report('up')
time.sleep(600)
"""
)


def supervise(program: str, **options) -> int:
    return launch.supervise([sys.executable, "-c", WORKER + program], [{"INDEX": "0"}, {"INDEX": "1"}], **options)


@pytest.mark.parametrize(
    "workers, arguments, message",
    [
        (0, ["train", "vae"], "Expected at least 2 --workers; received 0"),
        (1, ["train", "vae"], "Expected at least 2 --workers; received 1"),
        (2, [], "Expected a command; received none. Write: keras-gen launch"),
        (2, ["evaluate", "runs/vae"], "Expected the command train; received 'evaluate'"),
        (2, ["train", "vae", "--strategy", "mirrored"], "Expected --strategy multiworker; received 'mirrored'"),
        (2, ["train", "vae", "--strategy=default"], "Expected --strategy multiworker; received 'default'"),
    ],
)
def test_invalid_arguments_are_refused_before_a_process_starts(workers, arguments, message):
    with pytest.raises(ValueError, match=message):
        launch.launch(workers, arguments)


def test_strategy_option_is_added_if_missing():
    assert launch.worker_arguments(2, ["train", "vae"]) == ["train", "--strategy", "multiworker", "vae"]
    for explicit in (["--strategy", "multiworker"], ["--strategy=auto"]):
        assert launch.worker_arguments(2, ["train", "vae", *explicit]) == ["train", "vae", *explicit]
    assert len(set(launch.free_ports(8))) == 8


def test_output_is_prefixed_and_only_the_chief_reports_progress(capfd):
    assert supervise("print('progress'); print('warning', file=sys.stderr)") == 0
    out, err = capfd.readouterr()
    assert out == "[0] progress\n" and sorted(err.splitlines()) == ["[0] warning", "[1] warning"]


@pytest.mark.parametrize("handler, end", [("signal.SIG_DFL", "stopped"), ("signal.SIG_IGN", "are killed: 0")])
def test_first_failure_stops_the_others_and_is_the_exit_code(handler, end, tmp_path, capfd):
    program = f"""
import pathlib
ready = pathlib.Path({str(tmp_path / "ready")!r})
if index == "1":
    while not ready.exists(): time.sleep(0.01)
    sys.exit(3)
signal.signal(signal.SIGTERM, {handler})
ready.touch()
time.sleep(600)
"""
    assert supervise(program, grace=0.3 if "IGN" in handler else 600) == 3
    err = capfd.readouterr().err
    assert "worker 1 failed with exit code 3" in err and end in err


def test_a_worker_killed_by_a_signal_gives_the_exit_code_of_a_shell():
    assert supervise("os.kill(os.getpid(), signal.SIGKILL) if index == '0' else time.sleep(600)") == 137


@pytest.fixture
def start_launcher(tmp_path):
    """A function that starts two workers of a program; it returns the launcher and a file of the workers' reports."""
    os.mkfifo(tmp_path / "fifo")
    started = []

    def start(program):
        arguments = [sys.executable, "-c", LAUNCHER, str(tmp_path / "fifo"), program, "600"]
        process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL)
        started.append((process, reports := open(tmp_path / "fifo")))
        assert sorted(reports.readline() for _ in "01") == ["0 up\n", "1 up\n"]
        return process, reports

    yield start
    for process, reports in started:
        process.kill()
        process.wait()
        reports.close()


def test_ctrl_c_reaches_every_worker_once(start_launcher):
    process, reports = start_launcher(COUNTS_SIGNALS)
    process.send_signal(signal.SIGINT)
    assert sorted(reports) == ["0 SIGINT\n", "1 SIGINT\n"]  # read until both have ended
    assert process.wait() == 130


def test_sigterm_stops_every_worker(start_launcher):
    process, reports = start_launcher(SLEEPS)
    process.send_signal(signal.SIGTERM)
    assert not reports.read() and process.wait() == 128 + signal.SIGTERM


def test_no_worker_outlives_a_killed_launcher(start_launcher):
    process, reports = start_launcher(SLEEPS)
    process.kill()
    assert not reports.read()  # returns when no worker has the other end open


def test_two_workers_train_stop_by_sigterm_and_resume_from_the_command_line(toy_images, tmp_path):
    out = tmp_path / "run"
    settings = [f"--set={name}={value}" for name, value in SMALL["settings"].items()]
    base = [sys.executable, "-m", "keras_gen.cli", "launch", "--workers", "2", "--", "train"]
    new = ["vae", "--data", toy_images, "--out", out, "--epochs", 500, "--batch-size", SMALL["batch_size"], *settings]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*base, *map(str, new)], cwd=ROOT, **pipes)
    lines = []
    while not (lines and "Epoch 3/" in lines[-1]) and (line := process.stdout.readline()):
        lines.append(line)
    process.send_signal(signal.SIGTERM)
    more, errors = process.communicate(timeout=120)
    assert process.returncode == 143 and "which is saved. To continue: keras-gen train --resume" in errors, errors
    assert lines and all(line.startswith("[0] ") for line in [*lines, *more.splitlines()]), (lines, errors)
    assert "2 CPUs, several workers" in "".join(lines)

    run = runs.Run.open(out)
    result = len(run.metrics_file.read_text().splitlines()) - 1
    assert 2 <= result < 500
    resume = ["--resume", "--out", str(out), "--epochs", str(result + 2), "--quiet"]
    finished = subprocess.run([*base, *resume], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    chief, other = Checkpoints(run.checkpoints), Checkpoints(run.checkpoints / "worker_1" / "checkpoints")
    rows = chief.record(State(result + 2))["rows"]
    assert rows == other.record(State(result + 2))["rows"] and len(rows) == result + 2
