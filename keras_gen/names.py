"""Classes and attributes by name or by index: the one rule that every entry point follows.

In Python an integer is an index and a text is a name. On a command line everything is text: see `read_index`.
`keras_gen/export/runtime.py` has the same functions, since it is copied to devices alone.
"""

import difflib
import re

MOST_NAMES = 20  # in a message


def index_of(what: str, name: str, names, count: int) -> int:
    """The index of a name.

    Args:
        what: what is named, "class" or "attribute", for messages.
        name: one of `names`.
        names: of the indices 0, 1, ...; fewer than `count` where the last ones have none; None where none has one.
        count: how many indices there are.

    Raises:
        ValueError: for an unknown name; lists the names, the most similar ones first.
    """
    names = list(names or ())
    if name in names:
        return names.index(name)
    if not names:
        raise ValueError(f"Unknown {what} {name!r}: this model knows no names, and the indices 0 to {count - 1}")
    lowered = {known.lower(): known for known in names}
    close = [lowered[each] for each in difflib.get_close_matches(name.lower(), lowered, cutoff=0.5)]
    listed = [*close, *(known for known in names if known not in close)]
    listed = listed if len(listed) <= MOST_NAMES else [*listed[:MOST_NAMES], f"... ({len(listed)} in all)"]
    raise ValueError(f"Unknown {what} {name!r}: this model knows {', '.join(listed)} (indices 0 to {count - 1})")


def indices_of(what: str, values, names, count: int):
    """One value or several, with every name among them replaced by its index; everything else stays as it is.

    Args:
        what, names, count: as for `index_of`.
        values: an integer, a name, or a sequence or array of them.
    """
    if isinstance(values, str):
        return index_of(what, values, names, count)
    if hasattr(values, "dtype") and values.dtype.kind in "OSU":
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        return [index_of(what, each, names, count) if isinstance(each, str) else each for each in values]
    return values


def read_index(what: str, text: str, names, count: int) -> int:
    """The index that a text on a command line means: a name, an index, `name:NAME` or `index:INDEX`.

    Args:
        what, names, count: as for `index_of`.
        text: without surrounding spaces.

    Raises:
        ValueError: for an unknown name, an index out of range, or a text that is a name and the index of another.

    Example:
        >>> read_index("class", "cat", ("cat", "dog"), 2), read_index("class", "1", ("cat", "dog"), 2)
        (0, 1)
    """
    names = list(names or ())
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) and int(text) < count else None
    if text in names:
        named = names.index(text)
        if number is None or number == named:
            return named
        other = f"{what} {names[number]!r}" if number < len(names) else f"a {what} without a name"
        raise ValueError(
            f"{text} is the name of {what} {named}, and the index of {other}: write name:{text} or index:{text}"
        )
    if number is not None:
        return number
    kind, colon, rest = text.partition(":")
    if colon and kind == "index":
        return read_index(what, rest, (), count)
    return index_of(what, rest if colon and kind == "name" else text, names, count)


def read_indices(what: str, text: str, names, count: int) -> list[int]:
    """The indices that a text with commas means, see `read_index`; a text that is one name with commas is that one."""
    if text in (names or ()):
        return [read_index(what, text, names, count)]
    parts = [part.strip() for part in text.split(",")]
    return [read_index(what, part, names, count) for part in parts]
