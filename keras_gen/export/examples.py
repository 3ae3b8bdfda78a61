"""Inputs for every endpoint: for calibration and for the comparison with Keras."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gen.distributions import Noise, draw_noise
from keras_gen.distributions.noise import KINDS as NOISE_KINDS
from keras_gen.models import Endpoint, GenerativeModel

from .parity import COMPARISON
from .runtime import ROUNDING

CALIBRATION = 128  # rows that int8 is calibrated on, where there are as many images
# rows where there are fewer: images are repeated, each time with other noise
MIN_ROWS = 32


class Examples(NamedTuple):
    """The rows on which int8 is calibrated and those on which the export is compared with Keras.

    Attributes:
        calibration, comparison: column -> [num, ...], num at least 32.
        images: how many different images these rows hold: "calibration" and "comparison" -> split -> number.
    """

    calibration: dict[str, np.ndarray]
    comparison: dict[str, np.ndarray]
    images: dict[str, dict[str, int]]


def choose_examples(
    train: dict[str, np.ndarray], validation: dict[str, np.ndarray] | None = None, *, batch: int = 1
) -> Examples:
    """Assigns images to calibration and comparison, of any number of images.

    Calibration has training images. The comparison has validation images, and training images where there are fewer
    than 64 of these. The two share images only where there are too few for both.

    Args:
        train: column -> [num, ...], in a random order, num >= 1; up to 192 rows are of use.
        validation: the same columns, num >= 1, or None; up to 64 rows are of use.
        batch: calibration has whole batches of this size; images are repeated to fill them up.
    """
    validation = validation or {name: value[:0] for name, value in train.items()}
    train = {name: value for name, value in train.items() if name in validation}
    validation = {name: validation[name][:COMPARISON] for name in train}
    num, held_out = num_rows(train), num_rows(validation)
    wanted = min(COMPARISON - held_out, max(MIN_ROWS - held_out, num // 3))
    filling = min(num, max(wanted, 0))
    calibrated = min(num, CALIBRATION, max(MIN_ROWS, num - filling))
    comparison = {name: np.concatenate([validation[name], value[num - filling :]]) for name, value in train.items()}
    counts = {"validation": held_out, "train": filling}
    rows = -(-max(MIN_ROWS, calibrated) // batch) * batch
    return Examples(
        _at_least(rows, {name: value[:calibrated] for name, value in train.items()}),
        _at_least(MIN_ROWS, comparison),
        {
            "calibration": {"train": calibrated},
            "comparison": {split: count for split, count in counts.items() if count},
        },
    )


def num_rows(columns: dict[str, np.ndarray]) -> int:
    """The common number of rows of columns."""
    return len(next(iter(columns.values())))


def _at_least(rows: int, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Repeats the rows in their order until there are as many as asked for."""
    num = num_rows(columns)
    return columns if num >= rows else {name: value[np.arange(rows) % num] for name, value in columns.items()}


def endpoint_inputs(
    model: GenerativeModel, endpoints: Sequence[Endpoint], data: Mapping[str, np.ndarray], seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Realistic inputs for every endpoint, one row for each row of the data.

    An input is taken from the data, or from what the model makes of it (`endpoint_columns`), where there is a column of
    its name and shape; an image otherwise is the data's `image`. What another endpoint gives by the same name (a text's
    embedding) is what that endpoint makes of its own inputs. Codes are by turns those of real images and draws of
    the prior; noise is drawn as `generate` draws it; labels that the data does not have are drawn uniformly. Attributes
    are those of the data's rows in another order: what a model is told to make of an image is what others have.

    Args:
        model: the model the endpoints belong to.
        endpoints: its endpoints.
        data: column -> [num, ...], with `image`.
        seed: seed of noise and labels.

    Returns:
        Endpoint -> {input: float32 [num, *shape]}.

    Raises:
        ValueError: for an input that none of this can serve.
    """
    num = len(data[next(iter(model.image_fields))])
    data = {**data, **model.endpoint_columns(dict(data))}
    source = _Source(model, endpoints, data, num, seed)
    return {
        endpoint.name: {name: source.array(endpoint, name, port) for name, port in endpoint.inputs.items()}
        for endpoint in endpoints
    }


class _Source:
    """Makes each array once, so that endpoints with the same input share it."""

    def __init__(self, model, endpoints, data, num, seed):
        self.model, self.data, self.num, self.seed = model, data, num, seed
        self.endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self.made = {}

    def array(self, endpoint: Endpoint, name: str, port) -> np.ndarray:
        key = (name, port.kind, port.shape)
        if key not in self.made:
            self.made[key] = np.ascontiguousarray(self._make(endpoint, name, port), np.float32)
        return self.made[key]

    def _make(self, endpoint, name, port) -> np.ndarray:
        given = self.data.get(name)
        if port.kind == "attributes":
            return self._attributes()
        if port.kind == "label":
            return self._labels(given, port.shape[0])
        if given is not None and given.shape[1:] == port.shape:
            return given
        if port.kind == "image" and "image" in self.data and self.data["image"].shape[1:] == port.shape:
            return self.data["image"]
        if port.kind in NOISE_KINDS:
            noise = self._noise()
            if name in noise and noise[name].shape[1:] == port.shape:
                return noise[name]
            return draw_noise({name: Noise(port.kind, port.shape)}, self.num, self.seed)[name]
        if port.kind == "latent":
            return self._codes(port)
        maker = next((each for each in self.endpoints.values() if each.outputs.get(name) == port), None)
        if maker is not None and maker.name != endpoint.name:
            inputs = {each: self.array(maker, each, its) for each, its in maker.inputs.items()}
            return run_in_batches(maker, inputs)[name]
        raise ValueError(
            f"{endpoint.name} takes {name!r} ({port.kind}, shape {port.shape}), and the calibration data has no such "
            f"column; it has {', '.join(f'{key} {value.shape[1:]}' for key, value in self.data.items())}"
        )

    def _noise(self) -> dict[str, np.ndarray]:
        if "noise" not in self.made:
            self.made["noise"] = draw_noise(self.model.noise(), self.num, self.seed)
        return self.made["noise"]

    def _labels(self, given, classes: int) -> np.ndarray:
        if given is not None and given.shape[1:] == (classes,):
            return given
        if given is None or given.ndim != 1:
            given = np.random.default_rng(self.seed).integers(classes, size=self.num)
        if given.min() < 0 or given.max() >= classes:
            raise ValueError(f"label must be classes from 0 to {classes - 1}; the data has up to {given.max()}")
        return np.eye(classes, dtype=np.float32)[given.astype(np.int64)]

    def _attributes(self) -> np.ndarray:
        attributes = np.asarray(self.model.attributes_of(self.data))
        if "dataset" in self.data:  # others' attributes may be of another set
            return attributes
        return attributes[np.random.default_rng(self.seed).permutation(self.num)]

    def _codes(self, port) -> np.ndarray:
        """Codes of real images in the even rows, draws of the prior in the odd ones."""
        encode = self.endpoints.get("encode")
        codes = np.asarray(self.model.codes_from(self._noise()), np.float32).copy()
        if encode is not None:
            inputs = {name: self.array(encode, name, each) for name, each in encode.inputs.items()}
            output = next(name for name, each in encode.outputs.items() if each.kind == "latent")
            codes[::2] = run_in_batches(encode, inputs)[output][::2]
        return codes


def run_in_batches(endpoint: Endpoint, inputs: dict[str, np.ndarray], batch: int = 64) -> dict[str, np.ndarray]:
    """An endpoint in Keras, eagerly: input arrays [num, ...] -> output arrays [num, ...].

    On the CPU: a GPU's matrix products may be rounded to TF32, which is coarser than what is compared here.
    """
    num = len(next(iter(inputs.values())))
    with tf.device("CPU:0"):
        parts = [
            endpoint.function(**{name: tf.constant(array[start : start + batch]) for name, array in inputs.items()})
            for start in range(0, num, batch)
        ]
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in endpoint.outputs}


def columns_of(data, limit: int, fields: Sequence[str] = ("image",), seed: int = 0) -> dict[str, np.ndarray]:
    """Rows of a data set as arrays.

    Args:
        data: images [num, height, width, channels], a dict of arrays with `image`, or an iterable of dict batches.
            Arrays may be sorted by class; an iterable is read from its beginning until there are enough rows.
        limit: rows to take at most.
        fields: the columns that must hold images; an array alone is the first of them.
        seed: of the choice of rows and of their order.

    Returns:
        Column -> [num, ...] with 1 <= num <= limit, in a random order.

    Raises:
        ValueError: without images, or with values outside [0, 1].
    """
    if isinstance(data, Mapping):
        columns = {name: np.asarray(value) for name, value in data.items()}
    elif hasattr(data, "shape"):
        columns = {fields[0]: np.asarray(data)}
    else:
        columns = _gathered(data, limit, fields)
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
    if not (np.isfinite(low) and np.isfinite(high)):  # NaN is the minimum and the maximum of what holds it
        raise ValueError(f"Expected finite values of {field!r} from 0 to 1; received NaN or infinity")
    if low < -ROUNDING or high > 1 + ROUNDING:
        hint = "divide 8-bit images by 255" if images.dtype.kind in "iu" else "scale them to [0, 1]"
        raise ValueError(f"Expected values of {field!r} from 0 to 1; received {low:g} to {high:g}; {hint}")


def _gathered(batches, limit: int, fields: Sequence[str]) -> dict[str, np.ndarray]:
    parts, rows = [], 0
    if not hasattr(batches, "__iter__"):
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
