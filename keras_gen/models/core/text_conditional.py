"""Models that read captions: the vocabulary that travels with them, tokens, and the text encoder."""

import warnings
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_gen.data.tokenizer import Tokenizer, check_vocabulary

from .endpoint import Endpoint, Port
from .finite_check import between


class TextConditional:
    """What models with a text encoder share: tokens of batches, captions of people, the endpoint `embed`.

    Attributes:
        text_encoder: tokens, integers [batch, length] -> embeddings [batch, size].
        vocabulary: the words it knows, in the order of their tokens.
    """

    text_encoder: keras.Model
    vocabulary: tuple[str, ...]

    def take_text(self, text_encoder: keras.Model, vocabulary: Sequence[str]) -> None:
        """Set `text_encoder` and `vocabulary`; called in a subclass's `__init__`.

        Raises:
            ValueError: for a missing vocabulary, or an encoder that does not take [batch, length].
        """
        self.text_encoder, self.vocabulary = text_encoder, check_vocabulary(vocabulary)
        shapes = tuple(text_encoder.input_shape), tuple(text_encoder.output_shape)
        if [len(shape) for shape in shapes] != [2, 2] or None in (shapes[0][1], shapes[1][1]):
            raise ValueError(
                "Expected a text_encoder from tokens [batch, length] to embeddings [batch, size]; it goes from "
                f"{shapes[0]} to {shapes[1]}"
            )
        self.length, self.embedding_size = shapes[0][1], shapes[1][1]
        self._tokenizer = None

    @property
    def tokenizer(self) -> Tokenizer:
        """Captions -> tokens, as the data's field `tokens` has them."""
        if self._tokenizer is None:
            self._tokenizer = Tokenizer(self.vocabulary, self.length)
        return self._tokenizer

    def text(self) -> dict:
        """What reads its captions: `vocabulary` and `length`, as `keras_gen.data.load(tokens=...)` takes them."""
        return {"vocabulary": list(self.vocabulary), "length": self.length}

    def described(self):
        """`text`, for a runtime."""
        return {"text": self.text()}

    def tokens_of(self, batch: dict) -> tf.Tensor:
        """The tokens of a batch, int32 [rows, length].

        Raises:
            ValueError: where there are none, or of another length.
        """
        if "tokens" not in batch:
            raise ValueError(
                f"{type(self).__name__} needs 'tokens'; the batch has {sorted(batch)}. Load captions with "
                "keras_gen.data.load(..., tokens={'vocabulary': [...], 'length': ...})"
            )
        tokens = tf.convert_to_tensor(batch["tokens"])
        if tokens.shape.rank != 2 or tokens.shape[1] != self.length:
            raise ValueError(f"Expected tokens [batch, {self.length}]; received the shape {tuple(tokens.shape)}")
        last = len(self.vocabulary) + 1  # after padding and the unknown word
        return tf.cast(between("values", f"tokens from 0 to {last}", tokens, 0, last), tf.int32)

    def embed(self, tokens, training: bool = False) -> tf.Tensor:
        """Tokens [batch, length], integers of any type -> embeddings float32 [batch, size]."""
        return tf.cast(self.text_encoder(tf.cast(tokens, tf.int32), training=training), tf.float32)

    def embed_captions(self, captions: str | Sequence[str]) -> np.ndarray:
        """Embeddings of captions, float32 [num, size]; a single one is one row.

        Unknown words are read as "unknown", words beyond `length` are not read; both are reported by a warning.

        Raises:
            ValueError: for a caption without a word.
        """
        captions = [captions] if isinstance(captions, (str, bytes)) else list(captions)
        for caption in dict.fromkeys(captions):
            reading = self.tokenizer.read(caption)
            if reading.unknown:
                warnings.warn(f"Unknown words: {', '.join(reading.unknown)}", stacklevel=2)
            if reading.dropped:
                warnings.warn(
                    f"The caption has {len(reading.words)} words; the first {self.length} are read", stacklevel=2
                )
        return np.asarray(self.embed(self.tokenizer(captions)))

    def embedding_of(self, num: int, *, caption=None, tokens=None, embedding=None) -> np.ndarray:
        """A text, given in one of three ways, as embeddings float32 [num, size].

        Args:
            num: rows.
            caption: one, or `num` of them.
            tokens: [length], or [num, length].
            embedding: [size], or [num, size].

        Raises:
            ValueError: for none or several of them, or another shape.
        """
        told = {"caption": caption, "tokens": tokens, "embedding": embedding}
        told = [name for name, value in told.items() if value is not None]
        if len(told) != 1:
            raise ValueError(
                "Expected a text, as one of caption='a red circle', tokens or embedding; received "
                f"{', '.join(told) or 'none'}"
            )
        if caption is not None:
            rows = self.embed_captions(caption)
        elif tokens is not None:
            rows = np.asarray(self.embed(self.tokens_of({"tokens": np.atleast_2d(tokens)})))
        else:
            rows = np.atleast_2d(np.asarray(embedding, np.float32))
            if rows.shape[1:] != (self.embedding_size,):
                raise ValueError(f"embedding must be [num, {self.embedding_size}]; received the shape {rows.shape}")
        if len(rows) not in (1, num):
            raise ValueError(f"Expected one {told[0]}, or {num} (one for each image); received {len(rows)}")
        return np.broadcast_to(rows, (num, self.embedding_size)).astype(np.float32)

    def embed_endpoint(self) -> Endpoint:
        """`embed`: tokens -> embedding."""
        return Endpoint(
            "embed",
            lambda tokens: {"embedding": self.embed(tokens)},
            {"tokens": Port((self.length,), "value")},
            {"embedding": Port((self.embedding_size,), "value")},
        )
