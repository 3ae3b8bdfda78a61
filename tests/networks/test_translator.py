"""The residual translator against the papers' tables, at several sizes, and with attributes."""

import numpy as np
import pytest

from keras_gen.networks import residual_translator


def test_parameters_of_the_paper():
    # convolutions without bias except the last, and two parameters per normalized channel
    ends = 7 * 7 * 3 * 64 + 7 * 7 * 64 * 3 + 3
    down = 3 * 3 * (64 * 128 + 128 * 256)
    blocks = 6 * 2 * 3 * 3 * 256 * 256
    up = 4 * 4 * (256 * 128 + 128 * 64)
    normalized = 2 * (64 + 128 + 256 + 6 * 2 * 256 + 128 + 64)
    assert residual_translator((128, 128, 3)).count_params() == ends + down + blocks + up + normalized
    # attributes are planes; their convolution has a bias instead of the two parameters of a normalization
    conditional = residual_translator((128, 128, 3), num_attributes=5, padding="zero")
    assert conditional.count_params() == ends + down + blocks + up + normalized + 7 * 7 * 5 * 64 - 64
    # 3 and 4 are the kernels of CycleGAN and StarGAN, in both directions
    other = residual_translator((128, 128, 3), down_kernel=4, up_kernel=3)
    assert other.count_params() == ends + blocks + normalized + down * 16 // 9 + up * 9 // 16


@pytest.mark.parametrize("padding", ["reflect", "zero"])
@pytest.mark.parametrize("num_downsamples, shape", [(0, (5, 7, 1)), (1, (6, 10, 1)), (2, (12, 20, 3))])
def test_outputs_have_the_input_size_and_the_unit_range(padding, num_downsamples, shape):
    network = residual_translator(shape, 2, base_filters=2, blocks=1, num_downsamples=num_downsamples, padding=padding)
    image = np.random.default_rng(0).random((3, *shape), np.float32)
    outputs = network.predict(image, verbose=0)
    assert outputs.shape == (3, *shape[:2], 2) and outputs.dtype == np.float32
    assert outputs.min() >= 0 and outputs.max() <= 1


def test_images_of_any_size():
    network = residual_translator((None, None, 1), base_filters=2, blocks=1)
    for shape in ((12, 12), (16, 24)):
        assert network(np.zeros((1, *shape, 1), np.float32)).shape == (1, *shape, 1)


def test_a_constant_image_stays_constant_under_reflection():
    # reflection keeps it constant, and zero padding does not
    image, shape = np.full((1, 12, 12, 1), 0.3, np.float32), (12, 12, 1)
    reflected, zero_padded = (
        residual_translator(shape, base_filters=2, blocks=1, num_downsamples=0, padding=padding)(image).numpy()
        for padding in ("reflect", "zero")
    )
    assert np.ptp(reflected) < 1e-6  # the same sums in different orders
    assert np.ptp(zero_padded) > 1e-4


def test_each_image_depends_on_its_attributes():
    network = residual_translator((12, 12, 1), base_filters=4, blocks=1, num_attributes=3, padding="zero")
    image = np.repeat(np.random.default_rng(0).random((1, 12, 12, 1), np.float32), 3, 0)
    outputs = network([image, np.eye(3, dtype=np.float32)]).numpy()
    assert min(np.abs(outputs[i] - outputs[j]).max() for i, j in ((0, 1), (0, 2), (1, 2))) > 1e-4
    single = network([image[:1], np.eye(3, dtype=np.float32)[1:2]]).numpy()
    np.testing.assert_allclose(single[0], outputs[1], atol=1e-6)  # instance normalization: rows are independent


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"padding": "edge"}, "Expected padding as one of reflect, zero; received 'edge'"),
        ({"image_shape": (14, 12, 3)}, "multiples of 4 and at least 12"),
        ({"image_shape": (8, 12, 3)}, "multiples of 4 and at least 12"),
        ({"image_shape": (12, 12, 3), "num_downsamples": 3}, "multiples of 8 and at least 24"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        residual_translator(**{"image_shape": (12, 12, 3), **arguments})


def test_attributes_act_away_from_the_borders():
    """Constant planes survive the normalization, and not only because of padding."""
    network = residual_translator(
        (32, 32, 1), base_filters=8, blocks=0, num_downsamples=0, num_attributes=2, padding="reflect"
    )
    image = np.repeat(np.random.default_rng(0).random((1, 32, 32, 1), np.float32), 2, 0)
    outputs = network([image, np.eye(2, dtype=np.float32)]).numpy()[:, 12:20, 12:20]
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-4


def test_a_residual_network_starts_near_the_identity():
    network = residual_translator((12, 12, 3), base_filters=8, blocks=1, residual=True)
    image = np.random.default_rng(0).random((4, 12, 12, 3), np.float32)
    outputs = network(image).numpy()
    assert np.abs(outputs - image).mean() < 0.1 and outputs.min() >= 0 and outputs.max() <= 1
    assert np.abs(outputs - image).max() > 1e-4
    # the last convolution outputs the change: with zero weights it is 0
    last = [layer for layer in network.layers if layer.weights][-1]
    last.set_weights([np.zeros_like(weight) for weight in last.get_weights()])
    np.testing.assert_array_equal(network(image), image)
    with pytest.raises(ValueError, match="Expected channels=3 for residual=True; received channels=1"):
        residual_translator((12, 12, 3), 1, residual=True)


def test_attributes_can_modulate_every_normalization():
    options = {"base_filters": 4, "blocks": 1, "num_downsamples": 1, "num_attributes": 3}
    network = residual_translator((12, 12, 1), conditioning="normalization", **options)
    plain = residual_translator((12, 12, 1), **{**options, "num_attributes": 0})
    # scale and shift of 4 (7x7), 8 (down), 8 and 8 (block) and 4 (up) channels: linear in 3 attributes
    assert network.count_params() == plain.count_params() + 3 * 2 * (4 + 8 + 8 + 8 + 4)
    image = np.random.default_rng(0).random((2, 12, 12, 1), np.float32)
    rows = [network([image, np.tile(row, (2, 1))]).numpy() for row in np.eye(3, dtype=np.float32)]
    assert np.abs(rows[0] - rows[1])[:, 6, 6].min() > 1e-6  # also in the center, which padding does not affect
    # no attribute at all: the scales are 1 and the shifts 0, as in an unconditional network of the same convolutions
    convolutions = [layer for layer in network.layers if "conv2d" in layer.name]
    for target, source in zip([layer for layer in plain.layers if "conv2d" in layer.name], convolutions, strict=True):
        target.set_weights(source.get_weights())
    np.testing.assert_allclose(network([image, np.zeros((2, 3))]), plain(image), atol=1e-6)
    with pytest.raises(ValueError, match="Expected conditioning as one of planes, normalization; received 'bias'"):
        residual_translator((12, 12, 1), conditioning="bias", **options)
