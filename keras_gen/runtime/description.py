"""model.json, the description of an export: its format, its rules and its digest."""

import hashlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from . import sampling
from .noise import NOISE_KINDS
from .schema import (
    DIGEST,
    FILE,
    NUMBER,
    TEXT,
    Each,
    Items,
    Nullable,
    check_entries,
    damaged,
    integer,
    one_of,
    read_object,
    shorten,
)

FORMAT = 3
MAX_BATCH = 1 << 16
CROPS = ("center", "pad")
PREPROCESSING = ("value_range", "crop", "background")  # entries of model.json: arguments of `read_images`
# kind of a port -> the range of its values, None if they are unbounded
KINDS: dict[str, list[int] | None] = {
    "image": [0, 1],
    "latent": None,
    "normal": None,
    "uniform": [0, 1],
    "uniform_symmetric": [-1, 1],
    "one_hot": [0, 1],
    "label": [0, 1],
    "attributes": [0, 1],
    "mask": [0, 1],
    "value": None,
}
PORT = {"shape": sampling.SHAPE, "kind": one_of(KINDS), "range": Nullable(Items(NUMBER, 2, 2))}
RULES = {
    "system": TEXT,
    "title": TEXT,
    "image_shape": Items(integer(1, 2**31 - 1), 3, 3),
    "batch": integer(1, MAX_BATCH),
    "fingerprint": TEXT,
    "saved_model": Nullable(TEXT),
    "preferred": Nullable(TEXT),
    "files": Each({"file": FILE, "bytes": integer(1, 2**40), "sha256": DIGEST}),
    "runtime": Each(DIGEST),
    "signatures": Each({"inputs": Each(PORT), "outputs": Each(PORT)}),
    "noise": {"inputs": sampling.NOISE},
    "sampling?": sampling.RULES,
    "labels": Nullable(Items(TEXT)),
    "value_range?": Items(NUMBER, 2, 2),
    "crop?": one_of(CROPS),
    "background?": Items(integer(0, 255), 3, 3),
    "domains?": Items(TEXT, 2, 2),
    "text?": {"vocabulary": Items(TEXT, 1), "length": integer(1, 2**16)},
    "attributes?": {
        "names": Items(TEXT, 1),
        "groups": Items(integer(1, 2**16), 1),
        "datasets": Items(integer(0, 2**16)),
    },
    "digest": DIGEST,
}


def read_description(folder: pathlib.Path, *, need_model: bool = True) -> dict[str, Any]:
    """Reads and checks model.json: its entries, their consistency and its digest.

    Args:
        folder: the export folder.
        need_model: whether an export without a TFLite model is an error.

    Returns:
        The content of model.json.

    Raises:
        FileNotFoundError: if model.json is missing, or names no TFLite model.
        ValueError: if it is damaged, was edited, or has another format.
    """
    file = folder / "model.json"
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist: expected an export folder with model.json and model.tflite")
    description = read_object(file)
    if type(description.get("format")) is not int or description["format"] != FORMAT:
        received = shorten(description.get("format"))
        raise ValueError(
            f"{file}: format: expected {FORMAT}; received {received}; export the model again (the runtime/ in an "
            "export folder reads the format of that folder)"
        )
    check_entries(file, description, RULES)
    check_description(file, description)
    if need_model and not description["files"]:
        raise FileNotFoundError(f"{folder} holds no TFLite model; export one with --format tflite")
    return description


def check_description(file: pathlib.Path, content: dict[str, Any]) -> None:
    """Checks that the entries of model.json are consistent and unchanged since the export.

    Args:
        file: model.json, for the message.
        content: its content, whose entries follow `RULES`.

    Raises:
        ValueError: if entries contradict each other, or the digest is another.
    """
    for entry, valid, expected, received in _relations(content):
        if not valid:
            raise damaged(file, entry, expected, shorten(received))
    try:
        digest = digest_of(content)
    except RecursionError as error:
        raise damaged(file, "content", "entries of moderate nesting", "entries that are nested too deeply") from error
    if digest != content["digest"]:
        raise ValueError(
            f"{file} was changed after the export: digest: expected {content['digest']}, as stored; received {digest}, "
            "computed from the content; copy or export it again"
        )


def digest_of(description: dict[str, Any]) -> str:
    """Returns the SHA-256 of model.json without its `digest`, in hexadecimal; the order of entries matters."""
    content = {key: value for key, value in description.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


_Relation = tuple[str, bool, str, Any]


def _relations(content: dict[str, Any]) -> Iterator[_Relation]:
    """Yields (entry, whether it is valid, what was expected, what was received) for entries that depend on others."""
    files, signatures, noise = content["files"], content["signatures"], content["noise"]["inputs"]
    preferred = content.get("preferred")
    yield "preferred", preferred in files if files else preferred is None, ", ".join(files) or "null", preferred
    names = [each["file"] for each in files.values()]
    yield "files", len(set(names)) == len(names), "files of different names", ", ".join(names)
    yield "signatures", bool(signatures), "at least one signature", signatures
    for key in ("name", "stream"):
        values = [item[key] for item in noise]
        yield f"noise.inputs.{key}", len(set(values)) == len(values), "different values", ", ".join(map(str, values))
    if "sampling" in content:
        yield from sampling.relations(content)
    yield from _port_relations(signatures, noise, content.get("sampling"))
    if "generate" in signatures:
        shape = next(iter(signatures["generate"]["outputs"].values()))["shape"]
        yield (
            "image_shape",
            content["image_shape"] == shape,
            f"{shape}, the output of generate",
            str(content["image_shape"]),
        )
    low, high = content.get("value_range", (0, 1))
    yield "value_range", low < high, "the number that is black, then a larger one that is white", f"{low}, {high}"
    yield from _text_relations(content.get("text"), signatures)
    yield from _attribute_relations(content.get("attributes"), signatures)


def _port_relations(signatures: dict, noise: list[dict], steps: dict | None) -> Iterator[_Relation]:
    # the entry of model.json -> {input: its noise}; the noise of steps is that of their endpoint alone
    described = {"noise.inputs": {item["name"]: item for item in noise}}
    used = {"noise.inputs": set()}
    if steps is not None:
        described["sampling.noise"] = {item["name"]: item for item in steps["noise"]}
        used["sampling.noise"] = set()
        used["noise.inputs"] |= {steps["state"]} & set(described["noise.inputs"])  # the initial states
    for name, signature in signatures.items():
        source = "sampling.noise" if steps is not None and name == steps["endpoint"] else "noise.inputs"
        for side in ("inputs", "outputs"):
            yield f"signatures.{name}.{side}", bool(signature[side]), "at least one port", signature[side]
            for port_name, port in signature[side].items():
                entry, kind, shape = f"signatures.{name}.{side}.{port_name}", port["kind"], port["shape"]
                limits = KINDS[kind]
                yield f"{entry}.range", port["range"] == limits, f"{limits} for {kind}", str(port["range"])
                one_axis = kind not in ("label", "one_hot", "attributes") or len(shape) == 1
                yield f"{entry}.shape", one_axis, f"one number for {kind}", str(shape)
                if side == "inputs" and kind in NOISE_KINDS:
                    used[source].add(port_name)
                    item = described[source].get(port_name, {})
                    valid = item.get("kind") == kind and item.get("shape") == shape
                    received = f"{item['kind']} of shape {item['shape']}" if item else "none"
                    yield f"{source} of {port_name}", valid, f"{kind} of shape {shape}, as in {entry}", received
    for source, items in described.items():
        yield source, used[source] == set(items), f"the names {sorted(used[source])}", f"{sorted(items)}"


def _text_relations(text: dict | None, signatures: dict) -> Iterator[_Relation]:
    if text is None:
        return
    words = text["vocabulary"]
    repeated = len(words) - len(set(words))
    yield "text.vocabulary", not repeated, "different words", f"{repeated} repeated"
    tokens = signatures.get("embed", {}).get("inputs", {}).get("tokens")
    yield "signatures.embed.inputs.tokens", tokens is not None, "an input of tokens for the text", tokens
    shape = tokens["shape"]
    yield "text.length", shape == [text["length"]], f"{shape}, as in signatures.embed.inputs.tokens", text["length"]


def _attribute_relations(schema: dict | None, signatures: dict) -> Iterator[_Relation]:
    if schema is None:
        return
    names, groups, datasets = schema["names"], schema["groups"], schema["datasets"]
    yield "attributes.names", len(set(names)) == len(names), "different names", ", ".join(names)
    yield "attributes.groups", sum(groups) == len(names), f"sizes with the sum {len(names)}", str(groups)
    yield "attributes.datasets", len(datasets) in (0, len(groups)), f"one for each of {len(groups)} groups", datasets
    contiguous = set(datasets) == set(range(max(datasets, default=-1) + 1))
    yield "attributes.datasets", contiguous, "every number from 0 to the largest", str(datasets)
    inputs = signatures.get("translate", {}).get("inputs", {})
    shapes = {name: port["shape"] for name, port in inputs.items() if name != "image"}
    expected = {"attributes": [len(names)], **({"dataset": [max(datasets) + 1]} if datasets else {})}
    yield "signatures.translate.inputs", shapes == expected, f"shapes {expected} besides the image", str(shapes)
