"""A picture of what a model can do: samples, and what it makes of given images."""

import pathlib
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from keras_gen import pictures
from keras_gen.models import GenerativeModel
from keras_gen.progress import report

# about so many pixels for the height of an image: small ones are enlarged
SHOWN_SIZE = 64
GOLDEN = (np.sqrt(5) - 1) / 2


class SampleGrid(keras.callbacks.Callback):
    """Writes `epoch_0001.png`, ... : the same noise and the same images after every epoch.

    Args:
        folder: where to.
        batch: a batch of the validation data, as numpy arrays.
        num: samples and images shown.
    """

    def __init__(self, folder: pathlib.Path, batch: Mapping[str, np.ndarray], num: int = 64):
        super().__init__()
        self.folder, self.batch, self.num = folder, batch, num

    def on_epoch_end(self, epoch, logs=None):
        report("Making the picture of samples")
        picture = picture_of(self.model, self.batch, self.num)
        if picture is not None:
            pictures.save(self.folder / f"epoch_{epoch + 1:04d}.png", picture)


def mixed_batch(dataset: tf.data.Dataset) -> dict[str, np.ndarray]:
    """About as many rows as a batch has, from all over a dataset: the first ones of a sorted source are of one class.

    Args:
        dataset: of `keras_gen.data.load`, in its own order.
    """
    parts = []
    for batch in dataset:
        rows = {name: value.numpy() for name, value in batch.items()}
        count = len(next(iter(rows.values())))
        chosen = np.unique(np.linspace(0, count - 1, -(-count // dataset.info.num_batches)).astype(int))
        parts.append({name: value[chosen] for name, value in rows.items()})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    total = len(next(iter(joined.values())))
    order = np.argsort(np.arange(total) * GOLDEN % 1)  # any number of first rows is spread over the dataset
    return {name: value[order] for name, value in joined.items()}


def picture_of(
    model: GenerativeModel, batch: Mapping[str, np.ndarray], num: int = 64, seed: int = 0
) -> np.ndarray | None:
    """One panel for each endpoint that ends in an image, side by side.

    `generate` gives a grid of samples (of all classes in turn, with their names, where the model is conditional, of a
    caption in each row where it reads texts). What the model's `examples` are is shown in columns; without any, an
    endpoint from the fields of a batch to an image, such as `reconstruct`, gives pairs: what goes in and what comes
    out.

    Args:
        model: any system.
        batch: field -> numpy array [rows, ...], images in [0, 1].
        num: images in a panel.
        seed: of the samples.

    Returns:
        uint8 [height, width, 3], or None for a model without such endpoints.
    """
    panels = {}
    rows = max(1, round(np.sqrt(num)))
    examples = model.examples({name: value[:rows] for name, value in batch.items()})
    for endpoint in sorted(model.endpoints(), key=lambda endpoint: endpoint.name != "generate"):
        shown = [name for name, port in endpoint.outputs.items() if port.kind == "image"]
        given = [name for name, port in endpoint.inputs.items() if port.kind == "image"]
        if not shown:
            continue
        scale = max(1, round(SHOWN_SIZE / endpoint.outputs[shown[0]].shape[0]))
        if endpoint.name == "generate":
            told = _description(model, batch, num)
            images = model.generate(num, seed=seed, **told)
            names = model.names_of(told["label"]) if "label" in told else None
            panels["samples"] = pictures.grid(images, scale=scale, labels=names)
        elif given and not examples and all(name in batch for name in endpoint.inputs):
            rows = {name: _rows(batch[name], port, num // 2) for name, port in endpoint.inputs.items()}
            images = np.asarray(endpoint.function(**rows)[shown[0]])
            if images.shape == rows[given[0]].shape:
                columns = max(1, int(np.ceil(np.sqrt(num))) // 2)
                panels[f"given | {endpoint.name}"] = pictures.pairs(rows[given[0]], images, columns, scale=scale)
    for title, columns in examples.items():
        height = max(images.shape[1] for images in columns.values())
        scale = max(1, round(SHOWN_SIZE / height))
        panels[title] = pictures.beside(
            {name: pictures.grid(images, columns=1, scale=scale) for name, images in columns.items()}, pad=2
        )
    return pictures.beside(panels) if panels else None


def _description(model: GenerativeModel, batch: Mapping[str, np.ndarray], num: int) -> dict:
    """What `generate` is told for `num` samples."""
    if getattr(model, "num_classes", None):
        return {"label": np.arange(num) % model.num_classes}
    if "text" in model.described():
        each = max(1, round(np.sqrt(num)))
        return {"tokens": np.resize(np.repeat(batch["tokens"], each, axis=0), (num, batch["tokens"].shape[1]))}
    return {}


def _rows(values: np.ndarray, port, num: int) -> np.ndarray:
    if port.kind == "label" and values.ndim == 1:
        return np.eye(port.shape[0], dtype=np.float32)[values[:num]]
    return values[:num].astype(np.float32)
