"""From a caption to numbers: one written rule for its words, a vocabulary, and a tokenizer that reports what it loses.

The rule (`normalize`) is the one of the runtime without TensorFlow; `keras.layers.TextVectorization` afterwards only
splits at spaces and looks words up.
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
    """The words of captions, the most frequent first, equally frequent ones in the order of the alphabet.

    Args:
        captions: those of the training data.
        max_size: words to keep at most, >= 1; None keeps all.

    Raises:
        ValueError: where there is not one word, or max_size < 1.
    """
    if max_size is not None and max_size < 1:
        raise ValueError(f"max_size must be >= 1, or None for all words; received {max_size!r}")
    counts = collections.Counter(word for caption in captions for word in normalize(caption).split())
    if not counts:
        raise ValueError("Expected captions with at least one word; received none")
    return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:max_size])


class Tokenizer:
    """Captions as rows of numbers: 0 fills up, 1 stands for any unknown word, known words begin at 2.

    A caption with more than `length` words loses those at its end; `read` tells how many, and which words are unknown.

    Args:
        vocabulary: known words, as `build_vocabulary` gives them: normalized, each once.
        length: numbers in a row, >= 1.

    Raises:
        ValueError: for an empty vocabulary, words that no caption can have, or a length < 1.

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
        """Captions -> int32 [num, length].

        Raises:
            ValueError: for a caption without a word, with its place among the captions.
        """
        import tensorflow as tf

        normalized = [normalize(caption) for caption in captions]
        empty = next((place for place, text in enumerate(normalized) if not text), None)
        if empty is not None:
            raise ValueError(f"Caption {empty} has no word in it: {captions[empty]!r}")
        return np.asarray(self._lookup(tf.constant(normalized)), np.int32)

    def tensor(self, captions: "tf.Tensor") -> "tf.Tensor":
        """As calling it, in a graph: string [batch] -> int32 [batch, length]."""
        import tensorflow as tf

        def normalized(captions):
            return np.array([self._refuse_empty(caption).encode() for caption in captions], object)

        text = tf.numpy_function(normalized, [captions], tf.string)
        return tf.cast(self._lookup(tf.ensure_shape(text, captions.shape)), tf.int32)

    def read(self, caption: str | bytes) -> Reading:
        """The words of a caption, and what of it is lost.

        Raises:
            ValueError: for a caption without a word.
        """
        return read_caption(caption, self._known, self.length)

    @staticmethod
    def _refuse_empty(caption: str | bytes) -> str:
        text = normalize(caption)
        if not text:
            raise ValueError(f"Expected a caption with at least one word; received {caption!r}")
        return text


def check_vocabulary(vocabulary: Sequence[str]) -> tuple[str, ...]:
    """The vocabulary as a tuple.

    Raises:
        ValueError: where it is empty, or holds what `build_vocabulary` never does.
    """
    if isinstance(vocabulary, str):
        raise ValueError(f"Expected a vocabulary as a list of words; received the string {vocabulary!r}")
    words = tuple(vocabulary or ())
    if not words:
        raise ValueError(
            "Expected the vocabulary, a list of words; received none. Make it of the training captions: "
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
    """The length of a row of tokens, or a ValueError where it is not a whole number >= 1."""
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise ValueError(f"length must be an integer >= 1 (words of a caption that are read); received {length!r}")
    return length
