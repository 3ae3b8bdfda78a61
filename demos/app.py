"""All demos in one app: a tab for each exported model, comparisons of two models, and the theory of GANs."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from demos import comparison, theory
from keras_gen.runtime.description import read_description
from keras_gen.zoo import SYSTEMS

from .artifacts import HOW_TO_EXPORT, Artifact
from .panels.errors import user_error
from .panels.limits import TIME_LIMIT, set_time_limit

QUEUE = 32  # waiting calls; further calls are refused with a message
CONCURRENCY = 2
MAX_FILE_SIZE = "10mb"
CACHE_SECONDS = 3600  # age at which displayed images are deleted
SESSIONS = 100  # visitors whose state is stored; about half a megabyte each
FONT = ("system-ui", "sans-serif")
CSS = """
footer {display: none !important}
.gradio-container main {width: 100%; max-width: 1280px; margin: 0 auto}
.action {align-self: flex-end}
.titled .image-frame {padding-top: 40px; box-sizing: border-box}
.upload .image-frame img {width: 100%; height: 100%; object-fit: contain}
"""


class App(gr.Blocks):
    """Blocks that free a visitor's state at the end of the session, and report invalid field values without a log."""

    async def preprocess_data(self, *args: Any, **options: Any) -> Any:
        """Converts the values of fields to arguments; shows the visitor a message if a value is invalid."""
        try:
            return await super().preprocess_data(*args, **options)
        except (ValueError, TypeError) as error:  # out of range, not among the choices, not a file of an upload
            raise user_error(getattr(error, "message", str(error))) from error

    def forget(self, request: gr.Request) -> None:
        """Frees what gradio stores for a session until the server stops: a copy of the whole layout."""
        if request.session_hash is not None:
            self.state_holder.session_data.pop(request.session_hash, None)
            self.state_holder.time_last_used.pop(request.session_hash, None)


def build_app(artifacts: Sequence[Artifact]) -> App:
    """Puts the demos of exported models into tabs, followed by the theory of GANs if TensorFlow is installed.

    Args:
        artifacts: Exported models, see `demos.artifacts.find`. Without any, the app has the theory alone, and explains
            how to export a model.

    Raises:
        FileNotFoundError: If an export is missing.
        ValueError: If an export is damaged, or no demo suits it.
    """
    tabs = [(artifact.name, build_tab(artifact)) for artifact in artifacts]
    pairs = comparable_pairs({artifact: read_description(artifact.folder) for artifact in artifacts})
    for number, (first, second) in enumerate(pairs, start=1):
        name = "compare" if number == 1 else f"compare_{number}"
        title = "Comparison" if len(pairs) == 1 else f"Comparison: {first.name} | {second.name}"
        tabs.append((title, comparison.build_demo(first.folder, second.folder, name)))
    with App(title="keras_gen", analytics_enabled=False, delete_cache=(CACHE_SECONDS, CACHE_SECONDS)) as app:
        gr.Markdown("## keras_gen: generative models, running from their exported files")
        if not tabs:
            gr.Markdown(f"There is no exported model yet. {HOW_TO_EXPORT}")
        with gr.Tabs():
            for title, demo in tabs:
                with gr.Tab(title):
                    demo.render()
            if theory.available():
                with gr.Tab("Theory") as tab:
                    # with models in the app, TensorFlow is imported only when a visitor opens this tab
                    theory.add_theory([tab.select] if tabs else [app.load], "theory_")
        app.unload(app.forget)
    return app


def build_tab(artifact: Artifact) -> gr.Blocks:
    """Returns the demo of one exported model.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged, or no demo suits it.
    """
    description = read_description(artifact.folder)
    module = demo_module(description)
    if module is None:
        received = f"{description['system']!r} with {', '.join(description['signatures'])}"
        raise ValueError(
            f"{artifact.folder}: Expected a system of the zoo, or an endpoint `generate` that takes only noise and "
            f"classes; received the system {received}. Use it with `python -m runtime` in the export folder"
        )
    return importlib.import_module(f".{module}", __package__).build_demo(artifact.folder, artifact.name)


def demo_module(description: Mapping[str, Any]) -> str | None:
    """Returns the name of the module in `demos/` that shows an exported model, or None if no demo suits it.

    The system declares its demo (`System.demo`). A model of another system gets the demo that suits its endpoints.

    Args:
        description: The contents of model.json.
    """
    system = SYSTEMS.get(description["system"])
    if system is not None and system.demo is not None:
        return system.demo
    signatures = description["signatures"]
    inputs = {"label", *(item["name"] for item in description["noise"]["inputs"])}
    if "generate" not in signatures or not inputs.issuperset(signatures["generate"]["inputs"]):
        return None
    return "latent" if {"encode", "decode", "reconstruct"}.issubset(signatures) else "generator"


def comparable_pairs(descriptions: Mapping[Artifact, Mapping[str, Any]]) -> list[tuple[Artifact, Artifact]]:
    """Returns the pairs of models to compare: each model of a system that declares `compare_with`, and a partner.

    The partner is the first comparable model of the declared system that is not in a pair yet.

    Args:
        descriptions: Exported model -> the contents of its model.json.
    """
    pairs: list[tuple[Artifact, Artifact]] = []
    available = list(descriptions)
    for artifact, description in descriptions.items():
        system = SYSTEMS.get(description["system"])
        if system is None or system.compare_with is None:
            continue
        for other in available:
            if descriptions[other]["system"] == system.compare_with and comparison.comparable(
                description, descriptions[other]
            ):
                available.remove(other)
                pairs.append((artifact, other))
                break
    return pairs


def launch(
    app: gr.Blocks,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    share: bool = False,
    time_limit: float = TIME_LIMIT,
) -> tuple[Any, str, str]:
    """Serves an app with limits on uploads, waiting calls, sessions and time; the pages load no remote resources.

    Args:
        app: The app, from `build_app`.
        host: Address to listen on.
        port: Port to listen on; None for the first free one from 7860.
        share: Whether to open a public link through gradio.live.
        time_limit: Seconds after which a request ends with a message, > 0; see `demos.panels.limits`.

    Returns:
        The result of `gr.Blocks.launch`: server app, local address, public address.

    Raises:
        ValueError: If the port or the time limit is out of range.
        OSError: If the port is not available.
    """
    if port is not None and not 1 <= port <= 65535:
        raise ValueError(f"Expected a port from 1 to 65535; received {port}")
    set_time_limit(time_limit)
    app.queue(max_size=QUEUE, default_concurrency_limit=CONCURRENCY)
    try:
        return app.launch(
            server_name=host,
            server_port=port,
            share=share,
            max_file_size=MAX_FILE_SIZE,
            state_session_capacity=SESSIONS,
            ssr_mode=False,
            theme=gr.themes.Soft(font=FONT, font_mono=("ui-monospace", "monospace")),
            css=CSS,
        )
    except OSError as error:
        address = f"{host} port {port}" if port else f"{host}, ports from 7860"
        raise OSError(
            f"Cannot listen on {address}: in use or not permitted ({error}); choose another --port"
        ) from error
