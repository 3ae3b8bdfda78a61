"""Errors of handlers as messages in the browser, and the time limit of handlers."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from .limits import Request

_END = object()


def user_error(text: str) -> gr.Error:
    """Returns an error to raise: the visitor sees the text, and the console shows no traceback."""
    return gr.Error(text, print_exception=False)


def show_errors(handler: Callable) -> Callable:
    """Wraps a handler for gradio: it runs within the time limit, and visitors see errors of their requests.

    A ValueError concerns the request: the visitor sees its message, and the log has no traceback. An OSError concerns
    a file of the server: the visitor sees its message, and the log has a traceback. Any other error is a defect, which
    only the log shows.

    Args:
        handler: A function, or a generator function.

    Returns:
        An asynchronous function, or asynchronous generator function, with the same arguments.
    """

    @functools.wraps(handler)
    async def wrapped(*args):
        request = Request()
        with _gradio_errors(request):
            return await request.run(handler, *args)

    @functools.wraps(handler)
    async def wrapped_steps(*args):
        request, steps = Request(), handler(*args)
        while True:
            with _gradio_errors(request):
                result = await request.run(next, steps, _END)
            if result is _END:
                return
            yield result

    return wrapped_steps if inspect.isgeneratorfunction(handler) else wrapped


@contextlib.contextmanager
def _gradio_errors(request: Request) -> Iterator[None]:
    try:
        yield
    except gr.Error:  # a ValueError too, with a message for the visitor
        raise
    except ValueError as error:
        raise user_error(str(error)) from error
    except TimeoutError as error:
        raise user_error(
            f"This took longer than {request.limit:g} seconds and was stopped: reduce the request, or try again when "
            "fewer visitors use the app"
        ) from error
    except OSError as error:
        raise gr.Error(str(error)) from error


def require(value: Any, label: str) -> Any:
    """Returns the value of a field.

    Args:
        value: The value, None if the field is empty.
        label: The field's label, for the message.

    Raises:
        gr.Error: If the field is empty.
    """
    if value is None:
        raise user_error(f"{label} is empty: fill it in first")
    return value
