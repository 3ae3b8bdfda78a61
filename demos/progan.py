"""The demo of the Progressive GAN: the same noise at every stage, and the progress of its training."""

import pathlib

import gradio as gr

from .panels.growth import add_growth, epoch_pictures
from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix, model_demo
from .panels.samples import add_samples
from .panels.seeds import add_seed_interpolation
from .panels.stages import add_stages, stages_of

NOTE = "During training the generator and its discriminator grew by one resolution at a time."


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with the stages, samples, interpolations and training progress of one exported model.

    Args:
        folder: The export folder. If its run directory has sample pictures, a tab shows them.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.

    Example:
        >>> build_demo("runs/progan/export").launch()  # doctest: +SKIP
    """
    model, prefix = open_model(folder), endpoint_prefix(name)
    shapes = list(stages_of(model).values())
    samples = pathlib.Path(folder).resolve().parent / "samples"
    (height, width, _), (full_height, full_width, _) = shapes[0], shapes[-1]
    details = f"images that grew from {height}x{width} to {full_height}x{full_width} in {len(shapes)} stages"
    with model_demo(model, details, NOTE) as demo, gr.Tabs():
        with gr.Tab("Stages"):
            add_stages(demo, model, prefix)
        with gr.Tab("Samples"):
            add_samples(demo, model, prefix, truncate=True)
        with gr.Tab("Interpolate"):
            add_seed_interpolation(demo, model, prefix)
        if epoch_pictures(samples):
            with gr.Tab("Training"):
                add_growth(demo, samples, prefix)
    return demo
