"""Tiles: an image cut along a grid, put together again, and which tiles are alike."""

import tensorflow as tf

# pixels may differ by rounding: 8-bit images differ by 1 / 255 at least
ALIKE = 1e-4


def split(images: tf.Tensor, side: int) -> tf.Tensor:
    """Images -> their tiles, row by row: [batch, height, width, channels] -> [batch, side^2, tile height, tile width,
    channels].
    """
    height, width, channels = images.shape[1:]
    tile = (height // side, width // side)
    x = tf.reshape(images, [-1, side, tile[0], side, tile[1], channels])
    return tf.reshape(tf.transpose(x, [0, 1, 3, 2, 4, 5]), [-1, side * side, *tile, channels])


def join(tiles: tf.Tensor, side: int) -> tf.Tensor:
    """The reverse of `split`."""
    height, width, channels = tiles.shape[2:]
    # width and channels as one axis: TFLite transposes five axes in every precision
    x = tf.reshape(tiles, [-1, side, side, height, width * channels])
    x = tf.transpose(x, [0, 1, 3, 2, 4])
    return tf.reshape(x, [-1, side * height, side * width, channels])


def seams(tiles: tf.Tensor) -> tf.Tensor:
    """How badly tiles match along their borders: mean absolute differences of the pixels on both sides of a seam.

    Args:
        tiles: [batch, num, height, width, channels] in [0, 1].

    Returns:
        [batch, num, num, 4]: of tile i with tile j to the right of it, to the left, below and above; in [0, 1].
    """
    across = _differences(tiles[:, :, :, -1], tiles[:, :, :, 0])
    down = _differences(tiles[:, :, -1], tiles[:, :, 0])
    turned = [tf.transpose(each, [0, 2, 1]) for each in (across, down)]
    return tf.stack([across, turned[0], down, turned[1]], axis=3)


def _differences(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Borders [batch, num, pixels, channels] of tile i and of tile j -> [batch, num, num]."""
    first, second = (tf.reshape(each, [-1, each.shape[1], each.shape[2] * each.shape[3]]) for each in (first, second))
    return tf.reduce_mean(tf.abs(first[:, :, None] - second[:, None]), axis=3)


def alike(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Which tiles are the same pixel by pixel: 1 where tile i of the first equals tile j of the second, else 0.

    Args:
        first, second: [batch, num, height, width, channels].

    Returns:
        float32 [batch, num, num].
    """
    flat = [tf.reshape(each, [-1, each.shape[1], each.shape[2] * each.shape[3] * each.shape[4]])
            for each in (first, second)]  # fmt: skip
    # one tile at a time: all pairs at once would hold num times the images
    columns = [
        tf.reduce_max(tf.abs(flat[0] - flat[1][:, index : index + 1]), axis=2) for index in range(second.shape[1])
    ]
    return tf.cast(tf.stack(columns, axis=2) < ALIKE, tf.float32)
