"""Whether the parts of a CycleGAN fit each other."""

import tensorflow as tf

SEMANTICS = ("both", "source")


def check(model) -> None:
    """Look at a CycleGAN's networks and options.

    Raises:
        ValueError: for what does not fit; the message has what was expected and what was received.
    """
    _check_numbers(model)
    shapes = {"a": tuple(model.generator_ab.input_shape[1:]), "b": tuple(model.generator_ba.input_shape[1:])}
    made = {"b": tuple(model.generator_ab.output_shape[1:]), "a": tuple(model.generator_ba.output_shape[1:])}
    for domain, taken in shapes.items():
        if made[domain] != taken:
            raise ValueError(
                f"The generators do not fit: one makes images of domain {domain.upper()} {made[domain]}, the other "
                f"takes {taken}"
            )
    _check_sizes(model, shapes)
    for domain in "ab":
        network, trained = getattr(model, f"discriminator_{domain}"), model.trained_shape(domain)
        if not _takes(network, trained) or network.output_shape[-1] != 1:
            raise ValueError(
                f"discriminator_{domain} must take images {trained} and give logits [batch, ..., 1]; it takes "
                f"{tuple(network.input_shape[1:])} and gives {tuple(network.output_shape)}"
            )
        if model.classifier is not None and not _takes(model.classifier, trained):
            raise ValueError(
                f"The classifier judges images of both domains: it must take {trained} of domain {domain.upper()}; it "
                f"takes {tuple(model.classifier.input_shape[1:])}"
            )


def _check_numbers(model) -> None:
    for name in ("cycle_weight", "identity_weight", "adversarial_weight", "semantic_weight"):
        if not 0 <= getattr(model, name) < float("inf"):
            raise ValueError(f"{name} must be a number >= 0; received {getattr(model, name)!r}")
    if not isinstance(model.pool_size, int) or model.pool_size < 0:
        raise ValueError(f"pool_size must be an integer >= 0; received {model.pool_size!r}")
    if model.source not in ("a", "b"):
        raise ValueError(f"source is the classifier's domain, 'a' or 'b'; received {model.source!r}")
    if model.semantics not in SEMANTICS:
        raise ValueError(f"Unknown semantics {model.semantics!r}: expected one of {', '.join(SEMANTICS)}")
    if model._objective.needs_means or model._objective.accuracy_needs_means:
        raise ValueError(f"objective {model._objective.name!r} needs means over the batch: choose one without")


def _check_sizes(model, shapes: dict) -> None:
    of_any_size = [None in shape[:2] for shape in shapes.values()]
    given = {"crop": model.crop, "size": model.size, "export_size": model.export_size}
    for name, pair in given.items():
        if pair is not None and (len(pair) != 2 or any(not isinstance(side, int) or side < 1 for side in pair)):
            raise ValueError(f"{name} must be (height, width) in pixels; received {pair!r}")
    if not all(of_any_size):
        asked = [name for name, pair in given.items() if pair is not None]
        if any(of_any_size) or asked:
            raise ValueError(
                f"{', '.join(asked) or 'Images of any size'}: both generators must take images (None, None, channels); "
                f"they take {shapes['a']} and {shapes['b']}"
            )
    elif model.size is None:
        raise ValueError("The generators take images of any size: give size=(height, width), that of the data")
    elif model.crop is not None and any(side > whole for side, whole in zip(model.crop, model.size, strict=True)):
        raise ValueError(f"crop={model.crop} is larger than the images, {model.size}")


def _takes(network, shape) -> bool:
    return tf.TensorShape(network.input_shape[1:]).is_compatible_with(shape)
