"""An exported model: its endpoints as methods."""

import pathlib
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .attributes import attribute_vectors
from .captions import Reading, caption_warnings, read_caption, tokenize
from .description import PREPROCESSING, read_description
from .inputs import check_inputs, check_positive
from .model_file import check_file, check_shapes, check_signatures, open_interpreter, run_in_batches
from .names import indices_of, read_domain, read_indices
from .noise import draw_noise, random_seed
from .puzzles import assign
from .sampling import run_steps


class Runtime:
    """An exported model: its endpoints as methods, numpy arrays in and out.

    Args:
        folder: the export folder; default the one that contains this package.
        precision: `"float32"`, `"float16"`, `"dynamic"` or `"int8"`, one of those exported; default the preferred one.
        threads: threads of the interpreter, >= 1; default its own choice.
        before_batch: called before each batch of a call; an exception ends the call, for instance at a server's time
            limit.

    Attributes:
        description: the content of model.json.
        signatures: endpoint -> {"inputs": {name: {"shape", "kind", "range"}}, "outputs": the same}.
        image_shape: (height, width, channels).
        batch: the fixed batch size; any number of rows runs in steps of it.
        precision: the precision in use.

    Raises:
        FileNotFoundError: if the folder, model.json or the model is missing.
        ValueError: if model.json or the model is damaged or was edited, or the precision was not exported.

    Example:
        >>> Runtime("runs/vae/export").generate(16, seed=1).shape  # doctest: +SKIP
        (16, 28, 28, 1)
    """

    def __init__(
        self,
        folder: str | pathlib.Path | None = None,
        *,
        precision: str | None = None,
        threads: int | None = None,
        before_batch: Callable[[], None] | None = None,
    ):
        self.folder = pathlib.Path(folder) if folder is not None else pathlib.Path(__file__).resolve().parents[1]
        self.description = read_description(self.folder)
        files = self.description["files"]
        self.precision = precision or self.description["preferred"]
        if self.precision not in files:
            raise ValueError(f"{self.folder}: expected a precision of {', '.join(files)}; received {self.precision!r}")
        self.file = self.folder / files[self.precision]["file"]
        check_file(self.file, files[self.precision])
        if threads is not None:
            check_positive("threads", threads)
        self.signatures: dict[str, Any] = self.description["signatures"]
        height, width, channels = self.description["image_shape"]
        self.image_shape: tuple[int, int, int] = (height, width, channels)
        self.batch: int = self.description["batch"]
        self.interpreter = open_interpreter(self.file, threads)
        check_signatures(self.file, self.interpreter.get_signature_list(), self.signatures)
        self.before_batch = before_batch
        self._runners: dict[str, Any] = {}
        self._lock = threading.Lock()  # an interpreter serves one call at a time

    @property
    def preprocessing(self) -> dict[str, Any]:
        """The preprocessing of the training data that differs from the default: arguments of `read_images`."""
        return {name: self.description[name] for name in PREPROCESSING if name in self.description}

    def run(self, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
        """Runs one endpoint on any number of examples.

        Args:
            signature: name of the endpoint, a key of `signatures`.
            **inputs: name -> array [num, *shape]. A label may also be one class, or classes [num], each an index or a
                name of `description["labels"]`.

        Returns:
            Output name -> float32 [num, *shape].

        Raises:
            ValueError: for an unknown endpoint, missing or unknown inputs, and shapes or values out of range.
        """
        ports = self.endpoint(signature)["inputs"]
        if "label" in inputs and "label" in ports:
            names, count = self.description["labels"], ports["label"]["shape"][0]
            inputs["label"] = indices_of("class", inputs["label"], names, count)
        arrays = check_inputs(signature, ports, inputs)
        runner = self._runner(signature)
        with self._lock:
            outputs = run_in_batches(runner, arrays, self.batch, self.before_batch)
        return {name: outputs[name] for name in self.signatures[signature]["outputs"]}

    def endpoint(self, signature: str) -> dict[str, Any]:
        """Returns the `inputs` and `outputs` of an endpoint, or raises a ValueError that lists the endpoints."""
        if signature not in self.signatures:
            raise ValueError(f"Expected an endpoint of {', '.join(self.signatures)}; received {signature!r}")
        return self.signatures[signature]

    def noise(self, num: int, seed: int) -> dict[str, np.ndarray]:
        """Returns the base noise of `num` images: input name -> float32 [num, *shape]."""
        return draw_noise(self.description["noise"]["inputs"], num, seed)

    def generate(self, num: int, seed: int | None = None, **conditions: Any) -> np.ndarray:
        """Generates images; the same seed gives the images of the Keras model.

        If the model samples iteratively (`sampling` of model.json), it runs all steps of its endpoint.

        Args:
            num: images, >= 1.
            seed: 0 <= seed < 2**63; None draws one.
            **conditions: conditions such as `label="cat"`, `label=3` (an index) or a list of these, one for each image;
                or `caption="a red circle"` (or one caption for each image; unknown words cause a warning). Noise given
                by the name of its input replaces the noise of the seed.

        Returns:
            float32 [num, height, width, channels] in [0, 1].

        Raises:
            ValueError: for a model that does not generate images from noise, a number or a seed out of range, and
                conditions that the model does not take.
        """
        check_positive("num", num)
        if "caption" in conditions:
            conditions["embedding"] = self.embed(conditions.pop("caption"), num)
        seed = random_seed() if seed is None else seed
        if "sampling" in self.description:
            return self._sample(num, seed, conditions)
        return self._first_output("generate", **{**self.noise(num, seed), **conditions})

    def _sample(self, num: int, seed: int, conditions: dict[str, Any]) -> np.ndarray:
        """Runs all sampling steps, and the endpoint from the last states to images if there is one."""
        sampling = self.description["sampling"]
        name, state, image = sampling["endpoint"], sampling["state"], sampling["image"]
        ports = self.signatures[name]["inputs"]
        self._runner(name)  # checks the shapes in model.json before memory is allocated
        noise = self.noise(num, seed)
        states = noise.get(state, np.zeros((num, *ports[state]["shape"]), np.float32))
        drawn = {state, sampling["step"], *(each["name"] for each in sampling["noise"])} - set(noise)
        if refused := sorted(drawn & set(conditions)):
            allowed = ", ".join(each for each in ports if each not in drawn) or "none"
            raise ValueError(f"generate: expected conditions among {allowed}; received {', '.join(refused)}")
        states = np.asarray(conditions.pop(state, states))
        states = run_steps(lambda inputs: self.run(name, **conditions, **inputs)[state], sampling, states, seed)
        if image is None:
            return states
        return self._first_output(image, **{next(iter(self.signatures[image]["inputs"])): states})

    def encode(self, image: np.ndarray, **conditions: Any) -> np.ndarray:
        """Encodes images [num, height, width, channels] in [0, 1] to codes [num, size]."""
        return self._first_output("encode", image=image, **conditions)

    def decode(self, z: np.ndarray, **conditions: Any) -> np.ndarray:
        """Decodes codes [num, size] to images [num, height, width, channels] in [0, 1]."""
        return self._first_output("decode", z=z, **conditions)

    def reconstruct(self, image: np.ndarray, **conditions: Any) -> np.ndarray:
        """Encodes and decodes images [num, height, width, channels] in [0, 1]; the shape stays."""
        return self._first_output("reconstruct", image=image, **conditions)

    def read_caption(self, caption: str) -> Reading:
        """Returns the words of a caption, and those that the model does not use.

        Raises:
            ValueError: for a caption without a word, or a model that takes none.
        """
        text = self._text()
        return read_caption(caption, frozenset(text["vocabulary"]), text["length"])

    def tokenize(self, caption: str) -> np.ndarray:
        """Returns the tokens of a caption, float32 [1, length]; see `read_caption` for words that are lost."""
        text = self._text()
        return tokenize(self.read_caption(caption).words, text["vocabulary"], text["length"])

    def embed(self, caption: str | Sequence[str], num: int = 1) -> np.ndarray:
        """Embeds one caption, or `num` captions; unknown and dropped words cause a warning.

        Returns:
            Embeddings float32 [num, size].

        Raises:
            ValueError: for another number of captions, a caption without a word, or a model that takes none.
        """
        captions = [caption] if isinstance(caption, str) else list(caption)
        if len(captions) not in (1, num):
            raise ValueError(f"Expected one caption, or {num} (one for each image); received {len(captions)}")
        readings = [self.read_caption(each) for each in captions]
        for sentence in dict.fromkeys(each for reading in readings for each in caption_warnings(reading)):
            warnings.warn(sentence, stacklevel=3)
        rows = self._first_output("embed", tokens=np.concatenate([self.tokenize(each) for each in captions]))
        return np.broadcast_to(rows, (num, rows.shape[1]))

    def solve(self, tiles: np.ndarray, seed: int | None = None) -> dict[str, np.ndarray]:
        """Solves grid puzzles: runs the endpoint `restore` and assigns tiles to positions by their scores.

        Args:
            tiles: [num, count, height, width, channels] in [0, 1], in any order; fewer than the positions if some tiles
                are missing.
            seed: seed of the noise, 0 <= seed < 2**63; None draws one.

        Returns:
            `image` [num, height, width, channels], the restored image; `scores` [num, positions, positions] of tile
            against position; `positions` int64 [num, count], the position of each tile, row by row from the top left.

        Raises:
            ValueError: for a model of another kind, or tiles of another shape or range.
        """
        if "scores" not in self.signatures.get("restore", {}).get("outputs", {}):
            raise ValueError(
                "Expected a model whose endpoint restore has the output scores; received one with the endpoints "
                f"{', '.join(self.signatures)}"
            )
        tiles, shape = np.asarray(tiles), self.signatures["restore"]["inputs"]["tiles"]["shape"]
        if tiles.ndim != 5 or not len(tiles) or not 1 <= tiles.shape[1] <= shape[0]:
            raise ValueError(
                f"Expected tiles of the shape [num, 1 to {shape[0]}, {', '.join(map(str, shape[1:]))}]; received "
                f"{list(tiles.shape)}"
            )
        num, count = tiles.shape[:2]
        padded = np.pad(tiles, [(0, 0), (0, shape[0] - count), *[(0, 0)] * 3])
        presence = np.broadcast_to(np.arange(shape[0]) < count, (num, shape[0]))
        noise = self.noise(num, random_seed() if seed is None else seed)
        outputs = self.run("restore", tiles=padded, presence=presence, **noise)
        return {**outputs, "positions": np.stack([assign(scores) for scores in outputs["scores"]])[:, :count]}

    def translate(self, image: np.ndarray, attributes: Any, dataset: int | None = None) -> np.ndarray:
        """Translates images to other attributes.

        Args:
            image: [num, height, width, channels] in [0, 1].
            attributes: for all images a name, a tuple of names or a vector; or a list with one of these for each image.
                The names are those of `description["attributes"]`; exactly one of every exclusive group is required.
            dataset: the dataset of vectors, for a model of several datasets; names imply theirs.

        Returns:
            float32 [num, height, width, channels] in [0, 1].

        Raises:
            ValueError: for a model of another kind, or attributes that do not match its schema.
        """
        schema = self.description.get("attributes")
        if "translate" not in self.signatures or not schema:
            raise ValueError(
                "Expected a model that translates attributes; received one with the endpoints "
                f"{', '.join(self.signatures)}"
            )
        vectors, datasets = attribute_vectors(schema, attributes, len(np.asarray(image)), dataset)
        inputs = {"dataset": datasets} if schema["datasets"] else {}
        return self._first_output("translate", image=image, attributes=vectors, **inputs)

    def parse_labels(self, signature: str, texts: Sequence[str]) -> int | list[int]:
        """Returns the class or classes that command-line texts mean for an endpoint; see `names.read_index`."""
        sampled = signature == "generate" and "sampling" in self.description
        name = self.description["sampling"]["endpoint"] if sampled else signature
        port = self.signatures.get(name, {}).get("inputs", {}).get("label")
        if port is None:
            raise ValueError(f"--label: {signature} of this model ({self.description['system']}) takes no class")
        names, count = self.description["labels"], port["shape"][0]
        indices = [index for text in texts for index in read_indices("class", text, names, count)]
        return indices[0] if len(indices) == 1 else indices

    def parse_attributes(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Returns the names of the attributes that command-line texts mean; see `names.read_index`."""
        names = (self.description.get("attributes") or {"names": texts})["names"]
        return tuple(names[index] for text in texts for index in read_indices("attribute", text, names, len(names)))

    def parse_domain(self, text: str) -> str:
        """Returns the endpoint that translates into the domain that a command-line text means, see `read_domain`."""
        if not {"a_to_b", "b_to_a"} <= set(self.signatures):
            raise ValueError(
                f"--to: expected a model of two domains; received one with the endpoints {', '.join(self.signatures)}"
            )
        return ("b_to_a", "a_to_b")[read_domain(text, self.description.get("domains"))]

    def _runner(self, signature: str) -> Any:
        """Returns the interpreter's runner of an endpoint, whose shapes are checked once."""
        with self._lock:
            if signature not in self._runners:
                runner = self.interpreter.get_signature_runner(signature)
                check_shapes(self.file, signature, runner, self.signatures[signature], self.batch)
                self._runners[signature] = runner
            return self._runners[signature]

    def _text(self) -> dict[str, Any]:
        text = self.description.get("text")
        if text is None:
            raise ValueError(f"This model ({self.description['system']}) takes no caption")
        return text

    def _first_output(self, signature: str, **inputs: Any) -> np.ndarray:
        outputs = self.run(signature, **inputs)
        return next(iter(outputs.values()))
