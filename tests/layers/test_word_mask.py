"""WordMask is 1 for words and 0 for padding."""

import keras
import numpy as np

from keras_gen.layers import WordMask


def test_one_for_a_word_and_zero_for_padding():
    tokens = np.array([[5, 1, 0], [900, 0, 0]], np.int32)
    mask = WordMask()(tokens)
    np.testing.assert_array_equal(mask[..., 0], [[1, 1, 0], [1, 0, 0]])
    assert mask.shape == (2, 3, 1) == WordMask().compute_output_shape((2, 3))
    assert keras.backend.standardize_dtype(WordMask(dtype="mixed_bfloat16")(tokens).dtype) == "bfloat16"
