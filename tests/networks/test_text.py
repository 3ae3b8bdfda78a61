"""The text encoder: no effect of padding, effect of order, additivity of words; the networks of text to image."""

import keras
import numpy as np
import pytest

from keras_gen.models.text2image.networks import text2image_generator, text2image_head, text2image_trunk
from keras_gen.networks import text_encoder


def encoders(*lengths: int, **options) -> list[keras.Model]:
    """Returns encoders of the same weights for rows of several lengths."""
    keras.utils.set_random_seed(0)
    models = [text_encoder(9, length, 4, base_filters=6, **options) for length in lengths]
    biases = [w + 0.1 for w in models[0].get_weights()]  # without the mask, a bias would make padding nonzero
    for each in models:
        each.set_weights(biases)
    return models


@pytest.mark.parametrize("convolutions", [1, 2, 3])
def test_padding_has_no_effect(convolutions):
    short, long = encoders(3, 8, convolutions=convolutions)
    tokens = np.array([[2, 3, 4], [10, 1, 0], [5, 0, 0]], np.int32)
    longer = np.pad(tokens, [[0, 0], [0, 5]])
    # the same sums, in an order that may depend on the length
    np.testing.assert_allclose(short.predict(tokens, verbose=0), long.predict(longer, verbose=0), atol=1e-6)


def test_order_matters_within_a_kernel():
    (encoder,) = encoders(3)
    outputs = encoder.predict(np.array([[2, 3, 4], [3, 2, 4]], np.int32), verbose=0)
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3


def test_distant_words_are_additive():
    # the first and the last word have one neighbor each, so the effect of one does not depend on the other
    (encoder,) = encoders(4, convolutions=1)
    ends = [(2, 3), (4, 3), (2, 5), (4, 5)]
    a, b, c, d = encoder.predict(np.array([[first, 6, 7, last] for first, last in ends], np.int32), verbose=0)
    np.testing.assert_allclose(a - b, c - d, atol=1e-6)
    assert np.abs(a - b).max() > 1e-2 and np.abs(a - c).max() > 1e-2


def test_a_large_vocabulary_is_not_rounded_in_half_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        keras.utils.set_random_seed(0)
        encoder = text_encoder(3000, 1, 4)
    finally:
        keras.config.set_dtype_policy(policy)
    # bfloat16 has 8 bits: 2,001 and 2,002 would be the same number
    outputs = encoder.predict(np.array([[2001], [2002]], np.int32), verbose=0)
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01


def test_no_convolution_is_an_error():
    with pytest.raises(ValueError, match="Expected convolutions >= 1; received 0"):
        text_encoder(3, 3, 3, convolutions=0)


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 16, 3), (8, 8, 3)])
def test_shapes(shape, modulated):
    generator = text2image_generator(5, 7, shape, base_filters=2, text_units=3, modulated=modulated)
    assert [each.shape[1:] for each in generator.inputs] == [(5,), (7,)] and generator.output_shape[1:] == shape
    trunk = text2image_trunk(shape, base_filters=2)
    head = text2image_head(trunk.output_shape[1:], 7, text_units=3)
    assert head.output_shape == (None, 1)
    with pytest.raises(ValueError, match="Expected normalization 'none', 'layer' or 'batch'; received 'spectral'"):
        text2image_trunk(shape, base_filters=2, normalization="spectral")


@pytest.mark.parametrize("modulated", [False, True])
def test_generator_and_discriminator_depend_on_the_text(modulated):
    keras.utils.set_random_seed(0)
    generator = text2image_generator(3, 4, (8, 8, 1), base_filters=2, text_units=3, modulated=modulated)
    z, text = np.ones((2, 3), np.float32), np.array([[1, 0, 0, 0], [0, 3, 0, 0]], np.float32)
    images = generator.predict([z, text], verbose=0)
    assert np.abs(images[0] - images[1]).max() > 1e-6
    head = text2image_head((2, 2, 3), 4, text_units=3)
    logits = head.predict([np.ones((2, 2, 2, 3), np.float32), text], verbose=0)
    assert abs(logits[0, 0] - logits[1, 0]) > 1e-3


def test_a_modulated_generator_depends_on_the_text_at_every_resolution():
    keras.utils.set_random_seed(0)
    generator = text2image_generator(3, 4, (16, 16, 1), base_filters=2, modulated=True)
    # projection, then scale and shift at 4x4 and 8x8; the two hidden layers have noise and text as inputs
    dense = [layer for layer in generator.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.kernel.shape[0] for layer in dense] == [7] + 6 * [256]
    normalized = keras.Model(generator.inputs, [layer.output for layer in generator.layers
                                           if isinstance(layer, keras.layers.BatchNormalization)])  # fmt: skip
    assert [tuple(each.shape[1:3]) for each in normalized.outputs] == [(4, 4), (8, 8)]
    # with a scale of 0, the image depends only on the last shift
    z, text = np.ones((1, 3), np.float32), np.ones((1, 4), np.float32)
    before = generator.predict([z, text], verbose=0)
    scales = [layer for layer in dense if layer.bias is not None and float(layer.bias[0]) == 1]
    scales[-1].set_weights([0 * weight for weight in scales[-1].get_weights()])
    after = generator.predict([z, text], verbose=0)
    assert np.abs(before - after).max() > 1e-6
