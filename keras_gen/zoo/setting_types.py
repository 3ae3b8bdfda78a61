"""Whether settings are of the types that a system's function declares, before one of them fails deep inside a layer."""

import inspect
import numbers
import types
import typing
from collections.abc import Callable, Mapping, Sequence

_NAMES = {int: "an integer", float: "a number", str: "a string", bool: "true or false", dict: "a dict", None: "None"}
_KINDS = {int: numbers.Integral, float: numbers.Real, dict: Mapping}  # numpy's numbers are among them
# settings that count units of a layer; other integers may be 0
_UNITS = ("latent_size", "noise_size", "code_size", "embedding_size", "filters", "units", "length")


def checked_types(key: str, create: Callable, settings: Mapping) -> dict:
    """Refuse a setting whose type is not the one that its parameter declares, or a negative integer.

    Objects that are no plain values, such as a prior or a network, are left to the system.

    Args:
        key: the system, for the message.
        create: the system's function; its keyword arguments are the settings, with their types.
        settings: name -> value; all of them are parameters of `create`.

    Returns:
        The settings, numbers of numpy as Python's: Keras's layers take no others.

    Raises:
        ValueError: naming the setting, the type that is expected, and the value.
    """
    parameters = inspect.signature(create).parameters
    for name, value in settings.items():
        parameter = parameters[name]
        options = _options(parameter.annotation)
        least = 1 if name.endswith(_UNITS) else 0
        counts = int in options and isinstance(value, _KINDS[int]) and not isinstance(value, bool)
        if _fits_any(value, options) and not (counts and value < least):
            continue
        expected = " or ".join(_described(option) for option in options)
        if int in options:
            expected = expected.replace("an integer", f"an integer >= {least}", 1)
        raise ValueError(
            f"Expected {expected} for the setting {name} of {key!r}; received {value!r} "
            f"(the default is {parameter.default!r})"
        )
    return {name: value.item() if _is_numpys(value) else value for name, value in settings.items()}


def _is_numpys(value) -> bool:
    return isinstance(value, numbers.Number) and hasattr(value, "item")


def _options(annotation) -> tuple:
    """The types of an annotation, None for NoneType; empty where it declares none, or names a class of Keras."""
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return ()
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return tuple(
        None if each is type(None) else each for each in (typing.get_args(annotation) if union else (annotation,))
    )


def _fits_any(value, options: tuple) -> bool:
    plain = value is None or isinstance(value, (numbers.Number, str, list, tuple, dict))
    return not options or not plain or any(_fits(value, option) for option in options)


def _fits(value, option) -> bool:
    if option is None:
        return value is None or value is False  # as the command line writes "off"
    origin, inner = typing.get_origin(option) or option, typing.get_args(option)
    if origin is bool or isinstance(value, bool):
        return origin is bool and isinstance(value, bool)
    if origin is Sequence:
        # one name may stand for a list of one
        if isinstance(value, str):
            return inner == (str,)
        return isinstance(value, (list, tuple)) and all(_fits_any(each, inner) for each in value)
    kinds = _KINDS.get(origin, origin)
    return isinstance(value, kinds)


def _described(option) -> str:
    origin, inner = typing.get_origin(option) or option, typing.get_args(option)
    if origin is Sequence:
        return "a list of " + {int: "integers", str: "strings", float: "numbers"}.get(
            inner[0] if inner else None, "values"
        )
    if origin is Mapping:
        return "a dict"
    return _NAMES.get(origin, f"a {getattr(origin, '__name__', origin)}")
