"""Validation of the networks and options of a Text2Image."""

from typing import TYPE_CHECKING

from .joint_embedding import check_joint_space

if TYPE_CHECKING:
    from .model import Text2Image


def check(model: "Text2Image") -> None:
    """Validates the networks and options of a Text2Image.

    Args:
        model: the model, in its constructor.

    Raises:
        ValueError: for networks that do not fit, or numbers out of range.
    """
    if not (model.matching_weight >= 0 and model.matching_noise >= 0 and model.temperature > 0):
        raise ValueError(
            "Expected matching_weight >= 0, matching_noise >= 0 and temperature > 0; received "
            f"{model.matching_weight!r}, {model.matching_noise!r} and {model.temperature!r}"
        )
    if not (model.style_weight >= 0 and model.style_scale > 0):
        raise ValueError(
            f"Expected style_weight >= 0 and style_scale > 0; received {model.style_weight!r} and {model.style_scale!r}"
        )
    if model.matching_weight and model.image_encoder is None:
        raise ValueError(f"Expected an image_encoder with matching_weight={model.matching_weight}; received None")
    if model.image_encoder is not None:
        check_joint_space(model.embedding_size, model.image_encoder, model.projection)
    size = model.embedding_size
    for role, network in (("generator", model.generator), ("head", model.head)):
        shapes = [tuple(each.shape[1:]) for each in network.inputs]
        if len(shapes) != 2 or shapes[1] != (size,):
            raise ValueError(
                f"Expected a {role} with two inputs, the second of shape ({size},) as the text_encoder's embeddings; "
                f"received one with inputs of the shapes {shapes}"
            )
    image_shape, features = tuple(model.trunk.input_shape[1:]), tuple(model.trunk.output_shape[1:])
    head_features = tuple(model.head.inputs[0].shape[1:])
    if image_shape != model.image_shape or head_features != features:
        raise ValueError(
            f"Expected a trunk from the generator's images {model.image_shape} to the head's features {head_features}; "
            f"received one from {image_shape} to {features}"
        )
    if model.style_encoder is not None:
        noise = int(model.generator.inputs[0].shape[-1])
        inputs = [tuple(each.shape[1:]) for each in model.style_encoder.inputs]
        outputs = tuple(model.style_encoder.output_shape[1:])
        if inputs != [model.image_shape, (size,)] or outputs != (2 * noise,):
            raise ValueError(
                f"Expected a style_encoder from [{model.image_shape}, ({size},)] to ({2 * noise},), mean and scale of "
                f"the generator's noise; received one from {inputs} to {outputs}"
            )
    if tuple(model.head.output_shape[1:]) != (1,):
        raise ValueError(f"Expected a head with one logit [batch, 1]; received one with {model.head.output_shape}")
