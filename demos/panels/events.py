"""Events that update an image while a visitor moves a slider or edits a field."""

from collections.abc import Callable, Sequence

import gradio as gr
from gradio.components import Component

from .errors import show_errors


def slider_events(sliders: Sequence[gr.Slider]) -> list[Callable]:
    """Returns the events of sliders that a visitor moves; the button that resets a slider only triggers `release`."""
    return [event for slider in sliders for event in (slider.input, slider.release)]


def on_live(
    events: Sequence[Callable],
    handler: Callable,
    inputs: Sequence[Component],
    outputs: Component | Sequence[Component],
    api_name: str,
) -> None:
    """Calls a handler at events that follow one another quickly: without a progress bar, and only for the last one.

    Args:
        events: Events of components, such as those of `slider_events`.
        handler: The handler, which `show_errors` wraps here.
        inputs: Fields whose values are the handler's arguments.
        outputs: Components that show its results.
        api_name: Name of the endpoint in the API.
    """
    gr.on(
        events,
        show_errors(handler),
        inputs,
        outputs,
        api_name=api_name,
        show_progress="hidden",
        trigger_mode="always_last",
    )
