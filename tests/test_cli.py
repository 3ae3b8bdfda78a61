import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import keras_gen
from keras_gen import cli, pictures, startup, zoo
from keras_gen.runs import Run

COMMANDS = ("zoo", "data", "train", "launch", "sample", "evaluate", "export")


def check_failed(result, code, *parts):
    """Checks that a command failed with an exit code and one message, without a traceback."""
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("error: ") and "Traceback" not in result.output
    for part in parts:
        assert part in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(call, command):
    result = call(command, "--help")
    assert result.exit_code == 0 and f"keras-gen {command}" in result.stdout and "Example" in result.stdout


def test_zoo_lists_every_system_and_its_settings(call):
    listed = call("zoo").stdout
    for system in zoo.SYSTEMS.values():
        for text in (system.key, system.title, system.paper, system.data[0], system.endpoints[-1]):
            assert text in listed
    output = call("zoo", "vae").stdout
    assert all(name in output for name in zoo.get("vae").settings) and "arXiv:1312.6114" in output
    assert all(text in output for text in ("learning rate 0.002", "beta_1 0.9", "beta_2 0.999", "description"))
    assert "learning rate 0.0002, generator 0.001" in call("zoo", "dcgan").stdout
    check_failed(call("zoo", "gone"), 2, "'gone'", "vae")


def test_zoo_shows_presets_and_counts_their_weights_on_demand(call):
    output = call("zoo", "stargan").stdout
    assert all(text in output for text in ("paper", "small", "gpu", "n_critic=5", "44,762,048", "departures"))
    assert "encoder" not in call("zoo", "vae").stdout.split("Presets")[1]
    assert "encoder 412,540" in call("zoo", "vae", "--weights").stdout
    check_failed(call("zoo", "--weights"), 2, "Expected a system with --weights")


def test_data_describes_a_source_and_saves_a_picture(call, toy_images, tmp_path):
    assert "shapes" in call("data").stdout
    result = call("data", toy_images, "--out", tmp_path / "new" / "a.png", "--num", 4, "--split", "train")
    assert result.exit_code == 0 and "200" in result.stdout and "uint8 [8, 8, 1]" in result.stdout
    picture = np.asarray(Image.open(tmp_path / "new" / "a.png"))
    assert picture.shape == (2 * 8 + 3 * 2,) * 2 and picture[2:10, 2:10].std() > 10
    check_failed(call("data", "gone"), 2, "there is no dataset", "'shapes'")


def test_train_passes_every_option(call, monkeypatch, toy_run):
    received = {}
    monkeypatch.setattr(
        keras_gen.training, "train", lambda *args, **options: received.update(options, args=args) or toy_run
    )
    line = (
        "train vae --data mnist --out runs/x --preset small --epochs 3 --updates 9 --minutes 2.5 --steps 4 "
        "--batch-size 5 --image-size 16 --seed 6 --precision mixed_bfloat16 --strategy mirrored --overwrite "
        "--patience 7 --learning-rate 0.5 --binarize none --augment flip,crop --labeled 8 --pretraining-epochs 4 "
        "--value-range -1,4095.5 --data-dir /d --set network=mlp "
        '--set prior={"name":"mixture","components":3} '
        "--set beta=2.5 --set num_classes=null --set x=True --view domains=3,5 --view domain_field=label --quiet"
    )
    result = call(*line.split())
    assert result.exit_code == 0 and result.stdout == ""
    assert [str(value) for value in received.pop("args")] == ["vae", "mnist", "runs/x"]
    assert received == {
        "preset": "small", "epochs": 3, "updates": 9, "minutes": 2.5, "steps": 4, "batch_size": 5,
        "image_size": 16, "seed": 6,
        "precision": "mixed_bfloat16",
        "strategy": "mirrored", "overwrite": True, "resume": False, "data_changed": False, "patience": 7,
        "learning_rate": 0.5,
        "binarize": None, "augment": ["flip", "crop"], "labeled": 8, "data_dir": "/d", "verbose": 0,
        "value_range": (-1.0, 4095.5),
        "settings": {
            "network": "mlp", "prior": {"name": "mixture", "components": 3}, "beta": 2.5, "num_classes": None,
            "x": True,
        }, "view": {"domains": "3,5", "domain_field": "label"}, "initial_weights": None,
            "pretraining_epochs": 4,
    }  # fmt: skip
    received.clear()
    assert call("train", "vae").exit_code == 0
    assert received["args"][1] is None and str(received["args"][2]) == "runs/vae" and received["binarize"] == "auto"
    assert all(
        received[name] is None
        for name in ("epochs", "updates", "minutes", "seed", "batch_size", "augment", "precision")
    )


def test_train_and_sample_from_the_command_line(call, toy_images, tmp_path):
    out = tmp_path / "run"
    result = call(
        "train", "autoencoder", "--data", toy_images, "--out", out, "--epochs", 1, "--steps", 2, "--set", "network=mlp",
        "--set", "hidden_units=4",
    )  # fmt: skip
    assert result.exit_code == 0 and "270" not in result.stdout and "keras-gen evaluate" in result.stdout
    assert Run.open(out).config["settings"]["hidden_units"] == 4
    check_failed(call("train", "autoencoder", "--data", toy_images, "--out", out), 2, "is not empty", "--overwrite")
    check_failed(call("train", "--resume", "--out", out, "--batch-size", 3), 2, "batch_size is 128, received 3")
    check_failed(
        call("train", "vae", "--data", toy_images, "--data-changed"), 2, "Expected data_changed only with resume=True"
    )
    with np.load(toy_images) as arrays:
        np.savez(tmp_path / "black.npz", image=0 * arrays["image"], label=arrays["label"])
    others = ("train", "--resume", "--out", out, "--data", tmp_path / "black.npz", "--epochs", 2)
    check_failed(call(*others), 2, "train has 180 images as before, but other images", "--data-changed")
    assert call(*others, "--data-changed", "--quiet").exit_code == 0
    assert Run.open(out).config["fingerprints"]["changed"][0]["train"] == [180, 180]

    result = call("sample", out, "--num", 9, "--seed", 3, "--out", tmp_path / "grid.png", "--scale", 1)
    assert result.exit_code == 0
    model = keras_gen.load(out)
    expected = pictures.grid(model.generate(9, seed=3))
    assert (np.asarray(Image.open(tmp_path / "grid.png")) == expected[..., 0]).all()
    assert call("sample", out / "model.keras", "--num", 9, "--seed", 3, "--out", tmp_path / "a.npy").exit_code == 0
    assert (np.load(tmp_path / "a.npy") == model.generate(9, seed=3)).all()
    check_failed(call("sample", out, "--label", 1), 2, "was built without classes")
    check_failed(call("sample", tmp_path / "gone"), 2, "gone does not exist")


def copy_run(run, folder):
    (folder / "run").mkdir()
    for name in ("config.json", "metrics.csv"):
        (folder / "run" / name).write_bytes((run.path / name).read_bytes())
    return folder / "run"


def test_evaluate_passes_every_option_and_updates_the_card(call, monkeypatch, toy_run, tmp_path):
    path, received = copy_run(toy_run, tmp_path), []

    def evaluate(run, **options):
        received.append((run.path, options))
        about = {"elbo": {"unit": "nats per image"}, "nll": {"reason": "gray"}}
        content = {"metrics": {"elbo": -12.5, "nll": None}, "about": about}
        (run.path / "evaluation.json").write_text(json.dumps(content))

    monkeypatch.setattr(keras_gen.evaluation, "evaluate", evaluate)
    monkeypatch.setattr(keras_gen.evaluation, "compare", lambda a, b, **options: {"picture": f"{b}.png"})
    numbers = ("--nll-samples", 7, "--nll-images", "all", "--seed", 2)
    result = call("evaluate", path, *numbers, "--features", "pixels, pyramid", "--parzen", "--compare-with", "other")
    assert result.exit_code == 0 and "other.png" in result.stdout
    assert received == [(path, {
        "nll_samples": 7, "nll_images": "all", "samples": 1000, "features": ["pixels", "pyramid"], "parzen": True,
        "neighbor_images": 250_000, "batch_size": None, "split": None, "seed": 2, "verbose": True,
    })]  # fmt: skip
    assert "| elbo | -12.5 | nats per image |" in (path / "README.md").read_text()
    check_failed(call("evaluate", path, "--nll-images", "some"), 2, "for nll_images; received 'some'")


def test_fid_needs_its_weights_file(call, monkeypatch, toy_run, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_GEN_FID_WEIGHTS", raising=False)
    check_failed(call("evaluate", toy_run.path, "--features", "pixels,fid"), 2, "KERAS_GEN_FID_WEIGHTS to its path")


def test_export_passes_every_option_and_prints_the_errors(call, monkeypatch, toy_run, tmp_path):
    path, received = copy_run(toy_run, tmp_path), []
    (path / "model.keras").write_bytes(toy_run.model_file.read_bytes())

    def export(run, **options):
        received.append((run.path, options))
        run.export_folder.mkdir()
        errors = {"decode": {"image": {"max": 0.0123, "mean": 0.004, "largest": 1.0}}}
        parity = {"files": {"int8": {"bytes": 45678, "endpoints": errors}}, "kinds": {"decode": {"image": "image"}}}
        (run.export_folder / "parity.json").write_text(json.dumps(parity))
        return run.export_folder

    monkeypatch.setattr(keras_gen.export, "export", export)
    result = call("export", path, "--format", "tflite,saved_model", "--quantize", "int8,none", "--batch", 2)
    assert result.exit_code == 0, result.output
    options = {
        "format": "tflite,saved_model",
        "quantize": "int8,none",
        "batch": 2,
        "out": None,
        "seed": 0,
        "overwrite": False,
    }
    assert received == [(path, options)]
    assert all(text in result.stdout for text in ("int8", "decode", "0.012", "0.004", "46", "met"))
    assert "decode" in (path / "README.md").read_text()


@pytest.mark.parametrize(
    "error, code, parts",
    [
        (ValueError("bad [red] input"), 2, ["error: bad [red] input\n"]),
        (PermissionError("no right"), 2, ["error: no right"]),
        (FloatingPointError("loss became nan"), 1, ["error: loss became nan"]),
        (OSError(28, "No space left on device"), 1, ["No space left on device"]),
        (ZeroDivisionError("inside"), 1, ["ZeroDivisionError: inside", "was not expected; `keras-gen --debug"]),
    ],
)
def test_an_error_is_one_message_and_an_exit_code(call, monkeypatch, error, code, parts):
    def fail(*args, **named):
        raise error

    monkeypatch.setattr(keras_gen.training, "train", fail)
    check_failed(call("train", "vae"), code, *parts)
    monkeypatch.setenv(cli.DEBUG, "")  # --debug sets the variable for the process; the fixture removes it
    assert call("--debug", "train", "vae").exception is error


def test_ctrl_c_has_its_own_exit_code(call, monkeypatch):
    def stop(*args, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras_gen.training, "train", stop)
    assert call("train", "vae").exit_code == cli.INTERRUPTED


@pytest.mark.parametrize(
    "arguments, part",
    [
        (("train",), "Expected a system"),
        (("train", "vae", "--resume"), "Expected --out"),
        (("train", "vae", "--set", "beta"), "Expected KEY=VALUE, such as latent_size=16, for --set; received 'beta'"),
        (("sample", "x", "--label", "three"), "does not exist"),
    ],
)
def test_invalid_arguments_are_refused(call, arguments, part):
    check_failed(call(*arguments), 2, part)


def test_python_m_keras_gen_is_the_command_line():
    result = subprocess.run(
        [sys.executable, "-m", "keras_gen", "--version"], capture_output=True, text=True, timeout=120
    )
    assert result.stdout.startswith(f"keras-gen {keras_gen.__version__} (Python ") and "tensorflow" in result.stdout


def test_shell_completion_of_systems(monkeypatch):
    environment = {**os.environ, "COMP_WORDS": "keras-gen train v", "COMP_CWORD": "2"}
    program = "import sys; sys.argv = ['keras-gen']; from keras_gen.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, "_KERAS_GEN_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.stdout.split() == ["vae"], result.stderr


def test_output_of_imports_is_shown_only_if_they_fail(capfd, monkeypatch):
    import os

    monkeypatch.delenv(cli.DEBUG, raising=False)
    with startup.suppress_native_stderr():
        os.write(2, b"noise")
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError), startup.suppress_native_stderr():
        os.write(2, b"the reason")
        raise ImportError
    assert capfd.readouterr().err == "the reason"
