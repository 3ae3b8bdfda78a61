"""Models that call a network many times for each image: an autoregressive one and one that denoises."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.distributions import Noise, draw_noise
from keras_gen.models.core.class_conditional import ClassConditional
from keras_gen.models.core.endpoint import Port
from keras_gen.models.core.iterative_sampling import IterativeSampling, step_seed
from keras_gen.models.core.protocols import SamplesIteratively

SHAPE = (2, 3, 1)
PIXELS = 6


class Autoregressive(IterativeSampling):
    """Binary pixels in raster order: pixel i is 1 with a probability that depends on the pixels before it."""

    image_shape = SHAPE
    sampling_steps = PIXELS
    averaged_networks = ("network",)

    def __init__(self, network: keras.Model, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.create_ema_networks()

    def losses_of(self, batch, batch_noise, global_batch, training):
        pixels = tf.reshape(batch["image"], [-1, PIXELS])
        logits = tf.stack([self._logit(self.network, pixels, i) for i in range(PIXELS)], axis=1)
        return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(pixels, logits), axis=1), {}

    @staticmethod
    def _logit(network, pixels, position):
        before = tf.cast(tf.range(PIXELS) < tf.cast(position, tf.int32), tf.float32)
        return network(pixels * before)[:, 0]

    def step_noise(self):
        return {"uniform": Noise("uniform", (1,))}

    def sampling_step(self, state, step, noise):
        pixels = tf.reshape(state, [-1, PIXELS])
        probability = tf.nn.sigmoid(self._logit(self.inference_network("network"), pixels, step[0, 0]))
        value = tf.cast(noise["uniform"] < probability[:, None], tf.float32)
        pixels += value * tf.one_hot(tf.cast(step[:, 0], tf.int32), PIXELS)
        return tf.reshape(pixels, [-1, *SHAPE])


class Denoiser(ClassConditional, IterativeSampling):
    """Moves normal noise towards the gray value of a class, with less noise in each step, as a diffusion model does."""

    image_shape = SHAPE
    sampling_steps = 4
    num_classes = 3

    def noise(self):
        return {"state": Noise("normal", SHAPE)}

    def step_noise(self):
        return {"noise": Noise("normal", SHAPE)}

    def sampling_step(self, state, step, noise, label):
        gray = tf.reduce_sum(label * tf.constant([0.25, 0.5, 0.75]), axis=1)[:, None, None, None]
        scale = (self.sampling_steps - 1 - step)[:, :, None, None] / self.sampling_steps
        return gray + 0.5 * scale * (state - gray) + 0.1 * scale * noise["noise"]

    def image_from_state(self, state):
        return tf.clip_by_value(state, 0.0, 1.0)


def autoregressive(weight: float = 2.0, **options) -> Autoregressive:
    """Pixels whose logits are `weight` times the sum of those before, less 1/2."""
    network = keras.Sequential([keras.Input((PIXELS,)), keras.layers.Dense(1)])
    network.set_weights([np.full((PIXELS, 1), weight, np.float32), np.full(1, -0.5, np.float32)])
    return Autoregressive(network, seed=0, **options)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 128])
def test_images_do_not_depend_on_the_batch_size(batch_size):
    model = autoregressive()
    # binary pixels and sums of integers: equal, not only close
    np.testing.assert_array_equal(model.generate(7, seed=5, batch_size=batch_size), model.generate(7, seed=5))
    denoiser, labels = Denoiser(), np.arange(7) % 3
    images = denoiser.generate(7, seed=5, batch_size=batch_size, label=labels)
    np.testing.assert_allclose(images, denoiser.generate(7, seed=5, label=labels), atol=1e-6)


def test_first_images_do_not_depend_on_num():
    model = autoregressive()
    np.testing.assert_array_equal(model.generate(2, seed=5), model.generate(7, seed=5)[:2])


def test_pixels_are_those_of_ancestral_sampling():
    """Against the recursion in numpy, on noise that is drawn with numpy alone."""
    pixels = np.zeros((5, PIXELS), np.float32)
    for step in range(PIXELS):
        uniform = draw_noise({"uniform": Noise("uniform", (1,))}, 5, step_seed(3, step))["uniform"][:, 0]
        logit = 2.0 * pixels[:, :step].sum(axis=1) - 0.5
        pixels[:, step] = uniform < 1 / (1 + np.exp(-logit))
    np.testing.assert_array_equal(autoregressive().generate(5, seed=3).reshape(5, PIXELS), pixels)
    assert 0 < pixels.mean() < 1


def test_each_step_has_noise_of_its_own():
    seeds = {step_seed(seed, step) for seed in (0, 1, 2**63 - 1) for step in range(100)}
    assert len(seeds) == 300 and all(0 <= seed < 2**63 for seed in seeds)
    images = autoregressive(0.0).generate(2000, seed=1).reshape(-1, PIXELS)
    correlation = np.corrcoef(images, rowvar=False) - np.eye(PIXELS)
    assert np.abs(correlation).max() < 0.12  # of 2000 independent pixels: standard deviation 0.022


def test_conditions_and_the_initial_state():
    images = Denoiser().generate(2, seed=0, label=[0, 2])
    # the last step has neither a share of the state nor noise
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), [0.25, 0.75], atol=1e-6)
    model = Denoiser()
    model.sampling_steps = 1000  # so that hardly anything changes in the first step
    state = np.full((1, *SHAPE), 0.5, np.float32)
    with pytest.raises(ValueError, match="Expected conditions among label for Denoiser; received caption"):
        model.generate(1, label=1, caption="gray")
    with pytest.raises(ValueError, match="Expected state of the shape"):
        model.generate(1, label=1, state=state[:, :1])


def test_the_endpoint_has_no_random_operation():
    (endpoint,) = Denoiser().endpoints()
    assert endpoint.name == "generate_step"
    shapes = {name: port.shape for name, port in endpoint.inputs.items()}
    assert shapes == {"state": SHAPE, "step": (1,), "noise": SHAPE, "label": (3,)}
    assert endpoint.outputs == {"state": Port(SHAPE, "value")}
    graph = tf.function(endpoint.function).get_concrete_function(**endpoint.specification()).graph
    assert not [each.type for each in graph.get_operations() if "Random" in each.type]


def test_is_recognized_by_its_protocol():
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
