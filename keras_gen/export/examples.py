"""Inputs for every endpoint: for calibration and for the comparison with Keras."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from keras_gen.distributions import Noise, draw_noise
from keras_gen.distributions.noise import KINDS as NOISE_KINDS
from keras_gen.models import Endpoint, GenerativeModel

SMALLEST = 32


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


def columns_of(data, limit: int, fields: Sequence[str] = ("image",)) -> dict[str, np.ndarray]:
    """The first rows of a data set as arrays.

    Args:
        data: images [num, height, width, channels], a dict of arrays with `image`, or an iterable of dict batches.
        limit: rows to take at most.
        fields: the columns that must hold images; an array alone is the first of them.

    Raises:
        ValueError: without images, or with fewer than 32.
    """
    if isinstance(data, Mapping):
        columns = {name: np.asarray(value)[:limit] for name, value in data.items()}
    elif hasattr(data, "shape"):
        columns = {fields[0]: np.asarray(data)[:limit]}
    else:
        columns = _gathered(data, limit, fields)
    for field in fields:
        if field not in columns or columns[field].ndim != 4:
            raise ValueError(
                f"Expected images [num, height, width, channels] or batches with {field!r}; received {data!r}"
            )
    num = min(len(columns[field]) for field in fields)
    columns |= {field: columns[field][:num] for field in fields}
    if num < SMALLEST:
        raise ValueError(f"Calibration and comparison need at least {SMALLEST} images; received {num}")
    columns = {name: value for name, value in columns.items() if value.dtype.kind in "fiub" and len(value) == num}
    low = min(float(columns[field].min()) for field in fields)
    high = max(float(columns[field].max()) for field in fields)
    if not 0 <= low <= high <= 1:
        raise ValueError(f"Images must lie between 0 and 1; received values from {low:g} to {high:g}")
    return columns


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
        return {}
    return {name: np.concatenate([part[name] for part in parts])[:limit] for name in parts[0]}
