"""`python -m demos [RUN ...]`: opens the demos of exported models in a browser."""

import argparse
import sys

from .artifacts import find
from .panels.limits import TIME_LIMIT


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m demos",
        description="Try exported models in a browser: one tab for each run, comparisons of an autoencoder with a VAE, "
        "and the theory of GANs, which needs no run.",
        epilog="example: python -m demos runs/vae runs/autoencoder --port 7860",
    )
    top.add_argument(
        "runs", nargs="*", metavar="RUN", help="run directory or export folder (default: all under ./runs)"
    )
    top.add_argument("--port", type=int, help="port (default: the first free one from 7860)")
    top.add_argument("--host", default="127.0.0.1", help="address to listen on (default: only this machine)")
    top.add_argument("--share", action="store_true", help="open a public link through gradio.live")
    limit = f"seconds that a request may take (default: {TIME_LIMIT:g})"
    top.add_argument("--time-limit", type=float, default=TIME_LIMIT, help=limit)
    return top


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line.

    Args:
        arguments: Arguments; None for those of the process.
    """
    options = parser().parse_args(arguments)
    try:
        from .app import build_app, launch
        from .theory import available
    except ImportError as error:
        if error.name != "gradio":
            raise
        raise ImportError("The demo needs gradio: pip install 'keras-gen[demos]', or `make demo`") from error
    try:
        artifacts = find(options.runs)
    except FileNotFoundError as error:
        if options.runs or not available():
            raise
        print(f"{error}\nThe app has only the theory of GANs until then.")
        artifacts = []
    app = build_app(artifacts)
    if artifacts:
        print("Serving " + ", ".join(f"{artifact.name} ({artifact.folder})" for artifact in artifacts))
    launch(app, host=options.host, port=options.port, share=options.share, time_limit=options.time_limit)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f"error: {error}")
