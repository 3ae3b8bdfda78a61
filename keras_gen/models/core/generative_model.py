"""The base of every system: what it declares, its training step, its inputs, generation and saving."""

import inspect
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches
from keras_gen.data.pipeline.epochs import check_steps, loaded_in
from keras_gen.distributions.noise import Noise, draw_noise, noise_from_value
from keras_gen.runtime.noise import random_seed

from .constructor_config import constructor_config
from .ema import clone_for_ema, update_ema
from .endpoint import Endpoint, Port, noise_ports
from .global_batch import BatchNoise, GlobalBatch, pad_if_empty
from .graph_checks import short_errors
from .host import host_value
from .inputs import Shape, as_arrays, check_images, is_array, refuse_weights, split_arrays
from .monitors import check_callbacks
from .protocols import HasPrior
from .replicas import check_options

SEED_STATE = "seed_generator_state"
LOGGER = logging.getLogger("keras_gen")


class EpochInProgress(NamedTuple):
    """An epoch that was interrupted.

    Attributes:
        step: Number of its finished batches.
        totals: Name of each tracker -> the values of its variables.
    """

    step: int
    totals: dict[str, list[float]]


class GenerativeModel(keras.Model):
    """A Keras model that is trained on dict batches and generates images.

    A subclass takes finished networks, declares `tracked`, and writes `losses_of`, `call`, `generate_from` and, if it
    exports more than `generate`, `endpoints`. The base draws all noise for the global batch, divides losses by the
    global batch size (Keras's optimizers SUM gradients over replicas), tracks the unscaled values, averages weights,
    and saves every seed.

    Args:
        ema: Decay of the moving averages of the networks in `averaged_networks`, in (0, 1); None or False for none.
            `generate` and everything exported use the averages.
        seed: Seed of all noise in training; None draws one. Evaluation has a stream of its own, which starts again
            at every `reset_metrics()`: validation does not change training, and `evaluate` repeats exactly.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Attributes:
        tracked: Names of the reported metrics.
        monitor: The metric that is smallest at the best epoch; None if no metric says so, and the last epoch is saved.
        image_shape: (height, width, channels) of the images, or None for any.
        checks_range: Whether images must lie in [0, 1]; False for a model of points that are no images.
        averaged_networks: Names of the attributes that hold the networks of which `ema` keeps moving averages.
        ema_networks: Name of each averaged network -> its moving average; empty without `ema`.
        label_setting: The argument that conditions the model on the labels of `fit(x, y)`, or None.
        config_attributes: Argument of the constructor -> attribute that holds it, where the names differ, for
            `get_config`; None for an argument of a base class that the subclass's constructor passes on itself.
        system: The system's name in an export, if it is not the class name in lower case.
        train_steps: Finished training steps, an integer variable.
    """

    tracked: tuple[str, ...] = ("loss",)
    monitor: str | None = "loss"
    image_shape: tuple[int, int, int] = None  # ty: ignore[invalid-assignment] a subclass sets it
    checks_range: bool = True
    averaged_networks: tuple[str, ...] = ()
    label_setting: str | None = None
    config_attributes: Mapping[str, str | None] = {}
    system: str | None = None
    evaluation_seed = 20_131_220

    def __init__(self, *, ema: float | None = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if ema and not 0 < ema < 1:
            raise ValueError(f"Expected ema as a decay in (0, 1), or None; received {ema!r}")
        if ema and not self.averaged_networks:
            raise ValueError(f"Expected ema=None: {type(self).__name__} has no averaged_networks; received {ema!r}")
        self.ema = ema or None
        self.ema_networks = {}
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
        # the networks that are passed in are built; a symbolic call of the model on raw batches would fail in `fit`
        self.built = True

    # what a system declares

    def losses_of(
        self, batch: dict[str, tf.Tensor], batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the loss to minimize and the metrics to report.

        Args:
            batch: {field: tensor with this replica's rows}, images float32 in [0, 1].
            batch_noise: The only source of noise.
            global_batch: Statistics over the global batch.
            training: Whether the networks run in training mode.

        Returns:
            One loss per example [rows], and {tracked name: one value per example [rows]}.
        """
        raise NotImplementedError

    def endpoints(self) -> list[Endpoint]:
        """Returns the functions to export, of which none contains a random operation: by default `generate`."""
        return [self.generate_endpoint()]

    def generate_endpoint(self) -> Endpoint:
        """Returns `generate`: base noise and conditions -> image."""
        noise = self.noise()

        def generate(**inputs):
            base_noise = {name: inputs.pop(name) for name in noise}
            return {"image": self.generate_from(base_noise, **inputs)}

        inputs = {**noise_ports(noise), **self.condition_ports()}
        return Endpoint("generate", generate, inputs, {"image": Port(self.image_shape, "image")})

    def noise(self) -> dict[str, Noise]:
        """Returns the base noise of one image, {input: Noise}; by default the prior's, if the model has a prior."""
        return self.prior.noise if isinstance(self, HasPrior) else {}

    def generate_from(self, noise: dict[str, tf.Tensor], *args: Any, **conditions: Any) -> tf.Tensor:
        """Returns images in [0, 1], [num, height, width, channels], without a random operation.

        Args:
            noise: Base noise, {input: [num, ...]}.
            *args: Unused; a subclass has named arguments for its conditions.
            **conditions: The conditions as `conditions_of` returns them, and the options of `generate_options`.
        """
        raise NotImplementedError

    @property
    def image_fields(self) -> dict[str, Shape | None]:
        """Fields of a batch that hold images -> (height, width, channels); the first one counts the examples."""
        return {"image": self.image_shape}

    @property
    def optional_image_fields(self) -> dict[str, Shape | None]:
        """Further fields with images that a batch may have -> (height, width, channels)."""
        return {}

    @property
    def call_fields(self) -> dict[str, Shape | None]:
        """Fields with images of the inputs of `call` and `predict` -> (height, width, channels).

        A tensor instead of a dict is the first of them; empty if the model's inputs are no images.
        """
        return {**self.image_fields, **self.optional_image_fields}

    @property
    def label_classes(self) -> int | None:
        """Number of classes of a batch's `label`, which is the y of `fit(x, y)`; None if the model uses no labels."""
        return None

    def condition_ports(self) -> dict[str, Port]:
        """Returns the conditions of `generate_from`, {name: Port}; see `ClassConditional` and `TextConditional`."""
        return {}

    def condition_names(self) -> tuple[str, ...]:
        """Returns the names under which `generate` takes conditions."""
        return ()

    def conditions_of(self, num: int, **conditions: Any) -> dict[str, np.ndarray]:
        """Checks the conditions of `generate` and returns them as `generate_from` takes them.

        A subclass that takes a condition removes it from `conditions` and passes the others on to `super()`.

        Args:
            num: Number of images.
            **conditions: The conditions, by the names of `condition_names`.

        Returns:
            {name: float32 [num, *shape]}, one for each port of `condition_ports`.

        Raises:
            ValueError: For a condition that the model does not take.
        """
        if conditions:
            names = self.condition_names()
            raise ValueError(
                f"Expected {'conditions among ' + ', '.join(names) if names else 'no condition'} for "
                f"{type(self).__name__}; received {', '.join(sorted(conditions))}"
            )
        return {}

    def generate_options(self, conditions: dict[str, Any]) -> dict[str, Any]:
        """Removes from the conditions, and returns, the options that are the same for all images of a call."""
        return {}

    def data_stages(self, batch_size: int) -> list[dict[str, Any]]:
        """Returns `image_shape` and `batch_size` of the data for each stage of training; empty if they never change.

        Args:
            batch_size: Examples in a step of the last stage.
        """
        return []

    def set_names(self, names: Mapping[str, Sequence[str]]) -> None:
        """Stores the names of the data's values as far as users refer to them by name.

        Args:
            names: `label` -> names of the classes, `domains` -> names of domain A and domain B, ...
        """

    def export_description(self) -> dict[str, Any]:
        """Returns further entries of an export's model.json: `text`, `attributes`, ... -> JSON."""
        return {}

    def preview_images(self, batch: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """Returns preview pictures of some examples, {panel: {column: images [rows, height, width, channels]}}.

        Empty if the endpoints show enough, as `generate` and `reconstruct` do.
        """
        return {}

    def note_on_arrays(self, columns: Mapping[str, Any]) -> str | None:
        """Returns a sentence about arrays that the model is about to be trained on by `fit`; None for nothing to say.

        Args:
            columns: Field -> array [num, ...].
        """
        return None

    def endpoint_columns(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns inputs of endpoints that the data does not contain as they are, such as patches of its images.

        Args:
            columns: The data, {field: [num, ...]}.

        Returns:
            {input: [num, ...]}, for the calibration of an int8 file and the comparison of exports.
        """
        return {}

    # moving averages

    def create_ema_networks(self) -> None:
        """Creates the moving averages of `averaged_networks`; to be called at the end of a subclass's `__init__`."""
        if self.ema:
            self.ema_networks = {name: clone_for_ema(getattr(self, name)) for name in self.averaged_networks}

    def inference_network(self, name: str) -> keras.Model:
        """Returns the network that is used outside training: the moving average of a network, or else itself.

        Args:
            name: Name of the attribute that holds the network.
        """
        return self.ema_networks.get(name, getattr(self, name))

    # training

    def compile(self, optimizer: Any = "adam", *, jit_compile: bool = False, **kwargs: Any) -> None:
        """Configures training as `keras.Model.compile` does, without a loss: the model has its own.

        Args:
            optimizer: A Keras optimizer or its name. Its variables are created here, so a strategy's scope must be
                open.
            jit_compile: Whether XLA compiles the steps. XLA slows convolutions down on CPUs, and it fails under
                several replicas.
            **kwargs: `run_eagerly`, `steps_per_execution` and `auto_scale_loss`, as for `keras.Model.compile`.

        Raises:
            ValueError: For a loss or metrics.
        """
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            if kwargs.get(name) is not None:
                raise ValueError(
                    f"Expected no {name}: {type(self).__name__} has a loss and metrics of its own "
                    f"({', '.join(self.tracked)}); received {name}={kwargs[name]!r}"
                )
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def get_compile_config(self) -> dict[str, Any] | None:
        """Returns the optimizer and the options of `compile`, so that training of a loaded model can continue."""
        if not self.compiled:
            return None
        return {
            "optimizer": keras.saving.serialize_keras_object(self._compile_config.config["optimizer"]),
            "jit_compile": self.jit_compile,
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as the saved model was compiled; Keras restores the optimizer's variables afterwards."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *args: Any,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        class_weight: Any = None,
        sample_weight: Any = None,
        in_progress: EpochInProgress | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, on a dataset of dict batches or arrays of images.

        Images are floats in [0, 1]: arrays are checked before the first step, each batch of a dataset in its step. A
        dataset of `keras_gen.data.load`, also below operations of `tf.data`, receives the number of the epoch before
        each epoch, so that its order, augmentation and binarization change from epoch to epoch, and are the same after
        a resume.

        Args:
            x: Images [num, height, width, channels], a dict {field: array}, or a dataset, a `PyDataset` or a generator
                of such batches. The channel of gray images may be missing.
            y: Labels, for a model that is conditioned on classes; or images, which a model with an encoder and a
                decoder learns to compute from those in x, as in denoising. Anything else is refused.
            *args: `batch_size` and the further arguments of `keras.Model.fit`.
            callbacks: A list of callbacks, a single one, or a `CallbackList`.
            validation_split: Share of the examples of arrays for validation, in [0, 1). They are drawn with the model's
                seed (Keras takes the last ones, which in arrays that are sorted by class is one class).
            validation_data: As `x`, or a pair (x, y).
            class_weight: Refused if not None: the losses are unweighted means over the data.
            sample_weight: Refused if not None, as `class_weight`.
            in_progress: The point at which the first epoch was interrupted, see `epoch_in_progress`: its finished
                batches are skipped and its metrics continue. Needs a `tf.data.Dataset` that has further batches of the
                epoch.
            **kwargs: As for `keras.Model.fit`.

        Returns:
            Keras's history of the metrics.

        Raises:
            ValueError: For images outside [0, 1] (by more than 1e-3) or NaN, out-of-range classes, data or weights
                that the model does not use, callbacks that monitor a metric that is not reported, and if
                `steps_per_epoch`, `repeat()`, `cache()` or a generator would make all epochs of a loaded dataset alike.
        """
        loaded = loaded_in(x)
        check_steps(loaded, kwargs.get("steps_per_epoch"))
        refuse_weights(class_weight=class_weight, sample_weight=sample_weight)
        if validation_data is not None:
            *validation, weights = keras.utils.unpack_x_y_sample_weight(validation_data)
            refuse_weights(sample_weight=weights)
            validation_data = keras.utils.pack_x_y_sample_weight(*self._checked_data(*validation))
            if not isinstance(validation_data, tuple):
                validation_data = (validation_data,)
        check_callbacks(self, callbacks, validated=validation_data is not None or bool(validation_split))
        callbacks = self.prepend_callback(_BeginEpoch([each.epoch for each in loaded], in_progress), callbacks)
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras's default is for arrays, and warns with a dataset
        x, y = self._checked_data(x, y)
        if isinstance(x, Mapping) and (note := self.note_on_arrays(x)):
            LOGGER.warning(note)
        if validation_split and validation_data is None:
            num = len(x[self._counting_field]) if isinstance(x, Mapping) else 0
            x, validation = split_arrays(x, validation_split, num, self.seed)
            validation_data = (validation,)
        check_options(self, self.distribute_strategy)
        kwargs["validation_data"] = validation_data
        with short_errors():
            if in_progress is None:
                return super().fit(x, y, *args, callbacks=callbacks, **kwargs)
            return self._fit_interrupted(x, y, in_progress.step, *args, callbacks=callbacks, **kwargs)

    def _fit_interrupted(
        self, x: Any, y: Any, step: int, *args: Any, initial_epoch: int = 0, epochs: int = 1, **kwargs: Any
    ) -> keras.callbacks.History:
        """Finishes an epoch after `step` batches, and trains for the remaining epochs."""
        # the interrupted epoch has a `fit` of its own: Keras expects the same number of batches in all epochs of one
        history = super().fit(x.skip(step), y, *args, initial_epoch=initial_epoch, epochs=initial_epoch + 1, **kwargs)
        if initial_epoch + 1 < epochs and not self.stop_training:
            remaining = super().fit(x, y, *args, initial_epoch=initial_epoch + 1, epochs=epochs, **kwargs)
            for name, values in remaining.history.items():
                history.history[name] = history.history.get(name, []) + values
        return history

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Evaluates as `keras.Model.evaluate` does, on data as for `fit`."""
        refuse_weights(sample_weight=sample_weight)
        if not kwargs.get("_use_cached_eval_dataset"):  # `fit` has checked a cached one
            x, y = self._checked_data(x, y)
        with short_errors():
            return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns the outputs of `call` for all examples, as `keras.Model.predict` does."""
        x = as_arrays(x)
        if isinstance(x, Mapping) or is_array(x):
            x = self._checked_fields(x, self.call_fields)
        elif isinstance(x, tf.data.Dataset):
            x = self._checked_before_xla(x, self.call_fields)
        with short_errors():
            return super().predict(x, *args, **kwargs)

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Trains on one batch as `keras.Model.train_on_batch` does; data as for `fit`."""
        with short_errors():
            return super().train_on_batch(*args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluates one batch as `keras.Model.test_on_batch` does; data as for `fit`."""
        with short_errors():
            return super().test_on_batch(*args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """Returns the outputs of `call` for one batch, as `keras.Model.predict_on_batch` does."""
        with short_errors():
            return super().predict_on_batch(x)

    def prepend_callback(self, callback: keras.callbacks.Callback, callbacks: Any) -> Any:
        """Returns the callbacks of `fit` with another one before them.

        Args:
            callback: The callback to add.
            callbacks: A list of callbacks, a single one, a `CallbackList` or None.
        """
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.callbacks.insert(0, callback)
            callback.set_model(self)
            callback.set_params(callbacks.params)
            return callbacks
        return [callback, *keras.tree.flatten(callbacks or [])]

    def epoch_in_progress(self, step: int) -> EpochInProgress:
        """Returns what `fit(in_progress=...)` needs, besides the weights, to finish this epoch later.

        Args:
            step: Number of finished batches of the epoch.
        """
        totals = {name: [float(host_value(v)) for v in each.variables] for name, each in self.trackers.items()}
        return EpochInProgress(step, totals)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Trains on one batch and returns the metrics."""
        batch = self.batch_of(data)
        global_batch = GlobalBatch(self.rows_of(batch))
        batch = global_batch.pad_if_empty(batch)
        batch_noise = BatchNoise(self._next_seed(), global_batch)
        with tf.GradientTape() as tape:
            losses, logs = self.losses_of(batch, batch_noise, global_batch, training=True)
            loss = global_batch.scale_loss(self._per_example("loss", losses, batch))
            if self.losses:  # regularizers and add_loss: once for the global batch, not once for each replica
                loss += tf.add_n(self.losses) / global_batch.replicas
            loss = self.optimizer.scale_loss(loss)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self.after_step(global_batch)
        self.train_steps.assign_add(1)
        return self._track({"loss": losses, **logs}, global_batch)

    def after_step(self, global_batch: GlobalBatch) -> None:
        """Updates the moving averages; runs at the end of each training step, after the optimizers.

        Args:
            global_batch: The batch of the step.
        """
        for name, average in self.ema_networks.items():
            update_ema(average, getattr(self, name), tf.convert_to_tensor(self.train_steps), self.ema)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluates one batch and returns the metrics."""
        batch, global_batch, batch_noise = self._evaluation_batch(data)
        losses, logs = self.losses_of(batch, batch_noise, global_batch, training=False)
        return self._track({"loss": losses, **logs}, global_batch)

    def predict_step(self, data: Any) -> Any:
        """Returns the outputs of `call` for one batch."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        x = self._checked_fields(x, self.call_fields)
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return self(x, training=False)
        # the end of the data may leave a replica without a row, and TensorFlow's convolution of none (on a CPU, by
        # oneDNN) has the shape of its input: that replica computes a row of zeros, as in training, which is cut off
        rows = tf.shape(keras.tree.flatten(x)[0])[0]
        padded = keras.tree.map_structure(pad_if_empty, x)
        return keras.tree.map_structure(lambda value: value[:rows], self(padded, training=False))

    def _evaluation_batch(self, data: Any) -> tuple[dict[str, tf.Tensor], GlobalBatch, BatchNoise]:
        """Returns a batch of evaluation, its position and its noise, which is the same in every evaluation."""
        batch = self.batch_of(data)
        global_batch = GlobalBatch(self.rows_of(batch))
        seed = tf.stack([self.evaluation_seed, tf.convert_to_tensor(self.evaluation_step)])
        self.evaluation_step.assign_add(1)
        return global_batch.pad_if_empty(batch), global_batch, BatchNoise(seed, global_batch)

    def reset_metrics(self) -> None:
        """Resets the metrics and the noise of evaluation."""
        super().reset_metrics()
        self.evaluation_step.assign(0)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The trackers of the reported metrics."""
        return list(self.trackers.values())

    def _next_seed(self) -> tf.Tensor:
        return tf.cast(self.seed_generator.next(), tf.int32)

    def _per_example(self, name: str, values: tf.Tensor, batch: dict | None = None) -> tf.Tensor:
        """Returns values [rows] in float32; with `batch`, after a check that there is one for each example."""
        # a scalar would be divided by the batch size again, without an error
        if values.shape.rank != 1:
            raise ValueError(
                f"Expected one value per example [batch] as {name!r} of {type(self).__name__}; received the shape "
                f"{values.shape}"
            )
        if batch is not None:
            # [k * rows] instead of [rows] would make the loss k times as large, without an error
            tf.debugging.assert_equal(
                tf.size(values), self.rows_of(batch), f"{self.name}, {name}: expected one loss per example"
            )
        return tf.cast(values, tf.float32)

    def _track(self, logs: dict[str, tf.Tensor], global_batch: GlobalBatch) -> dict[str, Any]:
        """Updates the trackers with unscaled means, weighted by this replica's rows, and returns their results."""
        for name, values in logs.items():
            self.trackers[name].update_state(global_batch.valid_rows(self._per_example(name, values)))
        results = {name: tracker.result() for name, tracker in self.trackers.items()}
        if global_batch.replicas > 1 and tf.distribute.get_strategy().extended._in_multi_worker_mode():
            # Keras 3 reduces the values of several workers by concatenation, which scalars refuse (keras#20585)
            return {name: tf.reshape(value, [1]) for name, value in results.items()}
        return results

    def _maybe_symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: networks and optimizers are built (and Keras's own version fails under several workers)."""

    # inputs

    def batch_of(self, data: Any) -> dict[str, Any]:
        """Returns a batch as a dict of checked fields: a tensor is the images, the y of a pair receives its name.

        In a graph the values are checked when the step runs, before anything else does. Under XLA they are not: `fit`
        and `evaluate` check the dataset instead.

        Args:
            data: Images, a dict {field: values}, or a pair (x, y).

        Raises:
            ValueError: For anything else, a dict without one of `image_fields`, images of another shape or of
                integers, or a y or weights that the model does not use.
        """
        return self._named_fields(data)

    def images_of(
        self, field: str, images: Any, fields: Mapping[str, Shape | None] | None = None, in_graph: bool = True
    ) -> Any:
        """Returns the images of a field as the networks take them: floats in [0, 1] of the field's shape, checked.

        Args:
            field: One of the fields.
            images: An array or a tensor [batch, height, width, channels]; the channel of gray images may be missing.
            fields: {field: (height, width, channels)}; None is the fields of a batch.
            in_graph: Whether a graph checks the values as well, each time it runs.

        Raises:
            ValueError: For images of another type, shape or range.
        """
        fields = {**self.image_fields, **self.optional_image_fields} if fields is None else fields
        return check_images(field, images, fields[field], check_values=self.checks_range, in_graph=in_graph)

    def rows_of(self, batch: dict[str, Any]) -> tf.Tensor:
        """Returns the number of examples in a batch."""
        return tf.shape(batch[self._counting_field])[0]

    @property
    def _counting_field(self) -> str:
        return next(iter(self.image_fields))

    def _checked_data(self, x: Any, y: Any = None) -> tuple[Any, Any]:
        """Returns the x and y of `fit` and `evaluate`: of arrays, which have been checked, a dict and None."""
        if x is None:
            raise ValueError("Expected images [num, height, width, channels] or a dataset as x; received None")
        x, y = as_arrays(x), as_arrays(y)
        if isinstance(x, Mapping) or is_array(x):
            columns = self._named_fields((x, y))
            if not len(columns[self._counting_field]):
                raise ValueError("Expected at least one image; received none")
            return columns, None
        if isinstance(x, tf.data.Dataset):
            return self._checked_before_xla(x, {**self.image_fields, **self.optional_image_fields}), y
        if inspect.isgenerator(x):  # Keras expects each batch as a tuple
            x = (batch if isinstance(batch, tuple) else (batch,) for batch in x)
        return x, y

    def _checked_before_xla(self, dataset: tf.data.Dataset, fields: Mapping[str, Shape | None]) -> tf.data.Dataset:
        """Returns a dataset that checks its batches, for steps that XLA compiles, which cannot check them."""
        if not self.compiled or not self.jit_compile:
            return dataset

        def checked(x, *rest):
            if rest and "target" in self.optional_image_fields and len(rest[0].shape) > 2:
                rest = (self.images_of("target", rest[0]), *rest[1:])
            x = self._checked_fields(x, fields, in_graph=True)
            return (x, *rest) if rest else x

        return dataset.map(checked)

    def _named_fields(self, data: Any) -> dict[str, Any]:
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        refuse_weights(sample_weight=weight)
        batch = dict(x) if isinstance(x, Mapping) else {self._counting_field: x}
        if y is not None:
            name = self._field_of_y(y)
            if name in batch:
                raise ValueError(f"Expected {name!r} once; received it in x and as y: leave one of them out")
            batch[name] = y
        for field in self.image_fields:
            if field not in batch:
                raise ValueError(f"Expected a batch with the key {field!r}; received the keys {sorted(batch)}")
        return self._checked_fields(batch, {**self.image_fields, **self.optional_image_fields})

    def _checked_fields(self, x: Any, fields: Mapping[str, Shape | None], in_graph: bool | None = None) -> Any:
        """Returns a dict, or an array that is the first of the fields, with its images checked."""
        if in_graph is None:  # a graph that XLA compiles has no assertions
            in_graph = not (self.compiled and self.jit_compile)
        if isinstance(x, Mapping):
            return {
                name: self.images_of(name, value, fields, in_graph) if name in fields else value
                for name, value in x.items()
            }
        return self.images_of(next(iter(fields)), x, fields, in_graph) if fields else x

    def _field_of_y(self, y: Any) -> str:
        """Returns the field that the y of `fit(x, y)` is: `target` for images, `label` for anything else."""
        shape, name = getattr(y, "shape", None), type(self).__name__
        if shape is None:
            raise ValueError(f"Expected y as one array; received a {type(y).__name__}: name fields in a dict as x")
        if len(shape) > 2:
            if "target" in self.optional_image_fields:
                return "target"
            raise ValueError(
                f"Expected no images as y: {name} does not learn to compute y from x; received y of the shape "
                f"{tuple(shape)}: leave it out"
                + (f", or pass a dict with {' and '.join(self.image_fields)}" if len(self.image_fields) > 1 else "")
            )
        if not self.label_classes:
            setting = f"build the model with {self.label_setting}=..., or " if self.label_setting else ""
            raise ValueError(
                f"Expected no y: this {name} uses no labels; received y of the shape {tuple(shape)}: {setting}leave "
                "y out"
            )
        if getattr(y.dtype, "kind", None) in ("U", "S", "O"):
            raise ValueError(
                "Expected labels as integers from 0; received names: numpy.unique(names, return_inverse=True)[1] "
                "numbers them"
            )
        return "label"

    # generation

    def generate(self, num: int, *, seed: int | None = None, batch_size: int = 128, **conditions: Any) -> np.ndarray:
        """Generates images.

        The same seed gives the same images here, in the SavedModel and in the TensorFlow-free runtime, up to float32
        rounding: the noise is drawn on the host.

        Args:
            num: Number of images, >= 1.
            seed: 0 <= seed < 2**63; None draws one.
            batch_size: Images that are computed at a time, >= 1; the images do not depend on it.
            **conditions: The conditions, e.g. `label="cat"` (a name), `label=3` (an index) or a list of these, one for
                each image; and base noise by its name in `noise()`, which replaces the noise that would be drawn.

        Returns:
            float32 [num, height, width, channels] in [0, 1].

        Raises:
            ValueError: For num < 1, a seed out of range, a condition that the model does not take, or a model that
                transforms images instead of generating them from noise.
        """
        names = [endpoint.name for endpoint in self.endpoints()]
        if not {"generate", "generate_step"}.intersection(names):
            raise ValueError(
                f"Expected a model that generates images from noise; received a {type(self).__name__}, which makes "
                f"images from images: use its endpoints {', '.join(names)}"
            )
        for name, value in (("num", num), ("batch_size", batch_size)):
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"Expected {name} as an integer >= 1; received {value!r}")
        if seed is None:
            seed = random_seed()
        noise = draw_noise(self.noise(), num, seed)
        for name in sorted(set(noise) & set(conditions)):
            noise[name] = noise_from_value(name, self.noise()[name], conditions.pop(name), num)
        options = self.generate_options(conditions)
        return self.sample(noise, self.conditions_of(num, **conditions), num, seed, batch_size, options)

    def sample(
        self,
        noise: dict[str, np.ndarray],
        conditions: dict[str, np.ndarray],
        num: int,
        seed: int,
        batch_size: int,
        options: dict[str, Any],
    ) -> np.ndarray:
        """Returns the images of `generate`, in one pass of `generate_from`; see `IterativeSampling` for several.

        Args:
            noise: Base noise, {input: [num, ...]}.
            conditions: {condition: [num, ...]}, as `conditions_of` returns them.
            num: Number of images.
            seed: Seed of noise that is drawn while sampling; unused in one pass.
            batch_size: Images that are computed at a time.
            options: Options of `generate_options`.
        """

        def images(rows: slice) -> tf.Tensor:
            return self.generate_from(tensors(noise, rows), **tensors(conditions, rows), **options)

        return map_batches(images, num, batch_size)

    # saving

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Saves the model as `keras.Model.save` does, in Keras's own format.

        Raises:
            ValueError: For another format: HDF5 stores neither seeds nor the optimizers of several players.
        """
        if not str(filepath).endswith(".keras") and kwargs.get("zipped", True):
            raise ValueError(
                f"Expected a file name that ends in .keras; received {str(filepath)!r}. A .keras file stores the model "
                "and the state of its training; for deployment write SavedModel and TFLite with "
                "keras_gen.export.export_model(model, folder)"
            )
        return super().save(filepath, overwrite=overwrite, **kwargs)

    def export(self, *args: Any, **kwargs: Any) -> None:
        """Refuses: a model has several functions to export, and `keras_gen.export.export_model` writes all of them.

        Raises:
            ValueError: Always.
        """
        names = ", ".join(endpoint.name for endpoint in self.endpoints())
        raise ValueError(
            f"Expected keras_gen.export.export_model(model, folder), which writes SavedModel and TFLite of {names}; "
            "received a call of model.export, which only knows `call`"
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as the attributes of the same names (see `config_attributes`)."""
        return {
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
            **constructor_config(self, GenerativeModel, self.config_attributes),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None):
        """Returns a model with the arguments of `get_config`, of which it deserializes the Keras objects."""
        return cls(
            **{
                key: keras.saving.deserialize_keras_object(value, custom_objects)
                if isinstance(value, dict) and "class_name" in value
                else value
                for key, value in config.items()
            }
        )

    def _seed_states(self) -> list[keras.Variable]:
        """Returns the states of all seed generators, dropout's included; Keras itself does not save them."""
        return [variable for variable in self.variables if variable.path.endswith(SEED_STATE)]

    def save_own_variables(self, store: Any) -> None:
        """Saves the model's own variables and the states of all seed generators."""
        super().save_own_variables(store)
        for index, state in enumerate(self._seed_states()):
            store[f"{SEED_STATE}_{index}"] = host_value(state)

    def load_own_variables(self, store: Any) -> None:
        """Loads the model's own variables and the states of all seed generators."""
        seeds = {key: store[key] for key in store.keys() if key.startswith(SEED_STATE)}
        super().load_own_variables({key: store[key] for key in store.keys() if key not in seeds})
        for index, state in enumerate(self._seed_states()):
            state.assign(seeds[f"{SEED_STATE}_{index}"])


def tensors(columns: Mapping[str, np.ndarray], rows: slice) -> dict[str, tf.Tensor]:
    """Returns a range of rows of arrays {name: [num, ...]} as tensors."""
    return {name: tf.constant(values[rows]) for name, values in columns.items()}


class _BeginEpoch(keras.callbacks.Callback):
    """Passes the number of the epoch to the datasets, and continues the metrics of an interrupted epoch."""

    def __init__(self, epochs: Iterable[tf.Variable], in_progress: EpochInProgress | None):
        super().__init__()
        self.epochs, self.in_progress = epochs, in_progress

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        for each in self.epochs:
            each.assign(epoch)
        progress, self.in_progress = self.in_progress, None
        self.model.within_epoch = progress is not None
        if progress:  # `fit` has just reset the metrics
            for name, values in progress.totals.items():
                for variable, value in zip(self.model.trackers[name].variables, values, strict=True):
                    variable.assign(value)
