import pathlib

import numpy as np
import pytest

from keras_gen import zoo
from keras_gen.training.source import SourceInfo, inspect_source
from keras_gen.training.views import normalize_options, source_of, view_of

CYCLEGAN, PUZZLEGAN, STARGAN, TEXT2IMAGE, VAE = map(zoo.get, ("cyclegan", "puzzlegan", "stargan", "text2image", "vae"))
SHAPES = SourceInfo(
    {"train": 9}, (64, 64), 3, True, ("image", "label"), {"color": ("red", "blue"), "label": ("star", "heart")}
)
LABELED = SourceInfo({"train": 9}, (8, 8), 1, names={"label": ("0", "1", "2")})
CELEBRITIES = ("Bald", "Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")


def test_a_system_may_declare_a_variant_of_a_dataset():
    assert (
        source_of("puzzlegan", "shapes") == "shapes/placed" and source_of("puzzlegan", "shapes/full") == "shapes/full"
    )
    assert source_of("vae", "shapes") == source_of("MyModel", "shapes") == source_of(None, "shapes") == "shapes"
    assert view_of(PUZZLEGAN, SHAPES, {}, "shapes/placed") == ({}, {})


def test_systems_of_plain_images_have_no_view():
    assert view_of(VAE, LABELED, {}, "digits") == ({}, {})
    with pytest.raises(ValueError, match="sees the images as they are"):
        view_of(VAE, LABELED, {"domains": "0,1"}, "digits")


def test_views_of_domains():
    assert view_of(CYCLEGAN, SHAPES, {}, "shapes").options == {
        "domains": ["plain", "striped"],
        "domain_field": "texture",
    }
    assert view_of(CYCLEGAN, LABELED, {"domains": "0,2"}, "digits").options == {
        "domains": ["0", "2"],
        "domain_field": "label",
    }
    pair = SourceInfo({"train": 9}, (8, 8), 1, fields=("domain_a", "domain_b"))
    assert view_of(CYCLEGAN, pair, {}, "a,b").options == {}
    with pytest.raises(ValueError, match="Expected no --view for data with two domains"):
        view_of(CYCLEGAN, pair, {"domains": "0,1"}, "a,b")
    with pytest.raises(ValueError, match="received digits, which is one dataset. Name two of its classes"):
        view_of(CYCLEGAN, LABELED, {}, "digits")


def test_views_of_attributes():
    view = view_of(STARGAN, SHAPES, {}, "shapes")
    assert view.options == {"attributes": ["color"]}
    assert view.settings == {"groups": [2], "attribute_names": ["red", "blue"]}
    explicit = view_of(STARGAN, SHAPES, {"attributes": "label,color"}, "shapes")
    assert explicit.settings == {"groups": [2, 2], "attribute_names": ["star", "heart", "red", "blue"]}
    assert view_of(STARGAN, LABELED, {}, "digits").settings["groups"] == [3]
    faces = SourceInfo({"train": 9}, (8, 8), 3, names={"attributes": CELEBRITIES})
    assert view_of(STARGAN, faces, {}, "celeb_a").options["attributes"] == list(CELEBRITIES[1:])
    few = SourceInfo({"train": 9}, (8, 8), 3, names={"attributes": ("Bald", "Male")})
    assert view_of(STARGAN, few, {}, "faces").settings == {"groups": [1, 1], "attribute_names": ["Bald", "Male"]}
    with pytest.raises(ValueError, match="attributes or with named labels; received .*, which has neither"):
        view_of(STARGAN, SourceInfo({"train": 9}, (8, 8), 3), {}, "photos")
    with pytest.raises(ValueError, match="among the fields color, label .* received 'hue'"):
        view_of(STARGAN, SHAPES, {"attributes": "hue"}, "shapes")


def test_strings_with_commas_are_lists():
    assert normalize_options({"domains": "3, 5", "domain_field": "label"}) == {
        "domains": ["3", "5"],
        "domain_field": "label",
    }
    assert normalize_options({"attributes": "color"}) == {"attributes": ["color"]}


def test_inspecting_a_pair(tmp_path):
    for name, size in (("a", 8), ("b", 6)):
        np.savez(tmp_path / f"{name}.npz", image=np.zeros((5, size, size), np.uint8))
    info = inspect_source(f"{tmp_path / 'a.npz'},{tmp_path / 'b.npz'}")
    assert (info.image_size, info.channels) == ((8, 8), 1) and set(info.fields) == {"domain_a", "domain_b"}


def test_views_of_captions():
    pictures = SourceInfo({"train": 3}, (8, 8), 3, fields=("image", "caption"))
    texts = [b"A red circle.", b"a BLUE circle, small"]
    view = view_of(TEXT2IMAGE, pictures, {}, "pictures", lambda _: iter(texts))
    assert view.settings == {"vocabulary": ["a", "circle", "blue", "red", "small"], "length": 4}
    assert view.options == {"tokens": view.settings}
    few = view_of(TEXT2IMAGE, pictures, {"max_words": 2, "length": 3}, "pictures", lambda _: iter(texts))
    assert few.settings == {"vocabulary": ["a", "circle"], "length": 3}
    with pytest.raises(ValueError, match="Expected data with captions; received digits with the fields image"):
        view_of(TEXT2IMAGE, LABELED, {}, "digits", lambda _: ())
    requested = []
    view = view_of(TEXT2IMAGE, LABELED, {"captions": "texts.csv"}, "flowers", lambda o: requested.append(o) or texts)
    assert view.options["captions"] == requested[0]["captions"] == str(pathlib.Path("texts.csv").resolve())


def test_views_of_two_merged_datasets():
    common = {"train": 9}, (8, 8), 3
    both = SourceInfo(*common, parts=({"label": ("cat", "dog")}, {"attributes": ("small", "tame")}))
    view = view_of(STARGAN, both, {}, "animals,traits")
    assert view.options == {"attributes": ["label", "small", "tame"]}
    assert view.settings == {
        "groups": [2, 1, 1],
        "datasets": [0, 1, 1],
        "attribute_names": ["cat", "dog", "small", "tame"],
    }
    with pytest.raises(ValueError, match="attributes or with named labels; received .*, which has neither"):
        view_of(STARGAN, SourceInfo(*common, parts=({}, {"label": ("cat", "dog")})), {}, "a,b")
