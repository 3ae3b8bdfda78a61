"""Losses that bring the embeddings of an image and its caption together and separate all others, in one direction."""

import tensorflow as tf

EXCLUDED = -1e9


def contrastive(scores: tf.Tensor, positives: tf.Tensor, duplicates: tf.Tensor) -> tf.Tensor:
    """Returns minus the log-probability of the positive among all candidates of the batch (InfoNCE), in nats.

    loss_i = -log(exp(s_ip) / sum over j of exp(s_ij)), where p is the positive of row i, and j runs over the positive
    and all candidates that differ from it.

    Args:
        scores: scores of each row's example with every candidate of the global batch, [rows, total], unbounded (cosines
            divided by a temperature).
        positives: index of each row's positive, int32 [rows].
        duplicates: candidates that equal the positive and therefore are not negatives, bool [rows, total].

    Returns:
        float32 [rows], >= 0; log(total) where all scores are equal.

    Raises:
        ValueError: for other ranks.

    Reference:
        van den Oord, Li, Vinyals 2018, arXiv:1807.03748, eq. 4. Radford et al. 2021, arXiv:2103.00020 (symmetric,
        between images and texts).
    """
    scores, positive_scores, negatives = _split_scores(scores, positives, duplicates)
    others = tf.where(negatives, scores, EXCLUDED)
    return tf.reduce_logsumexp(tf.concat([positive_scores[:, None], others], axis=1), axis=1) - positive_scores


def structured(scores: tf.Tensor, positives: tf.Tensor, duplicates: tf.Tensor, margin: float = 1.0) -> tf.Tensor:
    """Returns the structured hinge loss: how far the best negative violates a margin to the positive.

    loss_i = max(0, max over negatives j of (margin + s_ij - s_ip)), where p is the positive of row i.

    Each distinct caption is a class of its own. The paper's classes have many captions and images, and its score of a
    class is the mean over them.

    Args:
        scores: inner products of embeddings, [rows, total].
        positives: as in `contrastive`.
        duplicates: as in `contrastive`.
        margin: the paper's 0-1 loss Delta between two different classes, 1.

    Returns:
        float32 [rows], >= 0; 0 for a row without negatives.

    Raises:
        ValueError: for other ranks.

    Reference:
        Reed, Akata, Schiele, Lee 2016, Learning Deep Representations of Fine-grained Visual Descriptions,
        arXiv:1605.05395 (deep structured joint embedding).
    """
    scores, positive_scores, negatives = _split_scores(scores, positives, duplicates)
    best_negative = tf.reduce_max(tf.where(negatives, scores, EXCLUDED), axis=1)
    return tf.nn.relu(margin + best_negative - positive_scores)


LOSSES = {"contrastive": contrastive, "structured": structured}


def _split_scores(
    scores: tf.Tensor, positives: tf.Tensor, duplicates: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the scores, the scores of the positives [rows], and which candidates are negatives [rows, total]."""
    if scores.shape.rank != 2 or positives.shape.rank != 1 or duplicates.shape.rank != 2:
        raise ValueError(
            "Expected scores [rows, total], positives [rows] and duplicates [rows, total]; received the shapes "
            f"{scores.shape}, {positives.shape} and {duplicates.shape}"
        )
    scores = tf.cast(scores, tf.float32)
    is_positive = tf.one_hot(positives, tf.shape(scores)[1], on_value=True, off_value=False)
    positive_scores = tf.reduce_sum(tf.where(is_positive, scores, 0.0), axis=1)
    return scores, positive_scores, ~(duplicates | is_positive)
