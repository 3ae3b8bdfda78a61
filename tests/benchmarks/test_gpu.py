"""The benchmark of training steps also runs on a CPU, and its result states this."""

import json
import sys

import pytest
import typer

from benchmarks import gpu, record
from benchmarks.workers import keras_gen_dcgan


def test_settings_are_measured_alternately(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    gpu.main(only="vae", smoke=True, peer_python="unused", rounds=1, seed=3, out="tiny")
    result = json.loads((tmp_path / "tiny.json").read_text())
    assert [(row["system"], row["setting"]) for row in result["rows"]] == [("vae", name) for name in gpu.SETTINGS]
    for row in result["rows"]:
        assert row["ms_per_step"] > 0 and row["ratio_to_float32"] > 0 and row["parameters"] > 0
    assert result["devices"] == ["CPU"] and result["gpu_measured"] is False and result["left_out"] == {}
    assert (
        result["seed"] == 3 and result["date"] and "cores" in result["hardware"] and result["peers"]["progan"] is None
    )
    assert "GPU speed is not measured" in capsys.readouterr().out


@pytest.mark.parametrize("system", ["dcgan", "progan"])
def test_other_systems_train(system):
    size = gpu.CASES[system].smoke
    actual = gpu.LocalModel(system, "mixed_bfloat16", size, seed=1)
    assert actual.run(size.steps) > 0 and int(actual.model.train_steps) == size.steps
    assert actual.model.dtype_policy.name == "mixed_bfloat16" and not actual.model.jit_compile


def test_a_peer_that_is_not_installed_is_left_out(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "SETTINGS", {"float32": gpu.SETTINGS["float32"]})
    case = gpu.CASES["vae"]
    rows, left_out = gpu.measure("vae", case.smoke, ("torch", "no_such_worker", ("float32",)), sys.executable, 1, 1)
    assert [row["library"] for row in rows] == ["keras_gen"]
    assert list(left_out) == ["torch, float32"] and "RuntimeError" in left_out["torch, float32"]


def test_dcgan_has_the_networks_of_the_peer():
    size = gpu.CASES["dcgan"].size
    assert size.image_shape == keras_gen_dcgan.SHAPE and size.settings["latent_size"] == keras_gen_dcgan.SIZE
    assert size.settings["base_filters"] == keras_gen_dcgan.WIDTH


def test_names_are_checked():
    with pytest.raises(typer.BadParameter, match="expected one of vae, dcgan, progan; received 'gan'"):
        gpu.main(only="gan", smoke=True, peer_python="", rounds=1, seed=1, out="")
