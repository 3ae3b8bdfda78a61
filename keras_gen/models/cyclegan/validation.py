"""Checks of the networks and options of a CycleGAN."""

from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from ..core.logit_means import refuse_logit_means

if TYPE_CHECKING:
    from .model import CycleGAN

SEMANTICS = ("both", "source")


def check(model: "CycleGAN") -> None:
    """Checks the networks and options of a CycleGAN.

    Raises:
        ValueError: for networks that do not match each other, or options out of range.
    """
    _check_options(model)
    inputs = {"a": tuple(model.generator_ab.input_shape[1:]), "b": tuple(model.generator_ba.input_shape[1:])}
    outputs = {"b": tuple(model.generator_ab.output_shape[1:]), "a": tuple(model.generator_ba.output_shape[1:])}
    for domain, shape in inputs.items():
        if outputs[domain] != shape:
            raise ValueError(
                f"Expected generators with one shape for the images of domain {domain.upper()}; received one with "
                f"outputs {outputs[domain]} and one with inputs {shape}"
            )
    _check_sizes(model, inputs)
    for domain in "ab":
        _check_discriminator(model, domain)


def _check_options(model: "CycleGAN") -> None:
    for name in ("cycle_weight", "identity_weight", "adversarial_weight", "semantic_weight"):
        if not 0 <= getattr(model, name) < float("inf"):
            raise ValueError(f"Expected {name} as a number >= 0; received {getattr(model, name)!r}")
    if not isinstance(model.pool_size, int) or model.pool_size < 0:
        raise ValueError(f"Expected pool_size as an integer >= 0; received {model.pool_size!r}")
    if model.source not in ("a", "b"):
        raise ValueError(f"Expected source as 'a' or 'b', the domain of the classifier; received {model.source!r}")
    if model.semantics not in SEMANTICS:
        raise ValueError(f"Expected semantics as one of {', '.join(SEMANTICS)}; received {model.semantics!r}")
    refuse_logit_means(model._objective)


def _check_sizes(model: "CycleGAN", inputs: dict[str, tuple]) -> None:
    any_size = [None in shape[:2] for shape in inputs.values()]
    options = {"crop": model.crop, "size": model.size, "export_size": model.export_size}
    for name, pair in options.items():
        if pair is not None and (len(pair) != 2 or any(not isinstance(side, int) or side < 1 for side in pair)):
            raise ValueError(f"Expected {name} as (height, width) in pixels; received {pair!r}")
    if not all(any_size):
        used = [name for name, pair in options.items() if pair is not None]
        if any(any_size) or used:
            raise ValueError(
                f"Expected two generators of images (None, None, channels) for {', '.join(used) or 'any size'}; "
                f"received generators of {inputs['a']} and {inputs['b']}"
            )
    elif model.size is None:
        raise ValueError("Expected size=(height, width) of the data for generators of any size; received none")
    elif model.crop is not None and any(side > whole for side, whole in zip(model.crop, model.size, strict=True)):
        raise ValueError(f"Expected crop of at most the size of the images, {model.size}; received {model.crop}")


def _check_discriminator(model: "CycleGAN", domain: str) -> None:
    network, shape = getattr(model, f"discriminator_{domain}"), model.trained_shape(domain)
    if not _accepts(network, shape) or network.output_shape[-1] != 1:
        raise ValueError(
            f"Expected discriminator_{domain} from images {shape} to logits [batch, ..., 1]; received one from "
            f"{tuple(network.input_shape[1:])} to {tuple(network.output_shape)}"
        )
    if model.classifier is not None and not _accepts(model.classifier, shape):
        raise ValueError(
            f"Expected a classifier of the images of both domains, {shape} in domain {domain.upper()}; received one of "
            f"{tuple(model.classifier.input_shape[1:])}"
        )


def _accepts(network: keras.Model, shape: tuple) -> bool:
    return tf.TensorShape(network.input_shape[1:]).is_compatible_with(shape)
