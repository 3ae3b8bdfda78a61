"""What models with one discriminator share besides its penalty: the means of its logits."""

import tensorflow as tf

from keras_gen.losses.objective import Objective

from .global_batch import GlobalBatch


def logit_means(
    objective: Objective, real_logits: tf.Tensor, generated_logits: tf.Tensor, global_batch: GlobalBatch
) -> dict[str, tf.Tensor]:
    """Returns the keyword arguments `real_mean` and `generated_mean` of an objective that needs them.

    Args:
        objective: the objective.
        real_logits: [rows].
        generated_logits: [rows].
        global_batch: the batch over which the logits are averaged, with their gradient.

    Returns:
        Two scalars by name; empty where the objective needs no means.
    """
    if not (objective.needs_means or objective.accuracy_needs_means):
        return {}
    return {
        "real_mean": global_batch.differentiable_mean(real_logits),
        "generated_mean": global_batch.differentiable_mean(generated_logits),
    }
