"""The model card: README.md of a run directory."""

import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from keras_gen import files, runs, zoo
from keras_gen.models.core.system import System
from keras_gen.runs.history import read_rows

_ROLES = ("train", "validation")


def write_card(run: runs.Run) -> pathlib.Path:
    """Writes README.md from the files of a run: settings, metrics, pictures, and how to use the model.

    Args:
        run: The run, finished or not.

    Returns:
        The path of the card.
    """
    config, rows = run.config, read_rows(run.metrics_file)
    system = zoo.SYSTEMS.get(config["system"])
    title = system.title if system else config["system"]
    sections = [
        f"# {title} on {config['data']['source']}",
        _summary(run, system),
        _picture(run, rows),
        _data(config),
        _training(config, rows),
        _unless_damaged(_evaluation, run),
        _unless_damaged(_export, run),
        _usage(run),
        _limitations(config),
    ]
    files.write_text(run.card_file, "\n\n".join(section for section in sections if section) + "\n")
    return run.card_file


def _unless_damaged(section: Callable[[runs.Run], str], run: runs.Run) -> str:
    """Returns a section that is read from a file; a finished training has a card even if that file is damaged."""
    try:
        return section(run)
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"A file of this section is damaged: `keras-gen check {run.path}` names it."


def _summary(run: runs.Run, system: System | None) -> str:
    height, width, channels = run.image_shape
    kind = {1: "gray", 3: "color"}.get(channels, f"{channels}-channel")
    paper = f" ({system.paper})" if system else ""
    name = system.title if system else run.config["system"]
    version = run.config.get("versions", {}).get("keras-gen", "")
    return f"A {name}{paper} of {width}x{height} {kind} images, trained with keras_gen {version}."


def _picture(run: runs.Run, rows: list[dict[str, float]]) -> str:
    pictures = sorted(run.samples.glob("epoch_*.png"))
    return f"![Samples after {len(rows)} epochs](samples/{pictures[-1].name})" if pictures else ""


def _data(config: Mapping[str, Any]) -> str:
    data = config["data"]
    lines = [f"- {role}: `{split}`" for role, split in data["splits"].items() if split]
    options = {key: value for key, value in data.items() if key not in ("source", "splits") and value}
    lines += [f"- {key}: `{value}`" for key, value in options.items()]
    for change in config.get("fingerprints", {}).get("changed", ()):
        counts = {role: ["?" if count is None else f"{count:,}" for count in change.get(role, ())] for role in _ROLES}
        changes = ", ".join(f"{role} {' to '.join(pair)} images" for role, pair in counts.items() if pair)
        note = "images of the new validation split may have been trained on before"
        lines.append(f"- changed after epoch {change['epoch']}: {changes}; {note}")
    return f"## Data\n\n`{data['source']}`\n\n" + "\n".join(lines)


def _training(config: Mapping[str, Any], rows: list[dict[str, float]]) -> str:
    lines = [f"| preset | {config['preset']} |"] if config.get("preset") else []
    lines += [f"| {key} | {value} |" for key, value in config["training"].items() if value not in (None, {})]
    lines += [f"| setting `{key}` | {value} |" for key, value in config["settings"].items() if value is not None]
    lines += [f"| {key} | {value} |" for key, value in config.get("versions", {}).items()]
    text = "## Training\n\n| | |\n|---|---|\n" + "\n".join(lines)
    if not rows:
        return text
    names = [name for name in rows[-1] if name != "epoch"]
    table = [f"| {name} | {rows[0].get(name, float('nan')):.4g} | {rows[-1][name]:.4g} |" for name in names]
    head = f"| metric | epoch 1 | epoch {rows[-1]['epoch']} |\n|---|---|---|\n"
    note = (
        "Terms of a likelihood are in nats per image; under a continuous likelihood they are of a density. "
        "`model.keras` holds the best epoch, `checkpoints/` the last ones."
    )
    return f"{text}\n\n{head}" + "\n".join(table) + f"\n\n{note}"


def _evaluation(run: runs.Run) -> str:
    if not run.evaluation_file.is_file():
        return f"## Evaluation\n\nNot evaluated yet: `keras-gen evaluate {run.path}` writes evaluation.json."
    content = runs.read_json(run.evaluation_file)
    about = content["about"]
    lines = [
        f"| {name} | {value:.6g} | {about.get(name, {}).get('unit', '')} |"
        for name, value in content["metrics"].items()
        if value is not None
    ]
    explanations = [
        f"`{name}` {about[name]['how_to_read']}."
        for name in content["metrics"]
        if "how_to_read" in about.get(name, {}) and not name.endswith("_floor")
    ]
    note = "Sample sizes, seed, split, and why some metrics are missing: `evaluation.json`."
    note = "\n\n".join([*explanations, note])
    table = "| metric | value | unit |\n|---|---|---|\n" + "\n".join(lines)
    return f"## Evaluation\n\n{_score(content)}{table}\n\n{note}"


def _score(content: Mapping[str, Any]) -> str:
    """Returns a line with the headline of an evaluation, or nothing."""
    headline = content.get("headline")
    if not headline or headline["value"] is None:
        return ""
    return (
        f"**Score: {headline['value']:.4g}** (`{headline['metric']}`; {headline['better']} is better, and real images "
        f"have {headline['floor']:.4g})\n\n"
    )


def _export(run: runs.Run) -> str:
    file = run.export_folder / "parity.json"
    if not file.is_file():
        return ""
    lines = [
        f"| {precision} | {details['bytes'] / 1000:,.0f} | {endpoint} | {errors['max']:.2g} | {errors['mean']:.2g} |"
        for precision, details in runs.read_json(file)["files"].items()
        for endpoint, outputs in details["endpoints"].items()
        for output, errors in outputs.items()
        if output == "image"
    ]
    if not lines:
        return ""
    head = "| precision | kB | endpoint | largest error | mean error |\n|---|---|---|---|---|\n"
    return "## Export\n\nErrors of images in [0, 1] relative to Keras.\n\n" + head + "\n".join(lines)


def _usage(run: runs.Run) -> str:
    names = run.config.get("names", {}).get("label")
    label = f", label={json.dumps(names[0], ensure_ascii=False) if names else 0}"
    return f"""## Use

```python
import keras_gen

model = keras_gen.load("{run.path}")
images = model.generate(16, seed=1{label if run.config["settings"].get("num_classes") else ""})
```

```
keras-gen sample {run.path} --num 64 --seed 1 --out samples.png
keras-gen evaluate {run.path}
keras-gen export {run.path} --format tflite --quantize int8
```"""


def _limitations(config: Mapping[str, Any]) -> str:
    return (
        "## Limitations and license\n\n"
        f"The model was trained on `{config['data']['source']}` alone; its samples have the biases of these data. The "
        "license of the data is not recorded here: check it before you distribute the model or its images."
    )
