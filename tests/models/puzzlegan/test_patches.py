"""Puzzle-GAN: order and absence of patches, the four discriminator terms, decaying weights, restored images."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen import zoo
from keras_gen.models import BatchNoise, GlobalBatch
from keras_gen.models.puzzlegan.patches import sum_features

SHAPE = (8, 8, 3)
SETTINGS = {"base_filters": 4, "image_filters": 4, "discriminator_filters": 4, "code_size": 8, "latent_size": 2}
IMAGES = np.random.default_rng(0).random((5, *SHAPE)).astype(np.float32)


def build(**settings):
    return zoo.build("puzzlegan", SHAPE, seed=0, **{**SETTINGS, "max_patches": 4, "min_patches": 2, **settings})


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def patches(model):
    return model.endpoint_columns({"image": IMAGES})["patches"][:, :3]


class DoublingEncoder:
    """An encoder with exact features: twice the patch, and its sum."""

    def __call__(self, patches, training=False):
        return [2 * patches, tf.reduce_sum(patches, axis=[1, 2, 3])[:, None]]


def test_features_are_summed_over_present_patches():
    """Sums of small integers are exact in any order."""
    full = np.random.default_rng(0).integers(0, 9, (2, 4, 3, 3, 1)).astype(np.float32)
    presence = np.float32([[1, 1, 0, 1], [1, 0, 0, 0]])
    maps, codes = sum_features(DoublingEncoder(), full, presence)
    np.testing.assert_array_equal(maps[0], 2 * (full[0, 0] + full[0, 1] + full[0, 3]))
    np.testing.assert_array_equal(codes, [[full[0, [0, 1, 3]].sum()], [full[1, 0].sum()]])
    for order in ([3, 2, 1, 0], [1, 2, 3, 0], [2, 0, 3, 1]):
        again = sum_features(DoublingEncoder(), full[:, order], presence[:, order])
        for actual, expected in zip((maps, codes), again, strict=True):
            np.testing.assert_array_equal(actual, expected)


def test_order_of_patches_has_no_effect(model, patches):
    """Exactly with two patches, since a + b = b + a, and up to rounding with three."""
    actual, expected = model.restore(patches[:, :2], seed=1), model.restore(patches[:, 1::-1], seed=1)
    for name in ("image", "mask"):
        np.testing.assert_array_equal(actual[name], expected[name])
    actual = model.restore(patches, seed=1)
    for order in ([2, 0, 1], [1, 0, 2]):
        expected = model.restore(patches[:, order], seed=1)
        for name in ("image", "mask"):
            np.testing.assert_allclose(actual[name], expected[name], atol=1e-6)  # float32 sums in a different order
    other = model.restore(patches[::-1], seed=1)
    assert np.abs(actual["mask"] - other["mask"]).max() > 1e-4  # the image depends on the patches


def test_a_missing_patch_equals_fewer_patches(model, patches):
    presence = np.float32([[1, 0, 1]] * 5)
    with_two = model.restore(patches[:, [0, 2]], seed=1)
    without_one = model.restore(patches, presence, seed=1)
    for name in ("image", "mask"):
        np.testing.assert_allclose(with_two[name], without_one[name], atol=1e-6)


def test_seed_determines_the_noise(model, patches):
    actual, again, other = (model.restore(patches, seed=seed)["image"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(actual, again)
    assert np.abs(actual - other).max() > 1e-5


def test_composites_by_hand(model):
    inside = np.zeros((5, 8, 8, 1), np.float32)
    inside[:, :, :4] = 1
    shared = model.composites(tf.constant(IMAGES), tf.constant(inside), GlobalBatch(tf.constant(5)))
    other = np.roll(IMAGES, -1, axis=0)
    part, context = shared["swapped_part"].numpy(), shared["swapped_context"].numpy()
    np.testing.assert_array_equal(part[:, :, :4], other[:, :, :4])
    np.testing.assert_array_equal(part[:, :, 4:], IMAGES[:, :, 4:])
    np.testing.assert_array_equal(context[:, :, :4], IMAGES[:, :, :4])
    np.testing.assert_array_equal(context[:, :, 4:], other[:, :, 4:])


def run_generator(model, images):
    global_batch = GlobalBatch(tf.constant(len(images)))
    batch_noise = BatchNoise(tf.constant([1, 2]), global_batch)
    batch = {"image": tf.constant(images)}
    shared = model.shared_forward(batch, batch_noise, False)
    return batch, shared, batch_noise, global_batch


@pytest.mark.parametrize("count", [5, 1])
def test_discriminator_loss_has_four_terms(model, count):
    """Non-saturating loss by hand: softplus(-C(real)), and softplus(C) / 3 of each other kind."""
    batch, shared, batch_noise, global_batch = run_generator(model, IMAGES[:count])
    losses, _ = model.discriminator_loss(batch, shared, batch_noise, global_batch, False)
    kinds = ("generated", "swapped_part", "swapped_context") if count > 1 else ("generated",)
    expected = tf.nn.softplus(-model.discriminate(batch["image"], False))
    expected += sum(tf.nn.softplus(model.discriminate(shared[kind], False)) for kind in kinds) / len(kinds)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_weights_of_the_generator_loss_decay():
    model = build(half_life=10, min_weight=0.2, spatial_weight=3.0, appearance_weight=7.0, adversarial_weight=0.5)
    batch, shared, batch_noise, global_batch = run_generator(model, IMAGES)
    # 0.2 + 0.8 / 2^(steps / 10): the half-life is that of the distance to the minimum weight
    for steps, factor in ((0, 1.0), (10, (1 + 0.2) / 2), (20, 0.2 + 0.8 / 4), (30, 0.2 + 0.8 / 8), (10_000, 0.2)):
        model.train_steps.assign(steps)
        np.testing.assert_allclose(model.decay_factor(), factor, rtol=1e-5)
        losses, metrics = model.generator_loss(batch, shared, batch_noise, global_batch, False)
        adversarial = tf.nn.softplus(-model.discriminate(shared["generated"], False))
        guided = 3 * metrics["spatial_loss"] + 7 * metrics["appearance_loss"]
        np.testing.assert_allclose(losses, 0.5 * adversarial + factor * guided, rtol=1e-5)
    model = build(half_life=10, min_weight=0.0)
    model.train_steps.assign(10)
    assert model.decay_factor() == 0.5
    assert build(half_life=None).decay_factor() == 1


def test_boxes_of_the_batch_are_used():
    model = build(max_patches=3)
    boxes = np.tile(np.float32([[0, 0, 3 / 8, 3 / 8], [5 / 8, 5 / 8, 1, 1], [0, 0, 1, 1]]), (5, 1, 1))
    presence = np.float32([[1, 1, 0]] * 5)
    columns = model.endpoint_columns({"image": IMAGES, "boxes": boxes, "presence": presence})
    np.testing.assert_allclose(columns["patches"][:, 0], IMAGES[:, :3, :3], atol=1e-5)
    np.testing.assert_allclose(columns["patches"][:, 1], IMAGES[:, 5:, 5:], atol=1e-5)
    np.testing.assert_array_equal(columns["presence"], presence)
    batch = {"image": tf.constant(IMAGES), "boxes": tf.constant(boxes), "presence": tf.constant(presence)}
    global_batch = GlobalBatch(tf.constant(5))
    inside = model.shared_forward(batch, BatchNoise(tf.constant([1, 2]), global_batch), True)["inside"].numpy()[
        0, ..., 0
    ]
    assert inside.sum() == 18 and inside[:3, :3].all() and inside[5:, 5:].all()
    with pytest.raises(ValueError, match=r"Expected boxes \[batch, 3, 4\] .*max_patches=3"):
        model.boxes_of({**batch, "boxes": batch["boxes"][:, :2]})


def test_number_of_patches_in_training_is_random():
    model = build(num_patches=3, min_patches=1, max_patches=4)
    images = tf.constant(np.tile(IMAGES, (80, 1, 1, 1)))
    global_batch = GlobalBatch(tf.constant(400))
    _, presence = model.boxes_of({"image": images}, BatchNoise(tf.constant([3, 4]), global_batch))
    count = np.bincount(presence.numpy().sum(1).astype(int), minlength=5)
    # 100 of each are expected; four standard deviations of a binomial of 400 and 1/4 are 35
    assert count[0] == 0 and (np.abs(count[1:] - 100) < 35).all()
    assert (presence.numpy()[:, :-1] >= presence.numpy()[:, 1:]).all()  # the best boxes are first
    assert (model.boxes_of({"image": images})[1].numpy().sum(1) == 3).all()


def test_without_mask_there_are_no_masks():
    model = build(use_mask=False)
    assert list(model.endpoints()[0].outputs) == ["image"]
    assert "mask_iou" not in model.tracked and "spatial_loss" not in model.tracked
    history = model.fit(IMAGES, batch_size=5, verbose=0).history
    assert set(history) == set(model.tracked) and np.isfinite(list(history.values())).all()


def test_preview_images_are_source_patches_mask_and_image(model):
    (columns,) = model.preview_images({"image": IMAGES}).values()
    assert list(columns) == ["source", "patches", "mask", "restored"]
    assert all(column.shape == IMAGES.shape for column in columns.values())
    covered = columns["patches"] != 1
    np.testing.assert_allclose(columns["patches"][covered], IMAGES[covered], atol=1e-6)
    assert 0.2 < covered.mean() < 0.45  # three boxes of 3 x 3 cover at most 27 of 64 pixels


def test_errors():
    for settings, message in (
        ({"num_patches": 5}, "min_patches <= num_patches <= max_patches; received 2, 5 and 4"),
        ({"min_patches": 0}, "min_patches <= num_patches <= max_patches; received 0, 3 and 4"),
        ({"jitter": 0.7}, "Expected jitter as a fraction .* received 0.7"),
        ({"min_weight": 2}, "Expected min_weight as a fraction in"),
        ({"half_life": 0}, "Expected half_life as a number of steps > 0"),
        ({"spatial_weight": -1}, "Expected spatial_weight as a number >= 0"),
        ({"objective": "wasserstein"}, "Expected an objective without means over the batch"),
        ({"layout": "ring"}, "Expected layout as one of free, grid; received 'ring'"),
        ({"patch_size": 2}, "Expected patch_size as a fraction of the image's sides"),
    ):
        with pytest.raises(ValueError, match=message):
            build(**settings)


def test_invalid_patches(model, patches):
    with pytest.raises(ValueError, match=r"Expected patches \[num, 1 to 4, 3, 3, 3\]; received the shape"):
        model.restore(patches[:, :, :2])
    with pytest.raises(ValueError, match=r"Expected presence \(5, 3\)"):
        model.restore(patches, np.ones((5, 2)))
    with pytest.raises(ValueError, match="PuzzleGAN, which makes images from images: use its endpoints restore"):
        model.generate(1)


def test_problems_are_diagnosed(model):
    assert not model.diagnose({"discriminator_accuracy": 0.9})
    assert "right on 99.5%" in model.diagnose({"discriminator_accuracy": 0.995})["the discriminator wins"]
