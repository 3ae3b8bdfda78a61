"""The demo of models that encode and decode: the autoencoder and the VAE."""

import pathlib

import gradio as gr

from keras_gen.export.runtime import Runtime

from .panels.codes import measure
from .panels.interpolation import add_interpolation
from .panels.latent_map import add_map
from .panels.reconstruction import add_reconstruction
from .panels.samples import add_samples
from .panels.sliders import add_sliders

NOTES = {
    "autoencoder": "An autoencoder learns to reproduce its input, and nothing shapes the distribution of its codes. So "
    "it reconstructs, and its samples, decoded from a standard normal, need not be images at all.",
    "vae": "A VAE reconstructs, and pulls the codes of images towards a prior. So a draw of the prior, decoded, is a "
    "new image.",
}


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Samples, sliders, map, reconstruction and interpolation of one exported model.

    Args:
        folder: the export folder.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/vae/export").launch()  # doctest: +SKIP
    """
    model, prefix = Runtime(folder), f"{name}_" if name else ""
    codes = measure(model)
    told = model.description
    shape = " x ".join(map(str, model.image_shape))
    size = told["files"][model.precision]["bytes"] / 1e3
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, images {shape}, codes of {codes.size} numbers, one file of {size:.0f} kB "
            f"({model.precision}). {NOTES.get(told['system'], '')}"
        )
        with gr.Tabs():
            with gr.Tab("Samples"):
                add_samples(demo, model, prefix)
            with gr.Tab("Sliders"):
                add_sliders(demo, model, codes, prefix)
            if codes.size > 1:
                with gr.Tab("Map"):
                    add_map(demo, model, codes, prefix)
            with gr.Tab("Reconstruct"):
                add_reconstruction(model, prefix)
            with gr.Tab("Interpolate"):
                add_interpolation(model, prefix)
    return demo
