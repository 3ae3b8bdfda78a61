"""A kernel that a layer computes from a free weight: what equalized and spectral layers share."""

import keras
import tensorflow as tf


class DerivedKernel:
    """A Keras layer whose `kernel` is a function of the stored weight; to be inherited before the layer.

    A subclass writes `derived`. The function is computed in float32, also where the layer computes in less, and its
    gradient reaches the stored weight, which is what is saved.
    """

    def derived(self, kernel: tf.Tensor) -> tf.Tensor:
        """The free weight, float32 -> the kernel, of the same shape."""
        raise NotImplementedError

    def add_weight(self, *args, name: str | None = None, **kwargs):
        if name == "kernel":
            kwargs["autocast"] = False
        return super().add_weight(*args, name=name, **kwargs)

    @property
    def kernel(self) -> tf.Tensor:
        """The derived kernel, in the layer's compute dtype."""
        if not self.built:
            raise AttributeError("You must build the layer before accessing `kernel`.")
        return tf.cast(self.derived(self.free_kernel), self.compute_dtype)

    @kernel.setter
    def kernel(self, variable):
        self._kernel = variable  # the layers that name their weight so themselves

    @property
    def free_kernel(self) -> tf.Tensor:
        """The stored weight, float32."""
        return tf.cast(tf.convert_to_tensor(self._kernel), tf.float32)

    def save_own_variables(self, store):
        # Keras's Dense and convolutions save `kernel` and `bias` by name: the derived kernel, and no further state
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)
