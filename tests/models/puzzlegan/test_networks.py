"""Puzzle-GAN's networks: shapes at every scale, ranges, and dependence on their inputs."""

import numpy as np
import pytest

from keras_gen.models.puzzlegan.grid_networks import canvas_painter, tile_encoder, tile_placer
from keras_gen.models.puzzlegan.patch_networks import image_decoder, mask_decoder, part_encoder

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("shape, scales", [((8, 8, 1), [4]), ((32, 32, 3), [16, 8, 4]), ((32, 64, 3), [16, 8, 4])])
def test_features_and_masks_have_every_scale(shape, scales):
    encoder = part_encoder((5, 6, shape[2]), shape, base_filters=2, code_size=7)
    ratio = shape[1] // shape[0]
    assert [each.shape[1:] for each in encoder.outputs] == [
        *((side, ratio * side, 2 * 2**index) for index, side in enumerate(scales)), (7,)
    ]  # fmt: skip
    features = [each.shape[1:] for each in encoder.outputs]
    decoder = mask_decoder(features, base_filters=2)
    logits, *skips = [each.shape[1:] for each in decoder.outputs]
    assert logits == (*shape[:2], 1)
    assert [each[0] for each in skips] == [2 * side for side in reversed(scales)]
    without = mask_decoder(features, base_filters=2, head=False)
    assert [each.shape[1:] for each in without.outputs] == skips
    image = image_decoder(7, 3, skips, shape[2], base_filters=2)
    inputs = [GENERATOR.normal(size=(2, *each.shape[1:])).astype(np.float32) for each in image.inputs]
    output = image.predict(inputs, verbose=0)
    assert output.shape == (2, *shape) and output.min() >= 0 and output.max() <= 1


def test_image_decoder_depends_on_every_input():
    image = image_decoder(7, 3, [(8, 8, 4), (16, 16, 2)], 3, base_filters=2)
    inputs = [GENERATOR.normal(size=(1, *each.shape[1:])).astype(np.float32) for each in image.inputs]
    before = image.predict(inputs, verbose=0)
    for index in range(len(inputs)):
        changed = [each + (other == index) for other, each in enumerate(inputs)]
        assert np.abs(image.predict(changed, verbose=0) - before).max() > 1e-6, index


def test_a_missing_tile_has_no_effect_and_zero_scores():
    placer = tile_placer(4, 5, base_filters=6)
    embeddings = GENERATOR.normal(size=(1, 4, 5)).astype(np.float32)
    presence = np.float32([[1, 1, 0, 1]])
    seams = GENERATOR.random((1, 4, 4, 4), np.float32)
    scores = placer.predict([embeddings, presence, seams], verbose=0)
    assert scores.shape == (1, 4, 4) and (scores[0, 2] == 0).all()
    embeddings[0, 2] += 9
    seams[0, :, 2] += 9
    np.testing.assert_array_equal(placer.predict([embeddings, presence, seams], verbose=0), scores)
    embeddings[0, 0] += 1  # a present tile affects the others
    assert np.abs(placer.predict([embeddings, presence, seams], verbose=0)[0, 1] - scores[0, 1]).max() > 1e-4


def test_image_of_the_painter_depends_on_the_noise():
    painter = canvas_painter((12, 12, 3), 2, base_filters=2)
    canvas, coverage = GENERATOR.random((1, 12, 12, 3), np.float32), np.ones((1, 12, 12, 1), np.float32)
    one, other = (painter.predict([canvas, coverage, np.full((1, 2), z, np.float32)], verbose=0) for z in (0, 2))
    assert one.shape == (1, 12, 12, 3) and np.abs(one - other).max() > 1e-6
    assert tile_encoder((5, 7, 3), base_filters=2, size=6).output_shape == (None, 6)  # sizes that cannot be halved
