"""The demo of the Progressive GAN: the same noise at every stage, and the growth of its run."""

import pathlib

import gradio as gr

from .panels.growth import add_growth, written
from .panels.limits import open_model
from .panels.samples import add_samples
from .panels.seeds import add_seed_interpolation
from .panels.stages import add_stages, stages_of


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Stages, samples, interpolation and growth of one exported model.

    Args:
        folder: the export folder; where it lies in a run directory with pictures, there is a tab for them.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/progan/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), f"{name}_" if name else ""
    told, shapes = model.description, list(stages_of(model).values())
    size = told["files"][model.precision]["bytes"] / 1e3
    samples = pathlib.Path(folder).resolve().parent / "samples"
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, grown from {shapes[0][0]}x{shapes[0][1]} to {shapes[-1][0]}x{shapes[-1][1]}, one "
            f"file of {size:.0f} kB ({model.precision}) for all {len(shapes)} stages. While it was trained, the "
            "generator and its discriminator grew by a resolution at a time."
        )
        with gr.Tabs():
            with gr.Tab("Stages"):
                add_stages(demo, model, prefix)
            with gr.Tab("Samples"):
                add_samples(demo, model, prefix, truncate=True)
            with gr.Tab("Interpolate"):
                add_seed_interpolation(demo, model, prefix)
            if written(samples):
                with gr.Tab("Growth"):
                    add_growth(demo, samples, prefix)
    return demo
