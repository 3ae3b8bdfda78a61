"""StarGAN's discriminator against the paper's table 5."""

import numpy as np
import pytest

from keras_gen.models.stargan.networks import stargan_discriminator


def test_layers_at_128_pixels_are_those_of_the_paper():
    network = stargan_discriminator((128, 128, 3), 5)
    channels = [3, 64, 128, 256, 512, 1024, 2048]
    down = sum(4 * 4 * a * b + b for a, b in zip(channels, channels[1:], strict=False))
    # the critic has no bias, which would have no gradient
    assert network.count_params() == down + 3 * 3 * 2048 + 2 * 2 * 2048 * 5 + 5
    assert [each.shape[1:] for each in network.outputs] == [(2, 2, 1), (5,)]


@pytest.mark.parametrize("shape, critic_size", [((48, 48, 3), (3, 3)), ((28, 28, 1), (7, 7)), ((64, 32, 1), (4, 2))])
def test_depth_depends_on_the_size(shape, critic_size):
    network = stargan_discriminator(shape, 4, base_filters=2)
    critic, logits = network(np.zeros((2, *shape), np.float32))
    assert critic.shape == (2, *critic_size, 1) and logits.shape == (2, 4)


def test_examples_are_independent():
    network = stargan_discriminator((8, 8, 1), 2, base_filters=4)
    images = np.random.default_rng(0).random((3, 8, 8, 1), np.float32)
    for together, alone in zip(network(images), network(images[1:2]), strict=True):
        np.testing.assert_allclose(together[1], alone[0], atol=1e-6)


def test_sizes_that_do_not_halve():
    with pytest.raises(ValueError, match="are even and at least 4"):
        stargan_discriminator((9, 8, 1), 2)
