"""Options that are declared once, as the fields of a frozen dataclass.

A field declared with `option` states its type, default, help text, validation, place in a run's config.json, whether a
resumed run may change it, and how it is written on the command line. Keyword arguments, command line and config.json
follow from these declarations. This module imports neither numpy nor TensorFlow.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

# (name of the option, value) -> the value to store; raises a ValueError for a value that does not fit
Check = Callable[[str, Any], Any]
_OPTION = "option"


class Text(NamedTuple):
    """How a value is written on the command line, where it is not simply a number, a word or a switch.

    Attributes:
        parse: (flag, text) -> value; raises a ValueError for a text that does not fit.
        default: the text that stands for the default; None where the default is None or empty.
        repeated: whether the flag may be given several times; `parse` then receives the list of texts.
        metavar: placeholder of the value in the help; None shows the type.
    """

    parse: Callable[[str, Any], Any]
    default: str | None = None
    repeated: bool = False
    metavar: str | None = None


@dataclasses.dataclass(frozen=True)
class Option:
    """The declaration of one option.

    Attributes:
        name: name of the field, which is also the name of the keyword argument.
        help: one sentence without a final period.
        default: value where the option is not given; mappings default to an empty one.
        type: type of a value on the command line, without a `Text`.
        check: validates a value that is not None, and may convert it.
        section: section of config.json with the option, "" for the top level; None where it is not stored.
        key: name in that section; None is `name`.
        resumable: whether a resumed run may change the option.
        flag: flag on the command line; None where the option is a positional argument or has no place there.
        text: how a value is written on the command line.
    """

    name: str
    help: str
    default: Any
    type: Any
    check: Check | None
    section: str | None
    key: str
    resumable: bool
    flag: str | None
    text: Text | None


def option(
    default: Any,
    help: str,
    *,
    check: Check | None = None,
    section: str | None = None,
    key: str | None = None,
    resumable: bool = False,
    flag: str | None = "",
    text: Text | None = None,
    type: Any = None,
) -> Any:
    """Declares a field of an options dataclass.

    Args:
        default: value where the option is not given; a mapping is copied for each instance.
        help: one sentence without a final period; the documentation of the keyword argument begins with it.
        check: (name, value) -> value to store, for a value that is not None.
        section: section of config.json with the option, "" for the top level; None where it is not stored.
        key: name in that section; None is the name of the field.
        resumable: whether a resumed run may change the option.
        flag: flag on the command line; "" derives it from the name of the field, None declares no flag.
        text: how a value is written on the command line; None uses the type.
        type: type on the command line, where it is not the type of the field.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Config:
        ...     epochs: int | None = option(None, "Number of epochs", check=integer(1), resumable=True)
        ...
        ...     __post_init__ = validate
        >>> Config(epochs=3), [each.flag for each in declared(Config)]
        (Config(epochs=3), ['--epochs'])
        >>> Config(epochs=0)
        Traceback (most recent call last):
        ValueError: Expected an integer >= 1 for epochs; received 0
    """
    metadata = {
        "help": help,
        "check": check,
        "section": section,
        "key": key,
        "resumable": resumable,
        "flag": flag,
        "text": text,
        "type": type,
    }
    if isinstance(default, Mapping):
        return dataclasses.field(default_factory=lambda: dict(default), metadata={_OPTION: metadata})
    return dataclasses.field(default=default, metadata={_OPTION: metadata})


def declared(options: Any) -> Iterator[Option]:
    """Returns the options of a dataclass, in the order of its fields.

    Args:
        options: the dataclass, or an instance of it.
    """
    for field in dataclasses.fields(options):
        metadata = dict(field.metadata[_OPTION])
        default = {} if field.default is dataclasses.MISSING else field.default
        if metadata["flag"] == "":
            metadata["flag"] = f"--{field.name.replace('_', '-')}"
        metadata["key"] = metadata["key"] or field.name
        metadata["type"] = metadata["type"] or field.type
        yield Option(name=field.name, default=default, **metadata)


def validate(options: Any) -> None:
    """Checks all values of a dataclass of options and stores the results of the checks; serves as `__post_init__`.

    Raises:
        ValueError: for a value that does not fit.
    """
    for each in declared(options):
        value = getattr(options, each.name)
        if each.check is not None and value is not None:
            object.__setattr__(options, each.name, each.check(each.name, value))


def to_json(options: Any) -> dict[str, Any]:
    """Returns the stored options as in a config.json: {section: {key: value}}, and {key: value} at the top level."""
    content: dict[str, Any] = {}
    for each in declared(options):
        if each.section is not None:
            section = content.setdefault(each.section, {}) if each.section else content
            section[each.key] = as_json(getattr(options, each.name))
    return content


def stored_values(options: type, content: Mapping) -> dict[str, Any]:
    """Returns {name: value} of the stored options in the content of a config.json, defaults for missing ones."""
    values = {}
    for each in declared(options):
        if each.section is not None:
            section = content.get(each.section, {}) if each.section else content
            values[each.name] = section.get(each.key, each.default)
    return values


def differences(requested: Any, stored: Any) -> list[str]:
    """Returns, in words, where requested options differ from stored ones that a resume may not change.

    An option that has its default value counts as not requested. Mappings are compared key by key.

    Args:
        requested: a dataclass of options.
        stored: another instance of the same class.
    """
    different = []
    for each in declared(requested):
        value, expected = getattr(requested, each.name), getattr(stored, each.name)
        if each.section is None or each.resumable or value is None or value == each.default:
            continue
        if isinstance(value, Mapping):
            pairs = [(f"{each.name}[{key!r}]", entry, expected.get(key)) for key, entry in value.items()]
        else:
            pairs = [(each.name, value, expected)]
        different += [
            f"{name} is {old!r}, received {new!r}" for name, new, old in pairs if as_json(new) != as_json(old)
        ]
    return different


def as_json(value: Any) -> Any:
    """Returns a value as it comes back from a JSON file: tuples as lists, keys as strings."""
    return json.loads(json.dumps(value))


def integer(minimum: int, maximum: int | None = None) -> Check:
    """Returns a check for integers from `minimum` to `maximum`; without a maximum where that is None."""
    expected = f"an integer >= {minimum}" if maximum is None else f"an integer from {minimum} to {maximum}"

    def check(name: str, value: Any) -> int:
        if type(value) is not int or value < minimum or (maximum is not None and value > maximum):
            raise ValueError(f"Expected {expected} for {name}; received {value!r}")
        return value

    return check


def positive(name: str, value: Any) -> float:
    """Returns a check for numbers above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f"Expected a number > 0 for {name}; received {value!r}")
    return value


def one_of(*choices: str) -> Check:
    """Returns a check for one of several words."""

    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise ValueError(f"Expected one of {', '.join(choices)} for {name}; received {value!r}")
        return value

    return check


def parse_names(flag: str, text: str) -> list[str]:
    """Returns the names in a text: `"a, b"` -> `["a", "b"]`."""
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_size(flag: str, text: str) -> int | tuple[int, int]:
    """Returns the size in a text: `"64"` -> 64; `"48x64"` -> (48, 64), height and width.

    Raises:
        ValueError: for anything else.
    """
    if not (match := re.fullmatch(r"([1-9][0-9]{0,5})(?:x([1-9][0-9]{0,5}))?", text)):
        raise ValueError(f"Expected a number of pixels, or HEIGHTxWIDTH such as 48x64, for {flag}; received {text!r}")
    height, width = match.groups()
    return int(height) if width is None else (int(height), int(width))


def parse_range(flag: str, text: str) -> tuple[float, float]:
    """Returns the range in a text: `"0,4095"` -> `(0.0, 4095.0)`.

    Raises:
        ValueError: for anything but two numbers.
    """
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"Expected LOW,HIGH, such as 0,4095, for {flag}; received {text!r}") from None
    return low, high


def parse_settings(flag: str, texts: list[str]) -> dict[str, Any]:
    """Returns the settings in texts: `["beta=4", "network=mlp"]` -> `{"beta": 4, "network": "mlp"}`.

    A value is JSON, or one of the words True, False and None, or else a string.

    Raises:
        ValueError: for a text without a name or an equals sign.
    """
    return dict(_parse_setting(flag, text) for text in texts)


def _parse_setting(flag: str, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"Expected KEY=VALUE, such as latent_size=16, for {flag}; received {text!r}")
    words = {"True": True, "False": False, "None": None}
    try:
        return name, words[value] if value in words else json.loads(value)
    except json.JSONDecodeError:
        return name, value


SIZE = Text(parse_size)
NAMES = Text(parse_names)
RANGE = Text(parse_range, metavar="LOW,HIGH")
SETTINGS = Text(parse_settings, repeated=True, metavar="KEY=VALUE")
