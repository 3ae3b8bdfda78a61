"""Random numbers as a function of a key: what one example draws never depends on the batch it stands in.

`tf.random.stateless_uniform` takes one seed for a whole tensor, so the numbers of an example would change with the
batch size, its place in the batch or the worker that reads it. Here every example has a 64-bit key, mixed from
(seed, epoch, example, purpose), and its numbers are the SplitMix64 sequence that starts at that key.
"""

import hashlib

import numpy as np
import tensorflow as tf

# of numpy: an operation of TensorFlow at import would start its devices, and several workers could not join after it
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def seed_word(seed: int, purpose: str) -> int:
    """Fold a seed of any size and a purpose into 63 bits.

    Args:
        seed: any integer.
        purpose: what is drawn, such as "order"; two purposes share no numbers.

    Returns:
        An int in [0, 2**63).

    Example:
        >>> seed_word(0, "order") != seed_word(0, "flip")
        True
    """
    digest = hashlib.sha256(f"{int(seed)}|{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def mix(*parts: int | tf.Tensor) -> tf.Tensor:
    """Hash integers into 64-bit keys.

    Args:
        parts: Python ints (non-negative, under 2**64) or integer tensors whose shapes broadcast.

    Returns:
        A uint64 tensor of the broadcast shape.

    Example:
        >>> keys = mix(seed_word(0, "flip"), epoch, index)      # index: [batch] -> keys: [batch]

    Reference:
        Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64's finalizer).
    """
    key = tf.constant(0, tf.uint64)
    for part in parts:
        word = tf.constant(part, tf.uint64) if isinstance(part, int) else tf.cast(part, tf.uint64)
        key = _finalize(key * tf.constant(_GOLDEN, tf.uint64) + word + tf.constant(_GOLDEN, tf.uint64))
    return key


def uniform(keys: tf.Tensor, count: int) -> tf.Tensor:
    """Draw numbers from [0, 1), one row for each key.

    Args:
        keys: uint64 [n], from `mix`.
        count: numbers per key.

    Returns:
        float32 [n, count], multiples of 2**-24.

    Example:
        >>> uniform(mix(7, tf.range(4)), 3).shape
        TensorShape([4, 3])

    Reference:
        Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    steps = (tf.cast(tf.range(1, count + 1), tf.uint64)) * tf.constant(_GOLDEN, tf.uint64)
    words = _finalize(keys[:, None] + steps[None, :])
    top = tf.bitwise.right_shift(words, tf.constant(40, tf.uint64))
    return tf.cast(tf.cast(top, tf.int32), tf.float32) * 2.0**-24


def _finalize(word: tf.Tensor) -> tf.Tensor:
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        word = tf.bitwise.bitwise_xor(word, tf.bitwise.right_shift(word, tf.constant(shift, tf.uint64)))
        word = word * tf.constant(factor, tf.uint64)
    return tf.bitwise.bitwise_xor(word, tf.bitwise.right_shift(word, tf.constant(31, tf.uint64)))
