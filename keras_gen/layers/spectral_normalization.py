"""Spectral normalization of a kernel, with the gradient of its norm, which the spectral layers share."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from .derived_kernel import DerivedKernel

# a smaller norm counts as zero: the vector or kernel is then not divided
NORM_FLOOR = 1e-12


class SpectralNormalization(DerivedKernel):
    """Divides a Keras layer's kernel W by its largest singular value; inherit from it before the layer.

    W is the kernel as a matrix with one column per output channel (for a convolution, sigma is not the norm of the
    operator on images). The state u (`singular_vector`), a unit vector over output channels, takes `power_iterations`
    steps of the power iteration towards W's first singular vector in every call with `training=True`.
    sigma = ||W u|| is a lower bound of the norm and converges to it. The gradient of sigma with respect to W, at a
    constant u, is v u^T with v = W u / ||W u||: the second term of eq. 12.

    `kernel` is the normalized kernel; the stored weight is not normalized.

    Args:
        *args: positional arguments of the Keras layer.
        power_iterations: steps of the power iteration in every training call, >= 1.
        **kwargs: keyword arguments of the Keras layer.

    Raises:
        ValueError: for power_iterations that are not an integer >= 1.

    Reference:
        Miyato, Kataoka, Koyama, Yoshida 2018, Spectral Normalization for Generative Adversarial Networks,
        arXiv:1802.05957, eq. 8 to 12, algorithm 1.
    """

    output_axis = -1  # the axis of the stored weight that holds the output channels

    def __init__(self, *args: Any, power_iterations: int = 1, **kwargs: Any):
        if not isinstance(power_iterations, int) or power_iterations < 1:
            raise ValueError(f"Expected power_iterations as an integer >= 1; received {power_iterations!r}")
        super().__init__(*args, **kwargs)
        self.power_iterations = power_iterations

    def build(self, input_shape: Any):
        super().build(input_shape)
        # it depends on the kernel alone, so all replicas compute the same value
        self.singular_vector = self.add_weight(
            name="singular_vector",
            shape=(self._kernel.shape[self.output_axis],),
            initializer=_random_direction,
            trainable=False,
            dtype="float32",
            autocast=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if training:
            self._iterate()
        return super().call(inputs)

    def derive(self, kernel: tf.Tensor) -> tf.Tensor:
        return kernel / self._sigma(kernel)

    def sigma(self) -> tf.Tensor:
        """Returns the estimate of the stored weight's largest singular value, a float32 scalar."""
        return self._sigma(self.stored_kernel)

    def _sigma(self, kernel: tf.Tensor) -> tf.Tensor:
        product = tf.linalg.matvec(self._matrix(kernel), tf.convert_to_tensor(self.singular_vector))
        square = tf.reduce_sum(tf.square(product))
        # a zero kernel is divided by 1, which keeps it and its gradient finite
        return tf.sqrt(tf.where(square > NORM_FLOOR**2, square, 1.0))

    def _matrix(self, kernel: tf.Tensor) -> tf.Tensor:
        """Returns the kernel as a matrix [inputs, outputs]."""
        if self.output_axis != -1:
            kernel = tf.experimental.numpy.moveaxis(kernel, self.output_axis, -1)
        return tf.reshape(kernel, [-1, kernel.shape[-1]])

    def _iterate(self):
        matrix = tf.stop_gradient(self._matrix(self.stored_kernel))
        u = tf.convert_to_tensor(self.singular_vector)
        for _ in range(self.power_iterations):
            v = _unit(tf.linalg.matvec(matrix, u))
            u = _unit(tf.linalg.matvec(matrix, v, transpose_a=True), fallback=u)
        self.singular_vector.assign(u)

    def get_config(self) -> dict:
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _random_direction(shape: Sequence[int], dtype: Any = None) -> tf.Tensor:
    return _unit(keras.initializers.RandomNormal()(shape, dtype=dtype))


def _unit(vector: tf.Tensor, fallback: tf.Tensor | None = None) -> tf.Tensor:
    """Returns the vector scaled to norm 1, or `fallback` (by default the vector itself) if its norm is 0."""
    norm = tf.norm(vector)
    fallback = vector if fallback is None else fallback
    return tf.where(norm > NORM_FLOOR, vector / tf.maximum(norm, NORM_FLOOR), fallback)
