"""Normalization of captions, their vocabulary, and a tokenizer that reports unknown and truncated words.

`normalize` is the function of the device runtime, so that both normalize exactly alike;
`keras.layers.TextVectorization` only splits the normalized text at spaces and looks words up.
"""

import collections
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_gen.runtime.captions import Reading as Reading
from keras_gen.runtime.captions import normalize, read_caption

if TYPE_CHECKING:
    import tensorflow as tf


def build_vocabulary(captions: Iterable[str | bytes], max_size: int | None = None) -> tuple[str, ...]:
    """Returns the words of captions in order of decreasing frequency; ties are in alphabetical order.

    Args:
        captions: Captions of the training data.
        max_size: Maximum number of words, >= 1; None keeps all.

    Raises:
        ValueError: If no caption contains a word, or max_size < 1.
    """
    if max_size is not None and max_size < 1:
        raise ValueError(f"Expected max_size >= 1, or None for all words; received {max_size!r}")
    counts = collections.Counter(word for caption in captions for word in normalize(caption).split())
    if not counts:
        raise ValueError("Expected captions with at least one word; received none")
    return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:max_size])


class Tokenizer:
    """A function from captions to rows of tokens: 0 is padding, 1 is an unknown word, and known words begin at 2.

    A caption of more than `length` words is truncated; `read` returns the number of truncated words, and the unknown
    ones.

    Args:
        vocabulary: Known words as returned by `build_vocabulary`: normalized, without repetition.
        length: Tokens per caption, >= 1.

    Raises:
        ValueError: For an empty vocabulary, words that are not normalized, or a length < 1.

    Example:
        >>> Tokenizer(["red", "circle"], 4)(["a red circle"])
        array([[1, 2, 3, 0]], dtype=int32)
    """

    def __init__(self, vocabulary: Sequence[str], length: int):
        import keras
        import tensorflow as tf

        self.vocabulary, self.length = check_vocabulary(vocabulary), check_length(length)
        self._known = frozenset(self.vocabulary)
        with tf.init_scope(), tf.device("CPU:0"):
            self._lookup = keras.layers.TextVectorization(
                vocabulary=list(self.vocabulary), standardize=None, split="whitespace", output_sequence_length=length
            )

    def __call__(self, captions: Sequence[str | bytes]) -> np.ndarray:
        """Returns the tokens of captions, int32 [num, length].

        Raises:
            ValueError: For a caption without a word; the message has its index.
        """
        import tensorflow as tf

        normalized = [normalize(caption) for caption in captions]
        empty = next((index for index, text in enumerate(normalized) if not text), None)
        if empty is not None:
            raise ValueError(
                f"Expected captions with at least one word; received {captions[empty]!r} as caption {empty}"
            )
        return np.asarray(self._lookup(tf.constant(normalized)), np.int32)

    def tensor(self, captions: "tf.Tensor") -> "tf.Tensor":
        """Returns the tokens of captions within a graph.

        Args:
            captions: String [batch].

        Returns:
            int32 [batch, length].
        """
        import tensorflow as tf

        def normalized(captions):
            return np.array([self._refuse_empty(caption).encode() for caption in captions], object)

        text = tf.numpy_function(normalized, [captions], tf.string)
        return tf.cast(self._lookup(tf.ensure_shape(text, captions.shape)), tf.int32)

    def read(self, caption: str | bytes) -> Reading:
        """Returns the words of a caption, its unknown words and the number of truncated words.

        Raises:
            ValueError: For a caption without a word.
        """
        return read_caption(caption, self._known, self.length)

    @staticmethod
    def _refuse_empty(caption: str | bytes) -> str:
        text = normalize(caption)
        if not text:
            raise ValueError(f"Expected a caption with at least one word; received {caption!r}")
        return text


def check_vocabulary(vocabulary: Sequence[str]) -> tuple[str, ...]:
    """Returns the vocabulary as a tuple.

    Raises:
        ValueError: If it is empty or has words that are repeated or not normalized.
    """
    if isinstance(vocabulary, str):
        raise ValueError(f"Expected a vocabulary as a list of words; received the string {vocabulary!r}")
    words = tuple(vocabulary or ())
    if not words:
        raise ValueError(
            "Expected the vocabulary, a list of words; received none. Build it from the training captions: "
            "keras_gen.data.build_vocabulary(captions)"
        )
    wrong = [word for word in words if not isinstance(word, str) or normalize(word) != word or len(word.split()) != 1]
    if wrong:
        raise ValueError(f"Expected normalized words (see keras_gen.data.normalize); received {wrong[:5]!r}")
    if len(set(words)) != len(words):
        double = next(word for word, count in collections.Counter(words).items() if count > 1)
        raise ValueError(f"Expected every word once; received {double!r} more than once")
    return words


def check_length(length: int) -> int:
    """Returns the number of tokens per caption.

    Raises:
        ValueError: Unless it is an integer >= 1.
    """
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise ValueError(f"Expected length, the number of tokens per caption, as an integer >= 1; received {length!r}")
    return length
