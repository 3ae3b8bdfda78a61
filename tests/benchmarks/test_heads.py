"""The comparison of heads: its data, its measure of sharpness, and a run from the training to the picture."""

import sys

import numpy as np
import pytest

from benchmarks import heads, record
from benchmarks.drawn_faces import draw_faces
from keras_gen.data.pixels import Pixels, noise_share
from keras_gen.distributions import heads as registry
from keras_gen.runs import read_json


def test_faces_are_seeded_gray_photographs():
    faces = draw_faces(20, seed=1)
    assert faces.shape == (20, 32, 32, 1) and faces.dtype == np.uint8
    np.testing.assert_array_equal(faces, draw_faces(20, seed=1))
    assert (faces != draw_faces(20, seed=2)).mean() > 0.9
    assert Pixels(1, noise_share(faces / np.float32(255))).binarization is None


def test_the_heads_are_known():
    assert {registry.get(head).support for head in heads.HEADS.values()} == {"binary", "8-bit", "continuous"}


def test_sharpness_by_hand():
    stripes = np.zeros((1, 4, 4, 1), np.float32)
    stripes[:, ::2] = 1
    assert heads.sharpness(stripes) == 1  # every vertical neighbor differs by 1, no horizontal one does
    assert heads.sharpness(stripes / 2) == 0.5


@pytest.mark.slow  # a whole experiment; the parts above are quick
def test_a_run_writes_metrics_and_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(heads, "FILES", tmp_path / "runs")
    monkeypatch.setattr(heads, "images_of", lambda name, twemoji: (draw_faces(80, 1), draw_faces(60, 2)))
    monkeypatch.setattr(heads.tf.config.threading, "set_intra_op_parallelism_threads", lambda threads: None)
    monkeypatch.setattr(heads.tf.config.threading, "set_inter_op_parallelism_threads", lambda threads: None)
    names = ["--head", "bernoulli", "normal_shared"]
    monkeypatch.setattr(sys, "argv", ["heads", "--data", "faces", *names, "--seconds", "0.1"])
    heads.main()
    runs = read_json(tmp_path / "heads.json")["runs"]["faces"]
    assert set(runs) == {"bernoulli", "normal_shared"} and (tmp_path / "pictures" / "heads_faces.png").is_file()
    assert runs["bernoulli"]["1"]["bits_per_dimension"] is None
    shared = runs["normal_shared"]["1"]
    assert shared["steps"] >= 2 and 0 < shared["scale"] < 1 and shared["bits_per_dimension"] > 0
