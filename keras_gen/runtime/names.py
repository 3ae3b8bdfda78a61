"""Classes, attributes and domains by name or by index: the one rule that every entry point follows.

In Python an integer is an index and a string is a name. On a command line everything is a string: see `read_index`.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Any

MAX_LISTED = 20  # names in a message


def index_of(what: str, name: str, names: Sequence[str] | None, count: int) -> int:
    """Returns the index of a name.

    Args:
        what: "class", "attribute" or "domain", for messages.
        name: one of `names`.
        names: the names of the indices 0, 1, ...; shorter than `count` if the last ones have no name; None if none has.
        count: number of indices.

    Raises:
        ValueError: for an unknown name; the message lists the names, the most similar ones first.
    """
    known = list(names or ())
    if name in known:
        return known.index(name)
    if not known:
        raise ValueError(
            f"Expected the {what} as an index from 0 to {count - 1} (there are no names); received {name!r}"
        )
    lowered = {each.lower(): each for each in known}
    similar = [lowered[each] for each in difflib.get_close_matches(name.lower(), lowered, cutoff=0.5)]
    listed = [*similar, *(each for each in known if each not in similar)]
    if len(listed) > MAX_LISTED:
        listed = [*listed[:MAX_LISTED], f"... ({len(listed)} in all)"]
    raise ValueError(
        f"Expected the {what} as one of {', '.join(listed)} (or an index from 0 to {count - 1}); received {name!r}"
    )


def indices_of(what: str, values: Any, names: Sequence[str] | None, count: int) -> Any:
    """Replaces every name in one or several values by its index and leaves everything else unchanged.

    Args:
        what: as in `index_of`.
        values: an integer, a name, or a sequence or array of them.
        names: as in `index_of`.
        count: as in `index_of`.
    """
    if isinstance(values, str):
        return index_of(what, values, names, count)
    if hasattr(values, "dtype") and values.dtype.kind in "OSU":
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        return [index_of(what, each, names, count) if isinstance(each, str) else each for each in values]
    return values


def read_index(what: str, text: str, names: Sequence[str] | None, count: int) -> int:
    """Returns the index that a command-line text means: a name, an index, `name:NAME` or `index:INDEX`.

    Args:
        what: as in `index_of`.
        text: without surrounding spaces.
        names: as in `index_of`.
        count: as in `index_of`.

    Raises:
        ValueError: for an unknown name, an index out of range, or a text that is one class's name and another's index.

    Example:
        >>> read_index("class", "cat", ("cat", "dog"), 2), read_index("class", "1", ("cat", "dog"), 2)
        (0, 1)
    """
    known = list(names or ())
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) and int(text) < count else None
    if text in known:
        named = known.index(text)
        if number is None or number == named:
            return named
        other = f"{what} {known[number]!r}" if number < len(known) else f"a {what} without a name"
        raise ValueError(
            f"{text} is the name of {what} {named}, and the index of {other}: write name:{text} or index:{text}"
        )
    if number is not None:
        return number
    kind, colon, rest = text.partition(":")
    if colon and kind == "index":
        return read_index(what, rest, (), count)
    return index_of(what, rest if colon and kind == "name" else text, known, count)


def read_indices(what: str, text: str, names: Sequence[str] | None, count: int) -> list[int]:
    """Returns the indices that a comma-separated text means; a text that is itself a name is that one.

    Args:
        what: as in `index_of`.
        text: names or indices, see `read_index`, separated by commas.
        names: as in `index_of`.
        count: as in `index_of`.
    """
    if text in (names or ()):
        return [read_index(what, text, names, count)]
    return [read_index(what, part.strip(), names, count) for part in text.split(",")]


def read_domain(text: str, names: Sequence[str] | None) -> int:
    """Returns the domain, 0 or 1, that a command-line text means: a letter, A or B, or any text of `read_index`.

    Args:
        text: without surrounding spaces.
        names: the names of domain A and domain B, or None.

    Raises:
        ValueError: as `read_index`, and for a letter of one domain that is the name of the other.
    """
    known = list(names or ())
    letter = ["A", "B"].index(text.upper()) if text.upper() in ("A", "B") else None
    if letter is not None and text in known and known.index(text) != letter:
        raise ValueError(
            f"{text} is the name of domain {'AB'[known.index(text)]}, and the letter of domain {known[letter]!r}: "
            f"write name:{text} or index:{letter}"
        )
    return read_index("domain", text, known or ["A", "B"], 2) if letter is None else letter
