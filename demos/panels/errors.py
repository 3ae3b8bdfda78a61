"""What goes wrong in a handler, as a message in the browser, and what takes too long."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator

import gradio as gr

from .limits import Request

_END = object()


def complaint(text: str) -> gr.Error:
    """An error to raise: the person reads the text, and the console stays quiet."""
    return gr.Error(text, print_exception=False)


def explained(handler: Callable) -> Callable:
    """A handler for gradio that runs within the time limit and shows the person what is wrong with a request.

    A ValueError is about what the person asked for: they read it, and the log stays quiet. An OSError is about a file
    of the server: they read it, and the log has a traceback too. Any other error is a defect: the log alone has it.

    Args:
        handler: a function, or a function that yields one result after the other.

    Returns:
        An asynchronous function, or asynchronous generator function, of the same arguments.
    """

    @functools.wraps(handler)
    async def wrapped(*args):
        request = Request()
        with _shown(request):
            return await request.run(handler, *args)

    @functools.wraps(handler)
    async def wrapped_steps(*args):
        request, steps = Request(), handler(*args)
        while True:
            with _shown(request):
                found = await request.run(next, steps, _END)
            if found is _END:
                return
            yield found

    return wrapped_steps if inspect.isgeneratorfunction(handler) else wrapped


@contextlib.contextmanager
def _shown(request: Request) -> Iterator[None]:
    try:
        yield
    except gr.Error:  # is a ValueError too, and says what it has to say
        raise
    except ValueError as error:
        raise complaint(str(error)) from error
    except TimeoutError as error:
        raise complaint(
            f"This took longer than {request.limit:g} seconds and was stopped: ask for less, or try again when fewer "
            "people are here"
        ) from error
    except OSError as error:
        raise gr.Error(str(error)) from error


def given(value, what: str):
    """The value of a field.

    Raises:
        gr.Error: where it was left empty.
    """
    if value is None:
        raise complaint(f"{what} is empty: fill it in first")
    return value
