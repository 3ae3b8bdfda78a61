"""Reproducible damages of export folders, for tests and for the fault table.

Damages of files (missing, empty, truncated, flipped bytes, not a file), of the JSON text (another top type, deep
nesting, NaN, duplicated keys), well-typed edits that would change images without any error (another kind of noise,
another stream, other shapes, swapped ports), and edits of single entries: dropped, of another type, out of range.
"""

import copy
import json
import math
import pathlib
from collections.abc import Callable, Iterator

DESCRIPTION = "model.json"
NUM_DAMAGES = 140

_REPLACEMENTS = (
    ("null", None),
    ("true", True),
    ("-1", -1),
    ("0", 0),
    ("1.5", 1.5),
    ("10**30", 10**30),
    ("a text", "damaged"),
    ("an empty text", ""),
    ("a path out of the folder", "../../etc/passwd"),
    ("an empty list", []),
    ("nested lists", [[["damaged"]]]),
    ("an empty object", {}),
    ("an object", {"damaged": 1}),
)


def damage_export(folder: str | pathlib.Path, index: int) -> str:
    """Damages an export folder in place.

    Args:
        folder: A copy of an intact export with TFLite files.
        index: Index of the damage, 0 <= index < `NUM_DAMAGES`; equal folders are damaged equally.

    Returns:
        A description of the damage, such as `"model.json: noise.inputs[0].kind becomes null"`.

    Raises:
        ValueError: For an index out of range.
    """
    if not 0 <= index < NUM_DAMAGES:
        raise ValueError(f"Expected an index from 0 to {NUM_DAMAGES - 1}; received {index!r}")
    folder = pathlib.Path(folder)
    whole = [*_file_damages(folder), *_text_damages(folder), *_plausible_edits(folder)]
    if index < len(whole):
        text, damage = whole[index]
        damage()
        return text
    description = _read(folder)
    edits = list(_single_edits(description))
    # a stride that is coprime to the number of edits, so that the chosen edits cover the whole file
    stride = len(edits) // (NUM_DAMAGES - len(whole)) + 1
    while math.gcd(stride, len(edits)) > 1:
        stride += 1
    text, edit = edits[(index - len(whole)) * stride % len(edits)]
    edit(description)
    _write(folder, description)
    return f"{DESCRIPTION}: {text}"


def _read(folder: pathlib.Path) -> dict:
    return json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))


def _write(folder: pathlib.Path, description) -> None:
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _file_damages(folder: pathlib.Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yields damages of the bytes of model.json and of the preferred model."""
    description = _read(folder)
    model = folder / description["files"][description["preferred"]]["file"]
    for file in (folder / DESCRIPTION, model):
        content = file.read_bytes()
        name, middle = file.name, len(content) // 2
        changed = {
            "empty": b"",
            "the first half alone": content[:middle],
            "without its last 3 bytes": content[:-3],
            "a byte appended": content + b"\0",
            "the first byte flipped": bytes([content[0] ^ 255]) + content[1:],
            "the middle byte flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
            "one bit of the last but one byte flipped": content[:-2] + bytes([content[-2] ^ 1]) + content[-1:],
            "zeros of the same size": bytes(len(content)),
            "two blocks swapped": content[middle:] + content[:middle],
        }
        for change, damaged in changed.items():
            yield f"{name}: {change}", lambda file=file, damaged=damaged: file.write_bytes(damaged)
        yield f"{name}: missing", file.unlink
        yield f"{name}: a folder of that name", lambda file=file: (file.unlink(), file.mkdir())


def _text_damages(folder: pathlib.Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yields other texts of model.json: valid JSON of another kind, or text that some JSON readers accept."""
    file = folder / DESCRIPTION
    text = file.read_text(encoding="utf-8")
    body = text[text.index("{") + 1 :]
    changed = {
        "a list": "[]",
        "null": "null",
        "a number": "7",
        "an empty object": "{}",
        "only its format": json.dumps({"format": _read(folder)["format"]}),
        "nested 100,000 deep": "[" * 100_000 + "]" * 100_000,
        "an entry nested 100,000 deep": '{"deep": ' + "[" * 100_000 + "]" * 100_000 + ", " + body,
        "a number of 10,000 digits": '{"large": ' + "9" * 10_000 + ", " + body,
        "NaN as the batch": text.replace('"batch": ', '"batch": NaN, "former": ', 1),
        "Infinity as the batch": text.replace('"batch": ', '"batch": Infinity, "former": ', 1),
        "the batch twice": text.replace('"batch": ', '"batch": 7, "batch": ', 1),
        "a comment": "// exported\n" + text,
        "a byte order mark": "\N{ZERO WIDTH NO-BREAK SPACE}" + text,
        "the text twice": text + text,
    }
    for change, damaged in changed.items():
        yield f"{DESCRIPTION}: {change}", lambda damaged=damaged: file.write_text(damaged, encoding="utf-8")


def _plausible_edits(folder: pathlib.Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yields edits that preserve all types; each would change images or their description."""
    intact = _read(folder)

    def edit(text, change):
        description = copy.deepcopy(intact)
        change(description)
        return f"{DESCRIPTION}: {text}", lambda: _write(folder, description)

    for position, noise in enumerate(intact["noise"]["inputs"]):
        for kind in ("normal", "uniform", "uniform_symmetric"):
            if kind != noise["kind"]:
                yield edit(
                    f"the noise {noise['name']!r} is {kind}",
                    lambda content, at=position, kind=kind: content["noise"]["inputs"][at].update(kind=kind),
                )
        yield edit(
            f"the noise {noise['name']!r} has another stream",
            lambda content, at=position: content["noise"]["inputs"][at].update(stream=len(intact["noise"]["inputs"])),
        )
    if intact["labels"]:
        yield edit("the labels are reversed", lambda content: content["labels"].reverse())
    if intact.get("text"):
        yield edit("the vocabulary is reversed", lambda content: content["text"]["vocabulary"].reverse())
    if intact.get("attributes"):
        yield edit("the attributes are reversed", lambda content: content["attributes"]["names"].reverse())
    if len(intact["files"]) > 1:
        yield edit("the files of two precisions are swapped", _swap_files)
    for name, signature in intact["signatures"].items():
        for side in ("inputs", "outputs"):
            if len(signature[side]) > 1:
                yield edit(
                    f"the {side} of {name} are in the reverse order",
                    lambda content, name=name, side=side: content["signatures"][name].update(
                        {side: dict(reversed(content["signatures"][name][side].items()))}
                    ),
                )
    if len(intact["signatures"]) > 1:
        yield edit("two signatures are swapped", _swap_signatures)


def _swap_files(content: dict) -> None:
    first, second = list(content["files"])[:2]
    content["files"][first], content["files"][second] = content["files"][second], content["files"][first]


def _swap_signatures(content: dict) -> None:
    first, second = list(content["signatures"])[:2]
    signatures = content["signatures"]
    signatures[first], signatures[second] = signatures[second], signatures[first]


def _single_edits(intact: dict) -> Iterator[tuple[str, Callable[[dict], object]]]:
    """Yields edits that drop an entry of a description, or replace it by a value of another type or size."""
    for path in _paths(intact):
        entry = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        former = _parent(intact, path)[path[-1]]
        yield f"{entry} is dropped", lambda content, path=path: _parent(content, path).__delitem__(path[-1])
        for text, value in _REPLACEMENTS:
            if type(former) is not type(value) or former != value:
                yield (
                    f"{entry} becomes {text}",
                    lambda content, path=path, value=value: _parent(content, path).__setitem__(path[-1], value),
                )


def _paths(content, path: tuple = ()) -> Iterator[tuple]:
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _paths(value, (*path, key))


def _parent(content, path: tuple):
    for step in path[:-1]:
        content = content[step]
    return content
