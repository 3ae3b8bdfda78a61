import numpy as np
import pytest

from keras_gen import data
from keras_gen.data.resolve import identify
from keras_gen.data.sources import tfds_builders


def test_identify(tfds_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    (tmp_path / "photos").mkdir()
    assert identify("shapes/tiny")[0] == "shapes"
    assert identify("mnist") == ("tfds", "mnist") and identify("./mnist")[0] == "folder"
    assert identify(tmp_path / "mnist")[0] == "folder" and identify("photos")[0] == "folder"
    assert identify("celeb_a:2.*.*") == ("tfds", "celeb_a:2.*.*")
    assert identify("digits.npz")[0] == "arrays"
    assert identify("data_test_set", tfds_dir)[0] == "tfds"


def test_unknown_names_suggest_known_ones(tfds_dir, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'mnist'.*Expected 'shapes'.*here: data_test_set, shapes"):
        data.load("mnits", image_shape=(8, 8, 1), batch_size=1, data_dir=tfds_dir)
    with pytest.raises(ValueError, match="no folder of this name"):
        data.describe(tmp_path / "nowhere")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(ValueError, match="a file of an unknown type"):
        data.describe(tmp_path / "a.txt")


def test_datasets_that_cannot_be_downloaded_raise_after_one_request(tfds_dir, monkeypatch):
    timeouts = []

    def refuse(request, timeout):
        timeouts.append(timeout)
        raise OSError("no route to host")

    monkeypatch.setattr(tfds_builders.urllib.request, "urlopen", refuse)
    with pytest.raises(ValueError, match="fashion_mnist.* is not prepared .*no route to host.*there: .*shapes"):
        data.load("fashion_mnist", image_shape=(28, 28, 1), batch_size=8, data_dir=tfds_dir)
    assert len(timeouts) == 1 and timeouts[0] <= 10  # one request, with a timeout
    with pytest.raises(ValueError, match="download=False"):
        data.load("fashion_mnist", image_shape=(28, 28, 1), batch_size=8, data_dir=tfds_dir, download=False)
    assert len(timeouts) == 1


def test_datasets_without_images(tfds_dir):
    with pytest.raises(ValueError, match="imdb_reviews: expected a feature `image` .* the features text, label"):
        data.describe("imdb_reviews", data_dir=tfds_dir)


def test_unknown_configurations(tfds_dir):
    with pytest.raises(ValueError, match="TFDS cannot open 'mnist/large'"):
        data.describe("mnist/large", data_dir=tfds_dir)


def test_describe_every_kind(tfds_dir, tmp_path):
    np.savez(tmp_path / "set.npz", x_train=np.zeros((3, 4, 4), np.uint8), y_train=np.arange(3))
    about = data.describe(tmp_path / "set.npz")
    assert about.kind == "arrays" and about.splits == {"train": 3}
    assert about.fields == {"image": "uint8 [4, 4, 1]", "label": "int64 []"}
    about = data.describe("data_test_set", data_dir=tfds_dir)
    assert about.kind == "tfds" and about.splits["train"] == 90 and about.names["label"] == ("even", "odd")
    about = data.describe("shapes")
    assert about.kind == "shapes" and about.splits["test"] == 2000 and about.names["color"][0] == "red"
    assert "data_test_set" in data.list_sources(data_dir=tfds_dir)
    assert list(data.list_sources(data_dir=tfds_dir))[0] == "shapes"
    not_prepared = data.describe("fashion_mnist", data_dir=tfds_dir)
    assert not_prepared.splits == {} and "Not prepared yet" in not_prepared.about
