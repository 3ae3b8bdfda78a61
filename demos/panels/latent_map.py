"""A 2-D map of images that a plane of codes decodes to; a click shows the image at that position."""

import functools

import gradio as gr
import numpy as np
from PIL import Image, ImageDraw

from . import latent_planes
from .codes import Codes, format_code, start_code
from .conditions import class_field, label_argument, selection_events
from .errors import require, show_errors
from .events import on_live
from .image_components import display_image, image_grid, image_output
from .protocols import LatentModel
from .samples import seed_field

STEPS = 13
KINDS = [
    ("two dimensions", "dimensions"),
    ("principal directions", "principal"),
    ("three generated images", "images"),
]


def add_map(demo: gr.Blocks, model: LatentModel, codes: Codes, prefix: str = "") -> None:
    """Adds the map, the image at a selected position, and fields for the plane of codes with more than two dimensions.

    Endpoint `map`: takes the plane and a position; returns the map with a ring there, the image and its code.

    Args:
        demo: The Blocks that contain the panel.
        model: Model with the endpoints `generate`, `encode` and `decode`.
        codes: The model's codes, from `measure`, with at least 2 dimensions.
        prefix: Prefix of the endpoint's name in the API.
    """

    def plane_of(kind, first, second, seed, label):
        if kind == "principal":
            return latent_planes.principal(codes)
        condition = label_argument(label, 1)
        if kind == "images":
            return latent_planes.through(*(start_code(model, seed + index, condition) for index in range(3)))
        return latent_planes.two_dimensions(codes, first, second, start_code(model, seed, condition))

    @functools.lru_cache(maxsize=8)
    def map_picture(*plane):
        positions = latent_planes.tiles(STEPS)
        return image_grid(
            model.decode(plane_of(*plane).codes(positions), **label_argument(plane[-1], len(positions))), STEPS, pad=0
        )

    def show_position(kind, first, second, seed, label, x, y, dots):
        plane = kind, first, second, int(require(seed, "Seed")), label
        code = plane_of(*plane).codes([[require(x, "x"), require(y, "y")]])
        picture = map_picture(*plane)
        if dots:
            picture = dotted(picture, plane_of(*plane).positions(codes.measured))
        return (
            ringed(picture, x, y),
            display_image(model.decode(code, **label_argument(label, 1))[0]),
            format_code(code[0]),
        )

    def click(kind, first, second, seed, label, dots, event: gr.SelectData):
        height, width = map_picture(kind, first, second, int(require(seed, "Seed")), label).shape[:2]
        x, y = (round(value, 2) for value in latent_planes.position_of(event.index, width, height))
        return x, y, *show_position(kind, first, second, seed, label, x, y, dots)

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
            dots: gr.Checkbox | gr.State = gr.State(False)
            if codes.size == 2:
                text = f"Mark the codes of {len(codes.measured)} generated images, which show the region of the prior"
                dots = gr.Checkbox(label=text, value=True)
            gr.Markdown("Click the map, or enter x and y, to decode the image at that position.")
            text = "Images that a plane of codes decodes to; the fields x and y select a position"
            map_image = image_output("Map", text, height=540, show_label=False, fullscreen=False)
        with gr.Column(scale=2, min_width=300):
            with gr.Row():
                x, y = (
                    gr.Number(0.0, minimum=-1, maximum=1, step=0.01, label=text, min_width=120)
                    for text in ("x (-1 left, 1 right)", "y (-1 bottom, 1 top)")
                )
            image = image_output(
                "Image at this position", "The image decoded at the selected position of the map", height=370
            )
            code = gr.Textbox(label="Its code", interactive=False, lines=1, max_lines=6)
    plane = [kind, first, second, seed, label]
    outputs = [map_image, image, code]
    kind.input(
        _visible_fields,
        kind,
        [first, second, seed],
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="always_last",
    )
    events = [kind.input, first.input, second.input, seed.submit, x.submit, y.submit]
    on_live(
        [demo.load, *events, *selection_events(label), *selection_events(dots)],
        show_position,
        [*plane, x, y, dots],
        outputs,
        f"{prefix}map",
    )
    map_image.select(
        show_errors(click),
        [*plane, dots],
        [x, y, *outputs],
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="always_last",
    )


def dotted(picture: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Returns a copy of a map, uint8 RGB, with a dot at each position [num, 2]."""
    image = Image.fromarray(picture)
    for x, y in positions:
        left, top = _pixel(image, x, y)
        ImageDraw.Draw(image).ellipse([left - 3, top - 3, left + 3, top + 3], fill="deepskyblue", outline="black")
    return np.asarray(image)


def ringed(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """Returns a copy of a map, uint8 RGB, with a ring around the position (x, y)."""
    image = Image.fromarray(picture)
    left, top = _pixel(image, x, y)
    for radius, color, width in ((10, "black", 5), (9, "orange", 3)):
        box = [left - radius, top - radius, left + radius, top + radius]
        ImageDraw.Draw(image).ellipse(box, outline=color, width=width)
    return np.asarray(image)


def _pixel(image: Image.Image, x: float, y: float) -> tuple[float, float]:
    """Returns the position (x, y) of a map in pixels from the left and from the top."""
    return (x + 1) / 2 * image.width - 0.5, (1 - y) / 2 * image.height - 0.5


def _visible_fields(kind: str) -> tuple:
    """Returns updates that show the fields of a kind of plane."""
    dimensions = gr.update(visible=kind == "dimensions")
    return dimensions, dimensions, gr.update(visible=kind != "principal")
