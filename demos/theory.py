"""The theory of GANs with two known densities: the optimal discriminator, its value, and a discriminator that learns.

This demo needs no exported model, but TensorFlow, which is imported at the first request.
"""

import importlib.util
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd

from .panels.errors import show_errors, user_error
from .panels.events import slider_events
from .panels.image_components import action_button

NOTE = (
    "The data has a density p, and a fixed generator has a density q. The discriminator maximizes "
    "V(D) = E_p[log D] + E_q[log(1 - D)]. The optimum is D\\*(x) = p(x) / (p(x) + q(x)), and "
    "V(D\\*) = 2 JSD(p, q) - log 4: a generator that is trained against it minimizes the Jensen-Shannon divergence "
    "(Goodfellow et al. 2014, arXiv:1406.2661, proposition 1 and theorem 1). Here both densities are known, so that "
    "all values can be computed, in nats, and a small network learns D from samples alone. Distance is the distance of "
    "the means, width a standard deviation; |D - D\\*| is averaged under (p + q) / 2."
)
DENSITIES = {"p(x), data": "#1f77b4", "q(x), generator": "#ff7f0e"}
DISCRIMINATORS = {"D*(x)": "#2ca02c", "D(x), learned": "#d62728"}
NEEDED = "This tab computes with TensorFlow, which is not installed: pip install keras-gen"


def available() -> bool:
    """Returns whether TensorFlow is installed, without importing it."""
    return importlib.util.find_spec("tensorflow") is not None


def build_demo(name: str = "") -> gr.Blocks:
    """Returns the tab as a separate app.

    Args:
        name: Name of the demo, which prefixes its endpoints in the API; empty for none.

    Example:
        >>> build_demo().launch()  # doctest: +SKIP
    """
    with gr.Blocks(title="Theory of GANs", analytics_enabled=False) as demo:
        add_theory([demo.load], f"{name}_" if name else "")
    return demo


def add_theory(starts: Sequence[Callable], prefix: str = "") -> None:
    """Adds the densities, D*, a learned D and their values; endpoints `optimal` and `learn`.

    Args:
        starts: Events that first show the densities and D*, such as `demo.load` or a tab's `select`.
        prefix: Prefix of the endpoints' names in the API.
    """
    gr.Markdown(NOTE)
    with gr.Row():
        distance = gr.Slider(0, 6, value=2.0, step=0.1, label="Distance", min_width=160)
        widths = [
            gr.Slider(0.2, 3, value=1.0, step=0.1, label=f"Width of {density}", min_width=160) for density in ("p", "q")
        ]
        steps = gr.Slider(50, 3000, value=600, step=50, label="Steps", min_width=160)
        start, stop = action_button("Train D"), gr.Button("Stop", scale=0, min_width=80, elem_classes="action")
    with gr.Row():
        plots = [_plot("Densities", DENSITIES), _plot("Discriminators", DISCRIMINATORS, [0, 1])]
    with gr.Row():
        labels = "JSD(p, q)", "2 JSD - log 4", "V(D*)", "Step", "V(D)", "Mean |D - D*|"
        numbers = [gr.Number(label=label, interactive=False, min_width=130) for label in labels]
    settings, outputs = [distance, *widths], [*plots, *numbers]
    training = start.click(
        show_errors(learn), [*settings, steps], outputs, api_name=f"{prefix}learn", concurrency_limit=1
    )
    stop.click(None, cancels=[training], api_visibility="private")
    gr.on(
        [*starts, *slider_events(settings)],
        show_errors(optimal),
        settings,
        outputs,
        api_name=f"{prefix}optimal",
        show_progress="hidden",
        trigger_mode="always_last",
        cancels=[training],
    )


def optimal(distance: float, data_width: float, generator_width: float) -> list[Any]:
    """Returns the curves and values that follow from the densities; the fields of the learned D are empty.

    Args:
        distance: Distance of the means.
        data_width: Standard deviation of p.
        generator_width: Standard deviation of q.
    """
    _, x, densities, discriminator, *values = _optimal(distance, data_width, generator_width)
    # an empty curve, because the plot has colors only for the curves of its first value
    curves = _curves(x, {**discriminator, "D(x), learned": np.full_like(x, np.nan)})
    return [densities, curves, *values, None, None, None]


def learn(distance: float, data_width: float, generator_width: float, steps: float) -> Iterator[list[Any]]:
    """Yields the same with the learned discriminator, several times during its training.

    Args:
        distance: Distance of the means.
        data_width: Standard deviation of p.
        generator_width: Standard deviation of q.
        steps: Number of training steps.
    """
    pair, x, densities, discriminator, *values = _optimal(distance, data_width, generator_width)
    for learned in _adversarial_training().learn(*pair, x, steps=int(steps)):
        curves = _curves(x, {**discriminator, "D(x), learned": learned.values})
        yield [densities, curves, *values, learned.step, *_rounded(learned.value, learned.error)]


def _optimal(distance: float, data_width: float, generator_width: float) -> tuple:
    """Returns the pair (p, q), points, the densities' curves, the values of D*, JSD, 2 JSD - log 4 and V(D*)."""
    training = _adversarial_training()
    pair = training.normals(distance, data_width, generator_width)
    x = training.points(*pair)
    p, q, discriminator = training.densities(*pair, x)
    divergence, value = training.optimal_values(*pair)
    densities = _curves(x, dict(zip(DENSITIES, (p, q), strict=True)))
    return pair, x, densities, {"D*(x)": discriminator}, *_rounded(divergence, 2 * divergence - np.log(4), value)


def _adversarial_training() -> types.ModuleType:
    if not available():
        raise user_error(NEEDED)
    from .panels import adversarial_training

    return adversarial_training


def _curves(x: np.ndarray, curves: Mapping[str, np.ndarray]) -> pd.DataFrame:
    parts = [pd.DataFrame({"x": x, "y": np.float64(y), "curve": name}) for name, y in curves.items()]
    return pd.concat(parts, ignore_index=True)


def _rounded(*values: float) -> list[float]:
    return [round(float(value), 6) + 0.0 for value in values]  # no -0


def _plot(title: str, colors: dict[str, str], limits: list[float | None] | None = None) -> gr.LinePlot:
    return gr.LinePlot(
        title=title,
        x="x",
        y="y",
        color="curve",
        color_map=colors,
        colors_in_legend=list(colors),
        x_title="x",
        y_title=" ",
        y_lim=limits,  # ty: ignore[invalid-argument-type]  gradio's default is None, which its annotation lacks
        color_title=" ",
        height=330,
    )
