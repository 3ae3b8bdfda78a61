"""Systems that need more than images, trained as by `keras-gen train KEY --data shapes`."""

import functools
import os
import signal

import numpy as np
import pytest
from PIL import Image

from keras_gen import training
from keras_gen.data.shapes.source import shapes_builder
from keras_gen.runs.checkpoints import Checkpoints, State
from keras_gen.training import fitting, pretraining
from keras_gen.training.length import Length, Plan

TOYS = {
    "cyclegan": {"base_filters": 4},
    "stargan": {"base_filters": 4, "blocks": 1, "num_downsamples": 1, "discriminator_filters": 4, "n_critic": 1},
    "puzzlegan": {"base_filters": 4, "image_filters": 4, "discriminator_filters": 4, "code_size": 8, "latent_size": 2},
    "text2image": {
        **{"base_filters": 4, "latent_size": 4, "embedding_size": 8, "text_filters": 8},
        **{"trunk_filters": 4, "modulated": True},
        **{"embedding": {"updates": 2}, "vae": {"updates": 2}},
    },
}
OPTIONS = {"epochs": 2, "steps": 2, "batch_size": 8, "image_size": 16, "verbose": 0}


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    shapes_builder("shapes/tiny", folder)
    return folder


@pytest.fixture(scope="module")
def run_of(tfds_dir, tmp_path_factory):
    """A function that returns a system's run of two epochs, which is trained once."""

    @functools.cache
    def run_of(key: str):
        folder = tmp_path_factory.mktemp("runs") / key
        return training.train(key, "shapes/tiny", folder, settings=TOYS[key], data_dir=tfds_dir, **OPTIONS)

    return run_of


@pytest.mark.parametrize("key", TOYS)
def test_trains_on_shapes_and_writes_preview_pictures(key, run_of):
    run = run_of(key)
    assert run.model_file.is_file() and len(run.metrics_file.read_text().splitlines()) == 3
    first, second = (np.asarray(Image.open(run.samples / f"epoch_000{epoch}.png")) for epoch in (1, 2))
    assert first.shape == second.shape and first.shape[0] > 16 * 4 and (first != second).any()
    if key == "text2image":
        words = run.config["settings"]["vocabulary"]
        assert "circle" in words and run.config["data"]["tokens"]["vocabulary"] == words


def test_a_resumed_run_does_not_repeat_pretraining_and_equals_an_uninterrupted_one(tmp_path, tfds_dir, run_of):
    options = {**OPTIONS, "settings": TOYS["text2image"], "data_dir": tfds_dir, "epochs": 1}
    run = training.train("text2image", "shapes/tiny", tmp_path / "run", **options)
    stages = [run.path / f"{name}.keras" for name in ("embedding", "vae")]
    times = [file.stat().st_mtime_ns for file in stages]
    run = training.train(None, None, run.path, epochs=2, resume=True, verbose=0)
    assert [file.stat().st_mtime_ns for file in stages] == times
    for weight, expected in zip(
        run.load_model().get_weights(), run_of("text2image").load_model().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, expected)


def test_interrupted_pretraining_resumes_exactly(tmp_path, tfds_dir, monkeypatch, capsys):
    """The run is stopped in the second epoch of the embedding, then in the second epoch of the VAE."""
    settings = {**TOYS["text2image"], "embedding": {"updates": 4}, "vae": {"updates": 3}}
    options = {**OPTIONS, "settings": settings, "data_dir": tfds_dir, "epochs": 1}
    full = training.train("text2image", "shapes/tiny", tmp_path / "whole", **options)

    stop_in = [None]

    class StopAt(pretraining.StopOnNaN):
        def on_train_batch_begin(self, batch, logs=None):
            if (type(self.model).__name__, self.epoch, batch) == (stop_in[0], 1, 0):
                os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(pretraining, "StopOnNaN", StopAt)
    for model, folder in (("JointEmbedding", "embedding"), ("CaptionedVAE", "vae")):
        stop_in[:] = [model]
        again = {**options, "resume": True} if (tmp_path / "run").exists() else options
        with pytest.raises(SystemExit):
            training.train("text2image", "shapes/tiny", tmp_path / "run", **again)
        assert Checkpoints(tmp_path / "run" / "pretraining" / folder).states[-1] == State(1, 1)
        assert "stopped by SIGTERM after step 1 of epoch 2 of the pretraining" in capsys.readouterr().err
    stop_in[:] = [None]
    run = training.train(None, None, tmp_path / "run", resume=True, verbose=0)
    assert not (run.path / "pretraining").exists()
    for weight, expected in zip(run.load_model().get_weights(), full.load_model().get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_minutes_are_shared_with_the_pretraining(tmp_path, tfds_dir, run_of, monkeypatch):
    """Its length is measured on every model, which changes none of them."""
    parts = []

    def fixed(seconds, given, *args, **kwargs):
        parts[:] = given
        return Plan(Length(2, 2), {"embedding": 1, "vae": 1}, 60.0)

    monkeypatch.setattr(fitting, "fit_into", fixed)
    options = {**OPTIONS, "epochs": None, "settings": TOYS["text2image"], "data_dir": tfds_dir}
    run = training.train("text2image", "shapes/tiny", tmp_path / "run", minutes=1, **options)
    assert [(part.name, part.updates) for part in parts] == [("embedding", 2), ("vae", 2), ("", 5_600)]
    assert all(part.speed.step > 0 for part in parts)
    assert run.config["training"]["pretraining"] == {"embedding": 1, "vae": 1}
    for ours, theirs in zip(
        run.load_model().get_weights(), run_of("text2image").load_model().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_pretraining_is_announced_and_has_an_option(tmp_path, tfds_dir, capsys):
    settings = {**TOYS["text2image"], "embedding": {"updates": 7}, "vae": {"updates": 9}}
    options = {**OPTIONS, "settings": settings, "data_dir": tfds_dir, "epochs": 1, "steps": 1}
    run = training.train("text2image", "shapes/tiny", tmp_path / "none", pretraining_epochs=0, **options)
    assert not list(run.path.glob("*.keras"))[1:] and run.config["training"]["pretraining_epochs"] == 0
    options["verbose"] = 2
    run = training.train("text2image", "shapes/tiny", tmp_path / "one", pretraining_epochs=1, **options)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Pretraining")]
    assert len(lines) == 3 and lines[1:] == ["Pretraining, embedding: 1 epoch", "Pretraining, vae: 1 epoch"]
    assert lines[0].count("1 epoch") == 2 and "--pretraining-epochs N" in lines[0]
    assert all((run.path / f"{name}.keras").is_file() for name in ("embedding", "vae"))
    with pytest.raises(ValueError, match="pretraining_epochs is 1, received 2"):
        training.train(None, None, run.path, resume=True, pretraining_epochs=2)


@pytest.mark.parametrize(
    "key, view, message",
    [
        ("cyclegan", {"domains": "plain"}, "two different classes"),
        (
            "cyclegan",
            {"attributes": "color"},
            "Expected domains, domain_field for this system in --view; received attributes",
        ),
        ("stargan", {"attributes": "hue"}, "received 'hue'"),
        ("vae", {"domains": "a,b"}, "sees the images as they are"),
    ],
)
def test_invalid_views_are_refused(key, view, message, tmp_path, tfds_dir):
    with pytest.raises(ValueError, match=message):
        training.train(key, "shapes/tiny", tmp_path / "run", view=view, data_dir=tfds_dir, **OPTIONS)
