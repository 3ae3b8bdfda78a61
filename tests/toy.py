"""A system with settings that make it small enough to be trained in a second."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen import zoo
from keras_gen.distributions import draw_noise
from keras_gen.export.examples import endpoint_inputs, run_eagerly

# not a multiple of the batch size: the last batch has one row, so that one of two replicas has none
EXAMPLES, BATCH = 9, 4


def write_arrays(toy: "Toy", folder: pathlib.Path, num: int) -> str:
    """Writes an .npz of labeled images, and returns its path."""
    np.savez(folder / "images.npz", image=toy.pixels(num), label=toy.columns(num)["label"])
    return str(folder / "images.npz")


@dataclasses.dataclass(frozen=True)
class Toy:
    """A system small enough to be trained in a second.

    The toys of a system are listed as `TOYS` in `tests/models/<system>/toy.py`, from which tests/toys.py collects them.

    Attributes:
        key: Key of the system in the zoo.
        settings: Settings of the system that make it small.
        image_shape: (height, width, channels).
        conditions: Conditions that `generate` needs, such as a label.
        monitor: The metric with which callbacks are tested.
        normalized: Whether the model has batch normalization. If so, all batches have the same size, and the moving
            statistics change even at a learning rate of 0.
        sgd: A learning rate that changes some weight by more than 1e-3 in six steps.
        fields: Further batch fields: name -> a function of the other fields, or the name of a field to copy.
        write_source: (toy, folder, number of examples) -> the data source of a run, written to files in the folder.
        run_settings: Settings of a run on that source that replace or extend `settings`.
        derived_settings: Names in `settings` that a run derives from its data, and that are not passed to it.
        train_options: Further arguments of `keras_gen.train` in such a run.
    """

    key: str
    settings: Mapping[str, Any]
    image_shape: tuple[int, int, int] = (8, 8, 1)
    conditions: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    monitor: str = "loss"
    normalized: bool = False
    sgd: float = 1e-3
    fields: Mapping[str, str | Callable[[dict[str, np.ndarray]], np.ndarray]] = dataclasses.field(default_factory=dict)
    write_source: Callable[["Toy", pathlib.Path, int], str] = write_arrays
    run_settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    derived_settings: tuple[str, ...] = ()
    train_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def build(self, optimizer=None):
        """Returns the compiled model with seeded weights."""
        return zoo.build(self.key, self.image_shape, seed=0, optimizer=optimizer, **self.settings)

    def columns(self, num: int = EXAMPLES) -> dict[str, np.ndarray]:
        """Returns batch fields of `num` examples: images of soft discs, labels, and the toy's own fields."""
        generator = np.random.default_rng(0)
        height, width, channels = self.image_shape
        y, x = np.mgrid[:height, :width][..., None] / max(height, width)
        centers, radii = (
            generator.uniform(0.2, 0.8, (num, 2, 1, 1, channels)),
            generator.uniform(0.1, 0.4, (num, 1, 1, 1)),
        )
        images = np.exp(-((y - centers[:, 0]) ** 2 + (x - centers[:, 1]) ** 2) / radii**2)
        levels = np.round(images * 255) / 255
        columns = {"image": levels.astype(np.float32), "label": np.arange(num, dtype=np.int32) % 3}
        extra = {
            name: columns[field] if isinstance(field, str) else field(columns) for name, field in self.fields.items()
        }
        return columns | extra

    def pixels(self, num: int) -> np.ndarray:
        """Returns the images of `columns` as uint8 [num, height, width, channels]."""
        return np.round(self.columns(num)["image"] * 255).astype(np.uint8)

    def dataset(self, num: int = EXAMPLES, drop_remainder: bool | None = None) -> tf.data.Dataset:
        """Returns batches in a fixed order.

        Args:
            num: Number of examples.
            drop_remainder: Whether to drop a smaller last batch; default None: if the toy is `normalized`.
        """
        drop_remainder = self.normalized if drop_remainder is None else drop_remainder
        return tf.data.Dataset.from_tensor_slices(self.columns(num)).batch(BATCH, drop_remainder=drop_remainder)

    def images(self, model, num: int, seed: int) -> np.ndarray:
        """Returns images that Keras computes: by `generate`, or else by the first endpoint from the toy's columns."""
        if generates(model):
            return model.generate(num, seed=seed, **self.conditions)
        endpoint, inputs = self.first_endpoint(model, num, seed)
        return run_eagerly(endpoint, inputs)[image_output(endpoint)]

    def first_endpoint(self, model, num: int, seed: int):
        """Returns the first endpoint and inputs for it."""
        endpoint = model.endpoints()[0]
        return endpoint, endpoint_inputs(model, [endpoint], self.columns(num), seed)[endpoint.name]

    def inputs(self, model) -> tf.data.Dataset:
        """Returns inputs of `call`: batches of data, or noise and conditions for a system that only generates."""
        if "reconstruct" in zoo.get(self.key).endpoints or not generates(model):
            return self.dataset(drop_remainder=False)
        conditions = model.conditions_of(EXAMPLES, **self.conditions)
        return tf.data.Dataset.from_tensor_slices({**draw_noise(model.noise(), EXAMPLES, 0), **conditions}).batch(BATCH)


def generates(model) -> bool:
    """Returns whether a model has the endpoint `generate`."""
    return any(endpoint.name == "generate" for endpoint in model.endpoints())


def image_output(endpoint) -> str:
    """Returns the name of an endpoint's first output that is an image."""
    return next(name for name, port in endpoint.outputs.items() if port.kind == "image")
