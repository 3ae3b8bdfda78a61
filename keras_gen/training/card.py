"""The model card: README.md of a run directory."""

import json
import pathlib
from collections.abc import Callable

from keras_gen import files, runs, zoo
from keras_gen.runs.history import read_rows

_ROLES = ("train", "validation")


def write_card(run: runs.Run) -> pathlib.Path:
    """Write README.md from what lies in the run directory: settings, numbers, pictures, how to use it.

    Returns:
        The path of the card.
    """
    config, rows = run.config, read_rows(run.metrics_file)
    system = zoo.SYSTEMS.get(config["system"])
    title = system.title if system else config["system"]
    parts = [f"# {title} on {config['data']['source']}", _what(run, system), _picture(run, rows)]
    parts += [_data(config), _training(config, rows), _read(_evaluation, run), _read(_export, run)]
    parts += [_use(run), _limits(config)]
    files.write_text(run.card_file, "\n\n".join(part for part in parts if part) + "\n")
    return run.card_file


def _read(section: Callable[[runs.Run], str], run: runs.Run) -> str:
    """A section that is read from a file; a damaged file must not cost a finished training its card."""
    try:
        return section(run)
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"A file of this section is damaged: `keras-gen check {run.path}` names it."


def _what(run: runs.Run, system) -> str:
    height, width, channels = run.image_shape
    kind = {1: "gray", 3: "color"}.get(channels, f"{channels}-channel")
    paper = f" ({system.paper})" if system else ""
    name = system.title if system else run.config["system"]
    return f"A {name}{paper} of {width}x{height} {kind} images, trained with keras_gen {_version(run.config)}."


def _version(config: dict) -> str:
    return config.get("versions", {}).get("keras-gen", "")


def _picture(run: runs.Run, rows: list) -> str:
    pictures = sorted(run.samples.glob("epoch_*.png"))
    return f"![Samples after {len(rows)} epochs](samples/{pictures[-1].name})" if pictures else ""


def _data(config: dict) -> str:
    data = config["data"]
    lines = [f"- {role}: `{split}`" for role, split in data["splits"].items() if split]
    options = {key: value for key, value in data.items() if key not in ("source", "splits") and value}
    lines += [f"- {key}: `{value}`" for key, value in options.items()]
    for change in config.get("fingerprints", {}).get("changed", ()):
        counts = {role: ["?" if count is None else f"{count:,}" for count in change.get(role, ())] for role in _ROLES}
        said = ", ".join(f"{role} {' to '.join(pair)} images" for role, pair in counts.items() if pair)
        note = "images of the new validation split may have been trained on before"
        lines.append(f"- changed after epoch {change['epoch']}: {said}; {note}")
    return f"## Data\n\n`{data['source']}`\n\n" + "\n".join(lines)


def _training(config: dict, rows: list[dict]) -> str:
    lines = [f"| {key} | {value} |" for key, value in config["training"].items() if value is not None]
    lines += [f"| setting `{key}` | {value} |" for key, value in config["settings"].items() if value is not None]
    lines += [f"| {key} | {value} |" for key, value in config.get("versions", {}).items()]
    text = "## Training\n\n| | |\n|---|---|\n" + "\n".join(lines)
    if not rows:
        return text
    names = [name for name in rows[-1] if name != "epoch"]
    table = [f"| {name} | {rows[0].get(name, float('nan')):.4g} | {rows[-1][name]:.4g} |" for name in names]
    head = f"| metric | epoch 1 | epoch {rows[-1]['epoch']} |\n|---|---|---|\n"
    note = (
        "Terms of a likelihood are nats per image; under a continuous head they are of a density. `model.keras` holds "
        "the best epoch, `checkpoints/` the last ones."
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
    readings = [
        f"`{name}` {about[name]['how_to_read']}."
        for name in content["metrics"]
        if "how_to_read" in about.get(name, {}) and not name.endswith("_floor")
    ]
    note = "Sample sizes, seed, split, and why some numbers are missing: `evaluation.json`."
    note = "\n\n".join([*readings, note])
    return "## Evaluation\n\n| metric | value | unit |\n|---|---|---|\n" + "\n".join(lines) + f"\n\n{note}"


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
    head = "| precision | kB | endpoint | largest error | mean error |\n|---|---|---|---|---|\n"
    return "## Export\n\nErrors of images in [0, 1] against Keras.\n\n" + head + "\n".join(lines) if lines else ""


def _use(run: runs.Run) -> str:
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


def _limits(config: dict) -> str:
    return (
        "## Limits and licence\n\n"
        f"The model knows what `{config['data']['source']}` holds and nothing else; its samples carry the biases of "
        "these data. The licence of the data is not recorded here: look it up before you pass on the model or its "
        "images."
    )
