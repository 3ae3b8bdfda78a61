"""Truncation: noise nearer the mean of the prior, which trades diversity for typicality."""

import gradio as gr
import numpy as np

from .protocols import NoiseSource

NORMAL = "normal"
RULE = (
    "Truncation multiplies the standard-normal noise by this scale: 1 is the model's own distribution, and smaller "
    "values give more typical and less diverse images. (Brock et al. 2018, arXiv:1809.11096, section 3.1, instead "
    "resample numbers beyond a threshold.)"
)


def truncation_field(model: NoiseSource) -> gr.Slider | gr.State:
    """Returns a slider for the scale, in (0, 1], or a state of 1 for a model without standard-normal noise."""
    if not any(item["kind"] == NORMAL for item in model.description["noise"]["inputs"]):
        return gr.State(1.0)
    return gr.Slider(0.05, 1, value=1.0, step=0.05, label="Truncation", min_width=180)


def truncate_noise(model: NoiseSource, num: int, seed: int, scale: float) -> dict[str, np.ndarray]:
    """Returns the noise of `num` images, with the standard-normal inputs multiplied by a scale.

    N(0, 1) becomes N(0, scale^2). Noise of other kinds, such as the uniform noise that selects a mixture's component,
    does not change.

    Args:
        model: Model with an endpoint `generate`.
        num: Number of images.
        seed: Seed of the noise, 0 <= seed < 2**63.
        scale: Scale in (0, 1].

    Returns:
        Input name -> [num, *shape].

    Raises:
        ValueError: If the scale is out of range.
    """
    if not 0 < scale <= 1:
        raise ValueError(f"Expected a truncation scale in (0, 1]; received {scale}")
    kinds = {item["name"]: item["kind"] for item in model.description["noise"]["inputs"]}
    noise = model.noise(num, seed)
    return {name: np.float32(scale) * value if kinds[name] == NORMAL else value for name, value in noise.items()}
