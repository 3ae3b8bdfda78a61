"""The comparison of augmentations on few images: a run from the training to the picture."""

import sys

import numpy as np
import pytest

from benchmarks import record, small_data
from benchmarks.drawn_faces import draw_faces
from keras_gen import zoo
from keras_gen.runs import read_json


def test_the_variants_are_settings_of_a_dcgan():
    for settings in small_data.VARIANTS.values():
        assert zoo.check_settings("dcgan", settings) == settings


def test_faces_to_train_on_and_to_compare_with_are_different():
    images, others = small_data.images_of("faces", None)
    assert images.shape == others.shape == (1000, 32, 32, 1) and images.max() <= 1
    assert (images != others).mean() > 0.9
    with pytest.raises(SystemExit, match="Expected --twemoji ZIP"):
        small_data.images_of("twemoji", None)


@pytest.mark.slow  # a whole experiment
def test_a_run_writes_metrics_and_a_picture(tmp_path, monkeypatch):
    faces = draw_faces(280, 1) / np.float32(255)
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(small_data, "FILES", tmp_path / "runs")
    monkeypatch.setattr(small_data, "images_of", lambda name, twemoji: (faces[:140], faces[140:]))
    for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
        monkeypatch.setattr(small_data.tf.config.threading, name, lambda threads: None)
    options = ["--variant", "mirrored", "adaptive", "--seconds", "0.1", "--base-filters", "4"]
    monkeypatch.setattr(sys, "argv", ["small_data", "faces", *options])
    small_data.main()
    runs = read_json(tmp_path / "small_data.json")["runs"]["faces"]
    assert set(runs) == {"mirrored", "adaptive"} and (tmp_path / "pictures" / "small_data_faces.png").is_file()
    assert runs["adaptive"]["1"]["augment_probability"] < 0.1 and "augment_probability" not in runs["mirrored"]["1"]
    assert set(runs["mirrored"]["1"]["taken_for_real"]) == {"training", "other", "generated"}
