import json
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

from keras_gen import runs
from keras_gen.runs.checkpoints import Checkpoints, State
from keras_gen.runs.history import read_rows
from keras_gen.training import train
from tests.small import SMALL

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = """
import sys
from keras_gen.training import train
from tests.small import SMALL
data, out = sys.argv[1:]
for epochs in (1, 2):
    train("vae", data, out, epochs=epochs, resume=epochs == 2, **SMALL)
"""


@pytest.fixture(scope="module")
def mirrored(toy_images, tmp_path_factory):
    """Two epochs on two logical CPU devices."""
    return train(
        "vae", toy_images, tmp_path_factory.mktemp("runs") / "mirrored", epochs=2, strategy="mirrored", **SMALL
    )


def assert_close(run, other):
    """The same numbers but for the order of sums (float32, three steps an epoch)."""
    for row, other_row in zip(read_rows(run.metrics_file), read_rows(other.metrics_file), strict=True):
        assert row == pytest.approx(other_row, rel=1e-5)
    for weight, other_weight in zip(run.load_model().weights, other.load_model().weights, strict=True):
        np.testing.assert_allclose(weight.numpy(), other_weight.numpy(), atol=2e-5, err_msg=weight.path)


def test_two_devices_train_as_one_does(toy_images, mirrored, tmp_path):
    assert_close(mirrored, train("vae", toy_images, tmp_path / "one", epochs=2, **SMALL))


def test_a_batch_must_split_over_the_devices(toy_images, tmp_path):
    with pytest.raises(ValueError, match="batch_size=61 is for all 2 devices: it must be a multiple"):
        train("vae", toy_images, tmp_path / "run", strategy="mirrored", **{**SMALL, "batch_size": 61})


def free_ports(num):
    sockets = [socket.socket() for _ in range(num)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_two_workers_train_and_resume_as_two_devices_do_and_one_of_them_writes(toy_images, mirrored, tmp_path):
    out, workers = tmp_path / "run", [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = []
    for index in (0, 1):
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        environment = {"TF_CONFIG": json.dumps(task), "PATH": "", "CUDA_VISIBLE_DEVICES": "-1"}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, toy_images, out],
                cwd=ROOT,
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    run = runs.Run.open(out)
    assert_close(run, mirrored)
    assert len(list(run.samples.iterdir())) == 2
    assert {path.name for path in (run.checkpoints / "worker_1").iterdir()} == {"checkpoints", ".lock"}
    ours, theirs = Checkpoints(run.checkpoints), Checkpoints(run.checkpoints / "worker_1" / "checkpoints")
    assert ours.states == theirs.states == [State(1), State(2)]
    assert [ours.record(state) for state in ours.states] == [theirs.record(state) for state in theirs.states]
