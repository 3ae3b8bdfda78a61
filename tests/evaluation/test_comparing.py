import json

import pytest
from PIL import Image

from keras_gen.evaluation.comparing import _picture_file, compare
from keras_gen.runs import Run, write_json

from .toys import make_run


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    return make_run(folder, "autoencoder"), make_run(folder, "vae", epochs=5)


def test_both_runs_are_compared_with_the_same_images(two_runs, capsys):
    content = compare(*two_runs, samples=30)
    first, second = content["runs"].values()
    assert (first["system"], second["system"]) == ("autoencoder", "vae")
    floor = "fd_small_v1_30_test_floor"
    # up to rounding, as threads may sum in another order
    assert first["metrics"][floor] == pytest.approx(second["metrics"][floor], rel=1e-4) and second["metrics"][floor] > 0
    assert first["metrics"]["fd_small_v1_30_test"] != second["metrics"]["fd_small_v1_30_test"]
    picture = two_runs[0].path / "evaluation" / "compare_vae.png"
    assert content["picture"] == str(picture)
    assert json.loads(picture.with_suffix(".json").read_text()) == content
    with Image.open(picture) as image:
        assert image.width > 3 * 8 * 64  # three grids of eight columns of enlarged images
    assert "Autoencoder" in capsys.readouterr().out


def test_runs_of_the_same_name_have_different_pictures(tmp_path):
    first, second, third = (Run(tmp_path / name, {}) for name in ("a", "b/vae", "c/vae"))
    for run, name in ((second, "compare_vae"), (third, "compare_vae_2"), (second, "compare_vae")):
        picture = _picture_file(first, run)
        assert picture == first.path / "evaluation" / f"{name}.png"
        write_json(picture.with_suffix(".json"), {"runs": {"vae": {"path": str(run.path)}}})


def test_a_run_compared_with_itself_has_two_entries(two_runs, tmp_path):
    content = compare(two_runs[1], two_runs[1], tmp_path / "same.png", samples=30, verbose=False)
    first, second = content["runs"].values()
    assert first["metrics"] == second["metrics"]
    assert (tmp_path / "same.png").is_file()


def test_default_split_is_that_of_the_first_run(two_runs, tmp_path):
    first = make_run(tmp_path, "autoencoder")
    first.config["data"] |= {"splits": {"train": "train[:-50]", "validation": "train[-50:]", "test": None}}
    content = compare(first, first, samples=30, verbose=False)
    assert content["split"] == "validation"
    assert "fd_small_v1_30_validation" in next(iter(content["runs"].values()))["metrics"]


def test_different_data(two_runs, tmp_path):
    other = make_run(tmp_path, "vae")
    with pytest.raises(ValueError, match="Expected two runs with the same data"):
        compare(two_runs[0], other)
