"""The base of every system: seeds, loss scaling, trackers and saving, written once."""

# More than 250 lines: the step, its trackers and what is saved of both are checked against each other here.

import inspect
import math
from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_gen.data.pipeline.epochs import check_steps, loaded_in

from .finite_check import between, short_errors
from .generation import Generating
from .global_batch import BatchNoise, GlobalBatch
from .host import host_value
from .inputs import TOLERANCE, as_arrays, check_range, is_array, with_channel
from .monitors import check_callbacks
from .offer import Offering
from .replicas import check_options

SEED_STATE = "seed_generator_state"


class EpochInProgress(NamedTuple):
    """An epoch that was interrupted.

    Attributes:
        step: its finished batches.
        totals: name of each tracker -> the values of its variables.
    """

    step: int
    totals: dict[str, list[float]]


class GenerativeModel(Generating, Offering, keras.Model):
    """A Keras model that is trained on dict batches and generates images.

    A subclass takes finished networks, states `tracked`, and writes `losses_of`, `call`, `generate_from` and
    `endpoints`. The base draws all noise for the global batch, divides losses by the global batch size (Keras's
    optimizers SUM gradients over replicas), tracks the unscaled values, and saves every seed.

    Args:
        seed: seed of all noise while training; None draws one. Evaluation has a stream of its own, which starts anew
            at every `reset_metrics()`: validation does not change training, and `evaluate` repeats exactly.

    Attributes:
        tracked: names of what is reported.
        monitor: the one of them that is smallest for the best epoch; None where no number tells it, and the last
            epoch is kept.
        system: what an export calls it, where that is not the class name in small letters.
        checks_range: whether images must lie in [0, 1]; False for a model of points that are no images.
    """

    tracked: tuple[str, ...] = ("loss",)
    image_shape: tuple[int, int, int] | None = None
    monitor: str | None = "loss"
    system: str | None = None
    checks_range: bool = True
    evaluation_seed = 20_131_220

    def __init__(self, *, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.autocast = False
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.evaluation_step = self.add_weight(
            name="evaluation_step", shape=(), dtype="int32", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip
        self.train_steps = self.add_weight(
            name="train_steps", shape=(), dtype="int64", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.tracked}
        self.within_epoch = False  # whether `fit` continues an epoch that was interrupted
        # the networks arrive built; a symbolic call on raw batches would only get in fit's way
        self.built = True

    # what a system writes

    def losses_of(
        self, batch: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict]:
        """The loss to minimize and what to report.

        Args:
            batch: dict of tensors with this replica's rows, images float32 in [0, 1].
            batch_noise: the only source of noise.
            global_batch: statistics over the global batch.
            training: passed to the networks.

        Returns:
            One loss per example [rows], and {tracked name: one value per example [rows]}.
        """
        raise NotImplementedError

    # fit, evaluate

    def compile(self, optimizer="adam", *, jit_compile: bool = False, **kwargs):
        """As `keras.Model.compile`, without a loss: the model has its own.

        Args:
            optimizer: a Keras optimizer or its name. It is built here, so a strategy's scope must be open.
            jit_compile: XLA. Off by default: on CPUs it slows convolutions down, and it fails under several replicas.
        """
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            if kwargs.get(name) is not None:
                raise ValueError(
                    f"{type(self).__name__} has a loss and metrics of its own ({', '.join(self.tracked)}); "
                    f"compile() was given {name}={kwargs[name]!r}"
                )
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def get_compile_config(self) -> dict | None:
        """The optimizer and the options of `compile`, so that a loaded model goes on training."""
        if not self.compiled:
            return None
        return {
            "optimizer": keras.saving.serialize_keras_object(self._compile_config.config["optimizer"]),
            "jit_compile": self.jit_compile,
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config: dict):
        """Compile as the saved model was; the optimizer's variables are restored after this."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(
        self,
        x=None,
        y=None,
        *args,
        callbacks=None,
        validation_split: float = 0.0,
        validation_data=None,
        class_weight=None,
        sample_weight=None,
        in_progress: EpochInProgress | None = None,
        **kwargs,
    ):
        """As `keras.Model.fit`, on a dataset of dict batches or an array of images [num, height, width, channels].

        Images are float, in [0, 1]: arrays are checked before the first step, batches of a dataset in their step. A
        dataset of `keras_gen.data.load`, also below operations of `tf.data`, receives the number of the epoch before
        each epoch, so that its order, augmentation and binarization change from epoch to epoch, and are the same after
        a resume.

        Args:
            x: images, or a dict {field: array}, or a dataset, a `PyDataset` or a generator of such batches. The
                channel of gray images may be left out.
            y: labels, of a model that is conditioned on classes; or images, which a model with an encoder and a
                decoder then makes of those in x, as in denoising. Anything else is refused.
            validation_split: share of arrays that is held out for validation. Which examples these are is drawn with
                the model's seed (Keras takes the last ones: of arrays in the order of their classes, a class).
            validation_data: as `x`, or a pair (x, y).
            class_weight, sample_weight: refused; how often the data holds an example is its weight.
            in_progress: where the first epoch was interrupted, see `epoch_in_progress`: its first batches are left
                out and its metrics continue. Needs a `tf.data.Dataset`, which holds further batches of the epoch.

        Raises:
            ValueError: for images outside [0, 1] (more than 1e-3) or NaN, labels that are no class, data or weights
                that the model does not use, callbacks that monitor what it does not report, and where
                `steps_per_epoch`, `repeat()`, `cache()` or a generator would make all epochs of a loaded dataset alike.
        """
        loaded = loaded_in(x)
        check_steps(loaded, kwargs.get("steps_per_epoch"))
        _refuse_weights(class_weight=class_weight, sample_weight=sample_weight)
        if validation_data is not None:
            *validation, weights = keras.utils.unpack_x_y_sample_weight(validation_data)
            _refuse_weights(sample_weight=weights)
            validation_data = keras.utils.pack_x_y_sample_weight(*self._received(*validation))
            if not isinstance(validation_data, tuple):
                validation_data = (validation_data,)
        check_callbacks(self, callbacks, validated=validation_data is not None or bool(validation_split))
        callbacks = self.callbacks_after(_BeginEpoch([each.epoch for each in loaded], in_progress), callbacks)
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras's default is for arrays, and warns with a dataset
        x, y = self._received(x, y)
        if validation_split and validation_data is None:
            x, validation_data = self._parted(x, validation_split)
        check_options(self, self.distribute_strategy)
        kwargs["validation_data"] = validation_data
        with short_errors():
            if in_progress is None:
                return super().fit(x, y, *args, callbacks=callbacks, **kwargs)
            first, last = kwargs.pop("initial_epoch", 0), kwargs.pop("epochs", 1)
            # in a fit of its own: Keras takes it that all epochs of one have as many batches
            history = super().fit(
                x.skip(in_progress.step),
                y,
                *args,
                callbacks=callbacks,
                initial_epoch=first,
                epochs=first + 1,
                **kwargs,
            )
            if first + 1 < last and not self.stop_training:
                rest = super().fit(x, y, *args, callbacks=callbacks, initial_epoch=first + 1, epochs=last, **kwargs)
                for name, values in rest.history.items():
                    history.history[name] = history.history.get(name, []) + values
            return history

    def evaluate(self, x=None, y=None, *args, sample_weight=None, **kwargs):
        """As `keras.Model.evaluate`; data as for `fit`."""
        _refuse_weights(sample_weight=sample_weight)
        if not kwargs.get("_use_cached_eval_dataset"):  # else by `fit`, which has looked at it
            x, y = self._received(x, y)
        with short_errors():
            return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """As `keras.Model.predict`: what `call` makes of each example."""
        x = as_arrays(x)
        if isinstance(x, Mapping) or is_array(x):
            x = self._inputs(x, self.call_fields)
        elif isinstance(x, tf.data.Dataset):
            x = self._checked_where_compiled(x, self.call_fields)
        with short_errors():
            return super().predict(x, *args, **kwargs)

    def train_on_batch(self, *args, **kwargs):
        """As `keras.Model.train_on_batch`; data as for `fit`."""
        with short_errors():
            return super().train_on_batch(*args, **kwargs)

    def test_on_batch(self, *args, **kwargs):
        """As `keras.Model.test_on_batch`; data as for `fit`."""
        with short_errors():
            return super().test_on_batch(*args, **kwargs)

    def predict_on_batch(self, x):
        """As `keras.Model.predict_on_batch`."""
        with short_errors():
            return super().predict_on_batch(x)

    def _received(self, x, y=None) -> tuple:
        """The data of `fit` and `evaluate`, x and y; of arrays, which have now been checked, a dict and None."""
        if x is None:
            raise ValueError("Expected images [num, height, width, channels] or a dataset as x; received None")
        x, y = as_arrays(x), as_arrays(y)
        if isinstance(x, Mapping) or is_array(x):
            columns = self._named((x, y))
            if not len(columns[next(iter(self.image_fields))]):
                raise ValueError("Expected at least one image; received none")
            return columns, None
        if isinstance(x, tf.data.Dataset):
            return self._checked_where_compiled(x, self.image_fields | self.optional_image_fields), y
        if inspect.isgenerator(x):  # Keras wants a tuple of each batch
            x = (batch if isinstance(batch, tuple) else (batch,) for batch in x)
        return x, y

    def _checked_where_compiled(self, dataset: tf.data.Dataset, fields: dict) -> tf.data.Dataset:
        """A dataset whose batches are checked as they come, for steps under XLA, which cannot check them."""
        if not self.compiled or not self.jit_compile:
            return dataset

        def checked(x, *rest):
            if rest and "target" in self.optional_image_fields and len(rest[0].shape) > 2:
                rest = (self.images_of("target", rest[0]), *rest[1:])
            x = self._inputs(x, fields, everywhere=True)
            return (x, *rest) if rest else x

        return dataset.map(checked)

    def _parted(self, columns: dict, share: float) -> tuple[dict, tuple]:
        """Columns in two parts, drawn with the model's seed: for training, and for validation."""
        if not isinstance(columns, Mapping):
            raise ValueError(
                "validation_split takes a part of arrays; split a dataset with take and skip, and pass validation_data"
            )
        num = len(columns[next(iter(self.image_fields))])
        count = num - math.floor(num * (1 - share))  # as many as Keras takes
        if not 0 < share < 1 or not 0 < count < num:
            raise ValueError(f"validation_split={share} of {num} examples leaves none for training or for validation")
        order = np.random.default_rng(self.seed or 0).permutation(num)
        parts = [
            {name: np.asarray(column)[np.sort(rows)] for name, column in columns.items()}
            for rows in (order[count:], order[:count])
        ]
        return parts[0], (parts[1],)

    def callbacks_after(self, first: keras.callbacks.Callback, callbacks):
        """The callbacks of `fit`, a list, one of them, a CallbackList or None, with another one before them."""
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.callbacks.insert(0, first)
            first.set_model(self)
            first.set_params(callbacks.params)
            return callbacks
        return [first, *keras.tree.flatten(callbacks or [])]

    def epoch_in_progress(self, step: int) -> EpochInProgress:
        """What `fit(in_progress=...)` needs to finish this epoch later, besides the weights.

        Args:
            step: batches of the epoch that are finished.
        """
        totals = {name: [float(host_value(v)) for v in each.variables] for name, each in self.trackers.items()}
        return EpochInProgress(step, totals)

    def train_step(self, data) -> dict:
        batch = self.batch_of(data)
        global_batch = GlobalBatch(self.rows_of(batch))
        batch = global_batch.pad_if_empty(batch)
        batch_noise = BatchNoise(self._next_seed(), global_batch)
        with tf.GradientTape() as tape:
            losses, logs = self.losses_of(batch, batch_noise, global_batch, training=True)
            loss = global_batch.scale_loss(self._per_example("loss", losses))
            # [k * rows] for [rows] would make the loss k times as large, in silence
            tf.debugging.assert_equal(
                tf.size(losses), self.rows_of(batch), f"{self.name}: one loss is due for each image"
            )
            if self.losses:  # regularizers and add_loss: once for the global batch, not once a replica
                loss += tf.add_n(self.losses) / global_batch.replicas
            loss = self.optimizer.scale_loss(loss)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self.train_steps.assign_add(1)
        return self._track({"loss": losses, **logs}, global_batch)

    def test_step(self, data) -> dict:
        batch, global_batch, batch_noise = self._evaluated(data)
        losses, logs = self.losses_of(batch, batch_noise, global_batch, training=False)
        return self._track({"loss": losses, **logs}, global_batch)

    def predict_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        x = self._inputs(x, self.call_fields)
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return self(x, training=False)
        # the end of the data may leave a replica without a row, and TensorFlow's convolution of none (on a CPU, by
        # oneDNN) has the shape of its input: that replica is given a row of zeros, as in training, and it is cut off
        rows = tf.shape(keras.tree.flatten(x)[0])[0]
        missing = 1 - tf.minimum(rows, 1)
        filled = keras.tree.map_structure(
            lambda value: tf.concat([value, tf.zeros(tf.concat([[missing], tf.shape(value)[1:]], 0), value.dtype)], 0),
            x,
        )
        return keras.tree.map_structure(lambda value: value[:rows], self(filled, training=False))

    def _evaluated(self, data) -> tuple[dict, GlobalBatch, BatchNoise]:
        """A batch of evaluation, its place and its noise, which is the same in every evaluation."""
        batch = self.batch_of(data)
        global_batch = GlobalBatch(self.rows_of(batch))
        seed = tf.stack([self.evaluation_seed, tf.convert_to_tensor(self.evaluation_step)])
        self.evaluation_step.assign_add(1)
        return global_batch.pad_if_empty(batch), global_batch, BatchNoise(seed, global_batch)

    def reset_metrics(self):
        super().reset_metrics()
        self.evaluation_step.assign(0)

    @property
    def metrics(self) -> list:
        return list(self.trackers.values())

    def batch_of(self, data) -> dict:
        """A batch as a dict, checked: a tensor is the images, and a pair (x, y) is given its names.

        In a graph the values are checked when the step runs, before anything else does. Under XLA they are not: `fit`
        and `evaluate` check the dataset instead.

        Raises:
            ValueError: for anything else, a dict without one of `image_fields`, images of another shape or of
                integers, or a y or weights that the model does not use.
        """
        return self._named(data)

    def images_of(self, field: str, images, fields: dict | None = None, everywhere: bool = True):
        """Images of a field as the networks take them, checked: floats in [0, 1] of the shape that is due.

        Args:
            field: one of the fields.
            images: an array or a tensor [batch, height, width, channels], or without the channel of gray images.
            fields: field -> (height, width, channels); None is those of a batch.
            everywhere: whether also the values of graphs are checked, when they run.

        Raises:
            ValueError: for images of another type, shape or range.
        """
        fields = self.image_fields | self.optional_image_fields if fields is None else fields
        images = with_channel(field, images, fields[field])
        if not self.checks_range:
            return images
        if is_array(images):
            check_range(field, np.asarray(images))
        elif everywhere:
            images = between("images", field, images, -TOLERANCE, 1 + TOLERANCE)
        return images

    def _named(self, data) -> dict:
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        _refuse_weights(sample_weight=weight)
        batch = dict(x) if isinstance(x, Mapping) else {next(iter(self.image_fields)): x}
        if y is not None:
            name = self._role_of(y)
            if name in batch:
                raise ValueError(f"Expected {name!r} once; received it in x and as y: leave one of them out")
            batch[name] = y
        for field in self.image_fields:
            if field not in batch:
                raise ValueError(f"Expected a batch with the key {field!r}; received the keys {sorted(batch)}")
        return self._inputs(batch, self.image_fields | self.optional_image_fields)

    def _inputs(self, x, fields: dict, everywhere: bool | None = None):
        """A dict, or an array that is the first of the fields, with its images checked; the rest stays as it is."""
        if everywhere is None:  # a graph that XLA compiles has no assertions
            everywhere = not (self.compiled and self.jit_compile)
        if isinstance(x, Mapping):
            return {
                name: self.images_of(name, value, fields, everywhere) if name in fields else value
                for name, value in x.items()
            }
        return self.images_of(next(iter(fields)), x, fields, everywhere) if fields else x

    def _role_of(self, y) -> str:
        """The field that y of `fit(x, y)` is: `target` for images, or else `label`."""
        shape, name = getattr(y, "shape", None), type(self).__name__
        if shape is None:
            raise ValueError(f"Expected y as one array; received a {type(y).__name__}: name fields in a dict as x")
        if len(shape) > 2:
            if "target" in self.optional_image_fields:
                return "target"
            raise ValueError(
                f"{name} does not make y of x, and would leave the images in y unused; received y of the shape "
                f"{tuple(shape)}: leave it out"
                + (f", or pass a dict with {' and '.join(self.image_fields)}" if len(self.image_fields) > 1 else "")
            )
        if not self.label_classes:
            setting = f"build the model with {self.label_setting}=..., or " if self.label_setting else ""
            raise ValueError(
                f"This {name} uses no labels; received y of the shape {tuple(shape)}: {setting}leave y out"
            )
        if getattr(y.dtype, "kind", None) in ("U", "S", "O"):
            raise ValueError(
                "Expected labels as integers from 0; received names: numpy.unique(names, return_inverse=True)[1] "
                "numbers them"
            )
        return "label"

    def rows_of(self, batch: dict) -> tf.Tensor:
        """The number of examples in a batch."""
        return tf.shape(batch[next(iter(self.image_fields))])[0]

    def _next_seed(self) -> tf.Tensor:
        return tf.cast(self.seed_generator.next(), tf.int32)

    def _per_example(self, name: str, values: tf.Tensor) -> tf.Tensor:
        # a scalar would be divided by the batch again, in silence
        if values.shape.rank != 1:
            raise ValueError(f"{type(self).__name__}: {name!r} must have one value per example; shape {values.shape}")
        return tf.cast(values, tf.float32)

    def _track(self, logs: dict, global_batch: GlobalBatch) -> dict:
        """Update the trackers with unscaled means, weighted by this replica's rows."""
        for name, values in logs.items():
            self.trackers[name].update_state(global_batch.valid_rows(self._per_example(name, values)))
        results = {name: tracker.result() for name, tracker in self.trackers.items()}
        if global_batch.replicas > 1 and tf.distribute.get_strategy().extended._in_multi_worker_mode():
            # Keras 3 reduces the values of several workers by concatenation, which scalars refuse (keras#20585)
            return {name: tf.reshape(value, [1]) for name, value in results.items()}
        return results

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Nothing to do: networks and optimizers are built (and under several workers Keras's own version fails)."""

    # saving

    def save(self, filepath, overwrite: bool = True, **kwargs):
        """As `keras.Model.save`, in Keras's own format.

        Raises:
            ValueError: for another format: HDF5 keeps neither seeds nor the optimizers of several players.
        """
        if not str(filepath).endswith(".keras") and kwargs.get("zipped", True):
            raise ValueError(
                f"Expected a file name that ends in .keras; received {str(filepath)!r}. A .keras file keeps the model "
                "and its training; for deployment write SavedModel and TFLite with "
                "keras_gen.export.export_model(model, folder)"
            )
        return super().save(filepath, overwrite=overwrite, **kwargs)

    def export(self, *args, **kwargs):
        """Refused: a model has several functions to export, and `keras_gen.export.export_model` writes them all."""
        names = ", ".join(endpoint.name for endpoint in self.endpoints())
        raise ValueError(
            f"Expected keras_gen.export.export_model(model, folder), which writes SavedModel and TFLite of {names}; "
            "received a call of model.export, which knows `call` alone"
        )

    def get_config(self) -> dict:
        return {
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        return cls(
            **{
                key: keras.saving.deserialize_keras_object(value, custom_objects)
                if isinstance(value, dict) and "class_name" in value
                else value
                for key, value in config.items()
            }
        )

    def _seed_states(self) -> list:
        """The states of all seed generators, dropout's included; Keras itself does not save them."""
        return [variable for variable in self.variables if variable.path.endswith(SEED_STATE)]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for index, state in enumerate(self._seed_states()):
            store[f"{SEED_STATE}_{index}"] = host_value(state)

    def load_own_variables(self, store):
        seeds = {key: store[key] for key in store.keys() if key.startswith(SEED_STATE)}
        super().load_own_variables({key: store[key] for key in store.keys() if key not in seeds})
        for index, state in enumerate(self._seed_states()):
            state.assign(seeds[f"{SEED_STATE}_{index}"])


def _refuse_weights(**weights) -> None:
    """Raise where weights of examples or classes were given: the losses are means over what the data holds."""
    for name, value in weights.items():
        if value is not None:
            raise ValueError(f"{name} is not supported; weight the examples by how often the data holds them")


class _BeginEpoch(keras.callbacks.Callback):
    """Passes the number of the epoch to the datasets, and continues the metrics of an epoch that was interrupted."""

    def __init__(self, epochs: list[tf.Variable], in_progress: EpochInProgress | None):
        super().__init__()
        self.epochs, self.in_progress = epochs, in_progress

    def on_epoch_begin(self, epoch, logs=None):
        for each in self.epochs:
            each.assign(epoch)
        progress, self.in_progress = self.in_progress, None
        self.model.within_epoch = progress is not None
        if progress:  # `fit` has just reset the metrics
            for name, values in progress.totals.items():
                for variable, value in zip(self.model.trackers[name].variables, values, strict=True):
                    variable.assign(value)
