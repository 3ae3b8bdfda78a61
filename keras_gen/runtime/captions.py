"""Captions to tokens: normalization, lookup, and a report of the words that are lost."""

import unicodedata
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2


class Reading(NamedTuple):
    """The words of a caption, and those that the model does not use.

    Attributes:
        words: all words of the normalized caption, in order.
        unknown: words within the length that are not in the vocabulary, each once.
        dropped: number of words at the end that exceed the length.
    """

    words: tuple[str, ...]
    unknown: tuple[str, ...]
    dropped: int


def normalize(caption: str | bytes) -> str:
    """Returns the words of a caption in a canonical form, separated by single spaces.

    The steps, in this order:

    1. NFKC, which unifies equivalent characters (full-width letters, ligatures, joined accents and Hangul).
    2. Case folding (as `str.casefold`: the German sharp s becomes ss), and NFKC again, which folding can undo.
    3. Every punctuation mark (Unicode categories P*), control character and lone surrogate (Cc, Cs) becomes a space.
       Symbols such as emoji stay: they are words or parts of words.
    4. White space of any kind is collapsed to single spaces and stripped at both ends.

    Args:
        caption: text, or its UTF-8 encoding.

    Returns:
        The normalized caption, which may be empty. Normalizing twice changes nothing.

    Example:
        >>> normalize("A  Red-Striped CIRCLE, at the top!")
        'a red striped circle at the top'
    """
    text = caption.decode("utf-8", "replace") if isinstance(caption, bytes) else caption
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kinds = (unicodedata.category(character) for character in text)
    text = "".join(" " if kind[0] == "P" or kind in ("Cc", "Cs") else c for c, kind in zip(text, kinds, strict=True))
    return " ".join(text.split())


def read_caption(caption: str | bytes, vocabulary: Collection[str], length: int) -> Reading:
    """Splits a caption into words and finds those that are lost.

    Args:
        caption: text, or its UTF-8 encoding.
        vocabulary: the known words; a set is fastest.
        length: words that the model reads, >= 1.

    Raises:
        ValueError: for a caption without a word, or a value that is not text.
    """
    if not isinstance(caption, (str, bytes)):
        raise ValueError(f"Expected a caption as text; received {caption!r}")
    words = tuple(normalize(caption).split())
    if not words:
        raise ValueError(f"Expected a caption with at least one word; received {caption[:80]!r}")
    unknown = tuple(dict.fromkeys(word for word in words[:length] if word not in vocabulary))
    return Reading(words, unknown, max(0, len(words) - length))


def tokenize(words: Sequence[str], vocabulary: Sequence[str], length: int) -> np.ndarray:
    """Returns the tokens of one caption, float32 [1, length].

    0 is padding, 1 is any unknown word, and the words of the vocabulary begin at 2.

    Args:
        words: of the normalized caption; those after the first `length` are dropped.
        vocabulary: the known words, in the order of their tokens.
        length: tokens in a row, >= 1.

    Example:
        >>> tokenize(["a", "red", "circle"], ["red", "circle"], 4)
        array([[1., 2., 3., 0.]], dtype=float32)
    """
    index = {word: token for token, word in enumerate(vocabulary, start=FIRST_WORD)}
    tokens = np.full((1, length), PADDING, np.float32)
    words = words[:length]
    tokens[0, : len(words)] = [index.get(word, UNKNOWN) for word in words]
    return tokens


def caption_warnings(reading: Reading) -> list[str]:
    """Returns a sentence for each kind of loss in a caption; an empty list if every word is used."""
    sentences = [f"Unknown words: {', '.join(reading.unknown)}"] if reading.unknown else []
    if reading.dropped:
        total = len(reading.words)
        sentences.append(f"The caption has {total} words; the first {total - reading.dropped} are read")
    return sentences
