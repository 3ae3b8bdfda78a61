"""Adds the field `tokens`, computed from the captions of a table."""

import dataclasses
from collections.abc import Mapping

from ..info import MappedStream, Table, fingerprint_of
from ..tokenizer import Tokenizer

CAPTION, TOKENS = "caption", "tokens"


def tokenizer_of(tokens: Mapping) -> Tokenizer:
    """Returns the tokenizer of `{"vocabulary": [...], "length": n}`.

    Raises:
        ValueError: For other keys, and as `Tokenizer`.
    """
    if not isinstance(tokens, Mapping) or set(tokens) != {"vocabulary", "length"}:
        received = f"the keys {sorted(tokens)}" if isinstance(tokens, Mapping) else repr(tokens)
        raise ValueError(f"Expected tokens as a dict with the keys 'vocabulary' and 'length'; received {received}")
    return Tokenizer(tokens["vocabulary"], tokens["length"])


def add_tokens(table: Table, tokenizer: Tokenizer) -> Table:
    """Returns a table with the field `tokens`, int32 [length] for each example.

    Args:
        table: A table with the field `caption`.
        tokenizer: The tokenizer.

    Raises:
        ValueError: If there are no captions, or one of them has no word (for a stream, when it is read).
    """
    if CAPTION not in table.fields:
        fields = ", ".join(table.fields)
        raise ValueError(f"Expected a source with the field {CAPTION!r} for tokens; received the fields {fields}.")
    fingerprint = fingerprint_of([table.fingerprint, tokenizer.vocabulary, tokenizer.length])
    if table.stream is None:
        columns = {**table.columns, TOKENS: tokenizer(list(table.columns[CAPTION]))}
        return dataclasses.replace(table, fingerprint=fingerprint, columns=columns)

    def add(row: dict) -> dict:
        import tensorflow as tf

        return {**row, TOKENS: tokenizer.tensor(tf.reshape(row[CAPTION], [1]))[0]}

    stream = MappedStream(table.stream, add, {TOKENS: table.stream.mapping[CAPTION]})
    return dataclasses.replace(table, fingerprint=fingerprint, stream=stream)
