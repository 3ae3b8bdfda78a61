import pathlib

import numpy as np
import pytest

from keras_gen.training.source import SourceInfo, inspect_source
from keras_gen.training.views import normal, source_of, view_of

SHAPES = SourceInfo(
    {"train": 9}, (64, 64), 3, True, ("image", "label"), {"color": ("red", "blue"), "label": ("star", "heart")}
)
LABELLED = SourceInfo({"train": 9}, (8, 8), 1, names={"label": ("0", "1", "2")})
CELEBRITIES = ("Bald", "Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")


def test_patches_of_shapes_are_of_objects_that_tell_their_place():
    assert source_of("patches", "shapes") == "shapes/placed"
    assert source_of("patches", "shapes/full") == "shapes/full" and source_of("images", "shapes") == "shapes"
    assert view_of("patches", SHAPES, {}, "shapes/placed") == ({}, {})


def test_images_take_no_view():
    assert view_of("images", LABELLED, {}, "digits") == ({}, {})
    with pytest.raises(ValueError, match="sees the images as they are"):
        view_of("images", LABELLED, {"domains": "0,1"}, "digits")


def test_domains():
    assert view_of("domains", SHAPES, {}, "shapes").options == {
        "domains": ["plain", "striped"],
        "domain_field": "texture",
    }
    assert view_of("domains", LABELLED, {"domains": "0,2"}, "digits").options == {
        "domains": ["0", "2"],
        "domain_field": "label",
    }
    pair = SourceInfo({"train": 9}, (8, 8), 1, fields=("domain_a", "domain_b"))
    assert view_of("domains", pair, {}, "a,b").options == {}
    with pytest.raises(ValueError, match="two domains already"):
        view_of("domains", pair, {"domains": "0,1"}, "a,b")
    with pytest.raises(ValueError, match="digits is one set: name two of its classes"):
        view_of("domains", LABELLED, {}, "digits")


def test_attributes():
    view = view_of("attributes", SHAPES, {}, "shapes")
    assert view.options == {"attributes": ["color"]}
    assert view.settings == {"groups": [2], "attribute_names": ["red", "blue"]}
    asked = view_of("attributes", SHAPES, {"attributes": "label,color"}, "shapes")
    assert asked.settings == {"groups": [2, 2], "attribute_names": ["star", "heart", "red", "blue"]}
    assert view_of("attributes", LABELLED, {}, "digits").settings["groups"] == [3]
    faces = SourceInfo({"train": 9}, (8, 8), 3, names={"attributes": CELEBRITIES})
    assert view_of("attributes", faces, {}, "celeb_a").options["attributes"] == list(CELEBRITIES[1:])
    few = SourceInfo({"train": 9}, (8, 8), 3, names={"attributes": ("Bald", "Male")})
    assert view_of("attributes", few, {}, "faces").settings == {"groups": [1, 1], "attribute_names": ["Bald", "Male"]}
    with pytest.raises(ValueError, match="neither named labels nor attributes"):
        view_of("attributes", SourceInfo({"train": 9}, (8, 8), 3), {}, "photos")
    with pytest.raises(ValueError, match="there is no 'color'; known are the fields color, label"):
        view_of("attributes", SHAPES, {"attributes": "color"}, "shapes")


def test_texts_with_commas_are_lists():
    assert normal({"domains": "3, 5", "domain_field": "label"}) == {"domains": ["3", "5"], "domain_field": "label"}
    assert normal({"attributes": "color"}) == {"attributes": ["color"]}


def test_a_pair_is_looked_at(tmp_path):
    for name, size in (("a", 8), ("b", 6)):
        np.savez(tmp_path / f"{name}.npz", image=np.zeros((5, size, size), np.uint8))
    found = inspect_source(f"{tmp_path / 'a.npz'},{tmp_path / 'b.npz'}")
    assert (found.image_size, found.channels) == ((8, 8), 1) and set(found.fields) == {"domain_a", "domain_b"}


def test_captions():
    told = SourceInfo({"train": 3}, (8, 8), 3, fields=("image", "caption"))
    texts = [b"A red circle.", b"a BLUE circle, small"]
    view = view_of("captions", told, {}, "pictures", lambda _: iter(texts))
    assert view.settings == {"vocabulary": ["a", "circle", "blue", "red", "small"], "length": 4}
    assert view.options == {"tokens": view.settings}
    few = view_of("captions", told, {"max_words": 2, "length": 3}, "pictures", lambda _: iter(texts))
    assert few.settings == {"vocabulary": ["a", "circle"], "length": 3}
    with pytest.raises(ValueError, match="Captions are needed, and digits has image"):
        view_of("captions", LABELLED, {}, "digits", lambda _: ())
    given = []
    view = view_of("captions", LABELLED, {"captions": "texts.csv"}, "flowers", lambda o: given.append(o) or texts)
    assert view.options["captions"] == given[0]["captions"] == str(pathlib.Path("texts.csv").resolve())


def test_two_sets_of_attributes():
    shown = {"train": 9}, (8, 8), 3
    both = SourceInfo(*shown, parts=({"label": ("cat", "dog")}, {"attributes": ("small", "tame")}))
    found = view_of("attributes", both, {}, "animals,traits")
    assert found.options == {"attributes": ["label", "small", "tame"]}
    assert found.settings == {
        "groups": [2, 1, 1],
        "datasets": [0, 1, 1],
        "attribute_names": ["cat", "dog", "small", "tame"],
    }
    with pytest.raises(ValueError, match="neither named labels nor attributes"):
        view_of("attributes", SourceInfo(*shown, parts=({}, {"label": ("cat", "dog")})), {}, "a,b")
