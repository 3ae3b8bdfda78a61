"""The stages of a model that has grown: the same noise at every resolution."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .conditions import chosen, class_field, classes, told
from .errors import explained, given
from .samples import number_field, seed_field
from .truncation import truncated, truncation_field
from .views import action, sheet, view

NOTE = "A row is one draw of the noise; from left to right, what each stage makes of it, at its own resolution."


def stages_of(model: Runtime) -> dict[str, tuple[int, int, int]]:
    """Endpoint -> (height, width, channels) of every stage that was exported, the smallest first."""
    found = {
        name: tuple(signature["outputs"]["image"]["shape"])
        for name, signature in model.signatures.items()
        if name.partition("_")[0] == "generate"
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


def at_every_stage(model: Runtime, noise: dict[str, np.ndarray], **conditions) -> np.ndarray:
    """Noise {name: [num, *shape]} -> images [num, stages, height, width, channels], small ones enlarged."""
    shapes = stages_of(model)
    height = max(shape[0] for shape in shapes.values())
    columns = []
    for name, shape in shapes.items():
        images = model.run(name, **noise, **conditions)["image"]
        columns.append(images.repeat(height // shape[0], axis=1).repeat(height // shape[0], axis=2))
    return np.stack(columns, axis=1)


def add_stages(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """Fields for seed, number and class, and a row of stages for each draw; endpoint `stages`.

    Args:
        demo: the Blocks that this stands in.
        model: with the endpoints `generate` and `generate_HEIGHTxWIDTH`.
        prefix: of the endpoint's name in the API.
    """
    count = len(classes(model, "generate"))

    def stages(seed, number, label, scale):
        number, seed = int(number), int(given(seed, "Seed"))
        # the runtime's own check of classes, and one-hot labels, come with `generate` alone
        labels = told(label, number, count)
        labels = {name: np.eye(count, dtype=np.float32)[value] for name, value in labels.items()}
        images = at_every_stage(model, truncated(model, number, seed, scale), **labels)
        return sheet(images.reshape(-1, *images.shape[2:]), columns=images.shape[1])

    gr.Markdown(f"{NOTE} Stages: {', '.join(f'{h}x{w}' for h, w, _ in stages_of(model).values())}.")
    with gr.Row():
        seed, number = seed_field(), number_field(6, most=12)
        label, scale = class_field(model, "generate", every=True), truncation_field(model)
        button = action("Draw")
    shown = view("Stages", "The same noise at every stage, a row for each draw", height=560, show_label=False)
    events = [demo.load, button.click, seed.submit, number.release, *chosen(label)]
    if isinstance(scale, gr.Slider):
        events.append(scale.release)
    gr.on(events, explained(stages), [seed, number, label, scale], shown, api_name=f"{prefix}stages")
