"""Which places of a row of tokens hold a word."""

import keras


@keras.saving.register_keras_serializable("keras_gen")
class WordMask(keras.layers.Layer):
    """Tokens, integers [batch, length] -> 1 where there is a word and 0 where a row is filled up: [batch, length, 1].

    Token 0 fills up, see `keras_gen.data.Tokenizer`. Multiplying features by the mask after every convolution makes
    them those of a sentence without its filling: the zeros are what a convolution pads with anyway.

    Example:
        >>> WordMask()(np.array([[5, 1, 0]])).numpy().ravel()
        array([1., 1., 0.], dtype=float32)
    """

    def call(self, tokens):
        # integers until here: a quantizer that saw float tokens would round them
        return keras.ops.expand_dims(keras.ops.cast(keras.ops.minimum(tokens, 1), self.compute_dtype), -1)

    def compute_output_shape(self, input_shape):
        return (*input_shape, 1)
