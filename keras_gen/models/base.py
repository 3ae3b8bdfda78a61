"""The base of every system: seeds, loss scaling, trackers and saving, written once."""

# More than 250 lines: the step, its trackers and what is saved of both are checked against each other here.

from collections.abc import Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

from .generation import Generating
from .host import host_value
from .offer import Offering
from .placement import Draws, Place
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
    """

    tracked: tuple[str, ...] = ("loss",)
    image_shape: tuple[int, int, int] | None = None
    monitor: str | None = "loss"
    system: str | None = None
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

    def losses_of(self, batch: dict, draws: Draws, place: Place, training: bool) -> tuple[tf.Tensor, dict]:
        """The loss to minimize and what to report.

        Args:
            batch: dict of tensors with this replica's rows, images float32 in [0, 1].
            draws: the only source of noise.
            place: statistics over the global batch.
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

    def fit(self, x=None, *args, callbacks=None, in_progress: EpochInProgress | None = None, **kwargs):
        """As `keras.Model.fit`, on a dataset of dict batches or an array of images [num, height, width, channels].

        A dataset of `keras_gen.data.load` receives the number of the epoch before each epoch, so that its order,
        augmentation and binarization change from epoch to epoch, and are the same after a resume.

        Args:
            in_progress: where the first epoch was interrupted, see `epoch_in_progress`: its first batches are left
                out and its metrics continue. Needs a `tf.data.Dataset`, which holds further batches of the epoch.
        """
        callbacks = self.callbacks_after(_BeginEpoch(getattr(x, "epoch", None), in_progress), callbacks)
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras's default is for arrays, and warns with a dataset
        check_options(self, self.distribute_strategy)
        if in_progress is None:
            return super().fit(x, *args, callbacks=callbacks, **kwargs)
        first, last = kwargs.pop("initial_epoch", 0), kwargs.pop("epochs", 1)
        # in a fit of its own: Keras takes it that all epochs of one have as many batches
        history = super().fit(
            x.skip(in_progress.step), *args, callbacks=callbacks, initial_epoch=first, epochs=first + 1, **kwargs
        )
        if first + 1 < last and not self.stop_training:
            rest = super().fit(x, *args, callbacks=callbacks, initial_epoch=first + 1, epochs=last, **kwargs)
            for name, values in rest.history.items():
                history.history[name] = history.history.get(name, []) + values
        return history

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
        place = Place(self.rows_of(batch))
        batch = place.filled(batch)
        draws = Draws(self._next_seed(), place)
        with tf.GradientTape() as tape:
            losses, logs = self.losses_of(batch, draws, place, training=True)
            loss = place.share(self._per_example("loss", losses))
            # [k * rows] for [rows] would make the loss k times as large, in silence
            tf.debugging.assert_equal(
                tf.size(losses), self.rows_of(batch), f"{self.name}: one loss is due for each image"
            )
            if self.losses:  # regularizers and add_loss: once for the global batch, not once a replica
                loss += tf.add_n(self.losses) / place.replicas
            loss = self.optimizer.scale_loss(loss)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self.train_steps.assign_add(1)
        return self._track({"loss": losses, **logs}, place)

    def test_step(self, data) -> dict:
        batch, place, draws = self._evaluated(data)
        losses, logs = self.losses_of(batch, draws, place, training=False)
        return self._track({"loss": losses, **logs}, place)

    def predict_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
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

    def _evaluated(self, data) -> tuple[dict, Place, Draws]:
        """A batch of evaluation, its place and its noise, which is the same in every evaluation."""
        batch = self.batch_of(data)
        place = Place(self.rows_of(batch))
        seed = tf.stack([self.evaluation_seed, tf.convert_to_tensor(self.evaluation_step)])
        self.evaluation_step.assign_add(1)
        return place.filled(batch), place, Draws(seed, place)

    def reset_metrics(self):
        super().reset_metrics()
        self.evaluation_step.assign(0)

    @property
    def metrics(self) -> list:
        return list(self.trackers.values())

    def batch_of(self, data) -> dict:
        """A batch as a dict: a tensor is the images, and a pair (images, labels) is given its names.

        Raises:
            ValueError: for anything else, a dict without one of `image_fields`, or images of another shape or of
                integers.
        """
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        batch = dict(x) if isinstance(x, Mapping) else {next(iter(self.image_fields)): x}
        if y is not None and "label" not in batch:
            batch["label"] = y
        if weight is not None:
            raise ValueError("sample_weight is not supported; weight the examples by how often the data holds them")
        for field, shape in self.image_fields.items():
            if field not in batch:
                raise ValueError(f"Expected a batch with the key {field!r}; received the keys {sorted(batch)}")
            image = batch[field]
            if "float" not in keras.backend.standardize_dtype(image.dtype):
                raise ValueError(
                    f"Expected float images in [0, 1]; received {image.dtype} (8-bit images: divide by 255)"
                )
            if shape and not tf.TensorShape(image.shape).is_compatible_with([None, *shape]):
                raise ValueError(f"Expected {field} [batch, *{shape}]; received the shape {tuple(image.shape)}")
        return batch

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

    def _track(self, logs: dict, place: Place) -> dict:
        """Update the trackers with unscaled means, weighted by this replica's rows."""
        for name, values in logs.items():
            self.trackers[name].update_state(place.own(self._per_example(name, values)))
        results = {name: tracker.result() for name, tracker in self.trackers.items()}
        if place.replicas > 1 and tf.distribute.get_strategy().extended._in_multi_worker_mode():
            # Keras 3 reduces the values of several workers by concatenation, which scalars refuse (keras#20585)
            return {name: tf.reshape(value, [1]) for name, value in results.items()}
        return results

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Nothing to do: networks and optimizers are built (and under several workers Keras's own version fails)."""

    # saving

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


class _BeginEpoch(keras.callbacks.Callback):
    """Passes the number of the epoch to the dataset, and continues the metrics of an epoch that was interrupted."""

    def __init__(self, epoch: tf.Variable | None, in_progress: EpochInProgress | None):
        super().__init__()
        self.epoch, self.in_progress = epoch, in_progress

    def on_epoch_begin(self, epoch, logs=None):
        if self.epoch is not None:
            self.epoch.assign(epoch)
        progress, self.in_progress = self.in_progress, None
        self.model.within_epoch = progress is not None
        if progress:  # `fit` has just reset the metrics
            for name, values in progress.totals.items():
                for variable, value in zip(self.model.trackers[name].variables, values, strict=True):
                    variable.assign(value)
