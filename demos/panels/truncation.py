"""Truncation: noise nearer the middle of the prior, which trades variety for typicality."""

import gradio as gr
import numpy as np

from keras_gen.runtime import Runtime

NORMAL = "normal"
RULE = (
    "Truncation multiplies the standard-normal noise by this scale: 1 is the model's own distribution, less makes "
    "images more typical and more alike. (Brock et al. 2018, arXiv:1809.11096, section 3.1, draw the numbers beyond a "
    "threshold again instead.)"
)


def truncation_field(model: Runtime) -> gr.Slider | gr.State:
    """A slider for the scale, in (0, 1]; a state of 1 for a model without standard-normal noise."""
    if not any(item["kind"] == NORMAL for item in model.description["noise"]["inputs"]):
        return gr.State(1.0)
    return gr.Slider(0.05, 1, value=1.0, step=0.05, label="Truncation", min_width=180)


def truncated(model: Runtime, num: int, seed: int, scale: float) -> dict[str, np.ndarray]:
    """The noise of `num` images with its standard-normal inputs multiplied by a scale: input name -> [num, *shape].

    A draw of N(0, 1) becomes one of N(0, scale^2), and no number is left out. Noise of other kinds, such as the uniform
    that picks a mixture's component, stays as it is.

    Args:
        model: with an endpoint `generate`.
        num, seed: as `Runtime.noise` takes them.
        scale: in (0, 1].

    Raises:
        ValueError: for a scale out of its range.
    """
    if not 0 < scale <= 1:
        raise ValueError(f"The truncation's scale must lie in (0, 1]; received {scale}")
    kinds = {item["name"]: item["kind"] for item in model.description["noise"]["inputs"]}
    noise = model.noise(num, seed)
    return {name: np.float32(scale) * value if kinds[name] == NORMAL else value for name, value in noise.items()}
