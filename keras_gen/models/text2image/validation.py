"""Whether the parts of a Text2Image fit each other."""

from .joint_embedding import check_compared


def check(model) -> None:
    """Look at a Text2Image's networks and options.

    Raises:
        ValueError: for what does not fit; the message has what was expected and what was received.
    """
    if not (model.matching_weight >= 0 and model.matching_noise >= 0 and model.temperature > 0):
        raise ValueError(
            "Expected matching_weight >= 0, matching_noise >= 0 and temperature > 0; received "
            f"{model.matching_weight!r}, {model.matching_noise!r} and {model.temperature!r}"
        )
    if not (model.style_weight >= 0 and model.style_scale > 0):
        raise ValueError(
            f"Expected style_weight >= 0 and style_scale > 0; received {model.style_weight!r}, {model.style_scale!r}"
        )
    if model.matching_weight and model.image_encoder is None:
        raise ValueError(f"matching_weight={model.matching_weight} needs an image_encoder; received None")
    if model.image_encoder is not None:
        check_compared(model)
    size = model.embedding_size
    for role, network, at in (("generator", model.generator, 1), ("head", model.head, 1)):
        found = [tuple(each.shape[1:]) for each in network.inputs]
        if len(found) != 2 or found[at] != (size,):
            raise ValueError(
                f"The text_encoder gives {size} numbers: the {role} must take two inputs, the second of shape "
                f"({size},); it takes {found}"
            )
    seen, features = tuple(model.trunk.input_shape[1:]), tuple(model.trunk.output_shape[1:])
    if seen != model.image_shape or tuple(model.head.inputs[0].shape[1:]) != features:
        raise ValueError(
            f"The generator makes images {model.image_shape}; the trunk takes {seen} and gives {features}, and the "
            f"head takes {tuple(model.head.inputs[0].shape[1:])}: expected them to fit"
        )
    style, noise = model.style_encoder, int(model.generator.inputs[0].shape[-1])
    if style is not None:
        found = [tuple(each.shape[1:]) for each in style.inputs], tuple(style.output_shape[1:])
        if found != ([model.image_shape, (size,)], (2 * noise,)):
            raise ValueError(
                f"The style_encoder must go from [{model.image_shape}, ({size},)] to ({2 * noise},), two numbers "
                f"for each of the noise; it goes from {found[0]} to {found[1]}"
            )
    if tuple(model.head.output_shape[1:]) != (1,):
        raise ValueError(f"The head must give one logit [batch, 1]; it gives {tuple(model.head.output_shape)}")
