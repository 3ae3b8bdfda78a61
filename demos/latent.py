"""The demo of models that encode and decode: the autoencoder, the VAE and the adversarial autoencoder."""

import pathlib

import gradio as gr

from .panels.categories import Categories, has_categories
from .panels.classification import add_classification
from .panels.codes import measure
from .panels.interpolation import add_interpolation
from .panels.latent_map import add_map
from .panels.limits import open_model
from .panels.reconstruction import add_reconstruction
from .panels.samples import add_samples
from .panels.sliders import add_sliders

NOTES = {
    "autoencoder": "An autoencoder learns to reproduce its input, and nothing shapes the distribution of its codes. So "
    "it reconstructs, and its samples, decoded from a standard normal, need not be images at all.",
    "vae": "A VAE reconstructs, and pulls the codes of images towards a prior. So a draw of the prior, decoded, is a "
    "new image.",
    "aae": "An adversarial autoencoder reconstructs, and a discriminator made the distribution of its codes that of "
    "the prior. So a draw of the prior, decoded, is a new image.",
}


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Samples, sliders, map, reconstruction and interpolation of one exported model; with categories, also these.

    Where a code is a category and a style, sliders and map move the style and a menu sets the category; interpolation
    goes from one whole code to the other.

    Args:
        folder: the export folder.
        name: put before the names of the endpoints in the API, with an underscore, where several demos share an app.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.

    Example:
        >>> build_demo("runs/vae/export").launch()  # doctest: +SKIP
    """
    runtime, prefix = open_model(folder), f"{name}_" if name else ""
    model = Categories(runtime) if has_categories(runtime) else runtime
    codes = measure(model)
    told = runtime.description
    shape = " x ".join(map(str, runtime.image_shape))
    size = told["files"][runtime.precision]["bytes"] / 1e3
    parts = f"a category (one of {model.count}) and a style of " if model is not runtime else ""
    with gr.Blocks(title=told["title"], analytics_enabled=False) as demo:
        gr.Markdown(
            f"**{told['title']}**, images {shape}, codes of {parts}{codes.size} numbers, one file of {size:.0f} kB "
            f"({runtime.precision}). {NOTES.get(told['system'], '')}"
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
                add_reconstruction(runtime, prefix)
            with gr.Tab("Interpolate"):
                add_interpolation(runtime, prefix)
            if model is not runtime:
                with gr.Tab("Classify"):
                    add_classification(model, prefix)
    return demo
