"""A counter-based random number generator, whose numbers for an example are independent of its batch.

`tf.random.stateless_uniform` has one seed for a whole tensor, so that the numbers of an example would depend on the
batch size, its position in the batch and the worker. Here every example has a 64-bit key, hashed from (seed, epoch,
example, purpose), and its numbers are the SplitMix64 sequence that starts at that key.
"""

import hashlib

import numpy as np
import tensorflow as tf

# a NumPy scalar, since a TensorFlow op at import would initialize the devices before a multi-worker strategy can
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def seed_word(seed: int, purpose: str) -> int:
    """Hashes a seed of any size and a purpose to 63 bits.

    Args:
        seed: Any integer.
        purpose: Use of the random numbers, such as "order"; different purposes have independent numbers.

    Returns:
        An int in [0, 2**63).

    Example:
        >>> seed_word(0, "order") != seed_word(0, "flip")
        True
    """
    digest = hashlib.sha256(f"{int(seed)}|{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def mix(*parts: int | tf.Tensor) -> tf.Tensor:
    """Hashes integers to 64-bit keys.

    Args:
        *parts: Python ints (non-negative, below 2**64) or integer tensors whose shapes broadcast.

    Returns:
        A uint64 tensor of the broadcast shape.

    Example:
        >>> mix(seed_word(0, "flip"), 3, tf.range(4)).shape
        TensorShape([4])

    Reference:
        Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64's finalizer).
    """
    key = tf.constant(0, tf.uint64)
    for part in parts:
        word = tf.constant(part, tf.uint64) if isinstance(part, int) else tf.cast(part, tf.uint64)
        key = _finalize(key * tf.constant(_GOLDEN, tf.uint64) + word + tf.constant(_GOLDEN, tf.uint64))
    return key


def uniform(keys: tf.Tensor, count: int) -> tf.Tensor:
    """Samples from the uniform distribution on [0, 1).

    Args:
        keys: uint64 [n], from `mix`.
        count: Numbers per key.

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
