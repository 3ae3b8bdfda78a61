"""All demos in one app: a tab for each exported model, an autoencoder beside a VAE, and the theory of GANs."""

import importlib
from collections.abc import Sequence

import gradio as gr

from demos import beside, theory
from keras_gen.runtime.description import read_description

from .artifacts import MAKE_ONE, Artifact
from .panels.errors import complaint
from .panels.limits import TIME_LIMIT, set_time_limit

# system -> the module of its demo, which has build_demo(folder, name) -> gr.Blocks
DEMOS = {
    "autoencoder": "latent",
    "vae": "latent",
    "gan": "generator",
    "dcgan": "generator",
    "infogan": "infogan",
    "aae": "latent",
    "cyclegan": "cyclegan",
    "text2image": "text2image",
    "stargan": "stargan",
    "puzzlegan": "puzzlegan",
    "progan": "progan",
}
QUEUE = 32  # waiting calls; a further one is turned away with a message
AT_ONCE = 2
LARGEST_FILE = "10mb"
FORGET = 3600  # seconds after which pictures that were shown are deleted
SESSIONS = 100  # visitors whose state is kept; about half a megabyte each
FONT = ("system-ui", "sans-serif")
CSS = """
footer {display: none !important}
.gradio-container main {width: 100%; max-width: 1280px; margin: 0 auto}
.action {align-self: flex-end}
.titled .image-frame {padding-top: 40px; box-sizing: border-box}
.upload .image-frame img {width: 100%; height: 100%; object-fit: contain}
"""


class App(gr.Blocks):
    """Blocks that forget a visitor with their session, and log nothing where a value does not fit its field."""

    async def preprocess_data(self, *args, **options):
        """Turn what visitors sent into arguments; what does not fit is shown to them."""
        try:
            return await super().preprocess_data(*args, **options)
        except (ValueError, TypeError) as error:  # out of range, not among the choices, not a file of an upload
            raise complaint(getattr(error, "message", str(error))) from error

    def forget(self, request: gr.Request) -> None:
        """Free what gradio keeps of a session: a copy of the whole layout, until the server stops."""
        self.state_holder.session_data.pop(request.session_hash, None)
        self.state_holder.time_last_used.pop(request.session_hash, None)


def build_app(artifacts: Sequence[Artifact]) -> gr.Blocks:
    """Put the demos of exported models into tabs, and the theory behind them where TensorFlow is installed.

    Args:
        artifacts: see `demos.artifacts.find`; without any there is the theory alone, and how to make one.

    Raises:
        FileNotFoundError, ValueError: where an export is missing or damaged, or of a system without a demo.
    """
    described = {artifact: read_description(artifact.folder) for artifact in artifacts}
    tabs = [(artifact.name, build_tab(artifact, told["system"])) for artifact, told in described.items()]
    sides = pairs(described)
    for number, (first, second) in enumerate(sides, start=1):
        name = "beside" if number == 1 else f"beside_{number}"
        title = "Side by side" if len(sides) == 1 else f"Side by side: {first.name} | {second.name}"
        tabs.append((title, beside.build_demo(first.folder, second.folder, name)))
    with App(title="keras_gen", analytics_enabled=False, delete_cache=(FORGET, FORGET)) as app:
        gr.Markdown("## keras_gen: generative models, running from their exported files")
        if not tabs:
            gr.Markdown(f"There is no exported model yet. {MAKE_ONE}")
        with gr.Tabs():
            for title, demo in tabs:
                with gr.Tab(title):
                    demo.render()
            if theory.available():
                with gr.Tab("Theory") as tab:
                    # where there are models, a person who came for them need not wait for TensorFlow
                    theory.add_theory([tab.select] if tabs else [app.load], "theory_")
        app.unload(app.forget)
    return app


def build_tab(artifact: Artifact, system: str) -> gr.Blocks:
    """The demo of one exported model.

    Raises:
        ValueError: for a system without a demo.
    """
    if system not in DEMOS:
        raise ValueError(f"{artifact.folder}: there is no demo for {system!r}; there is one for {', '.join(DEMOS)}")
    module = importlib.import_module(f".{DEMOS[system]}", __package__)
    return module.build_demo(artifact.folder, artifact.name)


def pairs(described: dict[Artifact, dict]) -> list[tuple[Artifact, Artifact]]:
    """Each autoencoder with the first VAE not yet taken that can stand beside it."""
    found, free = [], [artifact for artifact, told in described.items() if told["system"] == "vae"]
    for artifact, told in described.items():
        if told["system"] != "autoencoder":
            continue
        fitting = next((other for other in free if beside.fits(told, described[other])), None)
        if fitting is not None:
            free.remove(fitting)
            found.append((artifact, fitting))
    return found


def launch(
    app: gr.Blocks,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    share: bool = False,
    time_limit: float = TIME_LIMIT,
    **options,
):
    """Serve an app, with limits on uploads, waiting calls, sessions and time, and nothing fetched from elsewhere.

    Args:
        app: from `build_app`.
        host, port: where to listen; port None is the first free one from 7860.
        share: open a public link through gradio.live.
        time_limit: seconds after which a request is ended with a message, > 0; see `demos.panels.limits`.
        **options: of `gr.Blocks.launch`.

    Returns:
        What `gr.Blocks.launch` returns: server app, local address, public address.

    Raises:
        ValueError: for a port or a time limit that cannot be.
        OSError: where the port is taken.
    """
    if port is not None and not 1 <= port <= 65535:
        raise ValueError(f"A port is a number from 1 to 65535; received {port}")
    set_time_limit(time_limit)
    app.queue(max_size=QUEUE, default_concurrency_limit=AT_ONCE)
    theme = gr.themes.Soft(font=FONT, font_mono=("ui-monospace", "monospace"))
    limits = {"max_file_size": LARGEST_FILE, "state_session_capacity": SESSIONS}
    options = {**limits, "ssr_mode": False, "theme": theme, "css": CSS, **options}
    try:
        return app.launch(server_name=host, server_port=port, share=share, **options)
    except OSError as error:
        wanted = f"{host} port {port}" if port else f"{host}, ports from 7860"
        raise OSError(f"Cannot listen on {wanted}: taken, or not ours ({error}); choose another --port") from error
