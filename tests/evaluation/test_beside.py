import json

import pytest
from PIL import Image

from keras_gen.evaluation import compare

from .toys import make_run


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    return make_run(folder, "autoencoder"), make_run(folder, "vae", epochs=5)


def test_both_runs_are_judged_by_the_same_images(pair, capsys):
    content = compare(*pair, samples=30)
    first, second = content["runs"].values()
    assert (first["system"], second["system"]) == ("autoencoder", "vae")
    floor = "swd_pixels_30_test_floor"
    assert first["metrics"][floor] == second["metrics"][floor] > 0
    assert first["metrics"]["swd_pixels_30_test"] != second["metrics"]["swd_pixels_30_test"]
    picture = pair[0].path / "evaluation" / "beside_vae.png"
    assert content["picture"] == str(picture)
    assert json.loads(picture.with_suffix(".json").read_text()) == content
    with Image.open(picture) as image:
        assert image.width > 3 * 8 * 64  # three grids of eight columns of enlarged images
    assert "Autoencoder" in capsys.readouterr().out


def test_a_run_beside_itself_keeps_both(pair, tmp_path):
    content = compare(pair[1], pair[1], tmp_path / "same.png", samples=30, verbose=False)
    first, second = content["runs"].values()
    assert first["metrics"] == second["metrics"]
    assert (tmp_path / "same.png").is_file()


def test_different_data(pair, tmp_path):
    other = make_run(tmp_path, "vae")
    with pytest.raises(ValueError, match="need the same data"):
        compare(pair[0], other)
