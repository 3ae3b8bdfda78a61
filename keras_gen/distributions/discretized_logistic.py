"""The logistic distribution over the 256 levels of an 8-bit channel."""

import math

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

LEVELS = 256


class DiscretizedLogistic(tfd.Distribution):
    """A logistic rounded to the levels k / 255, k = 0..255; the first and the last level include the tails.

    With F the logistic distribution function, the mass of an inner level is F(upper) - F(lower). With the logits
    a = (upper - loc) / scale and b = (lower - loc) / scale, it is

        log(F(a) - F(b)) = -softplus(-a) - softplus(b) + log(1 - exp(b - a)),

    which is exact and finite where the difference of two rounded sigmoids is 0.

    Args:
        loc: locations in the units of images in [0, 1], any shape.
        scale: scales > 0, same units and shape.
        validate_args: as in `tfp.distributions.Distribution`.
        allow_nan_stats: as in `tfp.distributions.Distribution`.
        name: name of the distribution.

    Reference:
        Salimans, Karpathy, Chen, Kingma 2017, PixelCNN++, arXiv:1701.05517, section 2.1.
    """

    def __init__(
        self,
        loc: tf.Tensor | float,
        scale: tf.Tensor | float,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "DiscretizedLogistic",
    ):
        parameters = dict(locals())
        with tf.name_scope(name) as name:
            self._loc = tf.convert_to_tensor(loc, name="loc")
            self._scale = tf.convert_to_tensor(scale, name="scale")
        super().__init__(
            dtype=self._loc.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=validate_args,
            allow_nan_stats=allow_nan_stats,
            parameters=parameters,
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {
            "loc": tfp.util.ParameterProperties(),
            "scale": tfp.util.ParameterProperties(
                default_constraining_bijector_fn=lambda: tfp.bijectors.Softplus(low=1e-6)
            ),
        }

    @property
    def loc(self) -> tf.Tensor:
        """Locations, in the units of images in [0, 1]."""
        return self._loc

    @property
    def scale(self) -> tf.Tensor:
        """Scales > 0, in the units of images in [0, 1]."""
        return self._scale

    def _event_shape(self):
        return tf.TensorShape([])

    def _event_shape_tensor(self):
        return tf.constant([], tf.int32)

    def _log_prob(self, value):
        half = 0.5 / (LEVELS - 1)
        inverse = 1.0 / self.scale
        upper = (value + half - self.loc) * inverse
        lower = (value - half - self.loc) * inverse
        width = inverse / (LEVELS - 1)
        log_below_upper = -tf.math.softplus(-upper)
        log_above_lower = -tf.math.softplus(lower)
        # expm1 keeps the digits of 1 - exp(-width) for a small width
        inner = log_below_upper + log_above_lower + tf.math.log(-tf.math.expm1(-width))
        return tf.where(value < half, log_below_upper, tf.where(value > 1.0 - half, log_above_lower, inner))

    def _sample_n(self, n, seed=None):
        shape = tf.concat([[n], self.batch_shape_tensor()], 0)
        seed = tfp.random.sanitize_seed(seed)
        logistic = tfd.Logistic(tf.zeros([], self.dtype), 1.0).sample(shape, seed=seed)
        return tf.round(tf.clip_by_value(self.loc + self.scale * logistic, 0.0, 1.0) * (LEVELS - 1)) / (LEVELS - 1)


def bits_per_dimension(nll: float, dimensions: int) -> float:
    """Returns a negative log-likelihood in nats per image as bits per dimension.

    Args:
        nll: -log p(x) in nats, of images with discrete levels.
        dimensions: height * width * channels.
    """
    return nll / (dimensions * math.log(2.0))
