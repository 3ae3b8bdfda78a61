"""Packing: the discriminator classifies several examples jointly, which reveals a lack of diversity."""

import tensorflow as tf


def pack(examples: tf.Tensor, size: int) -> tf.Tensor:
    """Concatenates neighboring examples along their channels.

    Pack p consists of the rows p * size, ..., p * size + size - 1, in this order. A pack must contain examples of one
    kind: pack real and generated examples separately.

    Args:
        examples: [batch, ..., channels] or vectors [batch, dimensions]; the batch is a multiple of `size`.
        size: examples in a pack, >= 1; 1 returns the examples unchanged.

    Returns:
        [batch / size, ..., channels * size], of the same dtype.

    Raises:
        ValueError: for a size below 1, a rank below 2, channels that are not static, or a batch that is not a multiple
            of `size` (`InvalidArgumentError` at run time if the batch is not static).

    Example:
        >>> pack(tf.constant([[1], [2], [3], [4]]), 2).numpy().tolist()
        [[1, 2], [3, 4]]

    Reference:
        Lin, Khetan, Fanti, Oh 2018, PacGAN: The power of two samples in generative adversarial networks,
        arXiv:1712.04086, section 2.
    """
    _check_size(size)
    examples = tf.convert_to_tensor(examples)
    rank = examples.shape.rank
    if rank is None or rank < 2 or examples.shape[-1] is None:
        raise ValueError(f"Expected examples [batch, ..., channels] with static channels; received {examples.shape}")
    batch = examples.shape[0]
    expected = f"Expected a batch that is a multiple of the pack size {size}"
    if batch is None:
        with tf.control_dependencies([tf.debugging.assert_equal(tf.shape(examples)[0] % size, 0, expected)]):
            examples = tf.identity(examples)
    elif batch % size:
        raise ValueError(f"{expected}; received {batch} examples: change the batch size or the pack size")
    if size == 1:
        return examples
    inner = [tf.shape(examples)[i] if examples.shape[i] is None else examples.shape[i] for i in range(1, rank)]
    packs = tf.reshape(examples, [-1, size, *inner])
    packs = tf.transpose(packs, [0, *range(2, rank), 1, rank])
    return tf.reshape(packs, [-1, *inner[:-1], size * inner[-1]])


def unpack(packs: tf.Tensor, size: int) -> tf.Tensor:
    """Returns the inverse of `pack`: [packs, ..., channels * size] -> [packs * size, ..., channels].

    Args:
        packs: the result of `pack`, with static channels.
        size: examples in a pack, >= 1.

    Returns:
        the examples in their order before `pack`, of the same dtype.

    Raises:
        ValueError: for a size below 1, or a number of channels that is not a multiple of it.
    """
    _check_size(size)
    packs = tf.convert_to_tensor(packs)
    channels = packs.shape[-1]
    if channels is None or channels % size:
        raise ValueError(f"Expected static channels that are a multiple of {size}; received the shape {packs.shape}")
    if size == 1:
        return packs
    rank, shape = packs.shape.rank, tf.shape(packs)
    examples = tf.reshape(packs, tf.concat([shape[:-1], [size, channels // size]], 0))
    examples = tf.transpose(examples, [0, rank - 1, *range(1, rank - 1), rank])
    examples = tf.reshape(examples, tf.concat([[shape[0] * size], shape[1:-1], [channels // size]], 0))
    return tf.ensure_shape(examples, [None, *packs.shape[1:-1], channels // size])


def repeat_per_example(values: tf.Tensor, size: int) -> tf.Tensor:
    """Returns one value per example, the value of its pack.

    The mean over examples equals the mean over packs.

    Args:
        values: one value per pack, [packs].
        size: examples in a pack, >= 1.

    Returns:
        [packs * size], in the order of the examples before `pack`.

    Raises:
        ValueError: for a size below 1 or another rank.
    """
    _check_size(size)
    if values.shape.rank != 1:
        raise ValueError(f"Expected one value per pack, a vector [packs]; received the shape {values.shape}")
    return tf.repeat(values, size)


def _check_size(size: int) -> None:
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"Expected the pack size as an integer >= 1; received {size!r}")
