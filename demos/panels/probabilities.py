"""Probabilities of classes or categories, as gradio's Label shows them."""

import gradio as gr
import numpy as np


def probabilities_field(label: str, count: int) -> gr.Label:
    """A field that shows up to five of the probabilities, largest first."""
    return gr.Label(label=label, num_top_classes=min(count, 5), min_width=220)


def named(probabilities: np.ndarray) -> dict[str, float]:
    """Probabilities [count] -> {"0": ..., "1": ...}; 8-bit models may leave [0, 1] by a rounding, which is cut off."""
    return {str(index): float(value) for index, value in enumerate(np.clip(probabilities, 0, 1))}
