"""Counts the weights of every preset and writes docs/presets.md.

    python -m benchmarks.presets               builds every preset (minutes, several gigabytes) and writes the page
    python -m benchmarks.presets --page-only   writes the page from the counts in benchmarks/results/presets.json

The page and `keras-gen zoo KEY` show the same facts, which each system declares in its preset.py.
"""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from benchmarks import record
from keras_gen import files, zoo
from keras_gen.zoo.presets import facts
from keras_gen.zoo.weights import count_weights

DOC = pathlib.Path(__file__).parents[1] / "docs" / "presets.md"
Counts = Mapping[str, Mapping[str, Mapping[str, int]]]  # system -> preset -> network -> number of weights
HEAD = """# Presets

<!-- made by python -m benchmarks.presets -->

`keras-gen train SYSTEM --preset NAME`, `keras_gen.train(..., preset=NAME)` and `zoo.build(key, shape, preset=NAME)` use
the settings and defaults of training on this page. Every other option takes precedence. `keras-gen zoo SYSTEM` shows
the same facts.

- `paper` has the networks, objective, optimizer, batch size, schedule and length of the paper, or of its authors' code
  where the paper is silent. It is meant for GPUs. Images are in [0, 1] here; the networks rescale them to [-1, 1] where
  those of the paper read that range.
- `small` trains in minutes on two CPU cores.
- `gpu` is a modern choice where that is better than the paper's.

No GPU was available. The tests train every `paper` for one step at full size (Progressive GAN at its smallest stage)
and every `gpu` for one step at 16 pixels, on a CPU; nobody has trained them to their end.

Weights are trainable weights, counted by building the networks for images of the size in the table. The tests compare
them with those that the paper or its authors' code states.
"""
COLUMNS = ("system", "preset", "images", "batch", "length", "weights here", "weights published")


def page(counts: Counts) -> str:
    """Returns the text of docs/presets.md.

    Args:
        counts: System -> preset -> network -> number of its weights.
    """
    lines = [HEAD, *_table(counts)]
    for key, system in zoo.SYSTEMS.items():
        lines += ["", f"## {system.title} (`{key}`)", "", f"{system.paper}."]
        for name, preset in system.presets.items():
            lines += ["", f"### `{key}`, preset `{name}`", "", preset.description]
            for kind, entries in facts(system, name, counts[key][name]).items():
                if kind == "settings":
                    entries = [f"`{entry}`" for entry in entries]
                if kind in ("sources", "departures"):
                    lines += ["", f"{kind.capitalize()}:", *(f"- {entry}" for entry in entries)]
                else:
                    lines += ["", f"{kind.capitalize()}: {', '.join(entries)}."]
    return "\n".join(lines) + "\n"


def _table(counts: Counts) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for key, system in zoo.SYSTEMS.items():
        for name, preset in system.presets.items():
            effective = system.with_preset(name)
            length = f"{effective.updates:,} updates" if effective.epochs is None else f"{effective.epochs} epochs"
            height, width, channels = preset.image_shape
            cells = (
                *(f"`{key}`", f"`{name}`", f"{width}x{height}x{channels}", f"{effective.batch_size}", length),
                f"{sum(counts[key][name].values()):,}",
                f"{sum(number or 0 for number in preset.weights.values()):,}" if preset.weights else "",
            )
            yield f"| {' | '.join(cells)} |"


def main(
    page_only: Annotated[bool, typer.Option("--page-only", help="Write the page from the recorded counts.")] = False,
    systems: Annotated[str, typer.Option(help="Systems to count, separated by commas; default all.")] = "",
) -> None:
    """Counts the weights of every preset and writes docs/presets.md."""
    counts = record.read("presets").get("weights", {})
    if not page_only:
        import keras

        for key in systems.split(",") if systems else zoo.SYSTEMS:
            counts[key] = {}
            for name in zoo.get(key).presets:
                counts[key][name] = count_weights(key, name)
                keras.backend.clear_session()
                print(key, name, counts[key][name], flush=True)
        record.write("presets", {"weights": counts})
    files.write_text(DOC, page(counts))


if __name__ == "__main__":
    typer.run(main)
