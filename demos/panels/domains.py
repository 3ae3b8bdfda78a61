"""An upload in all domains side by side, with attributes set by hand, and with attributes called by name."""

import gradio as gr
import numpy as np

from keras_gen import pictures
from keras_gen.runtime import Runtime

from .errors import complaint, explained
from .uploads import RULE, invert_field, read_image, upload
from .views import MANY, single, view

SLIDERS = 16
COLUMNS = 6


class Domains:
    """An exported model's attributes, as the panels use them.

    Args:
        model: with the endpoints `translate` and `classify`, and `attributes` in its description.

    Attributes:
        names: of the attributes.
        groups: of each attribute the number of its group.
        exclusive: whether others of its group are excluded, [attributes].
        sets: of each attribute the data set that knows it.
    """

    def __init__(self, model: Runtime):
        told = model.description["attributes"]
        self.model, self.image_shape, self.names = model, model.image_shape, told["names"]
        sizes = np.array(told["groups"])
        self.groups = np.repeat(np.arange(len(sizes)), sizes)
        self.exclusive = sizes[self.groups] > 1
        self.sets = np.array(told["datasets"] or [0] * len(sizes))[self.groups]

    def read(self, image: np.ndarray) -> np.ndarray:
        """Probabilities of the attributes of one image, float32 [attributes]."""
        return self.model.run("classify", image=image[None])["attributes"][0]

    def decided(self, probabilities: np.ndarray) -> np.ndarray:
        """The most probable attributes: ones and zeros [attributes]."""
        vector = np.where(self.exclusive, 0.0, probabilities > 0.5)
        for group in np.unique(self.groups[self.exclusive]):
            inside = np.flatnonzero(self.groups == group)
            vector[inside[probabilities[inside].argmax()]] = 1
        return vector

    def every(self, image: np.ndarray) -> np.ndarray:
        """One image in every exclusive domain, and with each other attribute turned over: [attributes, ...]."""
        start = self.decided(self.read(image))
        vectors = np.repeat(start[None], len(self.names), axis=0)
        for entry, vector in enumerate(vectors):
            vector[self.groups == self.groups[entry]] = 0
            vector[entry] = 1 if self.exclusive[entry] else 1 - start[entry]
        return np.stack([self.made(image, vector, int(of)) for vector, of in zip(vectors, self.sets, strict=True)])

    def made(self, image: np.ndarray, vector: np.ndarray, dataset: int) -> np.ndarray:
        """One image with an attribute vector of a data set."""
        return self.model.translate(image[None], [np.asarray(vector, np.float32)], dataset)[0]

    def shared(self, values) -> np.ndarray:
        """Sliders -> a vector: in a group of exclusive domains the values are shares, whose sum is made 1.

        Raises:
            gr.Error: where all of a group are 0.
        """
        vector = np.array(values, np.float64)
        for group in np.unique(self.groups[self.exclusive]):
            inside = self.groups == group
            if not vector[inside].sum():
                names = ", ".join(np.array(self.names)[inside])
                raise complaint(f"All of {names} are 0: move one of them up")
            vector[inside] /= vector[inside].sum()
        return vector


def add_domains(model: Domains, prefix: str = "") -> None:
    """An upload, its domains, sliders and a field for names; endpoints `domains`, `mix` and `named`.

    Args:
        model: an exported StarGAN.
        prefix: of the endpoints' names in the API.
    """
    shown = range(min(SLIDERS, len(model.names)))
    several = bool(model.sets.max())

    def domains(path, invert):
        image = read_image(path, model.model, invert)
        columns = min(COLUMNS, len(model.names))
        scale = max(1, MANY // (columns * image.shape[1]))
        sheet = pictures.grid(model.every(image), columns, scale=scale, labels=model.names)
        sheet = np.broadcast_to(sheet, (*sheet.shape[:2], 3))
        values = model.decided(model.read(image))
        return single(image), sheet, *[float(values[entry]) for entry in shown], single(image)

    def mix(path, invert, dataset, *values):
        image = read_image(path, model.model, invert)
        vector = model.decided(model.read(image))
        vector[list(shown)] = values
        return single(model.made(image, model.shared(vector), int(dataset or 0)))

    def named(path, invert, text):
        image = read_image(path, model.model, invert)
        names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
        return single(model.model.translate(image[None], names)[0])

    gr.Markdown(RULE)
    with gr.Row():
        with gr.Column(scale=1, min_width=240):
            path = upload("Image")
            invert = invert_field(model.image_shape)
            button = gr.Button("Show every domain", variant="primary")
            sees = view("As the model sees it", "The upload in the model's size", height=260)
        with gr.Column(scale=3, min_width=320):
            text = "The upload in every domain; an attribute of its own is turned over"
            sheet = view("Every domain", text, height=560)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            gr.Markdown("Between domains: of those that exclude each other the sliders are shares.")
            choices = [(f"data set {index}", index) for index in range(int(model.sets.max()) + 1)]
            dataset = gr.Dropdown(choices, value=0, label="Attributes of") if several else gr.State(0)
            with gr.Row():
                sliders = [gr.Slider(0, 1, value=0, step=0.05, label=model.names[entry], min_width=200)
                           for entry in shown]  # fmt: skip
            with gr.Row():
                names = gr.Textbox(label="Or by name, with commas", placeholder=model.names[0])
                call = gr.Button("Translate", scale=0, min_width=160, elem_classes="action")
        with gr.Column(scale=1, min_width=280):
            made = view("Translated", "The upload with the attributes that the sliders or names ask for")
    given = [path, invert]
    io = explained(domains), given, [sees, sheet, *sliders, made]
    gr.on([button.click, path.upload, invert.input], *io, api_name=f"{prefix}domains")
    events = [event for slider in sliders for event in (slider.input, slider.release)]
    events += [dataset.input] if several else []
    options = {"show_progress": "hidden", "trigger_mode": "always_last", "api_name": f"{prefix}mix"}
    gr.on(events, explained(mix), [*given, dataset, *sliders], made, **options)
    gr.on([call.click, names.submit], explained(named), [*given, names], made, api_name=f"{prefix}named")
