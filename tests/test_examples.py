"""The examples for clusters: their syntax, and the commands that they start."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess

import pytest
import typer
import yaml

from keras_gen import cli
from keras_gen.launch import worker_arguments

ROOT = pathlib.Path(__file__).parents[1]
SBATCH = ROOT / "examples" / "slurm" / "train.sbatch"
TFJOB = ROOT / "examples" / "kubernetes" / "tfjob.yaml"
POLICIES = ("Always", "OnFailure", "Never", "ExitCode")


def check_syntax(script: pathlib.Path):
    """Checks a script with bash, and with shellcheck if it is installed."""
    commands = [["bash", "-n"], *([["shellcheck", "--shell=bash"]] if shutil.which("shellcheck") else [])]
    for command in commands:
        result = subprocess.run([*command, script], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


def parsed(arguments: list[str], command: str = "train") -> dict:
    """Returns the options of a command of `keras-gen`, as the command line parses them; unknown ones raise an error."""
    return typer.main.get_command(cli.app).commands[command].make_context(command, list(arguments)).params


def environment_with(folder: pathlib.Path, **scripts: str) -> dict[str, str]:
    """Returns an environment in which bash scripts with these names precede other programs."""
    for name, script in scripts.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def recorder(file: pathlib.Path) -> str:
    """Returns a `keras-gen` that writes TF_CONFIG and its arguments, separated by NUL."""
    return f'printf "%s\\0" "${{TF_CONFIG:-}}" "$@" >> {file}; printf "\\n" >> {file}'


def recorded(file: pathlib.Path) -> list[list[str]]:
    return [line.split("\0")[:-1] for line in file.read_text().splitlines()]


def test_commands_of_the_documentation_exist():
    text = (ROOT / "docs" / "clusters.md").read_text()
    lines = [line.strip() for block in text.split("```")[1::2] for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("keras-gen ")]
    assert len(commands) >= 5
    for command, *arguments in commands:
        options = parsed(arguments, command)
        if command == "launch":
            parsed(worker_arguments(options["workers"], options["command"])[1:])
    for example in (SBATCH, TFJOB):
        assert str(example.relative_to(ROOT)) in text


class TestSlurm:
    @pytest.fixture
    def submit(self, tmp_path):
        """Runs the script on two simulated nodes; returns TF_CONFIG and the arguments of each task."""
        (tmp_path / "bin").mkdir()
        calls = tmp_path / "calls"
        environment = environment_with(
            tmp_path / "bin",
            scontrol='[[ "$*" == "show hostnames node[2,10]" ]] && printf "node2\\nnode10\\n"',
            srun='while [[ $1 == --* ]]; do shift; done; for i in 0 1; do SLURM_PROCID=$i "$@" || exit; done',
            keras_gen=recorder(calls),
        )
        environment |= {"SLURM_JOB_ID": "1234567", "SLURM_JOB_NODELIST": "node[2,10]", "OUT": str(tmp_path / "a run")}

        def run(*arguments):
            calls.unlink(missing_ok=True)
            result = subprocess.run(["bash", SBATCH, *arguments], env=environment, capture_output=True, text=True)
            assert result.returncode == 0, result.stderr
            return [(json.loads(config), command) for config, *command in recorded(calls)]

        run.out = tmp_path / "a run"
        return run

    def test_syntax(self):
        check_syntax(SBATCH)
        options = [line.split()[1] for line in SBATCH.read_text().splitlines() if line.startswith("#SBATCH")]
        assert {"--nodes=2", "--ntasks-per-node=1", "--signal=TERM@120"} <= set(options)

    def test_every_task_has_the_cluster_and_its_own_index(self, submit):
        tasks = submit("--batch-size", "64", "--set", "beta=2")
        workers = ["node2:24567", "node10:24567"]  # ordered by Slurm's numbers, not by name
        for index, (config, command) in enumerate(tasks):
            assert config == {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            assert command[0] == "train"
            options = parsed(command[1:])
            assert options["system"] == "vae" and options["out"] == submit.out and options["batch_size"] == 64
            assert options["strategy"] == "multiworker" and options["overwrite"] and not options["resume"]
        assert len(tasks) == 2

    def test_a_second_submission_resumes_and_never_replaces_a_model(self, submit):
        (submit.out / "checkpoints").mkdir(parents=True)
        (submit.out / "model.keras").touch()
        options = parsed(submit()[0][1][1:])  # without states, `train` itself raises an error
        assert not options["overwrite"] and not options["resume"]
        (submit.out / "checkpoints" / "epoch_0003.weights.h5").touch()
        for _, command in submit():
            options = parsed(command[1:])
            assert options["resume"] and not options["overwrite"] and options["system"] is None
            assert options["epochs"] == 20 and options["strategy"] == "multiworker"


class TestKubernetes:
    @pytest.fixture
    def job(self):
        return yaml.safe_load(TFJOB.read_text())

    def test_required_fields(self, job):
        assert job["apiVersion"] == "kubeflow.org/v1" and job["kind"] == "TFJob"
        assert job["metadata"]["name"] and set(job["spec"]) <= {"runPolicy", "tfReplicaSpecs", "successPolicy"}
        assert job["spec"]["runPolicy"]["cleanPodPolicy"] in ("None", "Running", "All")
        replicas = job["spec"]["tfReplicaSpecs"]
        assert set(replicas) <= {"Chief", "Worker"}  # the task types of a multi-worker strategy
        for spec in replicas.values():
            assert spec["replicas"] >= 2 and spec["restartPolicy"] in POLICIES
            pod = spec["template"]["spec"]
            assert isinstance(pod["terminationGracePeriodSeconds"], int)
            (container,) = pod["containers"]
            assert (
                container["name"] == "tensorflow" and container["image"] and container["command"][:2] == ["bash", "-c"]
            )
            assert all(isinstance(entry["value"], str) for entry in container["env"])
            assert {m["name"] for m in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}

    def test_command_starts_and_resumes(self, job, tmp_path):
        (container,) = job["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]["containers"]
        script, out, calls = tmp_path / "script.sh", tmp_path / "a run", tmp_path / "calls"
        script.write_text(container["command"][2])
        check_syntax(script)
        (tmp_path / "bin").mkdir()
        environment = {entry["name"]: entry["value"] for entry in container["env"]}
        environment |= {**environment_with(tmp_path / "bin", keras_gen=recorder(calls)), "OUT": str(out)}
        for file in (None, "model.keras", "checkpoints/epoch_0003.weights.h5"):
            if file:
                (out / file).parent.mkdir(parents=True, exist_ok=True)
                (out / file).touch()
            subprocess.run([*container["command"][:2], script.read_text()], env=environment, check=True)
        new, refused, resumed = (parsed(command[1:]) for _, *command in recorded(calls))
        assert [each["overwrite"] for each in (new, refused, resumed)] == [True, False, False]
        assert [each["resume"] for each in (new, refused, resumed)] == [False, False, True]
        for each in (new, refused, resumed):
            assert each["strategy"] == "multiworker" and each["out"] == out and each["epochs"] == 20
