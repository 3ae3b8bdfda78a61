"""The common base of layers that compute their kernel from a stored weight: equalized and spectral layers."""

from typing import Any

import keras
import tensorflow as tf


class DerivedKernel(keras.layers.Layer):
    """A base for Keras layers whose `kernel` is a function of the stored weight; inherit from it before the layer.

    A subclass implements `derive`. The function is computed in float32 at every compute dtype. Its gradient reaches
    the stored weight, which is what is saved.
    """

    _kernel: keras.Variable

    def derive(self, kernel: tf.Tensor) -> tf.Tensor:
        """Returns the kernel for the stored weight `kernel`, float32 of the same shape."""
        raise NotImplementedError

    def add_weight(self, *args: Any, name: str | None = None, **kwargs: Any) -> keras.Variable:
        if name == "kernel":
            kwargs["autocast"] = False
        return super().add_weight(*args, name=name, **kwargs)

    @property
    def kernel(self) -> tf.Tensor:
        """The derived kernel, in the layer's compute dtype."""
        if not self.built:
            raise AttributeError("You must build the layer before accessing `kernel`.")
        return tf.cast(self.derive(self.stored_kernel), self.compute_dtype)

    @kernel.setter
    def kernel(self, variable: keras.Variable):
        self._kernel = variable  # Keras's convolutions assign their weight to `kernel`

    @property
    def stored_kernel(self) -> tf.Tensor:
        """The stored weight, float32."""
        return tf.cast(tf.convert_to_tensor(self._kernel), tf.float32)

    def save_own_variables(self, store: Any):
        # Keras's Dense and convolutions would save `kernel` and `bias` by name: the derived kernel, and no other state
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any):
        keras.layers.Layer.load_own_variables(self, store)
