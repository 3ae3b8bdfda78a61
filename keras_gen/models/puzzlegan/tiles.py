"""Tiles of an image: cutting along a grid, joining, and comparing."""

import tensorflow as tf

# tolerance for rounding: 8-bit images differ by at least 1 / 255
IDENTICAL = 1e-4


def split(images: tf.Tensor, grid_size: int) -> tf.Tensor:
    """Returns the tiles of images, row by row: [batch, grid_size^2, tile height, tile width, channels].

    Args:
        images: [batch, height, width, channels]; height and width must be multiples of grid_size.
        grid_size: number of tiles in a row and in a column.

    Example:
        >>> split(tf.reshape(tf.range(16), [1, 4, 4, 1]), 2)[0, 1, :, :, 0].numpy()
        array([[2, 3],
               [6, 7]], dtype=int32)
    """
    height, width, channels = images.shape[1:]
    tile = (height // grid_size, width // grid_size)
    x = tf.reshape(images, [-1, grid_size, tile[0], grid_size, tile[1], channels])
    return tf.reshape(tf.transpose(x, [0, 1, 3, 2, 4, 5]), [-1, grid_size * grid_size, *tile, channels])


def join(tiles: tf.Tensor, grid_size: int) -> tf.Tensor:
    """Returns the images of tiles in row order, the inverse of `split`.

    Args:
        tiles: [batch, grid_size^2, height, width, channels].
        grid_size: number of tiles in a row and in a column.
    """
    height, width, channels = tiles.shape[2:]
    # width and channels as one axis: TFLite transposes five axes in every precision
    x = tf.reshape(tiles, [-1, grid_size, grid_size, height, width * channels])
    x = tf.transpose(x, [0, 1, 3, 2, 4])
    return tf.reshape(x, [-1, grid_size * height, grid_size * width, channels])


def seams(tiles: tf.Tensor) -> tf.Tensor:
    """Returns how badly tiles match along their borders: the mean absolute difference of adjacent border pixels.

    Args:
        tiles: [batch, num, height, width, channels] in [0, 1].

    Returns:
        [batch, num, num, 4] in [0, 1]: of tile i with tile j to its right, to its left, below and above.
    """
    horizontal = _border_differences(tiles[:, :, :, -1], tiles[:, :, :, 0])
    vertical = _border_differences(tiles[:, :, -1], tiles[:, :, 0])
    reverse = [tf.transpose(each, [0, 2, 1]) for each in (horizontal, vertical)]
    return tf.stack([horizontal, reverse[0], vertical, reverse[1]], axis=3)


def _border_differences(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns differences [batch, num, num] between borders [batch, num, pixels, channels] of tiles i and j."""
    first, second = (tf.reshape(each, [-1, each.shape[1], each.shape[2] * each.shape[3]]) for each in (first, second))
    return tf.reduce_mean(tf.abs(first[:, :, None] - second[:, None]), axis=3)


def identical(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns 1 where tile i of the first set equals tile j of the second pixel by pixel, else 0.

    Args:
        first: [batch, num, height, width, channels].
        second: as `first`.

    Returns:
        float32 [batch, num, num].
    """
    flat = [
        tf.reshape(each, [-1, each.shape[1], each.shape[2] * each.shape[3] * each.shape[4]]) for each in (first, second)
    ]
    # one tile at a time: all pairs at once would need num times the memory of the images
    columns = [
        tf.reduce_max(tf.abs(flat[0] - flat[1][:, index : index + 1]), axis=2) for index in range(second.shape[1])
    ]
    return tf.cast(tf.stack(columns, axis=2) < IDENTICAL, tf.float32)
