"""Example inputs for every endpoint, for calibration and for the comparison with Keras."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gen.distributions import Noise, draw_noise
from keras_gen.models import Endpoint, GenerativeModel, Port
from keras_gen.runtime.inputs import ROUNDING
from keras_gen.runtime.noise import NOISE_KINDS
from keras_gen.runtime.sampling import run_steps

from .parity import COMPARISON

CALIBRATION = 128  # rows for the calibration of int8, if there are as many images
# images that are sampled to the end for the inputs of sampling steps, unless there are more rows than steps of these
TRAJECTORIES = 8
# rows if there are fewer images: they are repeated, each time with other noise
MIN_ROWS = 32


class Examples(NamedTuple):
    """The rows that calibrate int8, and those on which the export is compared with Keras.

    Attributes:
        calibration: column -> [num, ...], num at least 32.
        comparison: column -> [num, ...], num at least 32.
        images: number of different images in these rows: "calibration" and "comparison" -> split -> number.
    """

    calibration: dict[str, np.ndarray]
    comparison: dict[str, np.ndarray]
    images: dict[str, dict[str, int]]


def choose_examples(
    train: Mapping[str, np.ndarray], validation: Mapping[str, np.ndarray] | None = None, *, batch: int = 1
) -> Examples:
    """Assigns images to calibration and comparison; any number of images is enough.

    Calibration uses training images. The comparison uses validation images, and training images if there are fewer
    than 64 of them. The two share images only if there are too few for both.

    Args:
        train: column -> [num, ...], in a random order, num >= 1; up to 192 rows are used.
        validation: the same columns, num >= 1, or None; up to 64 rows are used.
        batch: calibration has whole batches of this size, for which images are repeated.
    """
    validation = validation or {name: value[:0] for name, value in train.items()}
    train = {name: value for name, value in train.items() if name in validation}
    validation = {name: validation[name][:COMPARISON] for name in train}
    num, num_validation = num_rows(train), num_rows(validation)
    needed = min(COMPARISON - num_validation, max(MIN_ROWS - num_validation, num // 3))
    num_compared = min(num, max(needed, 0))  # of the training images
    num_calibrated = min(num, CALIBRATION, max(MIN_ROWS, num - num_compared))
    comparison = {
        name: np.concatenate([validation[name], value[num - num_compared :]]) for name, value in train.items()
    }
    counts = {"validation": num_validation, "train": num_compared}
    rows = -(-max(MIN_ROWS, num_calibrated) // batch) * batch
    return Examples(
        _repeat(rows, {name: value[:num_calibrated] for name, value in train.items()}),
        _repeat(MIN_ROWS, comparison),
        {
            "calibration": {"train": num_calibrated},
            "comparison": {split: count for split, count in counts.items() if count},
        },
    )


def num_rows(columns: Mapping[str, np.ndarray]) -> int:
    """Returns the common number of rows of columns."""
    return len(next(iter(columns.values())))


def _repeat(rows: int, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Repeats the rows in order until there are at least `rows` of them."""
    num = num_rows(columns)
    return columns if num >= rows else {name: value[np.arange(rows) % num] for name, value in columns.items()}


def endpoint_inputs(
    model: GenerativeModel, endpoints: Sequence[Endpoint], data: Mapping[str, np.ndarray], seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Returns realistic inputs for every endpoint, one row for each row of the data.

    An input is the column of its name and shape in the data or in the model's `endpoint_columns`; any other image is
    the data's `image`. An input that is an output of another endpoint (the embedding of a text) is computed by that
    endpoint from its own inputs. Codes alternate between encoded images and samples of the prior, noise is drawn as
    `generate` draws it, and labels that the data lacks are uniform. Attributes are those of the data's rows in another
    order, so that images are translated to attributes of other images. The states of a model that samples iteratively
    are those before steps from the first to the last one.

    Args:
        model: the model that the endpoints belong to.
        endpoints: its endpoints.
        data: column -> [num, ...], with the first of the model's `image_fields`.
        seed: seed of noise and labels.

    Returns:
        endpoint -> {input: float32 [num, *shape]}.

    Raises:
        ValueError: for an input that none of these rules covers.
    """
    num = len(data[next(iter(model.image_fields))])
    inputs = _Inputs(model, endpoints, {**data, **model.endpoint_columns(dict(data))}, num, seed)
    return {
        endpoint.name: {name: inputs.array(endpoint, name, port) for name, port in endpoint.inputs.items()}
        for endpoint in endpoints
    }


class _Inputs:
    """Creates each array once, so that endpoints with the same input share it."""

    def __init__(
        self,
        model: GenerativeModel,
        endpoints: Sequence[Endpoint],
        data: Mapping[str, np.ndarray],
        num: int,
        seed: int,
    ):
        self.model, self.data, self.num, self.seed = model, data, num, seed
        self.endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._arrays: dict[tuple[str, str, tuple[int, ...]], np.ndarray] = {}
        self._noise: dict[str, np.ndarray] | None = None
        self.sampling: Mapping[str, Any] = model.export_description().get("sampling", {})
        self._states: dict[str, dict[str, np.ndarray]] | None = None

    def array(self, endpoint: Endpoint, name: str, port: Port) -> np.ndarray:
        """Returns the array of an endpoint's input."""
        if self._is_state(endpoint, name):
            return self._sampled_states()[endpoint.name][name]
        key = (name, port.kind, port.shape)
        if key not in self._arrays:
            self._arrays[key] = np.ascontiguousarray(self._create(endpoint, name, port), np.float32)
        return self._arrays[key]

    def _create(self, endpoint: Endpoint, name: str, port: Port) -> np.ndarray:
        column = self.data.get(name)
        if port.kind == "attributes":
            return self._attributes()
        if port.kind == "label":
            return self._labels(column, port.shape[0])
        if column is not None and column.shape[1:] == port.shape:
            return column
        if port.kind == "image" and "image" in self.data and self.data["image"].shape[1:] == port.shape:
            return self.data["image"]
        if port.kind in NOISE_KINDS:
            noise = self._model_noise()
            if name in noise and noise[name].shape[1:] == port.shape:
                return noise[name]
            return draw_noise({name: Noise(port.kind, port.shape)}, self.num, self.seed)[name]
        if port.kind == "latent":
            return self._codes()
        source = next((each for each in self.endpoints.values() if each.outputs.get(name) == port), None)
        if source is not None and source.name != endpoint.name:
            inputs = {each: self.array(source, each, its) for each, its in source.inputs.items()}
            return run_eagerly(source, inputs)[name]
        columns = ", ".join(f"{key} {value.shape[1:]}" for key, value in self.data.items())
        raise ValueError(
            f"Expected a column for the input {name!r} of {endpoint.name} ({port.kind}, shape {port.shape}); received "
            f"the columns {columns}. Add it to the calibration data"
        )

    def _model_noise(self) -> dict[str, np.ndarray]:
        if self._noise is None:
            self._noise = draw_noise(self.model.noise(), self.num, self.seed)
        return self._noise

    def _is_state(self, endpoint: Endpoint, name: str) -> bool:
        """Returns whether an input is a state of sampling or the number of a step."""
        if endpoint.name == self.sampling.get("endpoint"):
            return name in (self.sampling["state"], self.sampling["step"])
        return endpoint.name == self.sampling.get("image")

    def _sampled_states(self) -> dict[str, dict[str, np.ndarray]]:
        """Returns states before steps that are evenly spaced, with these steps, and states after the last step.

        Returns:
            Endpoint -> {input: [num, ...]}.
        """
        if self._states is not None:
            return self._states
        endpoint, state, step = self.endpoints[self.sampling["endpoint"]], self.sampling["state"], self.sampling["step"]
        steps = self.sampling["steps"]
        num = min(self.num, max(TRAJECTORIES, -(-self.num // steps)))
        conditions = {
            name: self.array(endpoint, name, port)[:num]
            for name, port in endpoint.inputs.items()
            if port.kind not in NOISE_KINDS and not self._is_state(endpoint, name)
        }
        initial = self._model_noise().get(state, np.zeros((num, *endpoint.inputs[state].shape), np.float32))[:num]
        selected = np.linspace(0, steps - 1, -(-self.num // num)).round().tolist()
        before: list[dict[str, np.ndarray]] = []

        def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
            if inputs[step][0, 0] in selected:
                before.append(inputs)
            return run_eagerly(endpoint, inputs | conditions)[state]

        last = run_steps(run, self.sampling, initial, self.seed)
        self._states = {
            endpoint.name: {
                name: np.concatenate([inputs[name] for inputs in before])[: self.num] for name in (state, step)
            }
        }
        if image := self.sampling["image"]:
            self._states[image] = {name: last[np.arange(self.num) % num] for name in self.endpoints[image].inputs}
        return self._states

    def _labels(self, column: np.ndarray | None, classes: int) -> np.ndarray:
        if column is not None and column.shape[1:] == (classes,):
            return column
        if column is None or column.ndim != 1:
            column = np.random.default_rng(self.seed).integers(classes, size=self.num)
        if column.min() < 0 or column.max() >= classes:
            raise ValueError(
                f"Expected labels from 0 to {classes - 1}; received {column.min()} to {column.max()} in the data"
            )
        return np.eye(classes, dtype=np.float32)[column.astype(np.int64)]

    def _attributes(self) -> np.ndarray:
        attributes = np.asarray(self.model.attributes_of(self.data))
        if "dataset" in self.data:  # the attributes of other rows may belong to another dataset
            return attributes
        return attributes[np.random.default_rng(self.seed).permutation(self.num)]

    def _codes(self) -> np.ndarray:
        """Returns encoded images in the even rows and samples of the prior in the odd ones."""
        encode = self.endpoints.get("encode")
        codes = np.asarray(self.model.codes_from(self._model_noise()), np.float32).copy()
        if encode is not None:
            inputs = {name: self.array(encode, name, each) for name, each in encode.inputs.items()}
            output = next(name for name, each in encode.outputs.items() if each.kind == "latent")
            codes[::2] = run_eagerly(encode, inputs)[output][::2]
        return codes


def run_eagerly(endpoint: Endpoint, inputs: Mapping[str, np.ndarray], batch: int = 64) -> dict[str, np.ndarray]:
    """Runs an endpoint in Keras, eagerly and on the CPU.

    A GPU may round matrix products to TF32, which is coarser than the differences that are measured.

    Args:
        endpoint: the endpoint.
        inputs: name -> [num, ...].
        batch: rows at a time.

    Returns:
        output name -> [num, ...].
    """
    num = len(next(iter(inputs.values())))
    with tf.device("CPU:0"):
        parts = [
            endpoint.function(**{name: tf.constant(array[start : start + batch]) for name, array in inputs.items()})
            for start in range(0, num, batch)
        ]
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in endpoint.outputs}


def columns_of(data: Any, limit: int, fields: Sequence[str] = ("image",), seed: int = 0) -> dict[str, np.ndarray]:
    """Returns rows of a dataset as arrays.

    Args:
        data: images [num, height, width, channels], a dict of arrays with `image`, or an iterable of dict batches.
            Arrays may be sorted by class; an iterable is read from its beginning until there are enough rows.
        limit: rows to return at most.
        fields: the columns that must hold images; a single array is the first of them.
        seed: seed of the choice of rows and of their order.

    Returns:
        column -> [num, ...] with 1 <= num <= limit, in a random order.

    Raises:
        ValueError: without images, or for values outside [0, 1].
    """
    if isinstance(data, Mapping):
        columns = {name: np.asarray(value) for name, value in data.items()}
    elif hasattr(data, "shape"):
        columns = {fields[0]: np.asarray(data)}
    else:
        columns = _collect(data, limit, fields)
    for field in fields:
        if field not in columns or columns[field].ndim != 4:
            raise ValueError(
                f"Expected images [num, height, width, channels] or batches with {field!r}; received {data!r}"
            )
    num = min(len(columns[field]) for field in fields)
    if not num:
        raise ValueError("Expected at least one image; received none")
    columns |= {field: columns[field][:num] for field in fields}
    columns = {name: value for name, value in columns.items() if value.dtype.kind in "fiub" and len(value) == num}
    rows = np.random.default_rng(seed).permutation(num)[:limit]
    columns = {name: value[rows] for name, value in columns.items()}
    for field in fields:
        _check_range(field, columns[field])
    return columns


def _check_range(field: str, images: np.ndarray) -> None:
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):  # NaN is both minimum and maximum of an array that contains it
        raise ValueError(f"Expected finite values of {field!r} from 0 to 1; received NaN or infinity")
    if low < -ROUNDING or high > 1 + ROUNDING:
        remedy = "divide 8-bit images by 255" if images.dtype.kind in "iu" else "scale them to [0, 1]"
        raise ValueError(f"Expected values of {field!r} from 0 to 1; received {low:g} to {high:g}; {remedy}")


def _collect(batches: Any, limit: int, fields: Sequence[str]) -> dict[str, np.ndarray]:
    parts, rows = [], 0
    if not isinstance(batches, Iterable):
        raise ValueError(f"Expected images, a dict of arrays or an iterable of batches; received {batches!r}")
    for batch in batches:
        if not isinstance(batch, Mapping) or fields[0] not in batch:
            raise ValueError(f"Expected batches that are dicts with {fields[0]!r}; received {type(batch).__name__}")
        parts.append({name: np.asarray(value) for name, value in batch.items()})
        rows += len(parts[-1][fields[0]])
        if rows >= limit:
            break
    if not parts:
        raise ValueError("Expected at least one image; received an iterable without batches")
    return {name: np.concatenate([part[name] for part in parts])[:limit] for name in parts[0]}
