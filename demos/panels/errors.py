"""What goes wrong in a handler, as a message in the browser."""

import functools
from collections.abc import Callable

import gradio as gr


def complaint(text: str) -> gr.Error:
    """An error to raise: the person reads the text, and the console stays quiet."""
    return gr.Error(text, print_exception=False)


def explained(handler: Callable) -> Callable:
    """The handler with its ValueError and OSError shown to the person; any other error is one of ours."""

    @functools.wraps(handler)
    def wrapped(*args):
        try:
            return handler(*args)
        except gr.Error:  # is a ValueError too, and says what it has to say
            raise
        except (ValueError, OSError) as error:
            raise complaint(str(error)) from error

    return wrapped


def given(value, what: str):
    """The value of a field.

    Raises:
        gr.Error: where it was left empty.
    """
    if value is None:
        raise complaint(f"{what} is empty: fill it in first")
    return value
