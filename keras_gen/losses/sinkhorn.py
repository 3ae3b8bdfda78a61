"""Sinkhorn normalization: a differentiable assignment of tiles to positions from their scores."""

import tensorflow as tf

PROBABILITY_FLOOR = 1e-9


def log_sinkhorn(scores: tf.Tensor, iterations: int = 10) -> tf.Tensor:
    """Returns the logarithm of a doubly stochastic matrix (rows and columns sum to 1) from scores.

    Rows and columns of exp(scores) are divided by their sums alternately, in the log domain:

        S <- S - log sum_j exp S_ij      S <- S - log sum_i exp S_ij

    A constant added to a row or a column of the scores does not change the limit. Columns are normalized last and sum
    to 1; rows converge to 1. With scores / tau and tau -> 0 the limit is the optimal assignment.

    Args:
        scores: [batch, num, num], unbounded.
        iterations: iterations of both steps, >= 1.

    Returns:
        float32 [batch, num, num], each at most 0 up to rounding.

    Raises:
        ValueError: for scores that are not square matrices, or iterations < 1.

    Reference:
        Mena, Belanger, Linderman, Snoek 2018, Learning Latent Permutations with Gumbel-Sinkhorn Networks,
        arXiv:1802.08665, section 2.
    """
    if scores.shape.rank != 3 or scores.shape[1] != scores.shape[2]:
        raise ValueError(f"Expected scores [batch, num, num]; received the shape {scores.shape}")
    if not isinstance(iterations, int) or iterations < 1:
        raise ValueError(f"Expected iterations as an integer >= 1; received {iterations!r}")
    scores = tf.cast(scores, tf.float32)
    for _ in range(iterations):
        scores -= tf.reduce_logsumexp(scores, axis=2, keepdims=True)
        scores -= tf.reduce_logsumexp(scores, axis=1, keepdims=True)
    return scores


def assignment_cross_entropy(probabilities: tf.Tensor, targets: tf.Tensor, presence: tf.Tensor) -> tf.Tensor:
    """Returns -log of the probability that a tile is assigned to a correct position, mean over the present tiles.

        loss_b = - (1 / sum_i presence_i) sum_i presence_i log sum_j targets_ij probabilities_ij

    Args:
        probabilities: probability that tile i belongs to position j, [batch, num, num] in [0, 1].
        targets: 1 where position j is correct for tile i, else 0, [batch, num, num]; a row has several ones where tiles
            are identical.
        presence: 1 for a present tile, 0 for a missing one, [batch, num].

    Returns:
        float32 [batch], nats, >= 0; 0 if no tile is present.

    Raises:
        ValueError: for other ranks.
    """
    if not (probabilities.shape.rank == targets.shape.rank == 3 and presence.shape.rank == 2):
        raise ValueError(
            "Expected probabilities and targets [batch, num, num] and presence [batch, num]; received the shapes "
            f"{probabilities.shape}, {targets.shape} and {presence.shape}"
        )
    correct = tf.reduce_sum(targets * probabilities, axis=2)
    losses = -tf.math.log(tf.maximum(correct, PROBABILITY_FLOOR)) * presence
    return tf.reduce_sum(losses, axis=1) / tf.maximum(tf.reduce_sum(presence, axis=1), 1.0)
