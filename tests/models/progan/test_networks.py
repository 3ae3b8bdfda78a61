"""Growing networks: their stages, and the blend of two stages."""

import numpy as np
import pytest

from keras_gen.models.progan.networks import progressive_discriminator, progressive_generator, resolutions

SHAPE = (16, 16, 3)
OPTIONS = {"base_filters": 8, "full_width_resolution": 8}
Z = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
ALPHA = np.float32(0.25)


@pytest.mark.parametrize(
    ("shape", "start_resolution", "expected"),
    [
        ((32, 32, 3), None, [(4, 4), (8, 8), (16, 16), (32, 32)]),
        ((28, 28, 1), None, [(7, 7), (14, 14), (28, 28)]),
        ((48, 64, 3), 12, [(12, 16), (24, 32), (48, 64)]),
        ((8, 8, 1), 8, [(8, 8)]),
    ],
)
def test_resolutions(shape, start_resolution, expected):
    assert resolutions(shape, start_resolution) == expected


@pytest.mark.parametrize("size", [(30, 30), (100, 100), (64, 50), (3, 3)])
def test_sizes_that_cannot_grow_are_refused(size):
    with pytest.raises(ValueError, match=f"can grow by doubling.*received {size[0]}x{size[1]}.*--image-size 64"):
        resolutions((*size, 3))


def test_a_start_resolution_without_a_stage_is_refused():
    with pytest.raises(ValueError, match="Expected start_resolution of 16x16 images as one of 4, 8, 16; received 5"):
        resolutions(SHAPE, 5)


def test_stages_of_the_generator():
    generator = progressive_generator(5, SHAPE, **OPTIONS)
    assert [generator(Z, stage=stage).shape[1:] for stage in range(3)] == [(4, 4, 3), (8, 8, 3), (16, 16, 3)]
    current, previous = np.asarray(generator(Z, stage=2)), np.asarray(generator(Z, stage=1)).repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(generator(Z, stage=2, alpha=ALPHA), 0.25 * current + 0.75 * previous, atol=1e-6)
    assert generator.blocks[2].output_shape[-1] == 4  # half of base_filters above full_width_resolution


def test_stages_of_the_discriminator():
    discriminator = progressive_discriminator(SHAPE, group_size=2, **OPTIONS)
    images = np.random.default_rng(1).uniform(size=(4, *SHAPE)).astype(np.float32)
    small = images.reshape(4, 8, 2, 8, 2, 3).mean((2, 4))
    faded = [np.asarray(discriminator(images, stage=2, alpha=np.float32(alpha))) for alpha in (0, 1)]
    np.testing.assert_allclose(faded[0], discriminator(small, stage=1), atol=1e-5)
    np.testing.assert_allclose(faded[1], discriminator(images, stage=2), atol=1e-6)
    assert faded[0].shape == (4, 1)


def test_a_stage_uses_only_its_layers():
    generator = progressive_generator(5, SHAPE, **OPTIONS)
    names = [part.name for part in generator.parts(1, True)]
    assert names == ["generator_4x4", "generator_8x8", "to_image_4x4", "to_image_8x8"]
    assert [part.name for part in generator.parts(1)][2:] == ["to_image_8x8"]


def test_a_larger_start_resolution_gives_the_same_layers_in_fewer_stages():
    full, late = (progressive_generator(5, SHAPE, start_resolution=start, **OPTIONS) for start in (None, 16))
    assert late.stages == 1 and late(Z, stage=0).shape == (4, *SHAPE)
    assert full.count_params() - late.count_params() == sum(head.count_params() for head in full.heads[:-1])
    critic = progressive_discriminator(SHAPE, start_resolution=16, group_size=2, num_classes=3, **OPTIONS)
    assert critic([np.zeros((2, *SHAPE), np.float32), np.eye(3, dtype=np.float32)[:2]], stage=0).shape == (2, 1)


def test_both_networks_depend_on_the_class():
    generator = progressive_generator(5, SHAPE, num_classes=3, **OPTIONS)
    critic = progressive_discriminator(SHAPE, num_classes=3, group_size=2, **OPTIONS)
    labels = np.eye(3, dtype=np.float32)
    images = [np.asarray(generator([Z[:2], labels[[k, k]]], stage=1)) for k in (0, 1)]
    assert np.abs(images[0] - images[1]).max() > 1e-3
    logits = [np.asarray(critic([images[0], labels[[k, k]]], stage=1)) for k in (0, 1)]
    assert np.abs(logits[0] - logits[1]).max() > 1e-4
    for network in (generator, critic):
        copy = type(network).from_config(network.get_config())
        assert [v.shape for v in copy.variables] == [v.shape for v in network.variables]
