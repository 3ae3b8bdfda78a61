"""Sinkhorn normalization: scores of tiles against places -> an assignment that can be differentiated."""

import tensorflow as tf

SMALLEST = 1e-9


def log_sinkhorn(scores: tf.Tensor, iterations: int = 10) -> tf.Tensor:
    """Scores -> the logarithm of a matrix whose rows and columns sum to 1 (doubly stochastic).

    Rows and columns of exp(scores) are divided by their sums in turn, in logarithms:

        S <- S - log sum_j exp S_ij      S <- S - log sum_i exp S_ij

    A number added to a row or a column of the scores changes nothing. The columns come last, and sum to 1 exactly; the
    rows do in the limit. With scores / tau and tau -> 0 the limit is the best assignment.

    Args:
        scores: [batch, num, num], unbounded.
        iterations: of both steps, >= 1.

    Returns:
        float32 [batch, num, num], each at most 0 but for rounding.

    Raises:
        ValueError: for scores that are not square matrices, or iterations < 1.

    Reference:
        Mena, Belanger, Linderman, Snoek 2018, Learning Latent Permutations with Gumbel-Sinkhorn Networks,
        arXiv:1802.08665, section 2.
    """
    if scores.shape.rank != 3 or scores.shape[1] != scores.shape[2]:
        raise ValueError(f"Expected scores [batch, num, num]; received the shape {scores.shape}")
    if not isinstance(iterations, int) or iterations < 1:
        raise ValueError(f"iterations must be an integer >= 1; received {iterations!r}")
    scores = tf.cast(scores, tf.float32)
    for _ in range(iterations):
        scores -= tf.reduce_logsumexp(scores, axis=2, keepdims=True)
        scores -= tf.reduce_logsumexp(scores, axis=1, keepdims=True)
    return scores


def assignment_cross_entropy(probabilities: tf.Tensor, fits: tf.Tensor, presence: tf.Tensor) -> tf.Tensor:
    """-log of the probability that a tile is put where it fits, mean over the tiles that are there.

        loss_b = - (1 / sum_i presence_i) sum_i presence_i log sum_j fits_ij probabilities_ij

    Args:
        probabilities: of tile i at place j, [batch, num, num] in [0, 1].
        fits: 1 where tile i fits place j, else 0, [batch, num, num]: several ones in a row where tiles are alike.
        presence: 1 for a tile that is there, 0 for one that is missing, [batch, num].

    Returns:
        float32 [batch], nats, >= 0; 0 where no tile is there.

    Raises:
        ValueError: for shapes that do not belong together.
    """
    if not (probabilities.shape.rank == fits.shape.rank == 3 and presence.shape.rank == 2):
        raise ValueError(
            "Expected probabilities and fits [batch, num, num] and presence [batch, num]; received the shapes "
            f"{probabilities.shape}, {fits.shape} and {presence.shape}"
        )
    right = tf.reduce_sum(fits * probabilities, axis=2)
    losses = -tf.math.log(tf.maximum(right, SMALLEST)) * presence
    return tf.reduce_sum(losses, axis=1) / tf.maximum(tf.reduce_sum(presence, axis=1), 1.0)
