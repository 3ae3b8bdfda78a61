"""Probabilities of classes or categories, as gradio's Label shows them."""

import gradio as gr
import numpy as np


def probabilities_field(label: str, count: int) -> gr.Label:
    """Returns a field that shows the five largest probabilities."""
    return gr.Label(label=label, num_top_classes=min(count, 5), min_width=220)


def to_label_value(probabilities: np.ndarray) -> dict[str, float]:
    """Returns {"0": ..., "1": ...} of probabilities [count], clipped because those of 8-bit models may leave [0, 1]."""
    return {str(index): float(value) for index, value in enumerate(np.clip(probabilities, 0, 1))}
