"""The stages of a progressively grown model: the same noise at every resolution."""

from collections.abc import Mapping
from typing import Any

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

from .conditions import class_field, classes, label_argument, selection_events
from .errors import require, show_errors
from .image_components import action_button, image_grid, image_output
from .samples import number_field, seed_field
from .truncation import truncate_noise, truncation_field

NOTE = "Each row shows the images of one noise vector, from the first stage to the last, each at its own resolution."


def stages_of(model: Runtime) -> dict[str, tuple[int, int, int]]:
    """Returns endpoint -> (height, width, channels) of every exported stage, the smallest first."""
    shapes: dict[str, tuple[int, int, int]] = {}
    for name, signature in model.signatures.items():
        if name.partition("_")[0] == "generate":
            height, width, channels = signature["outputs"]["image"]["shape"]
            shapes[name] = height, width, channels
    return dict(sorted(shapes.items(), key=lambda item: item[1]))


def generate_at_every_stage(model: Runtime, noise: Mapping[str, np.ndarray], **conditions: Any) -> np.ndarray:
    """Returns the images of every stage, [num, stages, height, width, channels], small images enlarged.

    Args:
        model: Model with the endpoints `generate` and `generate_HEIGHTxWIDTH`.
        noise: Input name -> [num, *shape].
        **conditions: Further inputs of the endpoints.
    """
    shapes = stages_of(model)
    height = max(shape[0] for shape in shapes.values())
    columns = []
    for name, shape in shapes.items():
        images = model.run(name, **noise, **conditions)["image"]
        columns.append(images.repeat(height // shape[0], axis=1).repeat(height // shape[0], axis=2))
    return np.stack(columns, axis=1)


def add_stages(demo: gr.Blocks, model: Runtime, prefix: str = "") -> None:
    """Adds fields for seed, number and class, and a row of stages for each noise vector; endpoint `stages`.

    Args:
        demo: The Blocks that contain the panel.
        model: Model with the endpoints `generate` and `generate_HEIGHTxWIDTH`.
        prefix: Prefix of the endpoint's name in the API.
    """
    count = len(classes(model, "generate"))

    def stages(seed, number, label, scale):
        number, seed = int(number), int(require(seed, "Seed"))
        # only `Runtime.generate` checks classes and converts them to one-hot vectors
        labels = label_argument(label, number, count)
        labels = {name: np.eye(count, dtype=np.float32)[value] for name, value in labels.items()}
        images = generate_at_every_stage(model, truncate_noise(model, number, seed, scale), **labels)
        return image_grid(images.reshape(-1, *images.shape[2:]), columns=images.shape[1])

    gr.Markdown(f"{NOTE} Stages: {', '.join(f'{h}x{w}' for h, w, _ in stages_of(model).values())}.")
    with gr.Row():
        seed, number = seed_field(), number_field(6, maximum=12)
        label, scale = class_field(model, "generate", every=True), truncation_field(model)
        button = action_button("Generate")
    grid = image_output(
        "Stages", "The same noise at every stage, a row for each noise vector", height=560, show_label=False
    )
    events = [demo.load, button.click, seed.submit, number.release, *selection_events(label)]
    if isinstance(scale, gr.Slider):
        events.append(scale.release)
    gr.on(events, show_errors(stages), [seed, number, label, scale], grid, api_name=f"{prefix}stages")
