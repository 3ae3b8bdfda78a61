"""The comparison of upsamplings on tiny images: turns of equal processor time, resuming, and what is written."""

import argparse
import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import record, upsampling

FORMS = ("resize", "blur")


@pytest.fixture
def arguments(tmp_path, monkeypatch) -> argparse.Namespace:
    """Two forms of a tiny DCGAN, on 300 noisy images of 8x8 pixels; results go to tmp_path."""
    random = np.random.default_rng(0)
    levels = 100 * (np.arange(300) % 2)
    images = np.uint8(levels[:, None, None, None] + random.integers(0, 99, (300, 8, 8, 1)))
    np.savez(tmp_path / "data.npz", image_train=images)
    it = upsampling.Configuration("dcgan", str(tmp_path / "data.npz"), (8, 8, 1), {"base_filters": 2}, batch_size=16)
    monkeypatch.setattr(upsampling, "CONFIGURATIONS", {"tiny": it})
    monkeypatch.setattr(upsampling, "UPSAMPLINGS", FORMS)
    monkeypatch.setattr(upsampling, "MARKS", (0.1,))
    monkeypatch.setattr(upsampling, "TURN", 0.2)
    monkeypatch.setattr(upsampling, "COMPARED", 150)
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "results" / "pictures").mkdir(parents=True)
    return argparse.Namespace(
        seed=1, cpu_minutes=0.005, wall_minutes=10.0, threads=None, folder=str(tmp_path / "runs"), data_dir=None
    )


def test_trains_in_turns_resumes_and_writes(arguments, tmp_path):
    arguments.wall_minutes = 0.0
    assert upsampling.train("tiny", arguments) is None
    arguments.wall_minutes = 10.0
    forms = upsampling.train("tiny", arguments)
    for each in forms:
        assert [entry["steps"] > 0 for entry in each.state["curve"]] == [True, True]
        # one step more at most, and steps are short
        assert 0.3 <= each.state["seconds"] < 1.0
    again = upsampling.trainee("tiny", "blur", arguments)
    assert again.state == forms[1].state
    np.testing.assert_allclose(again.model.generate(2, seed=0), upsampling.final_samples(forms[1])[:2], atol=1e-5)
    upsampling.write("tiny", forms, arguments)
    result = json.loads((tmp_path / "results" / "upsampling.json").read_text())["runs"]["tiny_1"]
    assert list(result["forms"]) == list(FORMS) and result["floor"]["checkerboard_ratio"] == pytest.approx(1, abs=0.2)
    with Image.open(tmp_path / "results" / "pictures" / "upsampling_tiny.png") as picture:
        assert picture.width > upsampling.SHOWN * 8 and picture.height > 2 * len(FORMS) * 8
