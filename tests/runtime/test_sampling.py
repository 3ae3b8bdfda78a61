"""Exports of models that sample in steps give the images of Keras, and damaged declarations are refused."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.export import export_model
from keras_gen.export.examples import TRAJECTORIES, endpoint_inputs, run_eagerly
from keras_gen.runtime import Runtime
from keras_gen.runtime.command_line import summary
from keras_gen.runtime.description import digest_of
from keras_gen.runtime.sampling import MAX_STEPS
from tests.models.core.sampling_toys import PIXELS, SHAPE, Denoiser, autoregressive

from .device import command_line

IMAGES = np.random.default_rng(0).integers(0, 2, (40, *SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def models():
    return {"autoregressive": autoregressive(), "denoiser": Denoiser()}


@pytest.fixture(scope="module")
def folders(models, tmp_path_factory):
    options = {"calibration": IMAGES, "quantize": ("none", "int8")}
    return {
        name: export_model(model, tmp_path_factory.mktemp(name) / "export", batch=batch, **options)
        for (name, model), batch in zip(models.items(), (1, 3), strict=True)
    }


@pytest.mark.parametrize("name, conditions", [("autoregressive", {}), ("denoiser", {"label": [0, 1, 2, 2, 1, 0, 1]})])
def test_the_same_seed_gives_the_images_of_keras(models, folders, name, conditions):
    runtime = Runtime(folders[name])
    for seed in (0, 2**63 - 1):
        images = models[name].generate(7, seed=seed, **conditions)
        # the pixels of the autoregressive model are 0 or 1; those of the other are sums in another order
        np.testing.assert_allclose(runtime.generate(7, seed=seed, **conditions), images, atol=1e-5)
    assert np.abs(runtime.generate(7, seed=1, **conditions) - images).max() > 0.01
    first = {key: values[:2] for key, values in conditions.items()}
    np.testing.assert_allclose(runtime.generate(2, seed=seed, **first), images[:2], atol=1e-5)


def test_one_class_for_all_images_and_an_initial_state(models, folders):
    runtime, state = Runtime(folders["denoiser"]), np.full((2, *SHAPE), 0.5, np.float32)
    images = models["denoiser"].generate(2, seed=3, label=1, state=state)
    np.testing.assert_allclose(runtime.generate(2, seed=3, label=1, state=state), images, atol=1e-5)


def test_the_command_line_of_the_copy_generates(models, folders):
    folder = folders["denoiser"]
    command_line(folder, "generate", "--num", 4, "--seed", 3, "--label", 2, "--out", "images.npy")
    np.testing.assert_allclose(
        np.load(folder / "images.npy"), models["denoiser"].generate(4, seed=3, label=2), atol=1e-5
    )
    assert "generate: 4 steps of generate_step, then image_from_state" in summary(Runtime(folder))
    assert "generate: 6 steps of generate_step\n" in summary(Runtime(folders["autoregressive"])) + "\n"
    failed = command_line(folder, "generate", "--num", 1, "--out", "more.npy", code=1)
    assert "label is missing" in failed.stderr


@pytest.mark.parametrize("name", ["step", "noise", "uniform"])
def test_what_the_steps_determine_is_no_condition(folders, name):
    toy = "autoregressive" if name == "uniform" else "denoiser"
    with pytest.raises(ValueError, match=f"generate: expected conditions among .*; received {name}"):
        Runtime(folders[toy]).generate(1, **{name: np.zeros((1, 1))})
    if toy == "autoregressive":  # its state begins as zeros
        with pytest.raises(ValueError, match="generate: expected conditions among none; received state"):
            Runtime(folders[toy]).generate(1, state=np.zeros((1, *SHAPE)))


def test_the_time_limit_of_a_server_applies_to_every_step(folders):
    calls = []
    Runtime(folders["denoiser"], before_batch=lambda: calls.append(None)).generate(4, seed=0, label=0)
    assert len(calls) == (4 + 1) * 2  # four steps and the images, each in two batches of three


def test_model_json_declares_the_steps(folders):
    content = json.loads((folders["denoiser"] / "model.json").read_text())
    noise = {"name": "noise", "stream": 0, "kind": "normal", "shape": list(SHAPE)}
    assert content["noise"]["inputs"] == [{**noise, "name": "state"}]
    sampling = content["sampling"]
    assert "SeedSequence([seed, i + 1])" in sampling.pop("seeds")
    names = {"endpoint": "generate_step", "state": "state", "step": "step", "image": "image_from_state"}
    assert sampling == {**names, "steps": 4, "noise": [noise]}
    content = json.loads((folders["autoregressive"] / "model.json").read_text())
    assert content["sampling"]["image"] is None and content["noise"]["inputs"] == []


def test_the_saved_model_has_the_steps(models, folders):
    signatures = tf.saved_model.load(folders["denoiser"] / "saved_model").signatures
    content = json.loads((folders["denoiser"] / "model.json").read_text())
    runtime = Runtime(folders["denoiser"])
    seeds = [int(np.random.SeedSequence([5, i + 1]).generate_state(1, np.uint64)[0]) >> 1 for i in range(4)]
    state, label = tf.constant(runtime.noise(2, 5)["state"]), tf.one_hot([0, 1], 3)
    for step, seed in enumerate(seeds):
        generator = np.random.Generator(np.random.Philox(key=np.array([seed, 0], np.uint64)))
        noise = tf.constant(generator.standard_normal((2, *SHAPE), dtype=np.float32))
        step = tf.fill([2, 1], float(step))
        state = signatures[content["sampling"]["endpoint"]](state=state, step=step, noise=noise, label=label)["state"]
    images = signatures[content["sampling"]["image"]](state=state)["image"]
    np.testing.assert_allclose(images, models["denoiser"].generate(2, seed=5, label=[0, 1]), atol=1e-5)


def test_examples_are_states_of_all_steps(models):
    """Of eight images, 40 rows in five steps; of six steps, each pixel of a step is still 0 before it."""
    model = models["autoregressive"]
    (inputs,) = endpoint_inputs(model, model.endpoints(), {"image": IMAGES}, seed=5).values()
    assert {name: len(values) for name, values in inputs.items()} == {"state": 40, "step": 40, "uniform": 40}
    steps, counts = np.unique(inputs["step"], return_counts=True)
    assert counts.tolist() == [TRAJECTORIES] * 5 and steps[0] == 0 and steps[-1] == PIXELS - 1
    for row, step in zip(inputs["state"].reshape(40, PIXELS), inputs["step"][:, 0].astype(int), strict=True):
        assert not row[step:].any()
    generated = model.generate(TRAJECTORIES, seed=5).reshape(-1, PIXELS)
    for state, image in zip(inputs["state"][-TRAJECTORIES:].reshape(-1, PIXELS), generated, strict=True):
        np.testing.assert_array_equal(state[: PIXELS - 1], image[: PIXELS - 1])
    denoiser = models["denoiser"]
    data = {"image": IMAGES, "label": np.arange(40) % 3}
    step, image = denoiser.endpoints()
    inputs = endpoint_inputs(denoiser, [step, image], data, seed=5)
    assert inputs["generate_step"]["step"].ravel().tolist() == [0] * 10 + [1] * 10 + [2] * 10 + [3] * 10
    expected = denoiser.generate(10, seed=5, label=np.arange(10) % 3)
    found = run_eagerly(image, inputs["image_from_state"])["image"]
    np.testing.assert_allclose(found, np.tile(expected, (4, 1, 1, 1)), atol=1e-6)


def set_step_shape(content):
    content["signatures"]["generate_step"]["inputs"]["step"]["shape"] = [2]


def set_initial_shape(content):
    content["noise"]["inputs"][0]["shape"] = [1 << 30]


def set_noise_shape(content):
    content["sampling"]["noise"][0]["shape"] = [1 << 30]


def set_all_shapes(content):
    """Consistent, but not those of the model: refused before 2 ** 32 bytes are allocated for each image."""
    shape = [1 << 30]
    step, image = (content["signatures"][name] for name in ("generate_step", "image_from_state"))
    for port in (step["inputs"]["state"], step["outputs"]["state"], image["inputs"]["state"]):
        port["shape"] = shape
    content["noise"]["inputs"][0]["shape"] = shape


def use_noise_of_the_state(content):
    content["sampling"]["noise"][0]["name"] = "state"


def remove_outputs(content):
    content["signatures"]["image_from_state"]["outputs"] = {}


def add_generate(content):
    content["signatures"]["generate"] = content["signatures"]["image_from_state"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "sampling.steps: expected an integer from 1 to 1048576; received 0"),
        ({"steps": MAX_STEPS + 1}, "sampling.steps: expected an integer from 1 to 1048576; received 1048577"),
        ({"steps": 1e3}, "sampling.steps: expected an integer from 1 to 1048576; received 1000.0"),
        ({"steps": True}, "sampling.steps: expected an integer"),
        ({"endpoint": "gone"}, "sampling.endpoint: expected one of generate_step, image_from_state; received 'gone'"),
        ({"endpoint": ["generate_step"]}, "sampling.endpoint: expected a string"),
        ({"endpoint": "image_from_state"}, "sampling.step: expected an input of image_from_state of the kind value"),
        ({"state": "label"}, "sampling.state: expected an input of generate_step of the kind value; received 'label'"),
        ({"state": "gone"}, "sampling.state: expected an input of generate_step of the kind value; received 'gone'"),
        ({"step": "gone"}, "sampling.step: expected an input of generate_step of the kind value; received 'gone'"),
        ({"step": "state"}, "sampling.step: expected another input than state; received 'state'"),
        ({"image": "gone"}, "sampling.image: expected null or one of generate_step, image_from_state; received 'gone'"),
        ({"image": "generate_step"}, "signatures.generate_step.inputs: expected one input of the shape"),
        ({"noise": []}, "sampling.noise of noise: expected normal of shape .*; received 'none'"),
        ({"noise": None}, "sampling.noise: expected a list"),
        (set_step_shape, r"signatures.generate_step.inputs.step.shape: expected \[1\]; received '\[2\]'"),
        (set_initial_shape, r"noise.inputs of state: expected the shape \[2, 3, 1\]; received '\[1073741824\]'"),
        (set_noise_shape, "sampling.noise of noise: expected normal of shape"),
        (set_all_shapes, "come from different exports: .*expected the shape .*1073741824"),
        (use_noise_of_the_state, "sampling.noise.name: expected other names than those of noise.inputs; received"),
        (remove_outputs, "signatures.image_from_state.outputs: expected at least one port; received"),
        (add_generate, "signatures: expected no generate besides the steps of generate_step"),
        (lambda content: content.update(image_shape=[8, 8, 1]), "image_shape: expected .*received '.8, 8, 1.'"),
        (lambda content: content.update(sampling=[]), "sampling: expected an object; received a list of length 0"),
        (lambda content: content["sampling"].pop("step"), "sampling.step: expected an entry; received none"),
    ],
)  # fmt: skip
def test_declarations_that_cannot_be_are_refused(folders, tmp_path, change, message):
    copy = shutil.copytree(folders["denoiser"], tmp_path / "copy", ignore=shutil.ignore_patterns("saved_model"))
    content = json.loads((copy / "model.json").read_text())
    if callable(change):
        change(content)
    else:
        content["sampling"].update(change)
    (copy / "model.json").write_text(json.dumps({**content, "digest": digest_of(content)}))
    with pytest.raises(ValueError, match=message) as error:
        Runtime(copy).generate(1, seed=0, label=0)
    assert str(copy) in str(error.value)
