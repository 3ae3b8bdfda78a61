"""Models with a text encoder: their vocabulary, tokens, and embeddings of captions."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.data.tokenizer import Tokenizer, check_vocabulary

from .endpoint import Endpoint, Port
from .generative_model import GenerativeModel
from .graph_checks import between


class TextConditional(GenerativeModel):
    """A model that is conditioned on text: tokens of batches, captions for `generate`, and the endpoint `embed`.

    To be inherited before the model's base.

    Attributes:
        text_encoder: Tokens, integers [batch, length] -> embeddings [batch, size].
        vocabulary: The words of the text encoder, in the order of their tokens.
        length: Number of tokens in a caption.
        embedding_size: Size of an embedding.
    """

    text_encoder: keras.Model
    vocabulary: tuple[str, ...]
    length: int
    embedding_size: int

    def set_text_encoder(self, text_encoder: keras.Model, vocabulary: Sequence[str]) -> None:
        """Sets `text_encoder` and `vocabulary`; to be called in a subclass's `__init__`.

        Args:
            text_encoder: Tokens, integers [batch, length] -> embeddings [batch, size].
            vocabulary: Words, in the order of their tokens.

        Raises:
            ValueError: For a missing vocabulary, or an encoder of other inputs or outputs.
        """
        self.text_encoder, self.vocabulary = text_encoder, check_vocabulary(vocabulary)
        shapes = tuple(text_encoder.input_shape), tuple(text_encoder.output_shape)
        if [len(shape) for shape in shapes] != [2, 2] or None in (shapes[0][1], shapes[1][1]):
            raise ValueError(
                "Expected a text_encoder from tokens [batch, length] to embeddings [batch, size]; received one from "
                f"{shapes[0]} to {shapes[1]}"
            )
        self.length, self.embedding_size = shapes[0][1], shapes[1][1]
        self._tokenizer = None

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of captions; its tokens are those of the data's field `tokens`."""
        if self._tokenizer is None:
            self._tokenizer = Tokenizer(self.vocabulary, self.length)
        return self._tokenizer

    def tokenizer_config(self) -> dict[str, Any]:
        """Returns `vocabulary` and `length`, as `keras_gen.data.load(tokens=...)` takes them."""
        return {"vocabulary": list(self.vocabulary), "length": self.length}

    def export_description(self) -> dict[str, Any]:
        """Returns `text`, the vocabulary and the length of captions for a runtime."""
        return {**super().export_description(), "text": self.tokenizer_config()}

    def preview_conditions(self, num: int, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the conditions of samples for a preview picture: one caption for each row of a square grid.

        Args:
            num: Number of samples.
            batch: A batch of the data, with `tokens`.
        """
        columns = max(1, round(np.sqrt(num)))
        tokens = np.repeat(batch["tokens"], columns, axis=0)
        return {"tokens": np.resize(tokens, (num, tokens.shape[1]))}

    def tokens_of(self, batch: Mapping[str, Any]) -> tf.Tensor:
        """Returns the tokens of a batch, int32 [rows, length].

        Args:
            batch: {field: values}; `tokens` are integers [rows, length].

        Raises:
            ValueError: For a batch without `tokens`, tokens of another length, or out of range.
        """
        if "tokens" not in batch:
            raise ValueError(
                f"Expected a batch with 'tokens' for {type(self).__name__}; received {sorted(batch)}. Load captions "
                "with keras_gen.data.load(..., tokens={'vocabulary': [...], 'length': ...})"
            )
        tokens = tf.convert_to_tensor(batch["tokens"])
        if tokens.shape.rank != 2 or tokens.shape[1] != self.length:
            raise ValueError(f"Expected tokens [batch, {self.length}]; received the shape {tuple(tokens.shape)}")
        last = len(self.vocabulary) + 1  # after padding and the unknown word
        return tf.cast(between("values", f"tokens from 0 to {last}", tokens, 0, last), tf.int32)

    def embed(self, tokens: Any, training: bool = False) -> tf.Tensor:
        """Returns embeddings, float32 [batch, size].

        Args:
            tokens: [batch, length], integers of any type.
            training: Whether the text encoder runs in training mode.
        """
        return tf.cast(self.text_encoder(tf.cast(tokens, tf.int32), training=training), tf.float32)

    def embed_captions(self, captions: str | bytes | Sequence[str | bytes]) -> np.ndarray:
        """Returns the embeddings of captions, float32 [num, size]; a single caption is one row.

        Words outside the vocabulary are read as "unknown", and words beyond `length` are ignored; a warning reports
        both.

        Args:
            captions: One caption, or a list of them.

        Raises:
            ValueError: For a caption without a word.
        """
        texts = [captions] if isinstance(captions, (str, bytes)) else list(captions)
        for caption in dict.fromkeys(texts):
            reading = self.tokenizer.read(caption)
            if reading.unknown:
                warnings.warn(f"Unknown words: {', '.join(reading.unknown)}", stacklevel=2)
            if reading.dropped:
                warnings.warn(
                    f"The caption has {len(reading.words)} words; the first {self.length} are read", stacklevel=2
                )
        return np.asarray(self.embed(self.tokenizer(texts)))

    def condition_ports(self) -> dict[str, Port]:
        """Returns `embedding`."""
        return {"embedding": Port((self.embedding_size,), "value"), **super().condition_ports()}

    def condition_names(self) -> tuple[str, ...]:
        """Returns the three forms of a text: `caption`, `tokens` and `embedding`."""
        return ("caption", "tokens", "embedding", *super().condition_names())

    def conditions_of(
        self, num: int, *, caption: Any = None, tokens: Any = None, embedding: Any = None, **conditions: Any
    ) -> dict[str, np.ndarray]:
        """Returns the text as `embedding`, float32 [num, size].

        Args:
            num: Number of images.
            caption: A caption, or `num` of them.
            tokens: [length], or [num, length].
            embedding: [size], or [num, size].
            **conditions: Other conditions, see `GenerativeModel.conditions_of`.

        Raises:
            ValueError: For none or several forms of text, or another shape.
        """
        others = super().conditions_of(num, **conditions)
        return {"embedding": self.embedding_of(num, caption=caption, tokens=tokens, embedding=embedding), **others}

    def embedding_of(self, num: int, *, caption: Any = None, tokens: Any = None, embedding: Any = None) -> np.ndarray:
        """Returns a text in one of three forms as embeddings, float32 [num, size].

        Args:
            num: Number of rows.
            caption: A caption, or `num` of them.
            tokens: [length], or [num, length].
            embedding: [size], or [num, size].

        Raises:
            ValueError: For none or several forms of text, or another shape.
        """
        forms = {"caption": caption, "tokens": tokens, "embedding": embedding}
        received = [name for name, value in forms.items() if value is not None]
        if len(received) != 1:
            raise ValueError(
                "Expected a text, as one of caption='a red circle', tokens or embedding; received "
                f"{', '.join(received) or 'none'}"
            )
        if caption is not None:
            rows = self.embed_captions(caption)
        elif tokens is not None:
            rows = np.asarray(self.embed(self.tokens_of({"tokens": np.atleast_2d(tokens)})))
        else:
            rows = np.atleast_2d(np.asarray(embedding, np.float32))
            if rows.shape[1:] != (self.embedding_size,):
                raise ValueError(f"Expected embedding [num, {self.embedding_size}]; received the shape {rows.shape}")
        if len(rows) not in (1, num):
            raise ValueError(f"Expected one {received[0]}, or {num} (one for each image); received {len(rows)}")
        return np.broadcast_to(rows, (num, self.embedding_size)).astype(np.float32)

    def embed_endpoint(self) -> Endpoint:
        """Returns `embed`: tokens -> embedding."""
        return Endpoint(
            "embed",
            lambda tokens: {"embedding": self.embed(tokens)},
            {"tokens": Port((self.length,), "value")},
            {"embedding": Port((self.embedding_size,), "value")},
        )
