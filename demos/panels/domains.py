"""An upload in all domains, and with attributes that the visitor sets by sliders or by name."""

import gradio as gr
import numpy as np
from numpy.typing import ArrayLike

from keras_gen import pictures
from keras_gen.runtime import Runtime

from .conditions import selection_events
from .errors import show_errors, user_error
from .events import on_live, slider_events
from .image_components import GRID_PIXELS, display_image, image_output
from .uploads import RULE, invert_field, read_image, upload

SLIDERS = 16
COLUMNS = 6


class Domains:
    """An exported model that translates images between attributes.

    Args:
        model: Model with the endpoints `translate` and `classify`, and `attributes` in its description.

    Attributes:
        model: The exported model itself.
        image_shape: (height, width, channels).
        names: Names of the attributes.
        groups: [attributes], the index of each attribute's group.
        exclusive: [attributes], whether an attribute excludes the others of its group.
        datasets: [attributes], the index of the dataset that labels each attribute.
    """

    def __init__(self, model: Runtime):
        attributes = model.description["attributes"]
        self.model, self.image_shape, self.names = model, model.image_shape, attributes["names"]
        sizes = np.array(attributes["groups"])
        self.groups = np.repeat(np.arange(len(sizes)), sizes)
        self.exclusive = sizes[self.groups] > 1
        self.datasets = np.array(attributes["datasets"] or [0] * len(sizes))[self.groups]

    def classify(self, image: np.ndarray) -> np.ndarray:
        """Returns the probabilities of the attributes of one image, float32 [attributes]."""
        return self.model.run("classify", image=image[None])["attributes"][0]

    def most_probable(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns the most probable attributes, zeros and ones [attributes]."""
        vector = np.where(self.exclusive, 0.0, probabilities > 0.5)
        for group in np.unique(self.groups[self.exclusive]):
            inside = np.flatnonzero(self.groups == group)
            vector[inside[probabilities[inside].argmax()]] = 1
        return vector

    def translate_to_all(self, image: np.ndarray) -> np.ndarray:
        """Returns one image in every exclusive domain, and with each other attribute flipped: [attributes, ...]."""
        start = self.most_probable(self.classify(image))
        vectors = np.repeat(start[None], len(self.names), axis=0)
        for entry, vector in enumerate(vectors):
            vector[self.groups == self.groups[entry]] = 0
            vector[entry] = 1 if self.exclusive[entry] else 1 - start[entry]
        return np.stack(
            [
                self.translate(image, vector, int(dataset))
                for vector, dataset in zip(vectors, self.datasets, strict=True)
            ]
        )

    def translate(self, image: np.ndarray, vector: np.ndarray, dataset: int) -> np.ndarray:
        """Returns one image translated to a vector of a dataset's attributes."""
        return self.model.translate(image[None], [np.asarray(vector, np.float32)], dataset)[0]

    def normalize_shares(self, values: ArrayLike) -> np.ndarray:
        """Returns the attribute vector of slider values, [attributes].

        The values of a group of exclusive domains are shares, which are divided by their sum.

        Raises:
            gr.Error: If all values of a group are 0.
        """
        vector = np.array(values, np.float64)
        for group in np.unique(self.groups[self.exclusive]):
            inside = self.groups == group
            if not vector[inside].sum():
                names = ", ".join(np.array(self.names)[inside])
                raise user_error(f"All of {names} are 0: increase one of them")
            vector[inside] /= vector[inside].sum()
        return vector


def add_domains(model: Domains, prefix: str = "") -> None:
    """Adds an upload, its domains, sliders and a field for names; endpoints `domains`, `mix` and `named`.

    Args:
        model: The exported model.
        prefix: Prefix of the endpoints' names in the API.
    """
    entries = range(min(SLIDERS, len(model.names)))
    num_datasets = int(model.datasets.max()) + 1

    def domains(path, invert):
        image = read_image(path, model.model, invert)
        columns = min(COLUMNS, len(model.names))
        scale = max(1, GRID_PIXELS // (columns * image.shape[1]))
        grid = pictures.grid(model.translate_to_all(image), columns, scale=scale, labels=model.names)
        grid = np.broadcast_to(grid, (*grid.shape[:2], 3))
        values = model.most_probable(model.classify(image))
        return display_image(image), grid, *[float(values[entry]) for entry in entries], display_image(image)

    def mix(path, invert, dataset, *values):
        image = read_image(path, model.model, invert)
        vector = model.most_probable(model.classify(image))
        vector[list(entries)] = values
        return display_image(model.translate(image, model.normalize_shares(vector), int(dataset or 0)))

    def translate_named(path, invert, text):
        image = read_image(path, model.model, invert)
        names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
        return display_image(model.model.translate(image[None], names)[0])

    gr.Markdown(RULE)
    with gr.Row():
        with gr.Column(scale=1, min_width=240):
            path = upload("Image")
            invert = invert_field(model.image_shape)
            button = gr.Button("Show every domain", variant="primary")
            model_input = image_output("Model input", "The upload at the model's resolution", height=260)
        with gr.Column(scale=3, min_width=320):
            text = "The upload in every domain; attributes without exclusive alternatives are flipped"
            grid = image_output("Every domain", text, height=560)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            gr.Markdown("Between domains: the sliders of domains that exclude each other are shares.")
            choices = [(f"dataset {index}", index) for index in range(num_datasets)]
            dataset = gr.Dropdown(choices, value=0, label="Attributes of") if num_datasets > 1 else gr.State(0)
            with gr.Row():
                sliders = [gr.Slider(0, 1, value=0, step=0.05, label=model.names[entry], min_width=200)
                           for entry in entries]  # fmt: skip
            with gr.Row():
                names = gr.Textbox(label="Or by name, separated by commas", placeholder=model.names[0])
                call = gr.Button("Translate", scale=0, min_width=160, elem_classes="action")
        with gr.Column(scale=1, min_width=280):
            output = image_output("Translated", "The upload with the attributes of the sliders or names")
    source = [path, invert]
    io = show_errors(domains), source, [model_input, grid, *sliders, output]
    gr.on([button.click, path.upload, invert.input], *io, api_name=f"{prefix}domains")
    on_live(
        [*slider_events(sliders), *selection_events(dataset)], mix, [*source, dataset, *sliders], output, f"{prefix}mix"
    )
    by_name = show_errors(translate_named), [*source, names], output
    gr.on([call.click, names.submit], *by_name, api_name=f"{prefix}named")
