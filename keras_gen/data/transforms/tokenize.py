"""The field `tokens`, made of the captions of a table or of a stream."""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..info import Table
from ..tokenizer import Tokenizer

if TYPE_CHECKING:
    import tensorflow as tf

CAPTION, TOKENS = "caption", "tokens"


def tokenizer_of(tokens: Mapping) -> Tokenizer:
    """The tokenizer of `{"vocabulary": [...], "length": n}`.

    Raises:
        ValueError: for other keys, and as `Tokenizer`.
    """
    if not isinstance(tokens, Mapping) or set(tokens) != {"vocabulary", "length"}:
        found = f"the keys {sorted(tokens)}" if isinstance(tokens, Mapping) else repr(tokens)
        raise ValueError(f"tokens: expected a dict with the keys 'vocabulary' and 'length'; received {found}")
    return Tokenizer(tokens["vocabulary"], tokens["length"])


def add_tokens(table: Table, tokenizer: Tokenizer) -> Table:
    """A table with the field `tokens`, int32 [length] for each example.

    Args:
        table: with `caption`.
        tokenizer: makes them.

    Raises:
        ValueError: where there are no captions, or one of a table has no word in it (one of a stream is found only
            when it is read).
    """
    held = list(table.columns) if table.stream is None else list(table.stream.mapping)
    if CAPTION not in held:
        raise ValueError(f"tokens are made of captions, and the source has none; it has {', '.join(held) or 'images'}")
    words = f"{table.fingerprint}|{tokenizer.vocabulary}|{tokenizer.length}"
    digest = hashlib.sha256(words.encode()).hexdigest()
    if table.stream is not None:
        return dataclasses.replace(table, fingerprint=digest, stream=_Tokenized(table.stream, tokenizer))
    return dataclasses.replace(
        table, fingerprint=digest, columns={**table.columns, TOKENS: tokenizer(list(table.columns[CAPTION]))}
    )


class _Tokenized:
    """A stream whose rows have tokens."""

    def __init__(self, stream, tokenizer: Tokenizer):
        self.stream, self.tokenizer = stream, tokenizer
        self.mapping = {**stream.mapping, TOKENS: stream.mapping[CAPTION]}

    def __call__(self, seeds: "tf.Tensor | None") -> "tf.data.Dataset":
        return self.stream(seeds)

    def decode(self, record: "tf.Tensor") -> "dict[str, tf.Tensor]":
        import tensorflow as tf

        row = self.stream.decode(record)
        return {**row, TOKENS: self.tokenizer.tensor(tf.reshape(row[CAPTION], [1]))[0]}
