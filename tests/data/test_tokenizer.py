"""Captions as tokens: the normalization rule, case by case, and reports of unknown and dropped words."""

import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import FACTORS, Factors, Tokenizer, build_vocabulary, caption_shapes, normalize

# caption -> its normal form, worked out by hand from the rule
NORMAL = {
    "A red circle": "a red circle",
    "  a\tred\ncircle ": "a red circle",
    "a red\N{NO-BREAK SPACE}circle": "a red circle",
    "a\N{IDEOGRAPHIC SPACE}red\N{EM SPACE}circle": "a red circle",
    "a\u2028red\u1680circle\x1f": "a red circle",
    "red-striped, (checked) 'star'!": "red striped checked star",
    "red\N{EN DASH}striped\N{SOFT HYPHEN}": "red striped\N{SOFT HYPHEN}",
    "\N{LATIN CAPITAL LETTER E WITH ACUTE}toile": "\N{LATIN SMALL LETTER E WITH ACUTE}toile",
    "E\N{COMBINING ACUTE ACCENT}toile": "\N{LATIN SMALL LETTER E WITH ACUTE}toile",
    "STRASSE stra\N{LATIN SMALL LETTER SHARP S}e": "strasse strasse",
    "\N{FULLWIDTH LATIN CAPITAL LETTER R}ed \N{LATIN SMALL LIGATURE FI}ve": "red five",
    "\N{HANGUL CHOSEONG PIEUP}\N{HANGUL JUNGSEONG A}": "\N{HANGUL SYLLABLE BA}",
    "빨간 원": "빨간 원",
    "a \N{SLICE OF PIZZA} here": "a \N{SLICE OF PIZZA} here",
    "\N{IDEOGRAPHIC FULL STOP}\N{INVERTED QUESTION MARK}...": "",
    "\ud800": "",
    "a\x00b": "a b",
    "\N{GREEK CAPITAL LETTER SIGMA}\N{GREEK SMALL LETTER FINAL SIGMA}": "σσ",
}


@pytest.mark.parametrize("caption", NORMAL, ids=ascii)
def test_normal_forms(caption):
    assert normalize(caption) == NORMAL[caption]
    if "\ud800" not in caption:
        assert normalize(caption.encode()) == NORMAL[caption]


def test_normalizing_twice_changes_nothing():
    # every assigned character, inside a word
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) != "Cn":
            once = normalize(f"a{character}b")
            assert normalize(once) == once, hex(code)


def test_vocabulary_by_frequency_then_alphabet():
    captions = ["A red circle", b"a red star!", "a blue circle"]
    assert build_vocabulary(captions) == ("a", "circle", "red", "blue", "star")
    assert build_vocabulary(captions, 2) == ("a", "circle")


def test_tokens_index_padding_unknown_and_then_the_vocabulary():
    tokenizer = Tokenizer(("a", "red", "circle"), 4)
    tokens = tokenizer(["a red circle", "CIRCLE, red", "a blue circle a red"])
    np.testing.assert_array_equal(tokens, [[2, 3, 4, 0], [4, 3, 0, 0], [2, 1, 4, 2]])
    assert tokens.dtype == np.int32
    np.testing.assert_array_equal(tokenizer.tensor(tf.constant(["a red circle"])), [[2, 3, 4, 0]])
    assert tokenizer.read("blue circle of blue") == (("blue", "circle", "of", "blue"), ("blue", "of"), 0)
    assert tokenizer.read("a red circle a red star").dropped == 2
    assert tokenizer.read("a red circle a red star").unknown == ()  # the star is dropped, not unknown


def test_captions_of_shapes_survive_a_round_trip_through_tokens():
    factors = Factors.draw(400, seed=1)
    captions = [caption for form in range(4) for caption in caption_shapes(factors, form)]
    vocabulary = build_vocabulary(captions)
    assert set(vocabulary) >= {word for factor in ("shape", "color", "texture", "size") for word in FACTORS[factor]}
    tokens = Tokenizer(vocabulary, 16)(captions)
    assert tokens.min() == 0 and (tokens != 1).all()
    # back to words: nothing is lost
    names = ("", "[UNK]", *vocabulary)
    assert [" ".join(names[i] for i in row if i) for row in tokens] == [normalize(caption) for caption in captions]


@pytest.mark.parametrize("caption", ["", "   ", "!?", "\N{IDEOGRAPHIC SPACE}"])
def test_a_caption_without_a_word_is_an_error(caption):
    tokenizer = Tokenizer(("a",), 2)
    with pytest.raises(ValueError, match="Expected a caption with at least one word; received"):
        tokenizer.read(caption)
    with pytest.raises(ValueError, match="at least one word; received .* as caption 1"):
        tokenizer(["a", caption])


@pytest.mark.parametrize(
    ("vocabulary", "length", "message"),
    [
        ((), 4, "Expected the vocabulary, a list of words; received none"),
        ("red", 4, "as a list of words; received the string 'red'"),
        (("Red",), 4, "Expected normalized words .*'Red'"),
        (("red circle",), 4, "Expected normalized words"),
        (("red", "red"), 4, "Expected every word once; received 'red'"),
        (("red",), 0, "Expected length, .* as an integer >= 1"),
        (("red",), 2.0, "Expected length, .* as an integer >= 1"),
    ],
)
def test_invalid_vocabularies(vocabulary, length, message):
    with pytest.raises(ValueError, match=message):
        Tokenizer(vocabulary, length)


def test_captions_without_words_give_no_vocabulary():
    with pytest.raises(ValueError, match="at least one word"):
        build_vocabulary(["!", ""])
    with pytest.raises(ValueError, match="Expected max_size >= 1"):
        build_vocabulary(["a"], 0)
