"""An app with working, slow and failing handlers, served with a short time limit; see test_limits.py."""

import os
import time

os.environ["GRADIO_IS_E2E_TEST"] = "1"  # before the import of gradio: detects closed sessions in 0.25 s, not 15 s

import gradio as gr

from demos.app import App, launch
from demos.panels.errors import show_errors


def raise_missing_file():
    raise FileNotFoundError("samples/ is gone")


def raise_defect():
    return {}["nothing"]


def raise_user_error():
    raise ValueError("Expected a word; received none")


def build_app() -> App:
    """Returns the app: a field from 0 to 9, a state, and a button for each handler."""
    with App(analytics_enabled=False) as app:
        state, field, output, sizes = gr.State([0]), gr.Number(0, minimum=0, maximum=9), gr.Number(), gr.JSON()
        button = gr.Button()
        work = show_errors(lambda state, value: ([*state, value], value))
        button.click(work, [state, field], [state, output], api_name="work")
        handlers = {"missing": raise_missing_file, "defect": raise_defect, "mistake": raise_user_error}
        for name, handler in handlers.items():
            button.click(show_errors(handler), None, output, api_name=name)
        button.click(show_errors(lambda: time.sleep(2)), None, output, api_name="slow")
        button.click(lambda: [len(app.state_holder.session_data), app.state_holder.capacity], None, sizes,
                     api_name="sessions")  # fmt: skip
        app.unload(app.forget)
    return app


if __name__ == "__main__":
    launch(build_app(), time_limit=0.3)
