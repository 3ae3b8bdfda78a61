"""Command line options from a declaration: the parameters of a typer command, generated from a dataclass of options."""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from .options import Option, declared


def with_options(
    declaration: type, *, arguments: tuple[str, ...] = (), completion: dict[str, Callable] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a function for `typer` so that its command has an option for each field of a declaration.

    The function receives the values as its keyword argument `options`: a dict, name -> value, as the corresponding
    Python function takes them. Its own parameters follow those of the declaration.

    Args:
        declaration: a dataclass whose fields are declared by `keras_gen.options.option`.
        arguments: names of the fields that are positional arguments of the command.
        completion: name of a field -> function that completes its value in a shell.
    """
    chosen = [each for each in declared(declaration) if each.flag is not None or each.name in arguments]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapper(**values: Any) -> Any:
            options = {each.name: _value(each, values.pop(each.name)) for each in chosen}
            return command(options=options, **values)

        own = [each for each in inspect.signature(command).parameters.values() if each.name != "options"]
        parameters = [*_parameters(chosen, completion or {}), *own]
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        wrapper.__signature__ = inspect.Signature(parameters)  # ty: ignore[missing-attribute]  # see PEP 362
        wrapper.__annotations__ = {each.name: each.annotation for each in parameters}
        return wrapper

    return decorate


def _parameters(chosen: list[Option], completion: dict[str, Callable]) -> Iterator[inspect.Parameter]:
    for each in chosen:
        help, complete = f"{each.help}.", completion.get(each.name)
        if each.flag is None:
            annotation: Any = Annotated[str | None, typer.Argument(help=help, autocompletion=complete)]
        else:
            metavar = None if each.text is None else each.text.metavar
            option = typer.Option(each.flag, metavar=metavar, help=help, autocompletion=complete)
            annotation = Annotated[_type(each), option]  # ty: ignore[invalid-type-form]  # computed
        default = each.default if each.text is None else each.text.default
        yield inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _type(option: Option) -> Any:
    if option.text is None:
        return option.type
    if option.text.repeated:
        return list[str] | None
    return str | None if option.text.default is None else str


def _value(option: Option, value: Any) -> Any:
    """Returns the value for Python of a value from the command line."""
    if option.text is None:
        return value
    if not value:
        return option.default
    return option.text.parse(option.flag or option.name, value)
