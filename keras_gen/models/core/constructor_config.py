"""A configuration that is read off the constructor: its arguments, and the attributes of the same names."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras


def constructor_arguments(cls: type, base: type) -> list[str]:
    """Returns the names of the arguments that a class takes, those included that it passes on as `**kwargs`.

    Args:
        cls: A subclass of `base`.
        base: The last class whose constructor is read.

    Example:
        >>> class A:
        ...     def __init__(self, *, seed=0): ...
        >>> class B(A):
        ...     def __init__(self, units, **kwargs): ...
        >>> constructor_arguments(B, A)
        ['units', 'seed']
    """
    names = []
    for each in cls.__mro__:
        if "__init__" not in vars(each):
            continue
        own, *parameters = inspect.signature(vars(each)["__init__"]).parameters.values()
        names += [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if each is base or not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return list(dict.fromkeys(names))


def constructor_config(instance: Any, base: type, attributes: Mapping[str, str | None]) -> dict[str, Any]:
    """Returns {argument: value} for every argument of an instance's constructor, with Keras objects serialized.

    Args:
        instance: An instance of a subclass of `base`.
        base: The last class whose constructor is read.
        attributes: Argument -> attribute that holds its value, where the names differ; None for an argument of a base
            class that the instance's own class passes on, which is left out.

    Raises:
        AttributeError: For an argument whose value is no attribute.
    """
    config = {}
    for argument in constructor_arguments(type(instance), base):
        name = attributes.get(argument, argument)
        if name is None:
            continue
        if not hasattr(instance, name):
            raise AttributeError(
                f"Expected the argument {argument!r} of {type(instance).__name__} as an attribute of the same name; "
                "received none: set it in __init__, name another attribute in config_attributes, or write get_config"
            )
        value = getattr(instance, name)
        config[argument] = keras.saving.serialize_keras_object(value) if hasattr(value, "get_config") else value
    return config
