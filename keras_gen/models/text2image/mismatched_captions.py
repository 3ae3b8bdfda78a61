"""For each caption of a batch, another that differs from it."""

import tensorflow as tf


def mismatched_captions(tokens: tf.Tensor, everyone: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Draw, uniformly, one of all captions that differ from an image's own.

    Args:
        tokens: of the rows' own captions, [rows, length].
        everyone: of all captions, of the same type [total, length].
        noise: uniform on [0, 1), [rows, total].

    Returns:
        int32 [rows]: a place in `everyone`; bool [rows]: whether it differs, False where every caption is the same.
    """
    differs = tf.reduce_any(tokens[:, None] != everyone[None], axis=-1)
    chosen = tf.argmax(tf.where(differs, noise, -1.0), axis=1, output_type=tf.int32)
    return chosen, tf.reduce_any(differs, axis=1)
