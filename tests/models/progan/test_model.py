"""Progressive GAN: its phases and the layers that they train, exact resume, replicas, export at every stage."""

import dataclasses
import gc
import json
import pathlib
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import data, zoo
from keras_gen.distributions.noise import draw_noise
from keras_gen.export import export_model
from keras_gen.models.progan.graph_release import TracedGraphs
from keras_gen.models.progan.model import REFIT_IMAGES
from keras_gen.models.progan.phases import phases
from keras_gen.runtime import Runtime
from tests.replicas import two_replicas

SHAPE = (16, 16, 1)
BATCH = 4
IMAGES = np.random.default_rng(0).uniform(size=(16, *SHAPE)).astype(np.float32)
# each phase has two epochs
SMALL = {"base_filters": 4, "latent_size": 3, "group_size": 2, "fade_images": 32, "stable_images": 32}


def build(optimizer=None, **options):
    if not tf.distribute.has_strategy():
        keras.utils.clear_session()  # for the same variable names in every model
    return zoo.build("progan", SHAPE, seed=0, optimizer=optimizer, **{**SMALL, **options})


def dataset(images=IMAGES):
    return tf.data.Dataset.from_tensor_slices({"image": images}).batch(BATCH, drop_remainder=True)


def state(model):
    """Returns all variables that training continues from (path -> value)."""
    return {variable.path: np.asarray(variable) for variable in (*model.variables, *model.optimizer.variables)}


def assert_equal(ours, theirs, rtol: float = 0.0, atol: float = 0.0):
    for (path, value), other in zip(ours.items(), theirs.values(), strict=True):
        np.testing.assert_allclose(value, other, rtol=rtol, atol=atol, err_msg=path)


class GraphRecorder:
    """A context manager that records the graph of every traced step."""

    def __init__(self):
        self.references, self.patch = [], pytest.MonkeyPatch()

    def __enter__(self):
        record = TracedGraphs.record

        def recorded(graphs):
            record(graphs)
            self.references.append(weakref.ref(tf.compat.v1.get_default_graph()))

        self.patch.setattr(TracedGraphs, "record", recorded)
        return self

    def __exit__(self, *exception):
        self.patch.undo()

    def alive(self) -> set[int]:
        """Returns the index of the last record of each graph that still exists."""
        gc.collect()
        last = {id(graph()): number for number, graph in enumerate(self.references) if graph() is not None}
        return set(last.values())


@dataclasses.dataclass(frozen=True)
class GrownModel:
    """A model that was trained through all phases, with a record of its training.

    Attributes:
        model: The model.
        history: The history of `fit`.
        traced: The phases in the order in which the step was traced.
        graphs: The graphs in which it was traced.
        states: Number of finished epochs -> the state after them.
        folder: The folder with the model after some epochs, as `{epochs}.keras` and `{epochs}.weights.h5`.
    """

    model: keras.Model
    history: dict[str, list[float]]
    traced: list
    graphs: GraphRecorder
    states: dict[int, dict[str, np.ndarray]]
    folder: pathlib.Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    model, traced, states, folder = build(), [], {}, tmp_path_factory.mktemp("trained")
    step = model.train_step

    def record_state(epoch, logs):
        states[epoch + 1] = state(model)
        if epoch + 1 in (2, 3, 4):
            model.save(folder / f"{epoch + 1}.keras")
            model.save_weights(folder / f"{epoch + 1}.weights.h5")

    with pytest.MonkeyPatch.context() as patch, GraphRecorder() as graphs:
        patch.setattr(model, "train_step", lambda data: traced.append(model.phase) or step(data))
        callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=record_state)]
        history = model.fit(dataset(), epochs=10, verbose=0, callbacks=callbacks).history
    return GrownModel(model, history, traced, graphs, states, folder)


# phases


def test_phases_of_three_stages():
    assert [(p.stage, p.fading) for p in phases(3)] == [(0, False), (1, True), (1, False), (2, True), (2, False)]


def test_phases_change_only_between_epochs(trained):
    assert trained.history["resolution"] == [4, 4, 8, 8, 8, 8, 16, 16, 16, 16]
    # epoch means of alpha, which rises in every step
    np.testing.assert_allclose(trained.history["alpha"], [1, 1, 3 / 16, 11 / 16, 1, 1, 3 / 16, 11 / 16, 1, 1])


def test_each_phase_is_traced_once(trained):
    assert trained.traced == trained.model.phases


def test_graphs_of_earlier_phases_are_released(trained):
    count = len(trained.graphs.references)
    assert count >= len(trained.model.phases) and trained.graphs.alive() == {count - 1}


def test_a_phase_is_rounded_up_to_whole_epochs():
    history = build(fade_images=20, stable_images=1).fit(dataset(), epochs=3, verbose=0).history
    assert history["resolution"] == [4, 8, 8]
    np.testing.assert_allclose(history["alpha"], [1, 0.3, 0.8 + 0.2 * 0.75])


def test_a_phase_trains_only_its_layers():
    model = build()
    before = state(model)
    model.enter_phase(1)
    model.fit(dataset(), epochs=1, verbose=0)
    updated = {path for path, value in state(model).items() if (value != before[path]).any()}
    kernels = [path for path in before if "/kernel" in path and "equalized" in path and not path.startswith("adam")]
    later = {variable.path for part in (model.generator, model.discriminator) for variable in part.blocks[2].variables}
    later |= {variable.path for part in (model.generator, model.discriminator) for variable in part.heads[2].variables}
    assert kernels and later and not updated & later
    layers_of_phase = {
        v.path
        for part in (model.generator, model.discriminator)
        for each in part.parts(1, True)
        for v in each.variables
    }
    assert layers_of_phase <= updated


def test_a_new_phase_resets_the_optimizers_and_the_learning_rate():
    model = build(stage_learning_rate_multipliers={4: 0.25, 8: 0.5, 16: 2.0})
    model.train_step({"image": tf.constant(IMAGES)})  # eager: nothing is traced
    assert int(model.optimizer.iterations) == 1 and int(model.phase_images) == 16
    assert float(model.optimizer.learning_rate) == pytest.approx(0.25e-3)
    model.enter_phase(1)
    optimizers = model.optimizer.optimizers
    values = [np.asarray(v) for each in optimizers for v in each.variables if v is not each._learning_rate]
    assert not any(value.any() for value in values) and int(model.phase_images) == 0
    assert [float(each.learning_rate) for each in optimizers] == pytest.approx([0.5e-3] * 2)
    model.enter_phase(3)
    assert float(model.optimizer.learning_rate) == pytest.approx(2e-3)


def test_without_reset_the_optimizer_state_continues():
    model = build(reset_optimizers=False)
    model.train_step({"image": tf.constant(IMAGES)})
    model.enter_phase(1)
    assert int(model.optimizer.iterations) == 1


def test_first_step_of_a_fade_in_uses_the_previous_stage():
    model = build()
    model.enter_phase(1)
    batch = model.batch_of({"image": tf.constant(IMAGES)})["image"]
    small = IMAGES.reshape(16, 4, 4, 4, 4, 1).mean((2, 4)).repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(batch, small, atol=1e-6)  # alpha = 0
    model.phase_images.assign(16)
    half = IMAGES.reshape(16, 8, 2, 8, 2, 1).mean((2, 4))
    np.testing.assert_allclose(model.batch_of({"image": tf.constant(IMAGES)})["image"], (half + small) / 2, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 12, 12, 1), (2, 16, 16, 3), (2, 16, 8, 1)])
def test_images_of_another_size_are_refused(shape):
    model = build(start_resolution=8)
    with pytest.raises(ValueError, match=r"Expected image \[batch, 8, 8, 1\], or an integer multiple .*received"):
        model.batch_of({"image": tf.zeros(shape)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fade_images": 0}, "Expected fade_images as an integer >= 1; received 0"),
        ({"batch_sizes": {5: 4}}, "Expected batch_sizes for the resolutions 4, 8, 16; received 5"),
        (
            {"stage_learning_rate_multipliers": {8: 0}},
            "Expected values above 0 in stage_learning_rate_multipliers; received {8: 0}",
        ),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_a_phase_out_of_range_is_refused():
    with pytest.raises(ValueError, match="Expected phase as an integer from 0 to 4; received 5"):
        build().enter_phase(5)


def test_bfloat16_and_classes_in_a_fade_in():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build(num_classes=2, objective="non_saturating", penalty={"name": "r1", "gamma": 1.0})
    finally:
        keras.config.set_dtype_policy("float32")
    model.enter_phase(1)
    columns = {"image": IMAGES, "label": np.arange(16) % 2}
    history = model.fit(tf.data.Dataset.from_tensor_slices(columns).batch(BATCH), epochs=3, verbose=0).history
    assert np.isfinite(list(history.values())).all() and history["resolution"] == [8, 8, 8]
    images = [model.generate(2, seed=0, label=label) for label in (0, 1)]
    assert images[0].dtype == np.float32 and np.abs(images[0] - images[1]).max() > 1e-4


# multi-resolution data


def test_multi_resolution_data_have_the_current_size(tmp_path):
    np.savez(tmp_path / "toy.npz", image=IMAGES)
    model, sizes = build(stable_images=48, fade_images=24), []
    stages = model.data_stages(BATCH)
    assert [(each["image_shape"][0], each["batch_size"]) for each in stages] == [(4, 16), (8, 8), (16, 4)]
    loaded = data.multi_resolution([data.load(tmp_path / "toy.npz", steps=3, **each) for each in stages])
    image = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: sizes.append(next(iter(loaded))["image"].shape[0])
    )
    history = model.fit(loaded, epochs=2, verbose=0, callbacks=[image]).history
    assert history["resolution"] == [4, 8] and sizes == [16, 8]


def test_batch_sizes_of_stages():
    stages = build(batch_sizes={4: 32, 8: 6}).data_stages(BATCH)
    assert [each["batch_size"] for each in stages] == [32, 6, 4]


# resume, replicas


@pytest.mark.parametrize(
    ("epoch", "form", "until"),
    [(2, "weights", 3), (3, "model", 5), (4, "weights", 5)],
    ids=["before a fade-in", "in a fade-in", "in a stabilization"],
)
def test_a_loaded_model_continues_bit_for_bit(trained, epoch, form, until):
    if form == "model":
        model = keras.saving.load_model(trained.folder / f"{epoch}.keras")
    else:
        model = build()
        model.load_weights(trained.folder / f"{epoch}.weights.h5")
    model.fit(dataset(), initial_epoch=epoch, epochs=until, verbose=0)
    assert_equal(trained.states[until], state(model))


@pytest.mark.slow  # tests/test_replicas.py trains on two devices through `train`
def test_two_replicas_equal_one_device():
    """Replicas are compared in a fade-in and after it; graphs of earlier phases are released here too."""

    def run():
        model = build(keras.optimizers.SGD(0.01), fade_images=16, stable_images=16)
        history = model.fit(dataset(), validation_data=dataset(), epochs=2, verbose=0).history
        return model, history

    one, history = run()
    keras.utils.clear_session()
    with two_replicas().scope(), GraphRecorder() as graphs:
        two, other = run()
    assert len(graphs.alive()) == 2  # the graphs of the last phase: training and validation
    assert two.phase == one.phase and history["resolution"] == other["resolution"] == [4, 8]
    assert_equal(state(one), state(two), rtol=1e-4, atol=2e-6)  # sums in a different order
    for name, values in history.items():
        np.testing.assert_allclose(values, other[name], rtol=1e-4, atol=1e-4, err_msg=name)


# generation


def test_all_stages_have_the_same_noise(trained):
    model = trained.model
    images = [model.generate(2, seed=1, stage=stage) for stage in (0, 1, 2)]
    assert [image.shape for image in images] == [(2, 4, 4, 1), (2, 8, 8, 1), (2, 16, 16, 1)]
    np.testing.assert_array_equal(images[2], model.generate(2, seed=1))
    with pytest.raises(ValueError, match="Expected stage as an integer from 0 to 2"):
        model.generate(2, stage=3)


def test_heads_of_earlier_stages_are_fitted_to_the_last_stage(trained):
    model = trained.model
    noise = {name: tf.constant(value) for name, value in draw_noise(model.noise(), REFIT_IMAGES, 0).items()}
    generator, codes = model.inference_network("generator"), model.prior.transform(noise)
    features = [generator.blocks[0](codes)]
    for block in generator.blocks[1:]:
        features.append(block(features[-1]))
    images = generator(codes, stage=2).numpy()
    for stage in (1, 0):
        rows, columns = images.shape[1] // 2, images.shape[2] // 2
        images = images.reshape(REFIT_IMAGES, rows, 2, columns, 2, 1).mean((2, 4))
        fitted = generator(codes, stage=stage).numpy()
        np.testing.assert_allclose(fitted.mean(), images.mean(), atol=1e-4)
        # least squares: no affine map of the features is closer, up to 1e-3 for the regularizer
        x = features[stage].numpy().reshape(-1, features[stage].shape[-1])
        x = np.concatenate([x, np.ones([len(x), 1])], axis=1)
        closest = x @ np.linalg.lstsq(x, images.reshape(len(x), -1))[0]
        minimum = np.mean((closest - images.reshape(closest.shape)) ** 2)
        np.testing.assert_allclose(np.mean((fitted - images) ** 2), minimum, rtol=1e-3)


def test_a_fade_in_generates_images_of_the_previous_stage():
    model = build()
    model.enter_phase(3)
    assert model.stable_stage == 1 and model.generate(1, seed=0).shape == (1, 8, 8, 1) == (1, *model.image_shape)
    with pytest.raises(ValueError, match="Expected stage as an integer from 0 to 1"):
        model.generate(2, stage=2)


@pytest.mark.parametrize("number", [0, 3, 4])
def test_export_at_any_stage(tmp_path, number):
    model = build()
    model.enter_phase(number)
    columns = {"image": np.concatenate([IMAGES, IMAGES, IMAGES])}
    out = export_model(model, tmp_path / "export", calibration=columns, quantize=("float32", "int8"))
    runtime, names = Runtime(out, precision="float32"), [each.name for each in model.endpoints()]
    assert list(runtime.signatures) == names and names[0] == "generate" and len(names) == model.stable_stage + 1
    np.testing.assert_allclose(runtime.generate(3, seed=2), model.generate(3, seed=2), atol=1e-5)
    z = runtime.noise(3, 2)
    for stage, name in enumerate(names[1:]):
        images = runtime.run(name, **z)["image"]
        np.testing.assert_allclose(images, model.generate(3, seed=2, stage=stage), atol=1e-5)
    # neither the blend nor layers of later stages: only the convolutions of the stage, one of each pair with a resize
    operations = json.loads((out / "parity.json").read_text())["files"]["float32"]["operations"]["generate"]
    assert operations["CONV_2D"] == 1 + model.stable_stage + 1
    assert operations.get("TRANSPOSE_CONV", 0) == model.stable_stage
