"""The demo of models that encode and decode, such as an autoencoder or a VAE."""

import pathlib

import gradio as gr

from .panels.categories import Categories, has_categories
from .panels.classification import add_classification
from .panels.codes import measure
from .panels.interpolation import add_interpolation
from .panels.latent_map import add_map
from .panels.limits import open_model
from .panels.model_demo import endpoint_prefix, model_demo, shape_text
from .panels.reconstruction import add_reconstruction
from .panels.samples import add_samples
from .panels.sliders import add_sliders

NOTES = {  # by system, because the exported endpoints do not tell them apart
    "autoencoder": "An autoencoder learns to reproduce its input, and nothing shapes the distribution of its codes. "
    "It reconstructs images, but codes from a standard normal need not decode to images at all.",
    "vae": "A VAE reconstructs images, and keeps their codes close to a prior. A code from the prior therefore decodes "
    "to a new image.",
    "aae": "An adversarial autoencoder reconstructs images, and a discriminator matches the distribution of its codes "
    "to the prior. A code from the prior therefore decodes to a new image.",
}


def build_demo(folder: str | pathlib.Path, name: str = "") -> gr.Blocks:
    """Returns a demo with the samples, sliders, map, reconstructions and interpolations of one exported model.

    If a code consists of a category and a style, sliders and map change the style, and a menu sets the category;
    interpolation is between whole codes, and a further tab classifies uploads.

    Args:
        folder: The export folder.
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.

    Example:
        >>> build_demo("runs/vae/export").launch()  # doctest: +SKIP
    """
    runtime, prefix = open_model(folder), endpoint_prefix(name)
    categories = Categories(runtime) if has_categories(runtime) else None
    model = categories or runtime
    codes = measure(model)
    parts = f"a category (one of {categories.count}) and a style of " if categories else ""
    details = f"images {shape_text(runtime.image_shape)}, codes of {parts}{codes.size} numbers"
    with model_demo(runtime, details, NOTES.get(runtime.description["system"], "")) as demo, gr.Tabs():
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
        if categories:
            with gr.Tab("Classify"):
                add_classification(categories, prefix)
    return demo
