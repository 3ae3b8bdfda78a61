"""Run an exported model with numpy and ai-edge-litert alone; TensorFlow and Keras are never imported.

    python runtime.py info
    python runtime.py generate --num 16 --seed 1 --out grid.png
    python runtime.py reconstruct photo.png --out pairs.png

    python runtime.py generate --caption "a red circle"      # a model that reads text

    from runtime import Runtime
    images = Runtime().generate(16, seed=1)      # float32 [16, height, width, channels] in [0, 1]

It reads model.json and the .tflite files of the folder it lies in. This is one long file because a copy of it is what
goes to a device: it imports nothing of the package it comes from, and repeats the few lines that draw the noise and
those that read a caption.
"""

import argparse
import difflib
import hashlib
import json
import math
import pathlib
import re
import struct
import sys
import threading
import time
import unicodedata
import warnings
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

FORMAT = 2  # since 2 model.json holds a digest of itself
ROUNDING = 1e-5  # how far beyond its range a value may lie by rounding
MAX_JSON_BYTES = 1 << 26
MAX_BATCH = 1 << 16
MAX_PIXELS = 50_000_000  # of an image file
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
# suffixes of images that are written with Pillow -> its name of the format
PICTURES = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF"}
CROPS = ("center", "pad")
READING = ("value_range", "crop", "background")  # entries of model.json
WHITE = (255, 255, 255)
MOST_NAMES = 20  # in a message
_GENERAL = "scale them, so that black is 0 and white is 1"
NOISE_KINDS = ("normal", "uniform", "uniform_symmetric", "one_hot")
# kind of a port -> the range of its values, None where there is no bound
KINDS = {
    **dict.fromkeys(("image", "uniform", "one_hot", "label", "attributes", "share"), [0, 1]),
    "uniform_symmetric": [-1, 1],
    **dict.fromkeys(("latent", "normal", "value")),
}


class Rule(NamedTuple):
    """What a single value of model.json must be.

    Attributes:
        expected: in words, for the message.
        fits: value -> whether it is.
    """

    expected: str
    fits: Callable


class Items(NamedTuple):
    """A list of `min_length` to `max_length` values of one rule."""

    rule: object
    min_length: int = 0
    max_length: int = 1 << 24


class Each(NamedTuple):
    """An object with any names, whose values have one rule."""

    rule: object


class Nullable(NamedTuple):
    """Null, or a value of one rule."""

    rule: object


def integer(low: int, high: int) -> Rule:
    """The rule of an integer from `low` to `high`."""
    return Rule(f"an integer from {low} to {high}", lambda value: type(value) is int and low <= value <= high)


def is_integer(value) -> bool:
    """Whether a value is an integer of Python or numpy; True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def one_of(values) -> Rule:
    """The rule of one of some texts."""
    return Rule(f"one of {', '.join(values)}", lambda value: isinstance(value, str) and value in values)


TEXT = Rule("a text that is not empty", lambda value: isinstance(value, str) and value.strip() != "")
NUMBER = Rule("a finite number", lambda value: type(value) in (int, float) and math.isfinite(value))
DIGEST = Rule("64 hexadecimal digits", lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value))
FILE = Rule(
    "the name of a .tflite file in the same folder",
    lambda value: isinstance(value, str) and re.fullmatch(r"\w[\w.-]*\.tflite", value),
)
SHAPE = Items(integer(1, 2**31 - 1), max_length=8)
PORT = {"shape": SHAPE, "kind": one_of(KINDS), "range": Nullable(Items(NUMBER, 2, 2))}
# what model.json must hold; names that end with ? may be missing, and others than these are not read
RULES = {
    "system": TEXT,
    "title": TEXT,
    "image_shape": Items(integer(1, 2**31 - 1), 3, 3),
    "batch": integer(1, MAX_BATCH),
    "fingerprint": TEXT,
    "saved_model": Nullable(TEXT),
    "preferred": Nullable(TEXT),
    "files": Each({"file": FILE, "bytes": integer(1, 2**40), "sha256": DIGEST}),
    "signatures": Each({"inputs": Each(PORT), "outputs": Each(PORT)}),
    "noise": {
        "inputs": Items({"name": TEXT, "stream": integer(0, 2**63 - 1), "kind": one_of(NOISE_KINDS), "shape": SHAPE})
    },
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


class Runtime:
    """An exported model: its endpoints as methods, numpy arrays in and out.

    Args:
        folder: the export folder; default the one this file lies in.
        precision: `"float32"`, `"float16"`, `"dynamic"` or `"int8"`, of those exported; default the preferred one.
        threads: threads of the interpreter, >= 1; default its own choice.
        before_batch: called before each batch of a call; what it raises ends the call. A server's time limit, say.

    Attributes:
        description: the content of model.json.
        signatures: endpoint -> {"inputs": {name: {"shape", "kind", "range"}}, "outputs": the same}.
        image_shape: (height, width, channels).
        precision: the precision in use.

    Raises:
        FileNotFoundError: where the folder, model.json or the model is missing.
        ValueError: where model.json or the model is damaged or was edited, or the precision is not there.
    """

    def __init__(
        self,
        folder=None,
        *,
        precision: str | None = None,
        threads: int | None = None,
        before_batch: Callable[[], None] | None = None,
    ):
        self.folder = pathlib.Path(folder) if folder is not None else pathlib.Path(__file__).resolve().parent
        self.description = read_description(self.folder)
        files = self.description["files"]
        self.precision = precision or self.description["preferred"]
        if self.precision not in files:
            raise ValueError(f"{self.folder} has no {self.precision!r} model; it has {', '.join(files) or 'none'}")
        self.file = self.folder / files[self.precision]["file"]
        check_file(self.file, files[self.precision])
        if threads is not None and (not is_integer(threads) or threads < 1):
            raise ValueError(f"threads must be >= 1 and an integer; received {threads!r}")
        self.signatures = self.description["signatures"]
        self.image_shape = tuple(self.description["image_shape"])
        self.batch = self.description["batch"]
        self.interpreter = open_interpreter(self.file, threads)
        check_signatures(self.file, self.interpreter.get_signature_list(), self.signatures)
        self.before_batch = before_batch
        self._runners = {}
        self._lock = threading.Lock()  # an interpreter serves one call at a time

    def run(self, signature: str, **inputs) -> dict[str, np.ndarray]:
        """Run one endpoint on any number of examples.

        Args:
            signature: its name, see `signatures`.
            **inputs: name -> array [num, *shape]; a label may also be one class, or classes [num], each an index or a
                name of `description["labels"]`.

        Returns:
            Output name -> float32 [num, *shape].

        Raises:
            ValueError: for an unknown endpoint, missing or unknown inputs, shapes or values that do not fit.
        """
        if signature not in self.signatures:
            raise ValueError(f"Unknown endpoint {signature!r}: this model has {', '.join(self.signatures)}")
        ports = self.signatures[signature]["inputs"]
        if "label" in inputs and "label" in ports:
            names, count = self.description["labels"], ports["label"]["shape"][0]
            inputs["label"] = indices_of("class", inputs["label"], names, count)
        arrays = check_inputs(signature, ports, inputs)
        with self._lock:
            if signature not in self._runners:
                runner = self.interpreter.get_signature_runner(signature)
                check_shapes(self.file, signature, runner, self.signatures[signature], self.batch)
                self._runners[signature] = runner
            found = run_rows(self._runners[signature], arrays, self.batch, self.before_batch)
        return {name: found[name] for name in self.signatures[signature]["outputs"]}

    def noise(self, num: int, seed: int) -> dict[str, np.ndarray]:
        """The base noise of `num` images: input name -> float32 [num, *shape]."""
        return draw_noise(self.description["noise"]["inputs"], num, seed)

    def generate(self, num: int, seed: int | None = None, **conditions) -> np.ndarray:
        """Draw images; the same seed gives the images that the Keras model gives.

        Args:
            num: images, >= 1.
            seed: 0 <= seed < 2**63; None draws one.
            **conditions: the conditions, e.g. `label="cat"`, `label=3` (an index) or a list of these, one
                for each image; or `caption="a red circle"` (or one caption for each image; unknown words are reported
                by a warning); also noise of one's own.

        Returns:
            float32 [num, height, width, channels] in [0, 1].
        """
        if not is_integer(num) or num < 1:
            raise ValueError(f"num must be >= 1 and an integer; received {num!r}")
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        if "caption" in conditions:
            conditions["embedding"] = self.embed(conditions.pop("caption"), num)
        return self._first("generate", **{**self.noise(num, seed), **conditions})

    @property
    def reading(self) -> dict:
        """How the training data was read, as far as model.json states it: arguments of `read_images`."""
        return {name: self.description[name] for name in READING if name in self.description}

    def read_labels(self, signature: str, texts: list[str]) -> int | list[int]:
        """The class, or the classes, that texts of a command line mean for an endpoint; see `read_index`."""
        port = self.signatures.get(signature, {}).get("inputs", {}).get("label")
        if port is None:
            raise ValueError(f"--label: {signature} of this model ({self.description['system']}) takes no class")
        names, count = self.description["labels"], port["shape"][0]
        found = [index for text in texts for index in read_indices("class", text, names, count)]
        return found[0] if len(found) == 1 else found

    def read_attributes(self, texts: list[str]) -> tuple[str, ...]:
        """The names of the attributes that texts of a command line mean; see `read_index`."""
        names = (self.description.get("attributes") or {"names": texts})["names"]
        return tuple(names[index] for text in texts for index in read_indices("attribute", text, names, len(names)))

    def read(self, caption: str) -> dict:
        """How a caption is read: `words` (all of its words), `unknown` (those read that the model does not know),
        `dropped` (how many words at its end are too many) and `tokens`, float32 [1, length].

        Raises:
            ValueError: for a caption without a word, or a model that reads none.
        """
        text = self.description.get("text")
        if text is None:
            raise ValueError(f"This model ({self.description['system']}) reads no caption")
        return read_caption(caption, text["vocabulary"], text["length"])

    def embed(self, caption, num: int = 1) -> np.ndarray:
        """A caption, or `num` of them -> embeddings float32 [num, size]; what is lost of them is warned of."""
        captions = [caption] if isinstance(caption, str) else list(caption)
        if len(captions) not in (1, num):
            raise ValueError(f"Expected one caption, or {num} (one for each image); received {len(captions)}")
        found = [self.read(each) for each in captions]
        for lost in dict.fromkeys(warning for reading in found for warning in warnings_of(reading)):
            warnings.warn(lost, stacklevel=3)
        rows = self._first("embed", tokens=np.concatenate([reading["tokens"] for reading in found]))
        return np.broadcast_to(rows, (num, rows.shape[1]))

    def encode(self, image, **conditions) -> np.ndarray:
        """Images [num, height, width, channels] in [0, 1] -> codes [num, size]."""
        return self._first("encode", image=image, **conditions)

    def decode(self, z, **conditions) -> np.ndarray:
        """Codes [num, size] -> images [num, height, width, channels] in [0, 1]."""
        return self._first("decode", z=z, **conditions)

    def reconstruct(self, image, **conditions) -> np.ndarray:
        """Images -> what the model makes of their codes, same shape."""
        return self._first("reconstruct", image=image, **conditions)

    def solve(self, tiles, seed: int | None = None) -> dict[str, np.ndarray]:
        """Put the tiles of a puzzle together: the endpoint `restore` of a grid, and the best assignment of its scores.

        Args:
            tiles: [num, count, height, width, channels] in [0, 1], in any order; fewer than there are places where
                some are missing.
            seed: of the noise, 0 <= seed < 2**63; None draws one.

        Returns:
            `image` [num, height, width, channels], the restored image; `scores` [num, places, places] of tile against
            place; `places` int64 [num, count], the place of each tile, row by row from the top left.

        Raises:
            ValueError: for a model of another kind, or tiles that do not fit.
        """
        if "scores" not in self.signatures.get("restore", {}).get("outputs", {}):
            raise ValueError(f"This model solves no grid: it has {', '.join(self.signatures)}")
        tiles, shape = np.asarray(tiles), self.signatures["restore"]["inputs"]["tiles"]["shape"]
        if tiles.ndim != 5 or not len(tiles) or not 1 <= tiles.shape[1] <= shape[0]:
            raise ValueError(
                f"tiles must have the shape [num, 1 to {shape[0]}, {', '.join(map(str, shape[1:]))}]; received "
                f"{list(tiles.shape)}"
            )
        num, count = tiles.shape[:2]
        filled = np.pad(tiles, [(0, 0), (0, shape[0] - count), *[(0, 0)] * 3])
        presence = np.broadcast_to(np.arange(shape[0]) < count, (num, shape[0]))
        seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        made = self.run("restore", tiles=filled, presence=presence, **self.noise(num, seed))
        return {**made, "places": np.stack([assign(each) for each in made["scores"]])[:, :count]}

    def translate(self, image, attributes, dataset: int | None = None) -> np.ndarray:
        """Images as they would be with other attributes.

        Args:
            image: [num, height, width, channels] in [0, 1].
            attributes: for all images a name, a tuple of names or a vector; or a list with one of these for each. The
                names are those of `description["attributes"]`. Of exclusive ones exactly one must be named.
            dataset: which data set vectors are of, where the model was trained on several; names tell theirs.

        Returns:
            float32 [num, height, width, channels] in [0, 1].
        """
        told = self.description.get("attributes")
        if "translate" not in self.signatures or not told:
            raise ValueError(f"This model does not translate: it has {', '.join(self.signatures)}")
        vectors, sets = attribute_vectors(told, attributes, len(np.asarray(image)), dataset)
        return self._first(
            "translate", image=image, attributes=vectors, **({"dataset": sets} if told["datasets"] else {})
        )

    def endpoint_into(self, domain: str) -> str:
        """The endpoint that makes images of a domain, which is a letter, A or B, or a name; see `read_domain`."""
        if not {"a_to_b", "b_to_a"} <= set(self.signatures):
            raise ValueError(f"This model has no two domains: its endpoints are {', '.join(self.signatures)}")
        return ("b_to_a", "a_to_b")[read_domain(domain, self.description.get("domains"))]

    def _first(self, signature: str, **inputs) -> np.ndarray:
        outputs = self.run(signature, **inputs)
        return outputs[next(iter(self.signatures[signature]["outputs"]))]


def read_description(folder: pathlib.Path, *, need_model: bool = True) -> dict:
    """Read and check model.json: its entries, how they fit together, and its digest.

    Args:
        folder: the export folder.
        need_model: refuse an export without a TFLite model.

    Raises:
        FileNotFoundError: where it is missing, or names no TFLite model.
        ValueError: where it is damaged, was edited, or has another format; with the file, the entry, what was
            expected and what was received.
    """
    file = folder / "model.json"
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist: expected an export folder with model.json and model.tflite")
    description = read_object(file)
    if type(description.get("format")) is not int or description["format"] != FORMAT:
        found = _received(description.get("format"))
        raise ValueError(
            f"{file}: format: expected {FORMAT}; received {found}; export it again, or use the runtime.py beside it"
        )
    check_entries(file, description, RULES)
    check_description(file, description)
    if need_model and not description["files"]:
        raise FileNotFoundError(f"{folder} holds no TFLite model; export one with --format tflite")
    return description


def read_object(file: pathlib.Path) -> dict:
    """Read the object that a JSON file holds, with finite numbers alone and no name twice in an object.

    Raises:
        ValueError: where it is damaged.
    """
    if file.stat().st_size > MAX_JSON_BYTES:
        raise damaged(file, "size", f"at most {MAX_JSON_BYTES} bytes", str(file.stat().st_size))
    try:
        text = file.read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=_unique_names, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise ValueError(f"{file} is damaged (no valid JSON): {reason}; copy or export it again") from error
    if not isinstance(content, dict):
        raise damaged(file, "content", "an object", _received(content))
    return content


def _unique_names(pairs: list[tuple]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} occurs twice in one object")
    return found


def _no_constant(text: str):
    raise ValueError(f"{text} is no JSON number")


def _received(value) -> str:
    """A value of JSON in a message, of any size and depth."""
    if isinstance(value, dict):
        return f"an object with {len(value)} entries"
    if isinstance(value, list):
        return f"a list of length {len(value)}"
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def damaged(file: pathlib.Path, entry: str, expected: str, received: str) -> ValueError:
    """The error for a file of an export that is not as it was written, in the one form that all of them have."""
    return ValueError(f"{file} is damaged: {entry}: expected {expected}; received {received}; copy or export it again")


def check_entries(file: pathlib.Path, value, rule, entry: str = "") -> None:
    """Check a value of a JSON file, and all within it, against a rule.

    Args:
        file, entry: where it stands, for the message.
        value: of JSON.
        rule: a `Rule`, `Items`, `Each`, `Nullable`, or a dict of names to rules; see `RULES`.

    Raises:
        ValueError: for the first value that breaks its rule.
    """
    if isinstance(rule, Nullable):
        if value is not None:
            check_entries(file, value, rule.rule, entry)
    elif isinstance(rule, Rule):
        if not rule.fits(value):
            raise damaged(file, entry, rule.expected, _received(value))
    elif isinstance(rule, Items):
        if not isinstance(value, list) or not rule.min_length <= len(value) <= rule.max_length:
            lengths = f"{rule.min_length} to {rule.max_length}"
            raise damaged(file, entry, f"a list of length {lengths}", _received(value))
        for index, item in enumerate(value):
            check_entries(file, item, rule.rule, f"{entry}[{index}]")
    elif not isinstance(value, dict):
        raise damaged(file, entry, "an object", _received(value))
    elif isinstance(rule, Each):
        for name, item in value.items():
            check_entries(file, item, rule.rule, f"{entry}.{name}")
    else:
        for name, inner in rule.items():
            optional, name = name.endswith("?"), name.removesuffix("?")
            path = f"{entry}.{name}" if entry else name
            if name in value:
                check_entries(file, value[name], inner, path)
            elif not optional:
                raise damaged(file, path, "an entry", "none")


def check_description(file: pathlib.Path, content: dict) -> None:
    """Check how the entries of model.json fit together, and that they are those that were exported.

    Raises:
        ValueError: for entries that contradict each other, or a digest that is not theirs.
    """
    for entry, fits, expected, received in _relations(content):
        if not fits:
            raise damaged(file, entry, expected, _received(received))
    try:
        found = digest_of(content)
    except RecursionError as error:
        raise damaged(file, "content", "entries that are not nested so deep", "deeper ones") from error
    if found != content["digest"]:
        raise ValueError(
            f"{file} is not as it was exported: digest: expected {content['digest']}, that of the content then; "
            f"received {found}, that of the content now; copy or export it again"
        )


def digest_of(description: dict) -> str:
    """SHA-256 of the content of model.json but for its `digest`, in hexadecimal; the order of entries counts."""
    content = {name: value for name, value in description.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def _relations(content: dict):
    """Yield (entry, whether it fits, what was expected, what was received) for entries that depend on others."""
    files, signatures, noise = content["files"], content["signatures"], content["noise"]["inputs"]
    preferred = content.get("preferred")
    yield "preferred", preferred in files if files else preferred is None, ", ".join(files) or "null", preferred
    names = [each["file"] for each in files.values()]
    yield "files", len(set(names)) == len(names), "files of different names", ", ".join(names)
    yield "signatures", bool(signatures), "at least one signature", signatures
    for key in ("name", "stream"):
        values = [item[key] for item in noise]
        yield f"noise.inputs.{key}", len(set(values)) == len(values), "different values", ", ".join(map(str, values))
    described = {item["name"]: item for item in noise}
    used = set()
    for name, signature in signatures.items():
        for side in ("inputs", "outputs"):
            yield f"signatures.{name}.{side}", bool(signature[side]), "at least one port", signature[side]
            for port_name, port in signature[side].items():
                entry, kind, shape = f"signatures.{name}.{side}.{port_name}", port["kind"], port["shape"]
                limits = KINDS[kind]
                yield f"{entry}.range", port["range"] == limits, f"{limits}, as for {kind}", str(port["range"])
                one_axis = kind not in ("label", "one_hot", "attributes") or len(shape) == 1
                yield f"{entry}.shape", one_axis, f"one number for {kind}", str(shape)
                if side == "inputs" and kind in NOISE_KINDS:
                    used.add(port_name)
                    item = described.get(port_name, {})
                    fits = item.get("kind") == kind and item.get("shape") == shape
                    found = f"{item['kind']} of shape {item['shape']}" if item else "none"
                    yield f"noise.inputs of {port_name}", fits, f"{kind} of shape {shape}, as {entry} has it", found
    yield "noise.inputs", used == set(described), f"the names {sorted(used)}", f"{sorted(described)}"
    if "generate" in signatures:
        shape = next(iter(signatures["generate"]["outputs"].values()))["shape"]
        yield "image_shape", content["image_shape"] == shape, f"{shape}, as generate gives", str(content["image_shape"])
    low, high = content.get("value_range", (0, 1))
    yield "value_range", low < high, "the number that is black, then a larger one that is white", f"{low}, {high}"
    yield from _text_relations(content.get("text"), signatures)
    yield from _attribute_relations(content.get("attributes"), signatures)


def _text_relations(text: dict | None, signatures: dict):
    if text is None:
        return
    words = text["vocabulary"]
    yield (
        "text.vocabulary",
        len(set(words)) == len(words),
        "different words",
        f"{len(words) - len(set(words))} repeated",
    )
    tokens = signatures.get("embed", {}).get("inputs", {}).get("tokens")
    yield "signatures.embed.inputs.tokens", tokens is not None, "an input of tokens for the text", tokens
    yield "text.length", tokens["shape"] == [text["length"]], f"{tokens['shape']}, as embed takes", text["length"]


def _attribute_relations(attributes: dict | None, signatures: dict):
    if attributes is None:
        return
    names, groups, datasets = attributes["names"], attributes["groups"], attributes["datasets"]
    yield "attributes.names", len(set(names)) == len(names), "different names", ", ".join(names)
    yield "attributes.groups", sum(groups) == len(names), f"sizes with the sum {len(names)}", str(groups)
    yield "attributes.datasets", len(datasets) in (0, len(groups)), f"one for each of {len(groups)} groups", datasets
    whole = set(datasets) == set(range(max(datasets, default=-1) + 1))
    yield "attributes.datasets", whole, "every number from 0 to the largest", str(datasets)
    inputs = signatures.get("translate", {}).get("inputs", {})
    shapes = {name: port["shape"] for name, port in inputs.items() if name != "image"}
    expected = {"attributes": [len(names)], **({"dataset": [max(datasets) + 1]} if datasets else {})}
    yield "signatures.translate.inputs", shapes == expected, f"shapes {expected} besides the image", str(shapes)


def check_file(file: pathlib.Path, expected: dict) -> None:
    """Compare size and SHA-256 with model.json: the interpreter itself can crash on a damaged file."""
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, and model.json names it; copy or export it again")
    size = file.stat().st_size
    if size != expected["bytes"]:
        raise damaged(file, "size", f"{expected['bytes']} bytes, as model.json says", str(size))
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != expected["sha256"]:
        raise damaged(file, "SHA-256", f"{expected['sha256']}, as model.json says", digest.hexdigest())


def check_signatures(file: pathlib.Path, found: dict, expected: dict) -> None:
    """Compare the names of signatures and ports in a model with those in model.json.

    Args:
        file: the model.
        found: of the interpreter: signature -> {"inputs": names, "outputs": names}.
        expected: as `Runtime.signatures`.

    Raises:
        ValueError: where they differ.
    """
    named = {name: {side: sorted(ports) for side, ports in each.items()} for name, each in found.items()}
    wanted = {name: {side: sorted(each[side]) for side in ("inputs", "outputs")} for name, each in expected.items()}
    for name in sorted({*named, *wanted}):
        if named.get(name) != wanted.get(name):
            raise ValueError(
                f"{file} and model.json come from different exports: signature {name}: expected "
                f"{wanted.get(name, 'none')}; received {named.get(name, 'none')}; copy or export them again"
            )


def check_shapes(file: pathlib.Path, signature: str, runner, expected: dict, batch: int) -> None:
    """Compare the shapes of a signature's ports with those in model.json, see `check_signatures`."""
    sides = {"inputs": runner.get_input_details(), "outputs": runner.get_output_details()}
    for side, found in sides.items():
        for name, port in expected[side].items():
            shape, wanted = found[name]["shape"].tolist(), [batch, *port["shape"]]
            if shape != wanted:
                raise ValueError(
                    f"{file} and model.json come from different exports: signatures.{signature}.{side}.{name}: "
                    f"expected the shape {wanted}; received {shape}; copy or export them again"
                )


def open_interpreter(file: pathlib.Path, threads: int | None = None):
    """A LiteRT interpreter on a file, or the reason why there is none."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ImportError("ai-edge-litert is not installed: pip install -r requirements.txt") from error
    try:
        return Interpreter(model_path=str(file), num_threads=threads)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{file} cannot be read as a TFLite model: {error}") from error


def run_rows(
    runner, arrays: dict[str, np.ndarray], batch: int, before_batch: Callable[[], None] | None = None
) -> dict[str, np.ndarray]:
    """Run a signature of a fixed batch on any number of rows; the last batch is filled up with its last row."""
    num = len(next(iter(arrays.values())))
    parts = []
    for start in range(0, num, batch):
        if before_batch is not None:
            before_batch()
        rows = np.minimum(np.arange(start, start + batch), num - 1)
        parts.append(runner(**{name: array[rows] for name, array in arrays.items()}))
    return {name: np.concatenate([part[name] for part in parts])[:num] for name in parts[0]}


def draw_noise(inputs: list[dict], num: int, seed: int) -> dict[str, np.ndarray]:
    """Base noise as model.json describes it: numpy's Philox keyed by [seed, stream], one stream for each input."""
    if not is_integer(seed) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be an integer with 0 <= seed < 2**63; received {seed!r}")
    drawn = {}
    for item in inputs:
        generator = np.random.Generator(np.random.Philox(key=np.array([seed, item["stream"]], np.uint64)))
        drawn[item["name"]] = _draw(generator, item["kind"], (num, *item["shape"]))
    return drawn


def _draw(generator: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    if kind == "normal":
        return generator.standard_normal(shape, dtype=np.float32)
    if kind == "one_hot":
        return np.eye(shape[1], dtype=np.float32)[generator.integers(shape[1], size=shape[0])]
    if kind in ("uniform", "uniform_symmetric"):
        uniform = generator.random(shape, dtype=np.float32)
        return 2 * uniform - 1 if kind == "uniform_symmetric" else uniform
    raise ValueError(f"noise: kind: expected one of {', '.join(NOISE_KINDS)}; received {kind!r}")


def normalize(caption: str) -> str:
    """The words of a caption in one form: NFKC, case folding, NFKC; punctuation and control characters to spaces."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", caption).casefold())
    kinds = (unicodedata.category(character) for character in text)
    text = "".join(" " if kind[0] == "P" or kind in ("Cc", "Cs") else c for c, kind in zip(text, kinds, strict=True))
    return " ".join(text.split())


def read_caption(caption: str, vocabulary: list[str], length: int) -> dict:
    """Words to tokens: 0 fills up, 1 is any unknown word, known words begin at 2; see `Runtime.read`."""
    if not isinstance(caption, str):
        raise ValueError(f"A caption is a text; received {caption!r}")
    words = normalize(caption).split()
    if not words:
        raise ValueError(f"Expected a caption with at least one word; received {caption[:80]!r}")
    known = {word: index for index, word in enumerate(vocabulary, start=2)}
    tokens = np.zeros((1, length), np.float32)
    read = words[:length]
    tokens[0, : len(read)] = [known.get(word, 1) for word in read]
    unknown = list(dict.fromkeys(word for word in read if word not in known))
    return {"words": words, "unknown": unknown, "dropped": len(words) - len(read), "tokens": tokens}


def warnings_of(reading: dict) -> list[str]:
    """What is lost of a caption, in sentences; see `Runtime.read`."""
    found = [f"Unknown words: {', '.join(reading['unknown'])}"] if reading["unknown"] else []
    if reading["dropped"]:
        total = len(reading["words"])
        found.append(f"The caption has {total} words; the first {total - reading['dropped']} are read")
    return found


def assign(scores: np.ndarray) -> np.ndarray:
    """The assignment of rows to columns with the largest sum of scores, by shortest augmenting paths in O(num^3).

    Rows are taken in one by one. Each looks, Dijkstra's way, for the cheapest path of reassignments to a free column;
    the duals u and v keep every reduced cost at 0 or more.

    Args:
        scores: [num, num], finite.

    Returns:
        The column of each row, int64 [num].

    Raises:
        ValueError: for a matrix that is not square, or values that are not finite.
    """
    costs = -np.asarray(scores, np.float64)
    if costs.ndim != 2 or costs.shape[0] != costs.shape[1] or not np.all(np.isfinite(costs)):
        raise ValueError(f"scores must be a square matrix of finite numbers; received the shape {list(costs.shape)}")
    num = len(costs)
    u, v = np.zeros(num), np.zeros(num)
    row_of = np.full(num, -1)
    for start in range(num):
        distance, reached_from = np.full(num, np.inf), np.full(num, -1)
        done = np.zeros(num, bool)
        row, column, length = start, -1, 0.0
        while row >= 0:
            further = length + costs[row] - u[row] - v
            better = ~done & (further < distance)
            distance[better], reached_from[better] = further[better], column
            column = int(np.argmin(np.where(done, np.inf, distance)))
            length, done[column] = distance[column], True
            row = row_of[column]
        seen = done.copy()
        seen[column] = False  # the free column
        u[row_of[seen]] += length - distance[seen]
        u[start] += length
        v[seen] -= length - distance[seen]
        while column >= 0:  # back along the path: each column takes the row of the one before
            before = reached_from[column]
            row_of[column] = row_of[before] if before >= 0 else start
            column = before
    return np.argsort(row_of)


def check_inputs(signature: str, ports: dict, inputs: dict) -> dict[str, np.ndarray]:
    """Inputs as float32 arrays with one common number of rows, or an error that says what does not fit."""
    missing, unknown = sorted(set(ports) - set(inputs)), sorted(set(inputs) - set(ports))
    if missing or unknown:
        found = [*(f"{name} is missing" for name in missing), *(f"{name} is unknown" for name in unknown)]
        raise ValueError(f"{signature} takes {', '.join(ports) or 'nothing'}: {', '.join(found)}")
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    num = max((len(a) for name, a in arrays.items() if a.ndim == len(ports[name]["shape"]) + 1), default=1)
    arrays = {name: _check_array(signature, name, ports[name], array, num) for name, array in arrays.items()}
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) != 1 or not min(sizes.values()):
        raise ValueError(f"{signature} takes inputs with one common number of rows >= 1; received {sizes}")
    return arrays


def _check_array(signature: str, name: str, port: dict, array: np.ndarray, num: int) -> np.ndarray:
    shape = tuple(port["shape"])
    what = f"{signature}: {name}"
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{what} must be numbers; received an array of {array.dtype}")
    if port["kind"] in ("label", "one_hot") and array.ndim < 2:
        array = _one_hot(what, array, shape[0], num)
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
        wanted = ", ".join(("num", *map(str, shape)))
        hint = "; add the first axis: array[None]" if array.shape == shape else ""
        raise ValueError(f"{what} must have the shape [{wanted}]; received {list(array.shape)}{hint}")
    array = np.ascontiguousarray(array, np.float32)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{what} holds values that are not finite (NaN or infinity)")
    if port["range"] is not None and array.size:
        low, high = port["range"]
        if array.min() < low - ROUNDING or array.max() > high + ROUNDING:
            hint = f"; {_scaling(array)}" if port["kind"] == "image" else ""
            raise ValueError(
                f"{what} must lie between {low:g} and {high:g}; received values from {array.min():g} to "
                f"{array.max():g}{hint}"
            )
    return array


def index_of(what: str, name: str, names, count: int) -> int:
    """The index of a name.

    Args:
        what: what is named, "class" or "attribute", for messages.
        name: one of `names`.
        names: of the indices 0, 1, ...; fewer than `count` where the last ones have none; None where none has one.
        count: how many indices there are.

    Raises:
        ValueError: for an unknown name; lists the names, the most similar ones first.
    """
    names = list(names or ())
    if name in names:
        return names.index(name)
    if not names:
        raise ValueError(f"Unknown {what} {name!r}: this model knows no names, and the indices 0 to {count - 1}")
    lowered = {known.lower(): known for known in names}
    close = [lowered[each] for each in difflib.get_close_matches(name.lower(), lowered, cutoff=0.5)]
    listed = [*close, *(known for known in names if known not in close)]
    listed = listed if len(listed) <= MOST_NAMES else [*listed[:MOST_NAMES], f"... ({len(listed)} in all)"]
    raise ValueError(f"Unknown {what} {name!r}: this model knows {', '.join(listed)} (indices 0 to {count - 1})")


def indices_of(what: str, values, names, count: int):
    """One value or several, with every name among them replaced by its index; everything else stays as it is.

    Args:
        what, names, count: as for `index_of`.
        values: an integer, a name, or a sequence or array of them.
    """
    if isinstance(values, str):
        return index_of(what, values, names, count)
    if hasattr(values, "dtype") and values.dtype.kind in "OSU":
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        return [index_of(what, each, names, count) if isinstance(each, str) else each for each in values]
    return values


def read_index(what: str, text: str, names, count: int) -> int:
    """The index that a text on a command line means: a name, an index, `name:NAME` or `index:INDEX`.

    Args:
        what, names, count: as for `index_of`.
        text: without surrounding spaces.

    Raises:
        ValueError: for an unknown name, an index out of range, or a text that is a name and the index of another.

    Example:
        >>> read_index("class", "cat", ("cat", "dog"), 2), read_index("class", "1", ("cat", "dog"), 2)
        (0, 1)
    """
    names = list(names or ())
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) and int(text) < count else None
    if text in names:
        named = names.index(text)
        if number is None or number == named:
            return named
        other = f"{what} {names[number]!r}" if number < len(names) else f"a {what} without a name"
        raise ValueError(
            f"{text} is the name of {what} {named}, and the index of {other}: write name:{text} or index:{text}"
        )
    if number is not None:
        return number
    kind, colon, rest = text.partition(":")
    if colon and kind == "index":
        return read_index(what, rest, (), count)
    return index_of(what, rest if colon and kind == "name" else text, names, count)


def read_indices(what: str, text: str, names, count: int) -> list[int]:
    """The indices that a text with commas means, see `read_index`; a text that is one name with commas is that one."""
    if text in (names or ()):
        return [read_index(what, text, names, count)]
    parts = [part.strip() for part in text.split(",")]
    return [read_index(what, part, names, count) for part in parts]


def _scaling(images: np.ndarray) -> str:
    """What brings images to [0, 1], by the values they have."""
    if images.min() < 0:
        return "bring images from -1 to 1 here by (x + 1) / 2" if images.min() >= -1 and images.max() <= 1 else _GENERAL
    return "divide 8-bit images by 255" if images.max() <= 255 else _GENERAL


def read_domain(text: str, names) -> int:
    """The domain, 0 or 1, that a text on a command line means: its letter, A or B, or as `read_index` reads it.

    Args:
        text: without surrounding spaces.
        names: of domain A and domain B, or None.

    Raises:
        ValueError: as `read_index`, and for a letter of one domain that is the name of the other.
    """
    names = list(names or ())
    letter = ["A", "B"].index(text.upper()) if text.upper() in ("A", "B") else None
    if letter is not None and text in names and names.index(text) != letter:
        raise ValueError(
            f"{text} is the name of domain {'AB'[names.index(text)]}, and the letter of domain {names[letter]!r}: "
            f"write name:{text} or index:{letter}"
        )
    return read_index("domain", text, names or ["A", "B"], 2) if letter is None else letter


def attribute_vectors(told: dict, wanted, num: int, dataset: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Names or vectors -> vectors float32 [num, size], and the data sets that they are of, int [num].

    Args:
        told: `names`, the sizes of `groups` (exclusive ones from 2 on), and `datasets`, the set of each group.
        wanted, dataset: as in `Runtime.translate`.
        num: images.
    """
    array = isinstance(wanted, np.ndarray)
    names = isinstance(wanted, str) or (isinstance(wanted, tuple) and all(isinstance(each, str) for each in wanted))
    numbers = not array and not names and all(isinstance(each, (int, float, np.number)) for each in wanted)
    each = [wanted] * num if names or numbers or (array and wanted.ndim == 1) else list(wanted)
    if len(each) != num:
        raise ValueError(f"Expected attributes for {num} images, or one for all; received {len(each)}")
    pairs = [_attribute_vector(told, one, dataset) for one in each]
    return np.stack([vector for vector, _ in pairs]), np.array([which for _, which in pairs], np.int32)


def _attribute_vector(told: dict, one, dataset: int | None) -> tuple[np.ndarray, int]:
    groups, sets = told["groups"], told["datasets"] or [0] * len(told["groups"])
    group_of = np.repeat(np.arange(len(groups)), groups)
    one = [one] if isinstance(one, str) else one
    if not isinstance(one, (list, tuple)) or not all(isinstance(name, str) for name in one):
        vector = np.asarray(one)
        if vector.shape != group_of.shape or vector.dtype.kind not in "fiub":
            raise ValueError(f"Expected names, or a vector of {len(group_of)} numbers in [0, 1]; received {one!r}")
        if max(sets) and dataset not in range(max(sets) + 1):
            raise ValueError(f"Say which data set a vector is of: dataset=0 to {max(sets)}; received {dataset!r}")
        return vector.astype(np.float32), dataset or 0
    if not one:
        raise ValueError(f"No attribute: this model knows {', '.join(told['names'])}")
    entries = indices_of("attribute", list(one), told["names"], len(told["names"]))
    of = {sets[group_of[entry]] for entry in entries}
    if len(of) > 1:
        raise ValueError(f"{', '.join(one)} are attributes of different data sets: ask for those of one")
    vector = np.zeros(len(group_of), np.float32)
    vector[entries] = 1
    for group, size in enumerate(groups):
        if size > 1 and sets[group] in of and vector[group_of == group].sum() != 1:
            domains = [name for name, number in zip(told["names"], group_of, strict=True) if number == group]
            raise ValueError(f"Expected exactly one of {', '.join(domains)}; received {', '.join(one)}")
    return vector, of.pop()


def _one_hot(what: str, classes: np.ndarray, count: int, num: int) -> np.ndarray:
    if classes.dtype.kind not in "iu" or (classes.size and not 0 <= classes.min() <= classes.max() < count):
        raise ValueError(f"{what} must be classes from 0 to {count - 1}; received {classes.tolist()}")
    return np.eye(count, dtype=np.float32)[np.broadcast_to(classes, (num,)) if classes.ndim == 0 else classes]


def grid(images: np.ndarray, columns: int | None = None, pad: int = 2) -> np.ndarray:
    """Images float [num, height, width, channels] in [0, 1] -> one uint8 picture [rows, columns, channels]."""
    num, height, width, channels = images.shape
    columns = columns or int(np.ceil(np.sqrt(num)))
    rows = -(-num // columns)
    picture = np.full((rows * (height + pad) + pad, columns * (width + pad) + pad, channels), 255, np.uint8)
    for index, image in enumerate(np.round(np.clip(images, 0, 1) * 255).astype(np.uint8)):
        top, left = pad + index // columns * (height + pad), pad + index % columns * (width + pad)
        picture[top : top + height, left : left + width] = image
    return picture


def write_png(file, picture: np.ndarray) -> None:
    """Write a uint8 picture [height, width, 1, 3 or 4] as PNG, with the standard library alone."""
    height, width, channels = picture.shape
    if channels not in (1, 3, 4):
        raise ValueError(f"A PNG has 1, 3 or 4 channels; these images have {channels}: write them as .npy")
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    pathlib.Path(file).write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def read_images(
    files: list, image_shape: tuple[int, int, int], value_range=None, *, crop: str = "center", background=WHITE
) -> np.ndarray:
    """Images of .npy files and, where Pillow is installed, of image files, as the training data was read.

    Args:
        files: .npy files hold images [num, *image_shape] or one image: floats in [0, 1], or integers in the value range
            (8 bits without one). Image files have any size and any channels.
        image_shape: (height, width, channels).
        value_range, crop, background: see `scale_image` and `fit_image`.

    Returns:
        float32 [num, height, width, channels] in [0, 1].

    Raises:
        FileNotFoundError, ValueError: for a file that cannot be read, or does not fit.
    """
    parts = []
    for file in map(pathlib.Path, files):
        if file.suffix == ".npy":
            parts.append(_read_array_of_images(file, image_shape, value_range))
            continue
        image = decode_image(file, image_shape[:2])
        try:
            parts.append(fit_image(scale_image(image, value_range), image_shape, crop, background)[None])
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
    return np.concatenate(parts)


def _read_array_of_images(file: pathlib.Path, image_shape: tuple[int, int, int], value_range) -> np.ndarray:
    array = read_array(file)
    array = array[None] if array.ndim == 3 else array
    if array.shape[1:] != tuple(image_shape):
        wanted = ", ".join(map(str, image_shape))
        raise ValueError(f"{file}: expected images of the shape [num, {wanted}]; received {list(array.shape)}")
    if array.dtype.kind not in "iu":
        return array
    if value_range is None and array.dtype != np.uint8:
        raise ValueError(f"{file}: expected floats from 0 to 1, or 8-bit integers; received {array.dtype}")
    try:
        return _scaled(array, value_range or (0, 255))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def decode_image(file, enough: tuple[int, int] | None = None) -> np.ndarray:
    """The pixels of an image file, turned upright as its EXIF orientation says; it needs Pillow.

    Args:
        file: of one of `IMAGE_FORMATS`; its content decides, not its name. The first frame or page is read.
        enough: (height, width); a larger JPEG is decoded at a half, a quarter or an eighth of its size, as long as both
            sides stay at least twice these.

    Returns:
        [height, width, channels] as it is stored, channels being 1 (gray), 2 (gray and opacity), 3 (red, green, blue)
        or 4 (with opacity). uint8; of files with more bits uint16, int32 or float32.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where Pillow is missing, the file is damaged or no such image, or has more than 50 million pixels.
    """
    file = pathlib.Path(file)
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, or is no file")
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ValueError(f"{file}: image files need Pillow (pip install pillow); without it, pass a .npy") from error

    def decoded(image, raw: str | None = None):
        if raw is not None:
            image.tile = [
                tile._replace(args=raw if isinstance(tile.args, str) else (raw, *tile.args[1:])) for tile in image.tile
            ]
        image.load()
        return ImageOps.exif_transpose(image)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged tags, and of a limit of pixels that is above the one here
            with Image.open(file, formats=IMAGE_FORMATS) as image:
                size = image.size
                if size[0] * size[1] <= MAX_PIXELS:  # by the header, before anything is decoded
                    if image.format == "JPEG" and enough is not None:
                        image.draft(None, (2 * enough[1], 2 * enough[0]))
                    _check_tiff(image)
                    raw = _raw_mode(image)
                    if raw.endswith(tuple(_LOWER)) and not image.mode.startswith("I"):
                        with Image.open(file, formats=IMAGE_FORMATS) as again:
                            return _deep_color(image, again, raw, decoded)
                    return _pixels(decoded(image))
    except Exception as error:  # of a damaged file Pillow raises OSError, SyntaxError, struct.error, ...
        kinds = ", ".join(IMAGE_FORMATS)
        found = error if file.stat().st_size else "an empty file"
        raise ValueError(f"{file} cannot be read as an image: expected {kinds}; received: {found}") from error
    raise ValueError(f"{file}: expected at most {MAX_PIXELS} pixels; received {size[0]} x {size[1]}: make it smaller")


# Pillow's raw modes of 16 bits a channel, of which it keeps the upper 8 -> those that keep the lower 8
_LOWER = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}


def _raw_mode(image) -> str:
    """Pillow's name for how the pixels are stored, such as "RGB;16B"; empty where it has none."""
    args = image.tile[0].args if image.tile else None
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _deep_color(image, again, raw: str, decoded: Callable) -> np.ndarray:
    """uint16 [height, width, 2 to 4] of a file with 16 bits in each channel of color, which is opened twice."""
    if raw == "LA;16B":  # as RGBA it is four bytes a pixel: two of gray, two of opacity
        pieces = np.asarray(decoded(image, "RGBA")).astype(np.uint16)
        return pieces[..., 0::2] << 8 | pieces[..., 1::2]
    if image.mode not in ("RGB", "RGBA") or raw.startswith("RGBa"):
        raise ValueError(f"16 bits a channel in the color mode {raw.split(';')[0]}; save it as RGB or RGBA")
    color = np.asarray(decoded(image)).astype(np.uint16) << 8
    color |= np.asarray(decoded(again, raw[:-3] + _LOWER[raw[-3:]]))
    return _with_opacity(color, image.info)


def _with_opacity(color: np.ndarray, info: dict) -> np.ndarray:
    """uint16 pixels; where the file names a transparent color, with a further channel that is 0 there, else 65535."""
    if "transparency" not in info:
        return color
    opaque = (color != np.uint16(info["transparency"])).any(axis=-1, keepdims=True)
    return np.concatenate([color, np.where(opaque, 65535, 0).astype(np.uint16)], axis=-1)


def _check_tiff(image) -> None:
    """Refuse a TIFF that Pillow would read wrongly, or whose tiles take more memory than the image may."""
    tags = getattr(image, "tag_v2", {})
    photometric, tile_width, tile_height = (tags.get(tag) for tag in (262, 322, 323))
    if photometric == 0 and image.mode.startswith(("I", "F")):
        raise ValueError("0 is white in its pixels of more than 8 bits; save it with 0 as black")
    if (tile_width or 0) * (tile_height or 0) > MAX_PIXELS:
        raise ValueError(f"tiles of {tile_width} x {tile_height} pixels; at most {MAX_PIXELS} are taken")


def _pixels(image) -> np.ndarray:
    transparent = "transparency" in image.info
    if image.mode.startswith("I;16"):
        return _with_opacity(np.asarray(image).astype(np.uint16)[..., None], image.info)
    if image.mode in ("1", "L"):
        image = image.convert("LA" if transparent else "L")
    elif image.mode in ("P", "PA", "RGB") and (transparent or image.mode == "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("LA", "RGB", "RGBA", "I", "F"):
        image = image.convert("RGB")
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def scale_image(image: np.ndarray, value_range=None) -> np.ndarray:
    """The pixels of an image file, scaled as the training data was.

    Args:
        image: [height, width, channels] of `decode_image`.
        value_range: (black, white) of model.json; None is 0 to 255 for 8 bits, 0 to 65535 for more, and 0 to 1 for
            floats. Images of 8 bits have the range 0 to 255 also where white is above 255, and opacity has that of its
            type.

    Returns:
        uint8 as it was, or float32 in [0, 1].

    Raises:
        ValueError: for numbers outside of the range, NaN among them.
    """
    eight_bits = image.dtype == np.uint8
    if eight_bits and (value_range is None or value_range[1] > 255 or tuple(value_range) == (0, 255)):
        return image
    if value_range is None:
        value_range = (0, 1) if image.dtype.kind == "f" else (0, 65535)
    colors = image.shape[-1] - (image.shape[-1] in (2, 4))
    color, opacity = _scaled(image[..., :colors], value_range), image[..., colors:]
    if not opacity.size:
        return color
    return np.concatenate([color, _scaled(opacity, (0, np.iinfo(image.dtype).max))], axis=-1)


def _scaled(values: np.ndarray, value_range) -> np.ndarray:
    """Numbers inside of a range -> float32 in [0, 1]."""
    low, high = value_range
    slack = 1e-6 * (high - low)  # of floats
    if values.size and not low - slack <= values.min() <= values.max() <= high + slack:
        raise ValueError(
            f"expected numbers from {low:g} (black) to {high:g} (white), as in the training data; received "
            f"{values.min():g} to {values.max():g}; rescale them to this range"
        )
    return np.clip((values.astype(np.float64) - low) / (high - low), 0, 1).astype(np.float32)


def fit_image(
    image: np.ndarray, image_shape: tuple[int, int, int], crop: str = "center", background=WHITE
) -> np.ndarray:
    """Bring an image to a shape as the training data was: its channels first, then its size.

    Args:
        image: uint8, or float32 in [0, 1]; [height, width, 1 to 4], see `decode_image`.
        image_shape: (height, width, channels), channels 1, 3 or 4.
        crop: "center" covers the size and cuts the middle, "pad" fits inside and fills the rest.
        background: (red, green, blue) from 0 to 255, behind what is transparent and around what is padded.

    Returns:
        float32 [height, width, channels] in [0, 1].

    Raises:
        ValueError: for channels that cannot be made of the image's.
    """
    from PIL import Image

    height, width, channels = image_shape
    image = _with_channels(image, channels, background)
    (own_height, own_width), scales = image.shape[:2], (image.shape[1] / width, image.shape[0] / height)

    def resized(size, box):
        planes = [image[..., 0] if channels == 1 else image]
        if image.dtype != np.uint8:  # Pillow resizes floats one channel at a time
            planes = [np.ascontiguousarray(image[..., channel]) for channel in range(channels)]
        planes = [np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BICUBIC, box=box)) for each in planes]
        whole = planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)
        whole = whole if image.dtype == np.uint8 else np.clip(whole, 0, 1)
        return whole.reshape(size[1], size[0], channels)

    if image.shape != tuple(image_shape):
        if crop == "center":
            scale = min(scales)
            left, top = (own_width - width * scale) / 2, (own_height - height * scale) / 2
            image = resized((width, height), (left, top, left + width * scale, top + height * scale))
        else:
            scale = max(scales)
            inner = max(1, round(own_width / scale)), max(1, round(own_height / scale))
            left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
            ground = np.array(
                [[[*background, 0][: max(3, channels)]]], np.uint8
            )  # the rest is transparent, if it can be
            ground = ground if image.dtype == np.uint8 else ground.astype(np.float32) / 255
            ground = _with_channels(ground, channels, background)
            whole = np.broadcast_to(ground, (height, width, channels)).copy()
            whole[top : top + inner[1], left : left + inner[0]] = resized(inner, (0, 0, own_width, own_height))
            image = whole
    return image.astype(np.float32) / 255 if image.dtype == np.uint8 else image


def _with_channels(image: np.ndarray, channels: int, background) -> np.ndarray:
    """Opacity lies on the background, gray is repeated, and color becomes its luminance (ITU-R 601-2)."""
    found = image.shape[-1]
    if found == 2 and channels == 4:
        return np.concatenate([np.repeat(image[..., :1], 3, axis=-1), image[..., 1:]], axis=-1)
    if found in (2, 4) and channels in (1, 3):
        color, opacity = image[..., :-1], image[..., -1:]
        color = np.repeat(color, 3, axis=-1) if found == 2 else color
        if image.dtype == np.uint8:
            opacity = opacity.astype(np.uint32)
            image = ((color * opacity + np.array(background, np.uint32) * (255 - opacity) + 127) // 255).astype(
                np.uint8
            )
        else:
            image = (color * opacity + np.array(background, np.float32) / 255 * (1 - opacity)).astype(np.float32)
        found = 3
    if (found, channels) == (1, 3):
        return np.repeat(image, 3, axis=-1)
    if (found, channels) == (3, 1):
        if image.dtype == np.uint8:  # Pillow's fixed-point weights
            return ((image @ np.array([19595, 38470, 7471], np.uint32) + 0x8000) >> 16).astype(np.uint8)[..., None]
        return (image @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]
    if found != channels:
        raise ValueError(f"this model takes images with {channels} channels; received {found}; pass a .npy")
    return image


def read_array(file: str | pathlib.Path) -> np.ndarray:
    """The array of a .npy file.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it holds no array of numbers, or less than its header says.
    """
    file = pathlib.Path(file)
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, or is no file")
    try:
        # mapped: a header that promises more than the file holds is refused before memory is reserved
        array = np.lib.format.open_memmap(file, mode="r")
    except Exception as error:  # of a damaged header numpy raises ValueError, SyntaxError, OverflowError, ...
        raise ValueError(f"{file} cannot be read as a numpy array: {error}") from error
    return np.array(array)


def output_file(file: str | None, default: str, overwrite: bool = False) -> pathlib.Path:
    """The file that a command writes, checked before the model is opened.

    Args:
        file: what was asked for, or None: the default name, with a number where it is taken.
        default: a name whose suffix says what can be written: .npz arrays alone, else images.
        overwrite: whether a file that exists may be replaced.

    Raises:
        ValueError: for a suffix that cannot be written.
        FileExistsError: where there is such a file.
    """
    path, number = pathlib.Path(file or default), 1
    if file is None:
        while path.exists() and not overwrite:
            number += 1
            path = pathlib.Path(default).with_stem(f"{pathlib.Path(default).stem}_{number}")
        return path
    known = (".npz",) if default.endswith(".npz") else (".png", ".npy", *PICTURES)
    if path.suffix.lower() not in known:
        raise ValueError(f"--out {file}: expected a name that ends in {', '.join(known)}; received {path.suffix!r}")
    if path.suffix.lower() in PICTURES:
        try:
            from PIL import Image as Image
        except ImportError as error:
            raise ValueError(
                f"--out {file} needs Pillow (pip install pillow); without it, write a .png or a .npy"
            ) from error
    if path.exists() and not overwrite:
        raise FileExistsError(f"{file} exists. Replace it (--overwrite), or choose another name (--out)")
    return path


def write_result(file: pathlib.Path, images: np.ndarray, columns: int | None = None) -> None:
    """Write images as a grid in the format of the name, or as they are as .npy."""
    suffix = file.suffix.lower()
    if suffix == ".npy":
        with open(file, "wb") as stream:  # a name in capitals would get a second suffix
            np.save(stream, images)
    elif suffix == ".png":
        write_png(file, grid(images, columns))
    else:
        from PIL import Image

        picture = grid(images, columns)
        options = {"lossless": True} if suffix == ".webp" else {"quality": 95} if suffix in (".jpg", ".jpeg") else {}
        Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(file, PICTURES[suffix], **options)
    print(f"{file}: {' x '.join(map(str, images.shape))}")


def measure(model: Runtime, signature: str, repeats: int) -> dict:
    """Latency of an endpoint in milliseconds for one batch, on inputs of zeros, and peak memory of this process.

    Returns:
        `median_ms`, `fastest_ms`, `first_ms` (with the interpreter's preparation) and `peak_mb`.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be >= 1; received {repeats}")
    ports = model.signatures[signature]["inputs"]
    inputs = {name: np.zeros((model.batch, *port["shape"]), np.float32) for name, port in ports.items()}
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        model.run(signature, **inputs)
        times.append(1e3 * (time.perf_counter() - start))
    steady = times[1:]
    return {
        "median_ms": float(np.median(steady)),
        "fastest_ms": min(steady),
        "first_ms": times[0],
        "peak_mb": peak_memory(),
    }


def peak_memory() -> float | None:
    """Largest resident memory of this process so far in MB (10**6 bytes), or None where the system does not say."""
    try:  # getrusage would count the memory of the parent before exec
        status = pathlib.Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None


def information(model: Runtime) -> str:
    """What the model is, in lines for people."""
    told = model.description
    shape = "x".join(map(str, model.image_shape))
    lines = [f"{told['title']} ({told['system']}), images {shape}, batch {model.batch}", "files:"]
    for precision, file in told["files"].items():
        mark = "  (in use)" if precision == model.precision else ""
        lines.append(f"  {precision:9} {file['file']:22} {file['bytes'] / 1e3:10.1f} kB{mark}")
    lines.append("endpoints:")
    for name, signature in model.signatures.items():
        sides = [
            ", ".join(f"{port} {port_['kind']} {port_['shape']}" for port, port_ in signature[side].items())
            for side in ("inputs", "outputs")
        ]
        lines.append(f"  {name}: {sides[0]} -> {sides[1]}")
    if told.get("attributes"):
        lines.append("attributes: " + ", ".join(told["attributes"]["names"]))
    if told.get("labels"):
        lines.append("labels: " + ", ".join(f"{index} {name}" for index, name in enumerate(told["labels"])))
    if told.get("domains"):
        lines.append(
            "domains: " + ", ".join(f"{letter} {name}" for letter, name in zip("AB", told["domains"], strict=True))
        )
    if told.get("text"):
        text = told["text"]
        lines.append(f"text: captions of up to {text['length']} words, of {len(text['vocabulary'])} known ones")
    return "\n".join(lines)


# command -> the file that it writes where --out is not given
OUTPUTS = {
    "generate": "generated.png",
    "reconstruct": "reconstructed.png",
    "translate": "translated.png",
    "run": "outputs.npz",
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        description="Run an exported model without TensorFlow.",
        epilog="example: python runtime.py generate --num 16 --seed 1 --out grid.png",
    )
    top.add_argument("--folder", help="export folder (default: the one this file lies in)")
    top.add_argument("--precision", help="float32, float16, dynamic or int8, of those exported")
    top.add_argument("--threads", type=int, help="threads of the interpreter")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("info", help="what the model is, takes and returns")
    one = commands.add_parser("generate", help="draw images")
    one.add_argument("--num", type=int, default=16)
    one.add_argument("--seed", type=int, default=None)
    one.add_argument("--out", help="a grid (.png; .jpg, .webp, ... with Pillow) or .npy; default generated.png")
    one.add_argument("--label", nargs="+", help="class, or one for each image: names, or indices from 0; see info")
    one.add_argument("--caption", help="what the images are to show, for a model that reads text")
    one = commands.add_parser("reconstruct", help="encode and decode images: originals above reconstructions")
    one.add_argument("images", nargs="+", help=".npy, or image files where Pillow is installed")
    one.add_argument("--out", help="a grid, or .npy (reconstructions alone); default reconstructed.png")
    one.add_argument("--label", nargs="+", help="class, or one for each image: names, or indices from 0; see info")
    one = commands.add_parser("translate", help="images of another domain, or with other attributes, below originals")
    one.add_argument("images", nargs="+", help=".npy, or image files where Pillow is installed")
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument("--attributes", nargs="+", help="names, see info: one of each exclusive group")
    what.add_argument("--to", help="of two domains the one to translate into: A, B or its name, see info")
    one.add_argument("--out", help="a grid, or .npy (translations alone); default translated.png")
    one = commands.add_parser("run", help="run any endpoint on .npy files")
    one.add_argument("signature")
    one.add_argument("--input", nargs="+", default=[], metavar="NAME=FILE.npy")
    one.add_argument("--out", help="default outputs.npz")
    for name in OUTPUTS:
        commands.choices[name].add_argument("--overwrite", action="store_true", help="replace the file in --out")
    one = commands.add_parser("measure", help="latency and peak memory of an endpoint, as JSON")
    one.add_argument("signature")
    one.add_argument("--repeats", type=int, default=50)
    return top


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(arguments)
    out = None
    if options.command in OUTPUTS:
        out = output_file(options.out, OUTPUTS[options.command], options.overwrite)
    model = Runtime(options.folder, precision=options.precision, threads=options.threads)
    told = {}
    if getattr(options, "label", None) is not None:
        told["label"] = model.read_labels(options.command, options.label)
    if getattr(options, "caption", None) is not None:
        told["caption"] = options.caption
        for lost in warnings_of(model.read(options.caption)):
            print(f"note: {lost}", file=sys.stderr)
        warnings.simplefilter("ignore")  # said already
    if options.command == "info":
        print(information(model))
    elif options.command == "generate":
        write_result(out, model.generate(options.num, options.seed, **told))
    elif options.command in ("reconstruct", "translate"):
        shape, to = model.image_shape, getattr(options, "to", None)
        if to is not None:
            endpoint = model.endpoint_into(to)
            (given, port), *_ = model.signatures[endpoint]["inputs"].items()
            shape = tuple(port["shape"])
        images = read_images(options.images, shape, **model.reading)
        if to is not None:
            made = next(iter(model.run(endpoint, **{given: images}).values()))
        elif options.command == "translate":
            made = model.translate(images, model.read_attributes(options.attributes))
        else:
            made = model.reconstruct(images, **told)
        if out.suffix.lower() == ".npy" or made.shape != images.shape:  # domains may differ in size
            write_result(out, made)
        else:
            write_result(out, np.concatenate([images, made]), columns=len(images))
    elif options.command == "run":
        pairs = [item.partition("=")[::2] for item in options.input]
        outputs = model.run(options.signature, **{name: read_array(file) for name, file in pairs})
        with open(out, "wb") as stream:
            np.savez(stream, **outputs)
        print(f"{out}: " + ", ".join(f"{name} {list(array.shape)}" for name, array in outputs.items()))
    else:
        if options.signature not in model.signatures:
            raise ValueError(f"Unknown endpoint {options.signature!r}: this model has {', '.join(model.signatures)}")
        print(json.dumps(measure(model, options.signature, options.repeats)))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, ImportError, MemoryError) as error:
        sys.exit(f"error: {error}")
