"""Checks that every system must pass, called with the system's toy (see test_contract.py).

Tracing a training step takes longer than a thousand toy steps. If possible, the checks share one model that `train` has
trained, and compare with values that it stored during training. The other checks build a new model.
"""

import dataclasses
import functools
import json
import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import data, zoo
from keras_gen.distributions import draw_noise
from keras_gen.export import export_model, parity_rows
from keras_gen.runtime import Runtime
from tests.replicas import two_replicas
from tests.toy import BATCH, EXAMPLES, Toy, generates, image_output

# `train` uses twice as many examples; the last batch of an epoch has two rows
EPOCHS, STEPS = 4, 5
OPTIMIZER = functools.partial(keras.optimizers.Adam, 2e-3, beta_1=0.5)
# sums in a different order: float32 rounding over six steps; a lost row would give 1e-3
SAME_SUMS: dict[str, Any] = {"rtol": 1e-4, "atol": 5e-6}


@dataclasses.dataclass(frozen=True)
class Trained:
    """A system after `EPOCHS` epochs, with values that were stored during training. Checks may train `model` further.

    Attributes:
        toy: The toy.
        model: The model.
        form: "dataset" (shuffled and augmented in every epoch) or "arrays".
        data: File of the training images.
        half: File of the model after half of the epochs.
        initial: Weights before training.
        half_weights: Weights after half of the epochs.
        weights: Weights at the end.
        state: State of training at the end: variables of model and optimizer.
        history: Metric -> its values, including those of validation.
        images: Two images of seed 1.
    """

    toy: Toy
    model: keras.Model
    form: str
    data: pathlib.Path
    half: pathlib.Path
    initial: dict[str, np.ndarray]
    half_weights: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    state: dict[str, np.ndarray]
    history: dict[str, list[float]]
    images: np.ndarray

    def fit(self, model, **options) -> dict[str, list[float]]:
        """Returns the history of `model.fit` on the same data in the same form."""
        return _fit(self.toy, self.data, self.form, model, **options)


def train(toy: Toy, folder: pathlib.Path, form: str = "dataset") -> Trained:
    """Trains a system with validation, and saves it after half of the epochs."""
    keras.utils.clear_session()
    file, half, at_half = folder / "toy.npz", folder / "half.keras", {}
    np.savez(file, **toy.columns(2 * EXAMPLES))
    # not Adam's defaults, which a model without its saved optimizer would have
    model = toy.build(OPTIMIZER())
    initial = _weights(model)

    def save(epoch, logs):
        if epoch + 1 == EPOCHS // 2:
            model.save(half)
            at_half.update(_weights(model))

    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=save)]
    history = _fit(toy, file, form, model, epochs=EPOCHS, validation_data=toy.dataset(), callbacks=callbacks)
    return Trained(
        toy=toy,
        model=model,
        form=form,
        data=file,
        half=half,
        initial=initial,
        half_weights=at_half,
        weights=_weights(model),
        state=_state(model),
        history=history,
        images=toy.images(model, 2, seed=1),
    )


def _fit(toy: Toy, file: pathlib.Path, form: str, model, **options) -> dict[str, list[float]]:
    if form == "arrays":
        options |= {"x": toy.columns(2 * EXAMPLES), "batch_size": BATCH, "shuffle": False}
    else:
        options["x"] = data.load(file, image_shape=toy.image_shape, batch_size=BATCH, augment=("flip",))
    return model.fit(verbose=0, **options).history


def check_trains(trained: Trained):
    """Checks that training changes every layer and stays finite, and that evaluate, predict and generate work."""
    toy, model = trained.toy, trained.model
    assert set(trained.history) == {*model.tracked, *(f"val_{name}" for name in model.tracked)}
    assert np.isfinite(list(trained.history.values())).all(), trained.history
    changed = {path for path, value in trained.weights.items() if (value != trained.initial[path]).any()}
    learning = {path.split("/")[0] for path in changed}
    assert learning == {path.split("/")[0] for path in trained.weights}, "some layer does not learn"
    assert all(np.isfinite(value).all() for value in trained.state.values())
    results = model.evaluate(toy.dataset(), verbose=0, return_dict=True)
    assert set(results) == set(model.tracked) and np.isfinite(list(results.values())).all()
    _check_images(model.predict(toy.inputs(model), verbose=0), (EXAMPLES, *toy.image_shape))
    _check_images(toy.images(model, 3, seed=0), (3, *toy.image_shape))
    names, listed = tuple(each.name for each in model.endpoints()), zoo.get(toy.key).endpoints
    assert names[: len(listed)] == listed  # settings may add endpoints


def check_rejects_images_out_of_range(trained: Trained):
    """Checks the errors of arrays, before the first step, and of a later batch of a dataset; messages are short."""
    toy, model, columns = trained.toy, trained.model, trained.toy.columns(2 * EXAMPLES)
    image_fields = model.image_fields | model.optional_image_fields
    fields = [name for name in columns if name in image_fields]
    state = _state(model)

    def rejected(message: str, function, *data, **options):
        with pytest.raises(ValueError, match=message) as caught:
            function(*data, verbose=0, **options)
        assert len(str(caught.value)) < 200 and "File " not in str(caught.value)

    for field in fields:
        image = columns[field]
        signed, large = ({**columns, field: change} for change in (2 * image - 1, 255 * image))
        rejected(r"images in \[0, 1\]; received values from -.*rescale with \(x \+ 1\) / 2", model.fit, signed)
        rejected(r"received values from .*divide by 255", model.evaluate, large)
        rejected(r"received values from -", model.fit, columns, validation_data=signed)
    for path, value in _state(model).items():
        np.testing.assert_array_equal(value, state[path], err_msg=path)
    for loaded, function in (
        (data.load(trained.data, image_shape=toy.image_shape, batch_size=BATCH), model.fit),
        (toy.dataset(2 * EXAMPLES), model.evaluate),
    ):
        batches = [{name: np.array(value) for name, value in each.items()} for each in loaded.as_numpy_iterator()]
        batches[1][fields[-1]].flat[5] = np.nan
        # with the same specification, so that no graph is traced again
        invalid = tf.data.Dataset.from_generator(lambda b=batches: iter(b), output_signature=loaded.element_spec)
        rejected(r"images in \[0, 1\]; received NaN", function, invalid)
    assert all(np.isfinite(value).all() for value in _state(model).values())


def check_resumes_exactly(trained: Trained):
    """Checks that resumed training equals uninterrupted training bit for bit: weights, optimizer, seeds, counters.

    The uninterrupted training has a validation after each epoch. The resumed one has none in `fit`, but an `evaluate`
    between two calls. Neither changes the training, including statistics, spectral norms and pools.
    """
    loaded, toy, middle = keras.saving.load_model(trained.half), trained.toy, EPOCHS // 2 + 1
    resumed = trained.fit(loaded, initial_epoch=EPOCHS // 2, epochs=middle)
    loaded.evaluate(toy.dataset(drop_remainder=False).take(1), verbose=0)
    for name, values in trained.fit(loaded, initial_epoch=middle, epochs=EPOCHS).items():
        resumed[name] += values
    for name, value in loaded.evaluate(toy.dataset(), verbose=0, return_dict=True).items():
        # `fit` and `evaluate` trace separate graphs, which TensorFlow may optimize differently on some processors
        assert trained.history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-6, abs=1e-6), name
    assert {f"val_{name}" for name in resumed} | set(resumed) == set(trained.history)
    for name, values in resumed.items():
        assert trained.history[name][EPOCHS // 2 :] == values, name
    actual, expected = trained.state, _state(loaded)
    for path, value, other in zip(actual, actual.values(), expected.values(), strict=True):
        np.testing.assert_array_equal(value, other, err_msg=path)
    kinds = ("train_steps", "seed_generator_state", "optimizer")
    assert all(any(kind in path for path in actual) for kind in kinds), sorted(actual)
    assert int(loaded.train_steps) == EPOCHS * STEPS
    np.testing.assert_array_equal(trained.images, trained.toy.images(loaded, 2, seed=1))


def check_two_replicas_equal_one_device(toy: Toy, folder: pathlib.Path):
    """Checks that two replicas equal one device with SGD and noise: weights, metrics, predictions; also uneven batches.

    One device also loads the model that two replicas have saved: weights, seeds and step counters.
    """

    def run():
        model = toy.build(keras.optimizers.SGD(toy.sgd))
        history = model.fit(toy.dataset(), validation_data=toy.dataset(), epochs=2, verbose=0).history
        model.save(folder / "model.keras")
        return _weights(model), history, model.predict(toy.inputs(model), verbose=0)

    keras.utils.clear_session()
    one, one_history, one_images = run()
    one_loaded = keras.saving.load_model(folder / "model.keras")
    keras.utils.clear_session()
    with two_replicas().scope():
        two, two_history, two_images = run()
    two_loaded = keras.saving.load_model(folder / "model.keras")
    for (path, value), other in zip(_state(one_loaded).items(), _state(two_loaded).values(), strict=True):
        if value.dtype == np.float32:
            np.testing.assert_allclose(value, other, **SAME_SUMS, err_msg=path)
        else:
            np.testing.assert_array_equal(value, other, err_msg=path)
    initial = _weights(toy.build())
    change = max(np.abs(value - first).max() for value, first in zip(one.values(), initial.values(), strict=True))
    assert change > 1e-3  # otherwise the comparison is meaningless
    for (path, value), other in zip(one.items(), two.values(), strict=True):
        np.testing.assert_allclose(value, other, **SAME_SUMS, err_msg=path)
    for name, values in one_history.items():
        np.testing.assert_allclose(values, two_history[name], rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(one_images, two_images, atol=1e-5)


def check_several_steps_per_execution_change_nothing(trained: Trained):
    """Checks that several steps per execution change nothing, even if they do not divide an epoch."""
    model = trained.toy.build(OPTIMIZER())
    model.compile(model.optimizer, steps_per_execution=2)
    history = trained.fit(model, epochs=EPOCHS // 2)
    for (path, value), other in zip(trained.half_weights.items(), _weights(model).values(), strict=True):
        # the same operations, but fused differently: rounding, against steps of 2e-3 by Adam
        np.testing.assert_allclose(value, other, rtol=1e-5, atol=1e-6, err_msg=path)
    for tracked, values in history.items():
        np.testing.assert_allclose(values, trained.history[tracked][: EPOCHS // 2], rtol=1e-6, err_msg=tracked)


def check_mixed_precision(toy: Toy, folder: pathlib.Path):
    """Checks training in bfloat16: finite, with float32 weights and images, and saved with the same policy."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = toy.build()
    finally:
        keras.config.set_dtype_policy(policy)
    before = _weights(model)
    history = model.fit(toy.dataset(), verbose=0).history
    assert np.isfinite(list(history.values())).all(), history
    after = _weights(model)
    assert {value.dtype for value in after.values()} == {np.dtype(np.float32)}
    assert any((value != before[path]).any() for path, value in after.items())
    assert any(layer.compute_dtype == "bfloat16" for layer in model._flatten_layers() if layer.weights)
    images = toy.images(model, 2, seed=0)
    _check_images(images, (2, *toy.image_shape))
    model.save(folder / "mixed.keras")
    np.testing.assert_array_equal(toy.images(keras.saving.load_model(folder / "mixed.keras"), 2, seed=0), images)


def check_jit(toy: Toy):
    """Checks training by XLA on one device. (Its noise for the same seeds differs, so its numbers are not compared.)"""
    model = toy.build()
    model.compile(model.optimizer, jit_compile=True)
    before = _weights(model)
    history = model.fit(toy.dataset(2 * BATCH), verbose=0).history
    assert np.isfinite(list(history.values())).all(), history
    assert all((value != before[path]).any() for path, value in _weights(model).items())


def check_callbacks(trained: Trained, folder: pathlib.Path):
    """Checks that EarlyStopping, ModelCheckpoint and LearningRateScheduler work as in any Keras model."""
    toy, model, metric = trained.toy, trained.model, f"val_{trained.toy.monitor}"
    rates = [1e-3, 5e-4, 0.0, 0.0, 0.0, 0.0]
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch]),
        keras.callbacks.ModelCheckpoint(folder / "best.keras", monitor=metric, mode="min", save_best_only=True),
        keras.callbacks.EarlyStopping(metric, mode="min", patience=2, min_delta=1e-12),
    ]
    start = int(model.train_steps)
    history = trained.fit(model, validation_data=toy.dataset(), epochs=6, callbacks=callbacks)
    reported = [values for name, values in history.items() if name.startswith("learning_rate")]
    assert reported and all(np.allclose(values, rates[: len(history[metric])]) for values in reported)
    losses = history[metric]
    if toy.normalized:
        assert len(losses) == min(3 + int(np.argmin(losses)), len(rates)), losses
    else:
        # a learning rate of 0 from the third epoch on: the loss stays, and patience ends the run two epochs later
        assert len(losses) == 4 if losses[1] < losses[0] else len(losses) == 3, losses
        assert losses[2:] == losses[1:2] * len(losses[2:])
    best = keras.saving.load_model(folder / "best.keras")
    assert int(best.train_steps) == start + STEPS * (1 + int(np.argmin(losses)))
    assert best.evaluate(toy.dataset(), verbose=0, return_dict=True)[toy.monitor] == min(losses)


def check_export(trained: Trained, folder: pathlib.Path):
    """Checks for equal images of Keras, SavedModel and runtime, the bounds of every precision, and builtin ops only."""
    toy, model = trained.toy, trained.model
    out = export_model(
        model, folder / "export", calibration=toy.columns(48), quantize=("float32", "float16", "dynamic", "int8")
    )
    runtime = Runtime(out)
    parity = json.loads((out / "parity.json").read_text())
    assert set(parity["files"]) == {"float32", "float16", "dynamic", "int8"}
    for file in parity["files"].values():
        assert set(file["endpoints"]) == {each.name for each in model.endpoints()}
        for operations in file["operations"].values():
            assert operations and not [
                name for name in operations if name.startswith(("Flex", "<")) or "CUSTOM" in name
            ]
    for row in parity_rows(parity):
        if row["precision"] == "float32":
            assert row["max"] <= 1e-5, row  # sums in a different order; the values are of order 1
        elif row["kind"] == "image":
            bound = {"float16": ("max", 0.01), "dynamic": ("mean", 0.02), "int8": ("mean", 0.02)}
            measure, limit = bound[row["precision"]]
            assert row[measure] <= limit, row
    for batch in parity["saved_model"]["batches"].values():
        assert max(each["max"] for outputs in batch.values() for each in outputs.values()) <= 1e-5
    _check_same_images(toy, model, out, runtime)


def _check_same_images(toy: Toy, model, out: pathlib.Path, runtime: Runtime):
    images = toy.images(model, 3, seed=5)
    signatures = tf.saved_model.load(out / "saved_model").signatures
    if generates(model):
        name, output, conditions = "generate", "image", model.conditions_of(3, **toy.conditions)
        inputs = {**draw_noise(model.noise(), 3, 5), **conditions}
        run = runtime.generate(3, seed=5, **toy.conditions)
        assert np.abs(images - toy.images(model, 3, seed=6)).max() > 1e-3  # a different seed gives different images
    else:
        endpoint, inputs = toy.first_endpoint(model, 3, seed=5)
        name, output = endpoint.name, image_output(endpoint)
        run = runtime.run(name, **inputs)[output]
    # float32 sums in a different order
    np.testing.assert_allclose(run, images, atol=1e-5)
    saved = signatures[name](**{field: tf.constant(value) for field, value in inputs.items()})[output]
    np.testing.assert_allclose(saved, images, atol=1e-5)


def _weights(model) -> dict[str, np.ndarray]:
    """Returns {path with index, because paths may repeat: value} of the trained weights, in order."""
    return {f"{variable.path} #{i}": np.asarray(variable) for i, variable in enumerate(model.trainable_variables)}


def _state(model) -> dict[str, np.ndarray]:
    """Returns {path with index: value} of the variables of model and optimizer, in order."""
    networks = {f"{variable.path} #{i}": np.asarray(variable) for i, variable in enumerate(model.variables)}
    optimizer = {f"optimizer {variable.path} #{i}": np.asarray(variable)
                 for i, variable in enumerate(model.optimizer.variables)}  # fmt: skip
    return {**networks, **optimizer}


def _check_images(images: np.ndarray, shape: tuple[int, ...]):
    assert images.shape == shape and images.dtype == np.float32
    assert np.isfinite(images).all() and images.min() >= 0 and images.max() <= 1
