"""The means of a discriminator's logits, which some objectives need."""

import tensorflow as tf

from keras_gen.losses.objective import Objective

from .global_batch import GlobalBatch


def logit_means(
    objective: Objective, real_logits: tf.Tensor, generated_logits: tf.Tensor, global_batch: GlobalBatch
) -> dict[str, tf.Tensor]:
    """Returns the keyword arguments `real_mean` and `generated_mean` of an objective that needs them.

    Args:
        objective: The objective.
        real_logits: [rows].
        generated_logits: [rows].
        global_batch: The batch over which the logits are averaged, with their gradient.

    Returns:
        Two scalars by name; empty if the objective needs no means.
    """
    if not (objective.needs_means or objective.accuracy_needs_means):
        return {}
    return {
        "real_mean": global_batch.differentiable_mean(real_logits),
        "generated_mean": global_batch.differentiable_mean(generated_logits),
    }


def refuse_logit_means(objective: Objective) -> None:
    """Raises a ValueError for an objective that needs the means of the logits, in a model that computes none."""
    if objective.needs_means or objective.accuracy_needs_means:
        raise ValueError(f"Expected an objective without means over the batch; received {objective.name!r}")
