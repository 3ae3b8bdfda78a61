"""Captions of a dataset as tokens, for tables and for streams."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import Tokenizer, build_vocabulary, load

CAPTIONS = ["a red circle", "A blue\N{NO-BREAK SPACE}star!", "two stars, one red"]


@pytest.fixture
def file(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    np.savez(tmp_path / "captioned.npz", image=images, caption=np.array(CAPTIONS))
    return tmp_path / "captioned.npz"


def test_tokens_of_a_table_follow_its_rows(file):
    tokens = {"vocabulary": build_vocabulary(CAPTIONS), "length": 3}
    loaded = load(file, image_shape=(8, 8, 1), batch_size=2, tokens=tokens, seed=4)
    tokenizer = Tokenizer(**tokens)
    batches = list(loaded.as_numpy_iterator())
    rows = [(c.decode(), row) for b in batches for c, row in zip(b["caption"], b["tokens"], strict=True)]
    assert {caption for caption, _ in rows} == set(CAPTIONS)
    for caption, row in rows:
        np.testing.assert_array_equal(row, tokenizer([caption])[0])
    assert loaded.element_spec["tokens"].dtype == tf.int32 and loaded.element_spec["tokens"].shape[1] == 3
    selected = load(file, image_shape=(8, 8, 1), batch_size=3, tokens=tokens, fields=("image", "tokens"))
    assert set(next(iter(selected))) == {"image", "tokens"}


def test_a_stream_gives_the_same_tokens_as_a_table(tfds_dir):
    words = [f"{i}" for i in range(0, 90, 2)]  # of "number 7", "7" is unknown
    options = {"image_shape": (6, 6, 3), "batch_size": 7, "tokens": {"vocabulary": ["number", *words], "length": 3}}
    tables = []
    for cache in ("memory", None):
        loaded = load("data_test_set", data_dir=tfds_dir, cache=cache, **options)
        assert loaded.element_spec["tokens"].shape[1:] == [3]
        rows = {c: tuple(t) for b in loaded for c, t in zip(b["caption"].numpy(), b["tokens"].numpy(), strict=True)}
        tables.append(rows)
    assert tables[0] == tables[1] and len(tables[0]) == 90
    assert tables[0][b"number 7"] == (2, 1, 0) and tables[0][b"number 4"] == (2, 5, 0)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ({"vocabulary": ["a"]}, "Expected tokens as a dict with the keys 'vocabulary' and 'length'; received the keys"),
        (["a"], "Expected tokens as a dict with the keys 'vocabulary' and 'length'; received .'a'"),
        ({"vocabulary": [], "length": 2}, "Expected the vocabulary"),
    ],
)
def test_invalid_tokens(file, tokens, message):
    with pytest.raises(ValueError, match=message):
        load(file, image_shape=(8, 8, 1), batch_size=2, tokens=tokens)


def test_a_source_without_captions(tmp_path):
    np.savez(tmp_path / "plain.npz", image=np.zeros((3, 8, 8, 1), np.uint8), label=np.arange(3))
    with pytest.raises(
        ValueError, match="a source with the field 'caption' for tokens; received the fields image, label"
    ):
        load(tmp_path / "plain.npz", image_shape=(8, 8, 1), batch_size=2, tokens={"vocabulary": ["a"], "length": 2})
