"""The theory of GANs with two known densities: the optimal discriminator, what it is worth, and one that learns it.

The one demo without an exported model, and the one that needs TensorFlow: it is imported when a number is asked for.
"""

import importlib.util

import gradio as gr
import numpy as np
import pandas as pd

from .panels.errors import complaint, explained
from .panels.views import action

NOTE = (
    "Data comes from a density p, and a generator that stays as it is draws from q. The discriminator raises "
    "V(D) = E_p[log D] + E_q[log(1 - D)]. The best one is D\\*(x) = p(x) / (p(x) + q(x)), and "
    "V(D\\*) = 2 JSD(p, q) - log 4: a generator that plays against it lowers the Jensen-Shannon divergence (Goodfellow "
    "et al. 2014, arXiv:1406.2661, proposition 1 and theorem 1). Here both densities are known, so that all of it can "
    "be computed, in nats, and a small network learns D from draws alone. Distance is that of the means, width a "
    "standard deviation; |D - D\\*| is averaged under (p + q) / 2."
)
DENSITIES = {"p(x), data": "#1f77b4", "q(x), generator": "#ff7f0e"}
DISCRIMINATORS = {"D*(x)": "#2ca02c", "D(x), learned": "#d62728"}
NEEDED = "This tab computes with TensorFlow, which is not installed here: pip install keras-gen"


def available() -> bool:
    """Whether TensorFlow is there; it is not imported."""
    return importlib.util.find_spec("tensorflow") is not None


def build_demo(name: str = "") -> gr.Blocks:
    """The tab as an app of its own.

    Args:
        name: see `add_theory`.

    Example:
        >>> build_demo().launch()  # doctest: +SKIP
    """
    with gr.Blocks(title="Theory of GANs", analytics_enabled=False) as demo:
        add_theory([demo.load], f"{name}_" if name else "")
    return demo


def add_theory(starts: list, prefix: str = "") -> None:
    """Both densities, D* and a learned D with the numbers behind them; endpoints `known` and `learn`.

    Args:
        starts: events that draw the known part, such as `demo.load` or a tab's `select`.
        prefix: of the endpoints' names in the API.
    """
    gr.Markdown(NOTE)
    with gr.Row():
        distance = gr.Slider(0, 6, value=2.0, step=0.1, label="Distance", min_width=160)
        widths = [
            gr.Slider(0.2, 3, value=1.0, step=0.1, label=f"Width of {which}", min_width=160) for which in ("p", "q")
        ]
        steps = gr.Slider(50, 3000, value=600, step=50, label="Steps", min_width=160)
        start, stop = action("Train D"), gr.Button("Stop", scale=0, min_width=80, elem_classes="action")
    with gr.Row():
        above = _plot("Densities", DENSITIES, None)
        below = _plot("Discriminators", DISCRIMINATORS, [0, 1])
    with gr.Row():
        labels = "JSD(p, q)", "2 JSD - log 4", "V(D*)", "Step", "V(D)", "Mean |D - D*|"
        numbers = [gr.Number(label=label, interactive=False, min_width=130) for label in labels]
    settings, shown = [distance, *widths], [above, below, *numbers]
    training = start.click(explained(learn), [*settings, steps], shown, api_name=f"{prefix}learn", concurrency_limit=1)
    stop.click(None, cancels=[training], api_visibility="private")
    moved = [event for slider in settings for event in (slider.input, slider.release)]
    options = {"show_progress": "hidden", "trigger_mode": "always_last", "cancels": [training]}
    gr.on([*starts, *moved], explained(known), settings, shown, api_name=f"{prefix}known", **options)


def known(distance: float, data_width: float, generator_width: float) -> list:
    """What follows from the densities alone; the fields of the learned discriminator are empty."""
    _, x, densities, optimal, *numbers = _known(distance, data_width, generator_width)
    # an empty curve: the chart knows the colors of the curves alone that it was first drawn with
    return [densities, _curves(x, {**optimal, "D(x), learned": np.full_like(x, np.nan)}), *numbers, None, None, None]


def learn(distance: float, data_width: float, generator_width: float, steps: float):
    """The same with the learned discriminator, again and again while it trains."""
    pair, x, densities, optimal, *numbers = _known(distance, data_width, generator_width)
    for learned in _game().learn(*pair, x, steps=int(steps)):
        both = _curves(x, {**optimal, "D(x), learned": learned.values})
        yield [densities, both, *numbers, learned.step, *_rounded(learned.value, learned.error)]


def _known(distance, data_width, generator_width):
    """The pair (p, q), points, the densities' curves, the values of D*, JSD, 2 JSD - log 4, V(D*)."""
    game = _game()
    pair = game.normals(distance, data_width, generator_width)
    x = game.points(*pair)
    p, q, optimal = game.densities(*pair, x)
    divergence, value = game.known(*pair)
    densities = _curves(x, dict(zip(DENSITIES, (p, q), strict=True)))
    return pair, x, densities, {"D*(x)": optimal}, *_rounded(divergence, 2 * divergence - np.log(4), value)


def _game():
    if not available():
        raise complaint(NEEDED)
    from .panels import game

    return game


def _curves(x: np.ndarray, curves: dict[str, np.ndarray]) -> pd.DataFrame:
    parts = [pd.DataFrame({"x": x, "y": np.float64(y), "curve": name}) for name, y in curves.items()]
    return pd.concat(parts, ignore_index=True)


def _rounded(*values: float) -> list[float]:
    return [round(float(value), 6) + 0.0 for value in values]  # no -0


def _plot(title: str, colors: dict[str, str], limits: list | None) -> gr.LinePlot:
    options = {"x": "x", "y": "y", "color": "curve", "color_map": colors, "colors_in_legend": list(colors)}
    return gr.LinePlot(title=title, x_title="x", y_title=" ", y_lim=limits, color_title=" ", height=330, **options)
