"""The grid puzzle: permutations, missing and interchangeable tiles, assignment, and training."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_gen import zoo
from keras_gen.models import BatchNoise, GlobalBatch, PuzzleGrid
from keras_gen.runtime import puzzles

SHAPE = (12, 12, 3)
SETTINGS = {"base_filters": 4, "image_filters": 4, "discriminator_filters": 4, "code_size": 16, "latent_size": 2}
IMAGES = np.random.default_rng(0).random((6, *SHAPE)).astype(np.float32)


def build(shape=SHAPE, **settings):
    return zoo.build("puzzlegan", shape, seed=0, layout="grid", **{**SETTINGS, **settings})


@pytest.fixture(scope="module")
def model():
    return build()


def test_permuting_the_tiles_permutes_only_the_scores(model):
    tiles, presence, _ = model.shuffled(IMAGES, 2, seed=0)
    actual = model.restore(tiles, presence, seed=1)
    order = np.random.default_rng(1).permutation(9)
    expected = model.restore(tiles[:, order], presence[:, order], seed=1)
    # sums over nine tiles in a different order
    np.testing.assert_allclose(actual["scores"][:, order], expected["scores"], atol=1e-5)
    np.testing.assert_allclose(actual["image"], expected["image"], atol=1e-5)
    present = presence[:, order] > 0
    np.testing.assert_array_equal(actual["positions"][:, order][present], expected["positions"][present])


def test_pixels_of_a_missing_tile_are_ignored(model):
    tiles, presence, _ = model.shuffled(IMAGES, 2, seed=0)
    actual = model.restore(tiles, presence, seed=1)
    expected = model.restore(tiles + 1 - presence[:, :, None, None, None], presence, seed=1)
    fewer = model.restore(tiles[:, 2:], seed=1)  # the first two tiles are missing
    for name in ("image", "solved"):
        np.testing.assert_allclose(actual[name], expected[name], atol=1e-6)
        np.testing.assert_allclose(actual[name], fewer[name], atol=1e-5)
    assert (actual["scores"][:, :2] == 0).all()


def test_tiles_at_their_true_positions_are_the_image(model):
    tiles, presence, positions = model.shuffled(IMAGES, 0, seed=0)
    np.testing.assert_array_equal(model.assemble(tiles, presence, positions, 0 * IMAGES), IMAGES)
    tiles, presence, positions = model.shuffled(IMAGES, 3, seed=0)
    assembled = model.assemble(tiles, presence, positions, 2 + 0 * IMAGES)
    filled = assembled == 2
    np.testing.assert_array_equal(assembled[~filled], IMAGES[~filled])
    assert filled.mean() == 3 / 9


def test_confident_scores_put_the_tiles_on_the_canvas():
    """With scores of 50 at the true positions the canvas that the painter gets is the image itself."""
    model = build()
    tiles, presence, positions = model.shuffled(IMAGES, 0, seed=0)
    recorded = {}

    class Painter:
        def __call__(self, inputs, training=False):
            recorded["canvas"], recorded["coverage"], _ = inputs
            return inputs[0]

    def placer(inputs, training=False):
        return 50.0 * tf.one_hot(positions, 9)

    model.inference_network = {
        "tile_encoder": model.tile_encoder,
        "tile_placer": placer,
        "canvas_painter": Painter(),
    }.get
    model.forward(tiles, presence, np.zeros((6, 2), np.float32))
    np.testing.assert_allclose(recorded["canvas"], IMAGES, atol=1e-5)
    np.testing.assert_allclose(recorded["coverage"], 1, atol=1e-6)
    presence[:, 0] = 0
    model.forward(tiles, presence, np.zeros((6, 2), np.float32))
    coverage = recorded["coverage"].numpy()[0, ::4, ::4, 0].reshape(-1)
    np.testing.assert_allclose(coverage, np.arange(9) != positions[0, 0], atol=1e-6)


def test_only_the_encoder_receives_shuffled_channels():
    model = build()
    tiles, presence, positions = model.shuffled(IMAGES, 0, seed=0)
    recorded = {}

    def encoder(inputs, training=False):
        recorded["tiles"] = inputs.numpy().reshape(tiles.shape)
        return tf.zeros([len(inputs), 16])

    def painter(inputs, training=False):
        return inputs[0]

    placer = {"tile_placer": lambda inputs, training=False: 50.0 * tf.one_hot(positions, 9)}
    model.inference_network = {"tile_encoder": encoder, "canvas_painter": painter, **placer}.get
    orders = np.array([[2, 0, 1]] * 3 + [[0, 1, 2]] * 3)
    _, image = model.forward(tiles, presence, np.zeros((6, 2), np.float32), channel_order=tf.constant(orders))
    np.testing.assert_array_equal(recorded["tiles"][:3], tiles[:3][..., [2, 0, 1]])
    np.testing.assert_array_equal(recorded["tiles"][3:], tiles[3:])
    np.testing.assert_allclose(image, IMAGES, atol=1e-5)


def test_identical_tiles_are_interchangeable(model):
    """An image of one color: any position is right for every tile, and the loss is 0 (up to Sinkhorn's rounding)."""
    flat = np.full((4, *SHAPE), 0.5, np.float32)
    global_batch = GlobalBatch(tf.constant(4))
    shared = model.shared_forward({"image": tf.constant(flat)}, BatchNoise(tf.constant([1, 2]), global_batch), False)
    np.testing.assert_array_equal(shared["fits"], np.ones((4, 9, 9)))
    _, metrics = model.generator_loss({"image": tf.constant(flat)}, shared, None, global_batch, False)
    np.testing.assert_array_equal(metrics["tile_accuracy"], 1)
    np.testing.assert_allclose(metrics["spatial_loss"], 0, atol=0.05)


def test_fits_are_the_true_positions(model):
    global_batch = GlobalBatch(tf.constant(6))
    shared = model.shared_forward({"image": tf.constant(IMAGES)}, BatchNoise(tf.constant([1, 2]), global_batch), True)
    fits, presence = shared["fits"].numpy(), shared["presence"].numpy()
    assert (fits.sum(1) == 1).all() and (fits.sum(2) == 1).all()  # permutations
    # the mask covers the positions of the present tiles
    occupied = (fits * presence[:, :, None]).sum(1)
    np.testing.assert_array_equal(shared["inside"].numpy()[:, ::4, ::4, 0].reshape(6, 9), occupied)


def test_assignment_is_optimal():
    """Compared with all 120 permutations of five tiles; the runtime's solver with scipy's for up to 25 tiles."""
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(10, 5, 5))
    for positions, table in zip(PuzzleGrid.positions(scores), scores, strict=True):
        best = max(itertools.permutations(range(5)), key=lambda order: table[range(5), order].sum())
        assert tuple(positions) == best == tuple(puzzles.assign(table))
    for num in (1, 2, 9, 16, 25):
        scores = generator.normal(size=(20, num, num))
        np.testing.assert_array_equal(PuzzleGrid.positions(scores), [puzzles.assign(each) for each in scores])
        ties = generator.integers(0, 3, (20, num, num)).astype(float)
        totals = [[each[range(num), order].sum() for each, order in zip(ties, orders, strict=True)]
                  for orders in (PuzzleGrid.positions(ties), [puzzles.assign(each) for each in ties])]  # fmt: skip
        np.testing.assert_array_equal(*totals)
    with pytest.raises(ValueError, match="square matrix of finite scores"):
        puzzles.assign(np.full((2, 2), np.nan))


def test_it_learns_to_place_tiles():
    """The gray level of a tile determines its position: after 60 steps nearly all are right, and before hardly any."""
    model = build(ema=None, adversarial_weight=0.0)
    generator = np.random.default_rng(0)
    gray = np.linspace(0.05, 0.95, 9).reshape(1, 3, 3, 1).repeat(4, 1).repeat(4, 2)
    images = (gray + generator.uniform(-0.02, 0.02, (64, *SHAPE))).astype(np.float32)

    def num_correct():
        tiles, presence, positions = model.shuffled(images, 1, seed=3)
        return (model.restore(tiles, presence, seed=0)["positions"] == positions)[presence > 0].mean()

    assert num_correct() < 0.4  # 1/9 by chance
    model.compile("adam")
    model.optimizer.learning_rate = 3e-3
    model.fit(images, batch_size=16, epochs=15, verbose=0)
    assert num_correct() > 0.9


def test_errors():
    for settings, message in (
        ({"grid_size": 5}, "for 5 x 5 tiles; received 12x12: .*--image-size 40x40"),
        ({"max_missing": 9}, "Expected max_missing as an integer from 0 to 8; received 9"),
        ({"grid_size": 6}, "Expected grid_size as an integer from 2 to 5; received 6"),
    ):
        with pytest.raises(ValueError, match=message):
            build(**settings)
