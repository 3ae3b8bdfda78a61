"""Spectral normalization of a kernel, with the gradient through its norm: what the spectral layers share."""

import keras
import tensorflow as tf

from .derived_kernel import DerivedKernel

# below it a norm counts as zero, and a vector or kernel is left as it is
SMALLEST_NORM = 1e-12


class SpectralNormalization(DerivedKernel):
    """Divides a Keras layer's kernel W by its largest singular value; to be inherited before the layer.

    W is the kernel as a matrix, one column per output channel (for a convolution not the norm of the operator on
    images). The state u (`singular_vector`), a unit vector over output channels, goes `power_iterations` steps towards
    W's first singular vector in every call with `training=True`; sigma = ||W u|| bounds the norm from below, and soon
    equals it. The gradient of sigma by W, at a constant u, is v u^T with v = W u / ||W u||: the second term of eq. 12.

    `kernel` is the normalized kernel. The stored weight is the free one.

    Reference:
        Miyato, Kataoka, Koyama, Yoshida 2018, Spectral Normalization for Generative Adversarial Networks,
        arXiv:1802.05957, eq. 8 to 12, algorithm 1.
    """

    output_axis = -1  # of the kernel

    def __init__(self, *args, power_iterations: int = 1, **kwargs):
        if not isinstance(power_iterations, int) or power_iterations < 1:
            raise ValueError(f"power_iterations must be an integer >= 1; received {power_iterations!r}")
        super().__init__(*args, **kwargs)
        self.power_iterations = power_iterations

    def build(self, input_shape):
        super().build(input_shape)
        # the same on all replicas: it follows from the kernel alone
        self.singular_vector = self.add_weight(
            name="singular_vector",
            shape=(self._kernel.shape[self.output_axis],),
            initializer=_random_direction,
            trainable=False,
            dtype="float32",
            autocast=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs, training: bool = False):
        if training:
            self._iterate()
        return super().call(inputs)

    def derived(self, kernel):
        return kernel / self._sigma(kernel)

    def sigma(self) -> tf.Tensor:
        """The estimate of the kernel's largest singular value, a float32 scalar."""
        return self._sigma(self.free_kernel)

    def _sigma(self, kernel: tf.Tensor) -> tf.Tensor:
        image = tf.linalg.matvec(self._matrix(kernel), tf.convert_to_tensor(self.singular_vector))
        square = tf.reduce_sum(tf.square(image))
        # a kernel of zeros has no direction: dividing by 1 leaves it, and its gradient, finite
        return tf.sqrt(tf.where(square > SMALLEST_NORM**2, square, 1.0))

    def _matrix(self, kernel: tf.Tensor) -> tf.Tensor:
        """The kernel as [inputs, outputs]."""
        if self.output_axis != -1:
            kernel = tf.experimental.numpy.moveaxis(kernel, self.output_axis, -1)
        return tf.reshape(kernel, [-1, kernel.shape[-1]])

    def _iterate(self):
        matrix = tf.stop_gradient(self._matrix(self.free_kernel))
        u = tf.convert_to_tensor(self.singular_vector)
        for _ in range(self.power_iterations):
            v = _unit(tf.linalg.matvec(matrix, u))
            u = _unit(tf.linalg.matvec(matrix, v, transpose_a=True), otherwise=u)
        self.singular_vector.assign(u)

    def get_config(self) -> dict:
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _random_direction(shape, dtype=None):
    return _unit(keras.initializers.RandomNormal()(shape, dtype=dtype))


def _unit(vector: tf.Tensor, otherwise: tf.Tensor | None = None) -> tf.Tensor:
    """The vector at length 1, or `otherwise` (by default itself) where it has none."""
    norm = tf.norm(vector)
    otherwise = vector if otherwise is None else otherwise
    return tf.where(norm > SMALLEST_NORM, vector / tf.maximum(norm, SMALLEST_NORM), otherwise)
