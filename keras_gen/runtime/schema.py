"""Rules for the entries of JSON files, and errors that name the entry that breaks them."""

import json
import math
import pathlib
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

MAX_JSON_BYTES = 1 << 26


class Rule(NamedTuple):
    """A condition on a single value.

    Attributes:
        expected: the condition in words, for the message.
        accepts: value -> whether the value meets the condition.
    """

    expected: str
    accepts: Callable[[Any], Any]


class Items(NamedTuple):
    """A list whose items follow one rule.

    Attributes:
        rule: the rule of each item.
        min_length: fewest items.
        max_length: most items.
    """

    rule: Any
    min_length: int = 0
    max_length: int = 1 << 24


class Each(NamedTuple):
    """An object with any keys, whose values follow one rule.

    Attributes:
        rule: the rule of each value.
    """

    rule: Any


class Nullable(NamedTuple):
    """Null, or a value that follows a rule.

    Attributes:
        rule: the rule of a value that is not null.
    """

    rule: Any


def integer(low: int, high: int) -> Rule:
    """Returns the rule of an integer in [low, high]."""
    return Rule(f"an integer from {low} to {high}", lambda value: type(value) is int and low <= value <= high)


def one_of(values: Iterable[str]) -> Rule:
    """Returns the rule of a string that is one of `values`."""
    values = tuple(values)
    return Rule(f"one of {', '.join(values)}", lambda value: isinstance(value, str) and value in values)


TEXT = Rule("a string that is not empty", lambda value: isinstance(value, str) and value.strip() != "")
NUMBER = Rule("a finite number", lambda value: type(value) in (int, float) and math.isfinite(value))
DIGEST = Rule("64 hexadecimal digits", lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value))
FILE = Rule(
    "the name of a .tflite file in the same folder",
    lambda value: isinstance(value, str) and re.fullmatch(r"\w[\w.-]*\.tflite", value),
)


def read_object(file: pathlib.Path) -> dict[str, Any]:
    """Reads the object in a JSON file; non-finite numbers and repeated keys are errors.

    Raises:
        ValueError: if the file is damaged.
    """
    if file.stat().st_size > MAX_JSON_BYTES:
        raise damaged(file, "size", f"at most {MAX_JSON_BYTES} bytes", str(file.stat().st_size))
    try:
        text = file.read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise ValueError(f"{file} is damaged (no valid JSON): {reason}; copy or export it again") from error
    if not isinstance(content, dict):
        raise damaged(file, "content", "an object", shorten(content))
    return content


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} occurs twice in one object")
    return content


def _refuse_constant(text: str):
    raise ValueError(f"{text} is not a JSON number")


def shorten(value: Any) -> str:
    """Returns a short text for a JSON value of any size and depth."""
    if isinstance(value, dict):
        return f"an object with {len(value)} entries"
    if isinstance(value, list):
        return f"a list of length {len(value)}"
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def damaged(file: pathlib.Path, entry: str, expected: str, received: str) -> ValueError:
    """Returns the error for a file of an export whose content has changed."""
    return ValueError(f"{file} is damaged: {entry}: expected {expected}; received {received}; copy or export it again")


def check_entries(file: pathlib.Path, value: Any, rule: Any, entry: str = "") -> None:
    """Checks a JSON value and everything inside it.

    Args:
        file: the JSON file, for the message.
        value: the JSON value.
        rule: a `Rule`, `Items`, `Each` or `Nullable`, or a dict from keys to rules. A key that ends with "?" is
            optional; keys without a rule are not checked.
        entry: the path of the value in the file, for the message.

    Raises:
        ValueError: for the first value that breaks its rule.
    """
    if isinstance(rule, Nullable):
        if value is not None:
            check_entries(file, value, rule.rule, entry)
    elif isinstance(rule, Rule):
        if not rule.accepts(value):
            raise damaged(file, entry, rule.expected, shorten(value))
    elif isinstance(rule, Items):
        if not isinstance(value, list) or not rule.min_length <= len(value) <= rule.max_length:
            lengths = f"{rule.min_length} to {rule.max_length}"
            raise damaged(file, entry, f"a list of length {lengths}", shorten(value))
        for index, item in enumerate(value):
            check_entries(file, item, rule.rule, f"{entry}[{index}]")
    elif not isinstance(value, dict):
        raise damaged(file, entry, "an object", shorten(value))
    elif isinstance(rule, Each):
        for key, item in value.items():
            check_entries(file, item, rule.rule, f"{entry}.{key}")
    else:
        for key, inner in rule.items():
            optional, key = key.endswith("?"), key.removesuffix("?")
            path = f"{entry}.{key}" if entry else key
            if key in value:
                check_entries(file, value[key], inner, path)
            elif not optional:
                raise damaged(file, path, "an entry", "none")
