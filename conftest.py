"""Names that the examples in docstrings use without importing them."""

import pytest


@pytest.fixture(autouse=True)
def example_names(request, tmp_path, monkeypatch):
    """Gives doctest the usual names, and a folder of its own to write to."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    import keras
    import numpy as np
    import tensorflow as tf

    import keras_gen

    monkeypatch.chdir(tmp_path)
    request.getfixturevalue("doctest_namespace").update(keras=keras, np=np, tf=tf, keras_gen=keras_gen)
