"""Key local patches: the most informative boxes of an image, their pixels, and the mask that they cover.

A box is (top, left, bottom, right) as fractions of the image's height and width, from 0 to 1.
"""

import tensorflow as tf

MAX_OVERLAP = 0.25  # intersection over union with a better box


def key_boxes(images: tf.Tensor, num: int, size: tuple[int, int], jitter: tf.Tensor | None = None) -> tf.Tensor:
    """Returns the boxes of a fixed size with the most gradient energy, after non-maximum suppression.

    The energy of a box is the sum of the squared differences of neighboring pixels inside it. The paper uses EdgeBoxes
    (Zitnick, Dollar 2014), which scores boxes of any size by the contours that lie wholly inside.

    Args:
        images: [batch, height, width, channels] in [0, 1].
        num: boxes per image, >= 1, the best first. If fewer boxes overlap little enough, the best one is repeated.
        size: (height, width) of a box in pixels.
        jitter: shift of each box in pixels, down and to the right, [batch, num, 2]; it is rounded, and clipped to keep
            the box inside the image.

    Returns:
        float32 [batch, num, 4].
    """
    height, width = images.shape[1:3]
    rows, columns = height - size[0] + 1, width - size[1] + 1
    # valid averages over the box: a score for every position inside the image
    scores = tf.nn.avg_pool2d(gradient_energy(images), size, strides=1, padding="VALID")
    scores = tf.reshape(scores, [-1, rows * columns])
    y = tf.cast(tf.repeat(tf.range(rows), columns), tf.float32)
    x = tf.cast(tf.tile(tf.range(columns), [rows]), tf.float32)
    corners, first = [], None
    for _ in range(num):
        best = tf.argmax(scores, axis=1, output_type=tf.int32)
        if first is None:
            first = best
        best = tf.where(tf.reduce_max(scores, axis=1) < 0, first, best)
        top, left = tf.gather(y, best), tf.gather(x, best)
        corners.append(tf.stack([top, left], axis=1))
        intersection = tf.maximum(size[0] - tf.abs(y[None] - top[:, None]), 0.0)
        intersection *= tf.maximum(size[1] - tf.abs(x[None] - left[:, None]), 0.0)
        overlap = intersection / (2.0 * size[0] * size[1] - intersection)
        scores = tf.where(overlap > MAX_OVERLAP, -1.0, scores)
    corner = tf.stack(corners, axis=1)
    if jitter is not None:
        corner = tf.clip_by_value(corner + tf.round(jitter), 0.0, [height - size[0], width - size[1]])
    corner = tf.concat([corner, corner + tf.constant(size, tf.float32)], axis=2)
    return tf.stop_gradient(corner / tf.constant([height, width, height, width], tf.float32))


def gradient_energy(images: tf.Tensor) -> tf.Tensor:
    """Returns the squared differences to the pixel below and the pixel to the right, summed over channels.

    Args:
        images: [batch, height, width, channels].

    Returns:
        [batch, height, width, 1], >= 0.
    """
    down = tf.pad(tf.square(images[:, 1:] - images[:, :-1]), [[0, 0], [0, 1], [0, 0], [0, 0]])
    right = tf.pad(tf.square(images[:, :, 1:] - images[:, :, :-1]), [[0, 0], [0, 0], [0, 1], [0, 0]])
    return tf.reduce_sum(down + right, axis=3, keepdims=True)


def extract_patches(images: tf.Tensor, boxes: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Returns the pixels of boxes, resized bilinearly; exact for boxes of `size` pixels with integer corners.

    Two matrix products, since XLA does not support `tf.image.crop_and_resize`.

    Args:
        images: [batch, height, width, channels].
        boxes: [batch, num, 4]; parts outside the image repeat its border.
        size: (height, width) of a patch in pixels.

    Returns:
        patches [batch, num, *size, channels].
    """
    down = _interpolation(boxes[..., 0], boxes[..., 2], images.shape[1], size[0])
    across = _interpolation(boxes[..., 1], boxes[..., 3], images.shape[2], size[1])
    return tf.einsum("bnph,bhwc,bnqw->bnpqc", down, images, across)


def box_mask(boxes: tf.Tensor, presence: tf.Tensor, image_size: tuple[int, int]) -> tf.Tensor:
    """Returns the fraction of each pixel that the present boxes cover, the maximum over boxes.

    Args:
        boxes: [batch, num, 4].
        presence: 1 for a present box, 0 for a missing one, [batch, num].
        image_size: (height, width) in pixels.

    Returns:
        float32 [batch, height, width, 1] in [0, 1].

    Example:
        >>> box_mask(tf.constant([[[0.0, 0.0, 0.5, 0.375]]]), tf.ones([1, 1]), (2, 4))[0, :, :, 0].numpy()
        array([[1. , 0.5, 0. , 0. ],
               [0. , 0. , 0. , 0. ]], dtype=float32)
    """
    down = _coverage(boxes[..., 0], boxes[..., 2], image_size[0])
    across = _coverage(boxes[..., 1], boxes[..., 3], image_size[1])
    each = presence[:, :, None, None] * down[:, :, :, None] * across[:, :, None, :]
    return tf.reduce_max(each, axis=1)[..., None]


def _interpolation(low: tf.Tensor, high: tf.Tensor, pixels: int, count: int) -> tf.Tensor:
    """Returns weights [batch, num, count, pixels] of `pixels` in `count` equally spaced samples from low to high."""
    steps = (tf.range(count, dtype=tf.float32) + 0.5) / count
    at = (low[..., None] + (high - low)[..., None] * steps) * pixels - 0.5  # 0 is the center of the first pixel
    at = tf.clip_by_value(at, 0.0, pixels - 1.0)
    return tf.maximum(1.0 - tf.abs(at[..., None] - tf.range(pixels, dtype=tf.float32)), 0.0)


def _coverage(low: tf.Tensor, high: tf.Tensor, pixels: int) -> tf.Tensor:
    """Returns the fraction of each of `pixels` that lies between low and high: [batch, num, pixels]."""
    edges = tf.range(pixels, dtype=tf.float32)
    right = tf.minimum(high[..., None] * pixels, edges + 1.0)
    return tf.clip_by_value(right - tf.maximum(low[..., None] * pixels, edges), 0.0, 1.0)
