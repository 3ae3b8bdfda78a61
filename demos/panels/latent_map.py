"""Click the 2-D map: what a plane of codes decodes to, and the image at any place of it."""

import functools

import gradio as gr
import numpy as np
from PIL import Image, ImageDraw

from demos.panels import planes
from keras_gen.runtime import Runtime

from .codes import Codes, start_code, written
from .conditions import chosen, class_field, told
from .errors import explained, given
from .samples import seed_field
from .views import sheet, single, view

STEPS = 13
KINDS = [
    ("two dimensions", "dimensions"),
    ("principal directions", "principal"),
    ("three generated images", "images"),
]


def add_map(demo: gr.Blocks, model: Runtime, codes: Codes, prefix: str = "") -> None:
    """The map, what a click on it decodes to, and for codes of more than two numbers the choice of the plane.

    Endpoint `map`: plane and place in; the map with a ring at the place, the image there, and its code out.

    Args:
        demo: the Blocks that this stands in.
        model: with the endpoints `generate`, `encode` and `decode`.
        codes: of the model, with at least 2 dimensions.
        prefix: of the endpoint's name in the API.
    """

    def plane_of(kind, first, second, seed, label):
        if kind == "principal":
            return planes.principal(codes)
        told_once = told(label, 1)
        if kind == "images":
            return planes.through(*(start_code(model, seed + index, told_once) for index in range(3)))
        return planes.two_dimensions(codes, first, second, start_code(model, seed, told_once))

    @functools.lru_cache(maxsize=8)
    def drawn(*plane):
        places = planes.tiles(STEPS)
        return sheet(model.decode(plane_of(*plane).codes(places), **told(plane[-1], len(places))), STEPS, pad=0)

    def place(kind, first, second, seed, label, x, y, dots):
        plane = kind, first, second, int(given(seed, "Seed")), label
        code = plane_of(*plane).codes([[given(x, "x"), given(y, "y")]])
        picture = drawn(*plane)
        if dots:
            picture = dotted(picture, plane_of(*plane).places(codes.measured))
        return ringed(picture, x, y), single(model.decode(code, **told(label, 1))[0]), written(code[0])

    def clicked(kind, first, second, seed, label, dots, event: gr.SelectData):
        height, width = drawn(kind, first, second, int(given(seed, "Seed")), label).shape[:2]
        x, y = (round(value, 2) for value in planes.place_of(event.index, width, height))
        return x, y, *place(kind, first, second, seed, label, x, y, dots)

    names = [(f"z[{dimension}]", dimension) for dimension in codes.active(codes.size)]
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            with gr.Row(visible=codes.size > 2):
                kind = gr.Dropdown(KINDS, value="dimensions", label="Plane", min_width=220)
                first, second = (
                    gr.Dropdown(names, value=value, label=axis, min_width=100)
                    for axis, value in zip(("Across", "Up"), codes.active(2), strict=True)
                )
                seed = seed_field()
            label = class_field(model, "decode")
            dots = gr.State(False)
            if codes.size == 2:
                text = f"Mark the codes of {len(codes.measured)} generated images: where the prior lies"
                dots = gr.Checkbox(label=text, value=True)
            gr.Markdown("Click the map, or type x and y and press Enter, to decode the image there.")
            options = {"height": 540, "show_label": False, "buttons": ["download"]}
            shown = view("Map", "What the codes of a plane decode to; the fields x and y choose a place", **options)
        with gr.Column(scale=2, min_width=300):
            with gr.Row():
                x, y = (
                    gr.Number(0.0, minimum=-1, maximum=1, step=0.01, label=text, min_width=120)
                    for text in ("x (-1 left, 1 right)", "y (-1 bottom, 1 top)")
                )
            image = view("Image at this place", "The image decoded at the chosen place of the map", height=370)
            code = gr.Textbox(label="Its code", interactive=False, lines=1, max_lines=6)
    plane = [kind, first, second, seed, label]
    found = [shown, image, code]
    quiet = {"show_progress": "hidden", "trigger_mode": "always_last"}
    kind.input(_fields_of, kind, [first, second, seed], api_visibility="private", **quiet)
    fields = [kind.input, first.input, second.input, seed.submit, x.submit, y.submit, *chosen(label)]
    fields += [dots.input] if codes.size == 2 else []
    gr.on([demo.load, *fields], explained(place), [*plane, x, y, dots], found, api_name=f"{prefix}map", **quiet)
    shown.select(explained(clicked), [*plane, dots], [x, y, *found], api_visibility="private", **quiet)


def dotted(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A copy of a map, uint8 RGB, with a dot at each place [num, 2]."""
    image = Image.fromarray(picture)
    for x, y in places:
        left, top = _pixel(image, x, y)
        ImageDraw.Draw(image).ellipse([left - 3, top - 3, left + 3, top + 3], fill="deepskyblue", outline="black")
    return np.asarray(image)


def ringed(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """A copy of a map, uint8 RGB, with a ring around the place (x, y)."""
    image = Image.fromarray(picture)
    left, top = _pixel(image, x, y)
    for radius, color, width in ((10, "black", 5), (9, "orange", 3)):
        box = [left - radius, top - radius, left + radius, top + radius]
        ImageDraw.Draw(image).ellipse(box, outline=color, width=width)
    return np.asarray(image)


def _pixel(image: Image.Image, x: float, y: float) -> tuple[float, float]:
    """The place (x, y) of a map in pixels from the left and from the top."""
    return (x + 1) / 2 * image.width - 0.5, (1 - y) / 2 * image.height - 0.5


def _fields_of(kind: str) -> tuple:
    """Show the fields that this kind of plane reads."""
    dimensions = gr.update(visible=kind == "dimensions")
    return dimensions, dimensions, gr.update(visible=kind != "principal")
