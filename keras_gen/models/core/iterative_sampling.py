"""Models that call a network many times for each image, such as diffusion and autoregressive models."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches
from keras_gen.distributions.noise import Noise, noise_inputs
from keras_gen.runtime.sampling import run_steps

from .endpoint import Endpoint, Port, noise_ports
from .generative_model import GenerativeModel, tensors

STATE, STEP = "state", "step"
GENERATE_STEP, IMAGE_FROM_STATE = "generate_step", "image_from_state"


class IterativeSampling(GenerativeModel):
    """A model whose images are the result of a fixed number of steps; to be inherited before the model's base.

    The state of an image begins as the base noise `state`, if `noise()` contains it, and as zeros otherwise. Each
    step maps the states, the number of the step and new base noise to the next states. A step is an endpoint without
    a random operation, `generate_step`: its noise is drawn on the host, for all images of a call, with a seed of its
    own for each step. One seed therefore gives the same images in batches of any size, in Keras and in an export, whose
    model.json declares the steps.

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
            step: Number of each image's step, from 0 to `sampling_steps` - 1, float32 [num, 1]. `generate` passes the
                same number for all images; images in different steps check and calibrate an export.
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

        inputs = {STATE: state, STEP: Port((1,), "value")}
        inputs |= noise_ports(noise) | self.condition_ports()
        return Endpoint(GENERATE_STEP, generate_step, inputs, {STATE: state})

    def endpoints(self) -> list[Endpoint]:
        """Returns `generate_step` and, if the last states are not the images themselves, `image_from_state`."""
        endpoints = [self.generate_step_endpoint()]
        if self._has_image_from_state():
            state = Port(self.state_shape or self.image_shape, "value")
            image = Port(self.image_shape, "image")

            def image_from_state(state):
                return {"image": self.image_from_state(state)}

            endpoints.append(Endpoint(IMAGE_FROM_STATE, image_from_state, {STATE: state}, {"image": image}))
        return endpoints

    def export_description(self) -> dict[str, Any]:
        """Returns `sampling`, the steps of `generate` for a runtime, besides the entries of other bases."""
        return {**super().export_description(), "sampling": self._sampling()}

    def _sampling(self) -> dict[str, Any]:
        return {
            "endpoint": GENERATE_STEP,
            "steps": int(self.sampling_steps),
            "state": STATE,
            "step": STEP,
            "noise": noise_inputs(self.step_noise()),
            "seeds": "of step i: numpy.random.SeedSequence([seed, i + 1]).generate_state(1, numpy.uint64)[0] >> 1",
            "image": IMAGE_FROM_STATE if self._has_image_from_state() else None,
        }

    def _has_image_from_state(self) -> bool:
        return type(self).image_from_state is not IterativeSampling.image_from_state

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
        step = tf.function(endpoint.function).get_concrete_function(**endpoint.specification())

        def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
            inputs = inputs | conditions
            return map_batches(lambda rows: step(**tensors(inputs, rows))[STATE], num, batch_size)

        initial = noise.get(STATE, np.zeros((num, *endpoint.outputs[STATE].shape), np.float32))
        state = run_steps(run, self._sampling(), initial, seed)
        return map_batches(lambda rows: self.image_from_state(tf.constant(state[rows])), num, batch_size)
