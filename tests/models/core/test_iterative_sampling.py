import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.distributions import Noise, draw_noise
from keras_gen.models.core.endpoint import Port
from keras_gen.models.core.protocols import SamplesIteratively
from keras_gen.runtime.noise import step_seed

from .sampling_toys import PIXELS, SHAPE, Denoiser, autoregressive


@pytest.mark.parametrize("batch_size", [1, 3, 7, 128])
def test_images_do_not_depend_on_the_batch_size(batch_size):
    model = autoregressive()
    # sums of integers are exact
    np.testing.assert_array_equal(model.generate(7, seed=5, batch_size=batch_size), model.generate(7, seed=5))
    denoiser, labels = Denoiser(), np.arange(7) % 3
    images = denoiser.generate(7, seed=5, batch_size=batch_size, label=labels)
    np.testing.assert_allclose(images, denoiser.generate(7, seed=5, label=labels), atol=1e-6)


def test_first_images_do_not_depend_on_num():
    model = autoregressive()
    np.testing.assert_array_equal(model.generate(2, seed=5), model.generate(7, seed=5)[:2])


def test_images_equal_ancestral_sampling_in_numpy():
    """The recursion and its noise are computed with numpy."""
    pixels = np.zeros((5, PIXELS), np.float32)
    for step in range(PIXELS):
        uniform = draw_noise({"uniform": Noise("uniform", (1,))}, 5, step_seed(3, step))["uniform"][:, 0]
        logit = 2.0 * pixels[:, :step].sum(axis=1) - 0.5
        pixels[:, step] = uniform < 1 / (1 + np.exp(-logit))
    np.testing.assert_array_equal(autoregressive().generate(5, seed=3).reshape(5, PIXELS), pixels)
    assert 0 < pixels.mean() < 1


def test_every_step_has_independent_noise():
    seeds = {step_seed(seed, step) for seed in (0, 1, 2**63 - 1) for step in range(100)}
    assert len(seeds) == 300 and all(0 <= seed < 2**63 for seed in seeds)
    images = autoregressive(0.0).generate(2000, seed=1).reshape(-1, PIXELS)
    correlation = np.corrcoef(images, rowvar=False) - np.eye(PIXELS)
    assert np.abs(correlation).max() < 0.12  # standard deviation 0.022 for 2000 independent pixels


def test_conditions_and_the_initial_state():
    """Against the recursion in numpy."""
    model, gray = Denoiser(), np.float32([0.25, 0.75])[:, None, None, None]
    state = draw_noise({"state": Noise("normal", SHAPE)}, 2, 7)["state"]
    for initial in ({}, {"state": state[::-1]}):
        expected = initial.get("state", state)
        for step in range(4):
            noise = draw_noise({"noise": Noise("normal", SHAPE)}, 2, step_seed(7, step))["noise"]
            expected = gray + (4 - step) / 4 * (0.9 * (expected - gray) + 0.5 * noise)
        images = model.generate(2, seed=7, label=[0, 2], **initial)
        np.testing.assert_allclose(images, np.clip(expected, 0, 1), atol=1e-6)
        assert images.std() > 0.1
    with pytest.raises(ValueError, match="Expected conditions among label for Denoiser; received caption"):
        model.generate(1, label=1, caption="gray")
    with pytest.raises(ValueError, match="Expected state of the shape"):
        model.generate(1, label=1, state=state[:, :1])


def test_the_endpoint_has_no_random_operation():
    assert [endpoint.name for endpoint in autoregressive().endpoints()] == ["generate_step"]
    endpoint, image = Denoiser().endpoints()
    assert (endpoint.name, image.name) == ("generate_step", "image_from_state")
    assert image.inputs == endpoint.outputs and image.outputs == {"image": Port(SHAPE, "image")}
    shapes = {name: port.shape for name, port in endpoint.inputs.items()}
    assert shapes == {"state": SHAPE, "step": (1,), "noise": SHAPE, "label": (3,)}
    assert endpoint.outputs == {"state": Port(SHAPE, "value")}
    graph = tf.function(endpoint.function).get_concrete_function(**endpoint.specification()).graph
    assert not [each.type for each in graph.get_operations() if "Random" in each.type]


def test_models_implement_the_protocol():
    assert isinstance(Denoiser(), SamplesIteratively)


def test_trains_with_moving_averages_that_generate():
    model = autoregressive(0.0, ema=0.9)
    model.compile(keras.optimizers.Adam(0.1))
    ones = np.ones((32, *SHAPE), np.float32)
    history = model.fit(ones, batch_size=8, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.1 < history[0]  # nats of six pixels
    images = model.generate(64, seed=0)
    assert images.mean() > 0.95
    model.network.set_weights([0 * weight - 9 for weight in model.network.get_weights()])
    np.testing.assert_array_equal(model.generate(64, seed=0), images)
