"""A layer that marks the tokens that are words."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gen")
class WordMask(keras.layers.Layer):
    """Tokens, integers [batch, length] -> 1 for a word and 0 for padding, [batch, length, 1].

    Token 0 is padding, see `keras_gen.data.Tokenizer`. Features that are multiplied by the mask after every
    convolution equal those of the sentence without padding, because convolutions pad with zeros as well.

    Example:
        >>> WordMask()(np.array([[5, 1, 0]])).numpy().ravel()
        array([1., 1., 0.], dtype=float32)
    """

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        # integers until the cast: a quantizer would round float tokens
        return keras.ops.expand_dims(keras.ops.cast(keras.ops.minimum(tokens, 1), self.compute_dtype), -1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape, 1)
