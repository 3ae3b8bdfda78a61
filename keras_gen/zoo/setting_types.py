"""Checks of settings against the types that a system's function declares, before a layer fails on one of them."""

import inspect
import numbers
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_NAMES = {int: "an integer", float: "a number", str: "a string", bool: "true or false", dict: "a dict", None: "None"}
_ELEMENTS = {int: "integers", str: "strings", float: "numbers"}
_KINDS = {int: numbers.Integral, float: numbers.Real, dict: Mapping}  # these include NumPy's numbers
# settings with these endings are sizes of at least 1; other integers may be 0 (dense_units=0: no dense layer)
_UNITS = (
    *("latent_size", "noise_size", "code_size", "embedding_size", "filters", "length"),
    *("hidden_units", "discriminator_units"),
)


def checked_types(key: str, create: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Checks that every setting has the type of its parameter, and that integers are not negative.

    Values that are not plain, such as a prior or a network, are left to the system.

    Args:
        key: The system, for the message.
        create: The system's function; its keyword arguments, with their types, are the settings.
        settings: Setting -> value; all of them are parameters of `create`.

    Returns:
        The settings, with NumPy numbers converted to Python's: Keras layers accept no others.

    Raises:
        ValueError: For a value of another type; names the setting, the expected type and the value.
    """
    parameters = inspect.signature(create).parameters
    for name, value in settings.items():
        parameter = parameters[name]
        options = _options(parameter.annotation)
        minimum = 1 if name.endswith(_UNITS) and name != "dense_units" else 0  # no hidden dense layer
        is_integer = int in options and isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if _fits_any(value, options) and not (is_integer and value < minimum):
            continue
        expected = " or ".join(_described(option) for option in options)
        if int in options:
            expected = expected.replace("an integer", f"an integer >= {minimum}", 1)
        raise ValueError(
            f"Expected {expected} for the setting {name} of {key!r}; received {value!r} "
            f"(the default is {parameter.default!r})"
        )
    return {name: value.item() if _is_numpy_number(value) else value for name, value in settings.items()}


def _is_numpy_number(value: Any) -> bool:
    return isinstance(value, numbers.Number) and hasattr(value, "item")


def _options(annotation: Any) -> tuple[Any, ...]:
    """Returns the types of an annotation, None for NoneType; empty without one or if it names a class of Keras."""
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return ()
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return tuple(
        None if option is type(None) else option for option in (typing.get_args(annotation) if union else (annotation,))
    )


def _fits_any(value: Any, options: tuple[Any, ...]) -> bool:
    plain = value is None or isinstance(value, (numbers.Number, str, list, tuple, dict))
    return not options or not plain or any(_fits(value, option) for option in options)


def _fits(value: Any, option: Any) -> bool:
    if option is None:
        return value is None or value is False  # the command line writes "off"
    origin, elements = typing.get_origin(option) or option, typing.get_args(option)
    if origin is bool or isinstance(value, bool):
        return origin is bool and isinstance(value, bool)
    if origin is Sequence:
        # a single name is accepted as a list of one
        if isinstance(value, str):
            return elements == (str,)
        return isinstance(value, (list, tuple)) and all(_fits_any(element, elements) for element in value)
    return isinstance(value, _KINDS.get(origin, origin))


def _described(option: Any) -> str:
    origin, elements = typing.get_origin(option) or option, typing.get_args(option)
    if origin is Sequence:
        return f"a list of {_ELEMENTS.get(elements[0], 'values') if elements else 'values'}"
    if origin is Mapping:
        return "a dict"
    return _NAMES.get(origin, f"a {getattr(origin, '__name__', origin)}")
