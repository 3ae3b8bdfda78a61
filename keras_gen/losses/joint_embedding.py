"""Losses that bring an image and its caption together and all others apart, one direction at a time."""

import tensorflow as tf

EXCLUDED = -1e9


def contrastive(scores: tf.Tensor, own: tf.Tensor, same: tf.Tensor) -> tf.Tensor:
    """Minus the log-probability of the right partner among all of the batch (InfoNCE), in nats.

    loss_i = -log(exp(s_i,own) / sum over j of exp(s_ij)), j over the right partner and all that differ from it.

    Args:
        scores: [rows, total]; of each row's example with every partner of the global batch, unbounded (cosines divided
            by a temperature).
        own: place of each row's right partner, int32 [rows].
        same: bool [rows, total]: partners that are equal to the right one, which are no wrong ones.

    Returns:
        float32 [rows], >= 0; log(total) where all scores are alike.

    Reference:
        van den Oord, Li, Vinyals 2018, arXiv:1807.03748, eq. 4. Radford et al. 2021, arXiv:2103.00020 (symmetric,
        between images and texts).
    """
    scores, right, wrong = _checked(scores, own, same)
    others = tf.where(wrong, scores, EXCLUDED)
    return tf.reduce_logsumexp(tf.concat([right[:, None], others], axis=1), axis=1) - right


def structured(scores: tf.Tensor, own: tf.Tensor, same: tf.Tensor, margin: float = 1.0) -> tf.Tensor:
    """How far the best wrong partner comes within a margin of the right one: the structured hinge.

    loss_i = max(0, max over wrong j of (margin + s_ij - s_i,own)).

    Each different caption is a class of its own here. The paper's classes have many captions and images, and its score
    of a class is the mean over them.

    Args:
        scores: [rows, total]; inner products of embeddings.
        own, same: as in `contrastive`.
        margin: the paper's 0-1 loss Delta of two different classes, 1.

    Returns:
        float32 [rows], >= 0; 0 for a row without a wrong partner.

    Reference:
        Reed, Akata, Schiele, Lee 2016, Learning Deep Representations of Fine-grained Visual Descriptions,
        arXiv:1605.05395 (deep structured joint embedding).
    """
    scores, right, wrong = _checked(scores, own, same)
    worst = tf.reduce_max(tf.where(wrong, scores, EXCLUDED), axis=1)
    return tf.nn.relu(margin + worst - right)


LOSSES = {"contrastive": contrastive, "structured": structured}


def _checked(scores, own, same):
    if scores.shape.rank != 2 or own.shape.rank != 1 or same.shape.rank != 2:
        raise ValueError(
            "Expected scores [rows, total], own [rows] and same [rows, total]; received the shapes "
            f"{scores.shape}, {own.shape} and {same.shape}"
        )
    scores = tf.cast(scores, tf.float32)
    at_own = tf.one_hot(own, tf.shape(scores)[1], on_value=True, off_value=False)
    right = tf.reduce_sum(tf.where(at_own, scores, 0.0), axis=1)
    return scores, right, ~(same | at_own)
