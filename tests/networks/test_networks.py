"""Networks: shapes at every size, depth that follows the size, float32 at the end."""

import keras
import numpy as np
import pytest

from keras_gen import networks

# height, width -> num_downsamples
SIZES = {
    (8, 8): 1, (28, 28): 2, (32, 32): 3, (48, 48): 3, (64, 64): 4, (128, 128): 5, (256, 256): 6,
    (32, 64): 3, (28, 32): 2
}  # fmt: skip
KINDS = {"conv": {"base_filters": 2, "dense_units": 4}, "mlp": {"hidden_units": (4,)}}


def pair(kind: str, shape, outputs: int, channels: int, **options):
    encoder = getattr(networks, f"{kind}_encoder")(shape, outputs, **KINDS[kind], **options)
    decoder = getattr(networks, f"{kind}_decoder")(3, (*shape[:2], channels), **KINDS[kind], **options)
    return encoder, decoder


@pytest.mark.parametrize("size, steps", SIZES.items(), ids=str)
def test_depth_depends_on_the_size(size, steps):
    assert networks.num_downsamples(*size) == steps
    encoder, decoder = pair("conv", (*size, 3), 6, 9)
    assert encoder.output_shape == (None, 6) and decoder.output_shape == (None, *size, 9)
    convolutions = [layer for layer in encoder.layers if isinstance(layer, keras.layers.Conv2D)]
    transposed = [layer for layer in decoder.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert len(convolutions) == len(transposed) == steps
    # channels double with every halving, up to 8 times the first number
    assert [layer.filters for layer in convolutions] == [2 * min(2**i, 8) for i in range(steps)]
    smallest = convolutions[-1].output.shape[1:3]
    assert smallest == (size[0] >> steps, size[1] >> steps) and min(smallest) >= 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_classes", [None, 5])
def test_networks_can_be_called(kind, num_classes):
    encoder, decoder = pair(kind, (8, 12, 3), 6, 4, num_classes=num_classes)
    images = np.random.default_rng(0).random((2, 8, 12, 3)).astype(np.float32)
    codes = np.ones((2, 3), np.float32)
    if not num_classes:
        assert encoder(images).shape == (2, 6) and decoder(codes).shape == (2, 8, 12, 4)
        return
    first, second = np.eye(5, dtype=np.float32)[[[0, 0], [1, 1]]]
    assert np.abs(encoder([images, first]) - encoder([images, second])).max() > 1e-4  # the label is used
    assert np.abs(decoder([codes, first]) - decoder([codes, second])).max() > 1e-5
    assert [each.name for each in encoder.inputs] == ["image", "label"]
    assert [each.name for each in decoder.inputs] == ["z", "label"]


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_are_float32_under_mixed_precision(kind):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder, decoder = pair(kind, (8, 8, 1), 6, 1)
    finally:
        keras.config.set_dtype_policy(policy)
    assert encoder.outputs[0].dtype == decoder.outputs[0].dtype == "float32"
    hidden = [layer for layer in encoder.layers if isinstance(layer, keras.layers.Dense)][0]
    assert hidden.compute_dtype == "bfloat16"


@pytest.mark.parametrize("kind", KINDS)
def test_batch_normalization_of_an_encoder(kind):
    """Every hidden layer is normalized before its activation: the features have mean 0 and variance 1 in a batch."""
    encoder = getattr(networks, f"{kind}_encoder")((8, 8, 1), 6, normalization="batch", **KINDS[kind])
    normalizations = [layer for layer in encoder.layers if isinstance(layer, keras.layers.BatchNormalization)]
    hidden = [layer for layer in encoder.layers if isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D))][:-1]
    assert len(normalizations) == len(hidden) == (2 if kind == "conv" else 1)
    assert not any(layer.use_bias for layer in hidden)
    features = keras.Model(encoder.inputs[0], [layer.output for layer in normalizations])
    images = 10 * np.random.default_rng(0).random((64, 8, 8, 1)).astype(np.float32)
    for feature in keras.tree.flatten(features(images, training=True)):
        axes = tuple(range(feature.ndim - 1))
        np.testing.assert_allclose(np.mean(feature, axes), 0, atol=1e-3)
        np.testing.assert_allclose(np.std(feature, axes), 1, atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_encoders_refuse_a_normalization_of_weights(kind):
    with pytest.raises(ValueError, match="Expected normalization as one of batch, layer, none; received 'spectral'"):
        getattr(networks, f"{kind}_encoder")((8, 8, 1), 6, normalization="spectral", **KINDS[kind])


@pytest.mark.parametrize("shape", [(27, 28, 1), (6, 6, 1), (33, 33, 3), (4, 4, 1)])
@pytest.mark.parametrize("build", [networks.conv_encoder, networks.conv_decoder])
def test_sizes_that_do_not_halve(build, shape):
    arguments = (shape, 4) if build is networks.conv_encoder else (4, shape)
    with pytest.raises(ValueError, match="halve to 4 or more .28, 32, 48, 64, ....; received .*mlp"):
        build(*arguments)


def test_image_shape_needs_channels():
    with pytest.raises(ValueError, match=r"Expected image_shape as \(height, width, channels\); received \(28, 28\)"):
        networks.conv_encoder((28, 28), 4)


def test_odd_sizes_are_for_the_mlp():
    encoder, decoder = pair("mlp", (5, 7, 2), 6, 2)
    assert encoder.output_shape == (None, 6) and decoder.output_shape == (None, 5, 7, 2)
