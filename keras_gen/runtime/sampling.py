"""Iterative sampling: images as the result of many calls of one endpoint, in Keras and on a device."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .noise import NOISE_KINDS, draw_noise, step_seed
from .schema import TEXT, Items, Nullable, integer, one_of

MAX_STEPS = 1 << 20  # float32 has every number up to 2**24
SHAPE = Items(integer(1, 2**31 - 1), max_length=8)
NOISE = Items({"name": TEXT, "stream": integer(0, 2**63 - 1), "kind": one_of(NOISE_KINDS), "shape": SHAPE})
RULES = {
    "endpoint": TEXT,
    "steps": integer(1, MAX_STEPS),
    "state": TEXT,
    "step": TEXT,
    "noise": NOISE,
    "image": Nullable(TEXT),
}


def run_steps(
    run: Callable[[dict[str, np.ndarray]], np.ndarray], sampling: Mapping[str, Any], state: np.ndarray, seed: int
) -> np.ndarray:
    """Runs all sampling steps, each for all images, so that the images do not depend on the batch size.

    The noise of a step is drawn with a seed of its own, see `step_seed`.

    Args:
        run: {input: float32 [num, ...]} with the states, the number of the step and its noise -> the next states.
        sampling: `steps`, `state`, `step` and `noise`, as in the `sampling` of model.json.
        state: initial states, float32 [num, *shape].
        seed: the seed of `generate`, 0 <= seed < 2**63.

    Returns:
        The last states, float32 [num, *shape].
    """
    num = len(state)
    for number in range(sampling["steps"]):
        noise = draw_noise(sampling["noise"], num, step_seed(seed, number))
        state = run({sampling["state"]: state, sampling["step"]: np.full((num, 1), number, np.float32), **noise})
    return state


def relations(content: Mapping[str, Any]) -> Iterator[tuple[str, bool, str, Any]]:
    """Yields (entry, whether it is valid, what was expected, what was received) for the `sampling` of model.json.

    Args:
        content: the content of model.json, whose entries follow their rules.
    """
    sampling, signatures = content["sampling"], content["signatures"]
    name, image, state, step = (sampling[key] for key in ("endpoint", "image", "state", "step"))
    yield "sampling.endpoint", name in signatures, f"one of {', '.join(signatures)}", name
    yield "signatures", "generate" not in signatures, f"no generate besides the steps of {name}", ", ".join(signatures)
    inputs, outputs = signatures[name]["inputs"], signatures[name]["outputs"]
    for key, port in (("state", state), ("step", step)):
        valid = inputs.get(port, {}).get("kind") == "value"
        yield f"sampling.{key}", valid, f"an input of {name} of the kind value", port
    yield "sampling.step", step != state, f"another input than {state}", step
    yield f"signatures.{name}.inputs.{step}.shape", inputs[step]["shape"] == [1], "[1]", str(inputs[step]["shape"])
    shape = inputs[state]["shape"]
    received = {port: each["shape"] for port, each in outputs.items()}
    yield f"signatures.{name}.outputs", received.get(state) == shape, f"{state} of the shape {shape}", str(received)
    noise, initial = sampling["noise"], {each["name"]: each["shape"] for each in content["noise"]["inputs"]}
    for key in ("name", "stream"):
        values = [each[key] for each in noise]
        yield f"sampling.noise.{key}", len(set(values)) == len(values), "different values", ", ".join(map(str, values))
    both = sorted(initial.keys() & {each["name"] for each in noise})
    yield "sampling.noise.name", not both, "other names than those of noise.inputs", ", ".join(both)
    yield f"noise.inputs of {state}", initial.get(state, shape) == shape, f"the shape {shape}", str(initial.get(state))
    if image is not None:
        yield "sampling.image", image in signatures, f"null or one of {', '.join(signatures)}", image
        received = [port["shape"] for port in signatures[image]["inputs"].values()]
        yield f"signatures.{image}.inputs", received == [shape], f"one input of the shape {shape}", str(received)
        received = [port["shape"] for port in signatures[image]["outputs"].values()]
        yield f"signatures.{image}.outputs", bool(received), "at least one port", str(received)
        shape = received[0]
    yield "image_shape", content["image_shape"] == shape, f"{shape}, of the last states", str(content["image_shape"])
