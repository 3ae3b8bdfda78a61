"""Models that call a network many times for each image, such as diffusion and autoregressive models."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches
from keras_gen.distributions.noise import Noise, draw_noise

from .endpoint import Endpoint, Port, noise_ports
from .generative_model import GenerativeModel, tensors

STATE = "state"


def step_seed(seed: int, step: int) -> int:
    """Returns the seed of the base noise of a sampling step, 0 <= seed < 2**63; numpy alone is enough to compute it.

    Args:
        seed: The seed of `generate`, 0 <= seed < 2**63.
        step: Number of the step, >= 0.
    """
    return int(np.random.SeedSequence([seed, step + 1]).generate_state(1, np.uint64)[0] >> np.uint64(1))


class IterativeSampling(GenerativeModel):
    """A model whose images are the result of a fixed number of steps; to be inherited before the model's base.

    The state of an image begins as the base noise `state`, if `noise()` contains it, and as zeros otherwise. Each
    step maps the states, the number of the step and new base noise to the next states. A step is an endpoint without
    a random operation, `generate_step`: its noise is drawn on the host, for all images of a call, with a seed of its
    own for each step. One seed therefore gives the same images in batches of any size, in Keras and in an export.

    Attributes:
        sampling_steps: Number of steps, >= 1.
        state_shape: Shape of the state of one image; None is `image_shape`.
    """

    sampling_steps: int = 1
    state_shape: tuple[int, ...] | None = None

    def step_noise(self) -> dict[str, Noise]:
        """Returns the base noise of one image in one step, {input: Noise}; empty for deterministic steps."""
        return {}

    def sampling_step(
        self, state: tf.Tensor, step: tf.Tensor, noise: dict[str, tf.Tensor], *args: Any, **conditions: Any
    ) -> tf.Tensor:
        """Returns the states after a step, float32 [num, *state_shape], without a random operation.

        Args:
            state: float32 [num, *state_shape].
            step: Number of the step, from 0 to `sampling_steps` - 1, the same for all images: float32 [num, 1].
            noise: Base noise of the step, {input: [num, ...]}.
            *args: Unused; a subclass has named arguments for its conditions.
            **conditions: The conditions as `conditions_of` returns them.
        """
        raise NotImplementedError

    def image_from_state(self, state: tf.Tensor) -> tf.Tensor:
        """Returns the images in [0, 1] of the states after the last step; by default the states themselves."""
        return state

    def generate_step_endpoint(self) -> Endpoint:
        """Returns `generate_step`: state, step, base noise of the step and conditions -> state."""
        state = Port(self.state_shape or self.image_shape, "value")
        noise = self.step_noise()

        def generate_step(state, step, **inputs):
            step_noise = {name: inputs.pop(name) for name in noise}
            return {STATE: self.sampling_step(state, step, step_noise, **inputs)}

        inputs = {STATE: state, "step": Port((1,), "value")}
        inputs |= noise_ports(noise) | self.condition_ports()
        return Endpoint("generate_step", generate_step, inputs, {STATE: state})

    def endpoints(self) -> list[Endpoint]:
        """Returns `generate_step`."""
        return [self.generate_step_endpoint()]

    def sample(
        self,
        noise: dict[str, np.ndarray],
        conditions: dict[str, np.ndarray],
        num: int,
        seed: int,
        batch_size: int,
        options: dict[str, Any],
    ) -> np.ndarray:
        """Returns the images of `generate`: all steps, each for all images, `batch_size` of them at a time."""
        endpoint = self.generate_step_endpoint()
        run = tf.function(endpoint.function).get_concrete_function(**endpoint.specification())
        state = noise.get(STATE, np.zeros((num, *endpoint.outputs[STATE].shape), np.float32))
        for step in range(self.sampling_steps):
            inputs = draw_noise(self.step_noise(), num, step_seed(seed, step)) | conditions
            inputs |= {STATE: state, "step": np.full((num, 1), step, np.float32)}
            state = map_batches(functools.partial(_run_rows, run, inputs), num, batch_size)
        return map_batches(lambda rows: self.image_from_state(tf.constant(state[rows])), num, batch_size)


def _run_rows(run: Callable[..., dict[str, tf.Tensor]], inputs: dict[str, np.ndarray], rows: slice) -> tf.Tensor:
    return run(**tensors(inputs, rows))[STATE]
