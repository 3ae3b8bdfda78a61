"""An app with handlers that work, are slow, and fail, served with a short time limit; see test_limits.py."""

import os
import time

os.environ["GRADIO_IS_E2E_TEST"] = "1"  # before gradio: a closed session is noticed after 0.25 seconds instead of 15

import gradio as gr

from demos.app import App, launch
from demos.panels.errors import show_errors


def missing():
    raise FileNotFoundError("samples/ is gone")


def defect():
    return {}["nothing"]


def mistake():
    raise ValueError("Expected a word; received none")


def build_app() -> App:
    """Returns the app: a field from 0 to 9, a state, and a button for each handler."""
    with App(analytics_enabled=False) as app:
        state, field, shown, sizes = gr.State([0]), gr.Number(0, minimum=0, maximum=9), gr.Number(), gr.JSON()
        button = gr.Button()
        work = show_errors(lambda state, value: ([*state, value], value))
        button.click(work, [state, field], [state, shown], api_name="work")
        for handler in (missing, defect, mistake):
            button.click(show_errors(handler), None, shown, api_name=handler.__name__)
        button.click(show_errors(lambda: time.sleep(2)), None, shown, api_name="slow")
        button.click(lambda: [len(app.state_holder.session_data), app.state_holder.capacity], None, sizes,
                     api_name="sessions")  # fmt: skip
        app.unload(app.forget)
    return app


if __name__ == "__main__":
    launch(build_app(), time_limit=0.3)
