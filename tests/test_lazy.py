"""Attributes that are imported on first use."""

import pytest

import keras_gen
from keras_gen.lazy import lazy_attributes


def test_attributes_and_modules_are_imported():
    get, names = lazy_attributes("json", {"JSONDecoder": "decoder"}, modules=["scanner"])
    assert get("JSONDecoder").__module__ == "json.decoder" and get("scanner").__name__ == "json.scanner"
    assert {"JSONDecoder", "scanner", "loads"} <= set(names())


def test_an_unknown_attribute_lists_the_known_ones():
    with pytest.raises(AttributeError, match="module 'keras_gen' has no attribute 'GNA'; it has .*GAN"):
        keras_gen.GNA  # noqa: B018
