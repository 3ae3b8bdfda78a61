"""Preview pictures of a model in training: samples, reconstructions, and the model's own examples."""

import pathlib
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from keras_gen import pictures
from keras_gen.models import GenerativeModel
from keras_gen.models.core.endpoint import Endpoint, Port
from keras_gen.models.core.protocols import HasClasses, HasPreviewConditions
from keras_gen.progress import report

# approximate height of an image in pixels: small images are enlarged
DISPLAY_SIZE = 64
GOLDEN_RATIO = (np.sqrt(5) - 1) / 2


class SampleGrid(keras.callbacks.Callback):
    """Writes a picture after every epoch, `epoch_0001.png`, ..., always of the same noise and the same images.

    Args:
        folder: The folder to write to.
        batch: A batch of the validation data, as NumPy arrays.
        num: Number of samples and of images in the picture.
        originals: As for `picture_of`.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        batch: Mapping[str, np.ndarray],
        num: int = 64,
        originals: Mapping[str, np.ndarray] | None = None,
    ):
        super().__init__()
        self.folder, self.batch, self.num, self.originals = folder, batch, num, originals

    def on_epoch_end(self, epoch, logs=None):
        report("Drawing the preview picture")
        picture = picture_of(self.model, self.batch, self.num, originals=self.originals)
        if picture is not None:
            pictures.save(self.folder / f"epoch_{epoch + 1:04d}.png", picture)


def mixed_batch(dataset: tf.data.Dataset) -> dict[str, np.ndarray]:
    """Returns about one batch of examples from all over a dataset: the first ones of a sorted source have one class.

    Args:
        dataset: A dataset of `keras_gen.data.load` that is not shuffled.
    """
    parts = []
    for batch in dataset:
        rows = {name: value.numpy() for name, value in batch.items()}
        count = len(next(iter(rows.values())))
        chosen = np.unique(np.linspace(0, count - 1, -(-count // dataset.info.num_batches)).astype(int))
        parts.append({name: value[chosen] for name, value in rows.items()})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    total = len(next(iter(joined.values())))
    # a low-discrepancy sequence: any number of first rows is spread over the whole dataset
    order = np.argsort(np.arange(total) * GOLDEN_RATIO % 1)
    return {name: value[order] for name, value in joined.items()}


def picture_of(
    model: GenerativeModel,
    batch: Mapping[str, np.ndarray],
    num: int = 64,
    seed: int = 0,
    originals: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray | None:
    """Returns a picture with one panel for each endpoint that outputs images, side by side.

    `generate` has a grid of samples, under the model's `preview_conditions` (all classes in turn, or one caption for
    each row). The columns of the model's `preview_images` follow. A model without them shows pairs of an input image
    and the output for every endpoint from the fields of a batch to an image, such as `reconstruct`.

    Args:
        model: Any model.
        batch: Field -> NumPy array [rows, ...], images in [0, 1].
        num: Number of images in a panel.
        seed: Seed of the samples.
        originals: Images of the same rows before binarization, field -> [rows, ...], which are shown as inputs instead
            of those that the model sees; None shows the latter.

    Returns:
        uint8 [height, width, 3], or None for a model without such endpoints.
    """
    panels = {}
    rows = max(1, round(np.sqrt(num)))
    previews = model.preview_images({name: value[:rows] for name, value in batch.items()})
    for endpoint in sorted(model.endpoints(), key=lambda endpoint: endpoint.name != "generate"):
        outputs = [port for port in endpoint.outputs.values() if port.kind == "image"]
        if not outputs:
            continue
        scale = _scale(outputs[0].shape[0])
        if endpoint.name == "generate":
            panels["samples"] = _samples(model, batch, num, seed, scale)
        elif not previews and (pairs := _pairs(endpoint, batch, num, scale, originals or {})) is not None:
            panels[f"input | {endpoint.name}"] = pairs
    for title, columns in previews.items():
        scale = _scale(max(images.shape[1] for images in columns.values()))
        panels[title] = pictures.hstack(
            {name: pictures.grid(images, columns=1, scale=scale) for name, images in columns.items()}, pad=2
        )
    return pictures.hstack(panels) if panels else None


def _scale(height: int) -> int:
    return max(1, round(DISPLAY_SIZE / height))


def _samples(model: GenerativeModel, batch: Mapping[str, np.ndarray], num: int, seed: int, scale: int) -> np.ndarray:
    conditions = model.preview_conditions(num, batch) if isinstance(model, HasPreviewConditions) else {}
    images = model.generate(num, seed=seed, **conditions)
    labels = None
    if "label" in conditions and isinstance(model, HasClasses):
        labels = model.names_of(conditions["label"])
    return pictures.grid(images, scale=scale, labels=labels)


def _pairs(
    endpoint: Endpoint, batch: Mapping[str, np.ndarray], num: int, scale: int, originals: Mapping[str, np.ndarray]
) -> np.ndarray | None:
    """Returns pairs of input and output images, or None if the endpoint does not turn images of a batch into such."""
    inputs = [name for name, port in endpoint.inputs.items() if port.kind == "image"]
    output = next(name for name, port in endpoint.outputs.items() if port.kind == "image")
    if not inputs or any(name not in batch for name in endpoint.inputs):
        return None
    rows = {name: _rows(batch[name], port, num // 2) for name, port in endpoint.inputs.items()}
    images = np.asarray(endpoint.function(**rows)[output])
    if images.shape != rows[inputs[0]].shape:
        return None
    columns = max(1, int(np.ceil(np.sqrt(num))) // 2)
    shown = originals.get(inputs[0], rows[inputs[0]])[: len(images)]
    return pictures.pairs(shown, images, columns, scale=scale)


def _rows(values: np.ndarray, port: Port, num: int) -> np.ndarray:
    """Returns the first `num` rows as float32; class indices become one-hot vectors."""
    if port.kind == "label" and values.ndim == 1:
        return np.eye(port.shape[0], dtype=np.float32)[values[:num]]
    return values[:num].astype(np.float32)
