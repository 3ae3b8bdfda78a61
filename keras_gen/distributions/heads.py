"""Heads: distributions over images that a decoder's output parameterizes."""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

from .discretized_logistic import DiscretizedLogistic

tfd = tfp.distributions

SCALE_FLOOR = 1e-3
# the scale of normal pixels: the default, and where a shared one starts
SCALE = 0.1
SHARED = "shared"
# the initial logits of a mixture's locations lie between -SPREAD and SPREAD
SPREAD = 3.0


@dataclasses.dataclass(frozen=True)
class Head:
    """A family of distributions over images [height, width, channels] in [0, 1].

    Attributes:
        name: name in the registry.
        support: the data for which it is a likelihood: `"binary"` pixels, `"8-bit"` levels k / 255, or
            `"continuous"` values (8-bit data then need uniform dequantization before a likelihood is reported).
        outputs: number of image channels -> number of channels of the decoder's output.
        distribution: decoder output [..., height, width, outputs] -> distribution over images; with a shared scale,
            (decoder output, logarithm of the scale) -> distribution.
        image: decoder output -> the image to display, float32 [..., height, width, channels] in [0, 1].
        initial_log_scale: for a scale that all pixels of all images share, the initial value of its logarithm, which
            is a weight of the model; None for a head without one.
    """

    name: str
    support: str
    outputs: Callable[[int], int]
    distribution: Callable[..., tfd.Distribution]
    image: Callable[[tf.Tensor], tf.Tensor]
    initial_log_scale: float | None = None


class _Pixel(tfd.Bernoulli):
    """A Bernoulli over 0 and 1 as floats whose log p computes one softplus: x * logit - softplus(logit).

    TFP's implementation computes two and takes 1.4 times as long on a decoder's output.
    """

    def _log_prob(self, event: tf.Tensor) -> tf.Tensor:
        return event * self.logits - tf.math.softplus(self.logits)


def bernoulli() -> Head:
    """Returns the head of independent Bernoulli pixels with logits from the decoder, a likelihood of binary images."""
    return Head(
        "bernoulli",
        "binary",
        outputs=lambda channels: channels,
        distribution=lambda logits: tfd.Independent(_Pixel(logits=logits, dtype=tf.float32), 3),
        image=tf.nn.sigmoid,
    )


def normal(scale: float | str | None = SCALE, squash: bool = True) -> Head:
    """Returns the head of independent normal pixels with a mean in [0, 1].

    With a shared scale s, -log p(x|z) = D log s + |x - mean|^2 / (2 s^2) + const for D pixels and channels. The best s
    is the root mean squared error of the reconstructions, so learning it balances reconstruction and KL term for any
    data, where a fixed scale must be tuned.

    Args:
        scale: standard deviation in pixel units, > 0; or `"shared"`, one learned weight for all pixels of all images,
            which starts at 0.1; or None, which learns one for every pixel (softplus of the second half of the decoder's
            channels). Learned scales have a floor of 0.001.
        squash: whether the mean passes through a sigmoid. Otherwise the mean is the decoder's output, as in the
            linear-Gaussian model (probabilistic PCA), and the displayed image is clipped to [0, 1].

    Raises:
        ValueError: for a scale that is neither > 0 nor one of these.

    Reference:
        Rybkin, Daniilidis, Levine 2021, Simple and Effective VAE Training with Calibrated Decoders, arXiv:2006.13202
        (shared scale).
    """
    if not (scale is None or scale == SHARED or (not isinstance(scale, str) and scale > 0)):
        raise ValueError(
            f"Expected scale > 0, {SHARED!r} (one learned scale) or None (one for each pixel) for the head 'normal'; "
            f"received {scale!r}"
        )

    mean_of = tf.nn.sigmoid if squash else tf.identity

    def distribution(parameters: tf.Tensor, log_scale: tf.Tensor | None = None) -> tfd.Distribution:
        if scale is None:
            mean, raw = tf.split(parameters, 2, axis=-1)
            return tfd.Independent(tfd.Normal(mean_of(mean), SCALE_FLOOR + tf.nn.softplus(raw - 2.0)), 3)
        if scale == SHARED:
            return tfd.Independent(tfd.Normal(mean_of(parameters), SCALE_FLOOR + tf.exp(log_scale)), 3)
        return tfd.Independent(tfd.Normal(mean_of(parameters), scale), 3)

    def image(parameters: tf.Tensor) -> tf.Tensor:
        mean = mean_of(parameters if scale is not None else tf.split(parameters, 2, axis=-1)[0])
        return mean if squash else tf.clip_by_value(mean, 0.0, 1.0)

    return Head(
        "normal",
        "continuous",
        outputs=lambda channels: channels if scale is not None else 2 * channels,
        distribution=distribution,
        image=image,
        initial_log_scale=math.log(SCALE) if scale == SHARED else None,
    )


def discretized_logistic_mixture(components: int = 3) -> Head:
    """Returns the head of a mixture of discretized logistics per pixel, a likelihood of 8-bit images, gray or color.

    The channels of a pixel share the mixture's weights; within a component they are independent (without
    PixelCNN++'s linear dependence between channels, so that an image is decoded in one pass).
    For each pixel the decoder outputs `components` logits, then raw locations, then raw scales [components, channels].
    A location is a sigmoid; at raw values of 0 the components are spread over [0, 1], which breaks their symmetry.

    Args:
        components: logistics in the mixture, >= 1.

    Raises:
        ValueError: for components < 1.

    Reference:
        Salimans, Karpathy, Chen, Kingma 2017, PixelCNN++, arXiv:1701.05517, eq. 2.
    """
    if components < 1:
        raise ValueError(f"Expected components >= 1 for the head 'discretized_logistic_mixture'; received {components}")
    initial_logits = [SPREAD * (2 * (i + 1) / (components + 1) - 1) for i in range(components)]

    def split(parameters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        channels = (parameters.shape[-1] // components - 1) // 2
        logits, loc, raw = tf.split(parameters, [components, components * channels, components * channels], axis=-1)
        shape = [*_leading_shape(parameters), components, channels]
        return (
            logits,
            tf.nn.sigmoid(tf.reshape(loc, shape) + tf.constant(initial_logits)[:, None]),
            tf.reshape(raw, shape),
        )

    def distribution(parameters: tf.Tensor) -> tfd.Distribution:
        logits, loc, raw = split(parameters)
        # softplus(raw - 2) starts at 0.13: every level has a gradient, and the components differ
        component = DiscretizedLogistic(loc, SCALE_FLOOR + tf.nn.softplus(raw - 2.0))
        pixels = tfd.MixtureSameFamily(tfd.Categorical(logits=logits), tfd.Independent(component, 1))
        return tfd.Independent(pixels, 2)

    def image(parameters: tf.Tensor) -> tf.Tensor:
        channels = (parameters.shape[-1] // components - 1) // 2
        weights = tf.nn.softmax(parameters[..., :components])
        initial_by_channel = tf.repeat(tf.constant(initial_logits), channels)
        loc = tf.nn.sigmoid(parameters[..., components : components * (1 + channels)] + initial_by_channel)
        # sums of slices instead of a reshape to rank 5, because TFLite's fast kernels support rank 4
        return tf.add_n(
            [weights[..., i : i + 1] * loc[..., i * channels : (i + 1) * channels] for i in range(components)]
        )

    return Head(
        "discretized_logistic_mixture",
        "8-bit",
        outputs=lambda channels: components * (1 + 2 * channels),
        distribution=distribution,
        image=image,
    )


HEADS = {
    "bernoulli": bernoulli,
    "normal": normal,
    "discretized_logistic_mixture": discretized_logistic_mixture,
}


def get(head: str | dict) -> Head:
    """Returns the head for a name, or for a dict with its `name` and arguments.

    Args:
        head: `"bernoulli"`, `"normal"`, `"discretized_logistic_mixture"`, or e.g.
            `{"name": "normal", "scale": "shared"}`.

    Raises:
        ValueError: for an unknown name or unknown arguments.
    """
    arguments = dict(head) if isinstance(head, dict) else {"name": head}
    name = arguments.pop("name", None)
    if name not in HEADS:
        raise ValueError(f"Expected head as one of {', '.join(HEADS)}, or a dict with such a 'name'; received {head!r}")
    try:
        return HEADS[name](**arguments)
    except TypeError as error:
        raise ValueError(f"Expected arguments of the head {name!r}; received {arguments}: {error}") from error


def _leading_shape(tensor: tf.Tensor) -> list:
    """Returns all dimensions but the last, static where they are known."""
    dynamic = tf.shape(tensor)
    return [dynamic[i] if size is None else size for i, size in enumerate(tensor.shape[:-1])]
