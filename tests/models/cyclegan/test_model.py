"""CycleGAN: its losses computed by hand, players, crops, domains of different shapes, errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import networks
from keras_gen.models import BatchNoise, CycleGAN, GlobalBatch
from keras_gen.models.cyclegan.networks import patch_discriminator, resized
from keras_gen.models.cyclegan.random_crop import crop_images

SHAPE = (4, 4, 1)


def affine(slope: float, shape=SHAPE, channels: int = 1, name: str = "generator") -> keras.Model:
    """Returns a network that multiplies the pixels by a number."""
    conv = keras.layers.Conv2D(channels, 1, use_bias=False)
    model = keras.Sequential([keras.Input(shape), conv], name=name)
    conv.kernel.assign(np.full((1, 1, shape[-1], channels), slope))
    return model


def discriminator(slope: float, shape=SHAPE) -> keras.Model:
    """Returns a network from images to a map of logits: the pixels times a number."""
    return affine(slope, shape, name="discriminator")


def cyclegan(**options) -> CycleGAN:
    model = CycleGAN(affine(0.5), affine(0.25), discriminator(1.0), discriminator(2.0), **{"seed": 0, **options})
    model.compile(keras.optimizers.SGD(0.0))
    return model


def batch(a: float = 0.8, b: float = 0.4, rows: int = 2, shape=SHAPE) -> dict:
    return {f"domain_{name}": tf.fill((rows, *shape), tf.constant(value)) for name, value in (("a", a), ("b", b))}


def losses_of(model, batch, training: bool = False, seed: int = 0) -> tuple[dict, dict]:
    """Returns the loss of each player (name -> [rows]) and all metrics (name -> [rows])."""
    global_batch = GlobalBatch(tf.shape(batch["domain_a"])[0])
    batch_noise = BatchNoise(tf.constant([seed, 1]), global_batch)
    shared, losses, logs = model.shared_forward(batch, batch_noise, training), {}, {}
    for player in model.players():
        rows, more = player.loss(batch, shared, batch_noise, global_batch, training)
        losses[player.name], logs = rows.numpy(), logs | {name: value.numpy() for name, value in more.items()}
    return losses, logs


def test_losses_are_those_of_the_docstring():
    """a = .8 is translated to .4, with the cycle .1; b = .4 to .1, with the cycle .05; both identities are .2."""
    losses, logs = losses_of(cyclegan(cycle_weight=10.0, identity_weight=5.0), batch())
    adversarial = ((2 * 0.4 - 1) ** 2 + (0.1 - 1) ** 2) / 2
    cycle, identity = abs(0.1 - 0.8) + abs(0.05 - 0.4), abs(0.2 - 0.4) + abs(0.2 - 0.8)
    np.testing.assert_allclose(losses["generators"], [adversarial + 10 * cycle + 5 * identity] * 2, rtol=1e-5)
    # targets 1 for real images and 0 for translations; half of the sum
    np.testing.assert_allclose(losses["discriminator_a"], [((0.8 - 1) ** 2 + 0.1**2) / 2] * 2, rtol=1e-5)
    np.testing.assert_allclose(losses["discriminator_b"], [((2 * 0.4 - 1) ** 2 + (2 * 0.4) ** 2) / 2] * 2, rtol=1e-5)
    np.testing.assert_allclose(logs["adversarial_loss"], [adversarial / 2] * 2, rtol=1e-5)
    np.testing.assert_allclose(logs["cycle_error"], [cycle / 2] * 2, rtol=1e-5)
    np.testing.assert_allclose(logs["identity_error"], [identity / 2] * 2, rtol=1e-5)
    # with the boundary 1/2, .8 and .1 are correct in a; in b the real .8 is correct and the translated .8 is not
    assert (
        logs["discriminator_a_accuracy"].tolist() == [1, 1] and logs["discriminator_b_accuracy"].tolist() == [0.5] * 2
    )


@pytest.mark.parametrize(
    "off, missing", [("cycle_weight", 7 + 3.5), ("identity_weight", 1 + 3), ("adversarial_weight", 0.02 + 0.405)]
)
def test_each_loss_term_can_be_disabled(off, missing):
    full, without = cyclegan(), cyclegan(**{off: 0.0})
    losses, logs = losses_of(full, batch())
    other, other_logs = losses_of(without, batch())
    np.testing.assert_allclose(losses["generators"] - other["generators"], missing, rtol=1e-4)
    # the cycle error is reported even if it is not in the loss
    np.testing.assert_allclose(other_logs["cycle_error"], logs["cycle_error"], rtol=1e-5)
    assert ("identity_error" in other_logs) == (off != "identity_weight")
    assert set(without.tracked) >= set(other_logs) and set(full.tracked) >= set(logs)


def test_semantic_consistency_compares_predictions_before_and_after():
    classifier = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(2)])
    # logits (s, 1) with the sum s over 16 pixels: class 0 if pixels are above 1/16
    classifier.set_weights([np.stack([np.ones(16), np.zeros(16)], axis=1), np.array([0.0, 1.0])])
    plain, _ = losses_of(cyclegan(), batch())

    def entropy(value: float) -> float:
        """Returns -log softmax of class 0."""
        return float(np.log1p(np.exp(1 - 16 * value)))

    cases = {"both": entropy(0.4) + entropy(0.1), "source": entropy(0.4)}
    for semantics, expected in cases.items():
        model = cyclegan(classifier=classifier, semantics=semantics, semantic_weight=3.0)
        losses, logs = losses_of(model, batch())
        np.testing.assert_allclose(losses["generators"] - plain["generators"], 3 * expected, rtol=1e-4)
        assert logs["semantic_agreement"].tolist() == [1, 1]
    other = cyclegan(classifier=classifier, semantics="source", source="b")
    # b becomes .05, which is class 1 now
    losses, logs = losses_of(other, batch(b=0.2))
    assert logs["semantic_agreement"].tolist() == [0, 0]
    model = cyclegan(classifier=classifier)
    trained = {id(v) for player in model.players() for v in player.variables}
    assert not classifier.trainable_variables and not trained & {id(v) for v in classifier.variables}


def test_discriminators_are_trained_on_earlier_translations():
    model = cyclegan(pool_size=2)
    losses_of(model, batch(), training=True)
    pool = model.pools["b"]
    np.testing.assert_allclose(pool.images, np.full((2, *SHAPE), 0.4), rtol=1e-6)
    # images alternate between 1 and 0; the discriminator receives their translations, .5 and 0, at once or later
    losses = [losses_of(model, batch(a=step % 2), True, seed=step)[0]["discriminator_b"] for step in range(40)]
    real, first, second = (2 * 0.4 - 1) ** 2, 0.0, (2 * 0.5) ** 2
    generated_terms = np.array(losses[5:])[:, :, None] * 2 - real
    which = np.abs(generated_terms - [first, second]).argmin(axis=-1)
    assert np.abs(generated_terms - [first, second]).min(axis=-1).max() < 1e-5  # only these two values
    latest = np.arange(5, 40)[:, None] % 2
    # half of the images are exchanged, and half of those for the other value: a quarter of 70, +- two times 3.6
    assert 8 <= (which != latest).sum() <= 27
    pool_images = np.asarray(model.pools["b"].images)
    model.evaluate(tf.data.Dataset.from_tensors(batch()), verbose=0)
    np.testing.assert_array_equal(pool_images, model.pools["b"].images)  # evaluation does not change the pool


def test_players_are_both_generators_and_each_discriminator():
    model = cyclegan(pool_size=0)
    players = {player.name: player.variables for player in model.players()}
    assert list(players) == ["generators", "discriminator_a", "discriminator_b"]
    assert [len(each) for each in players.values()] == [2, 1, 1] and not model.pools


def test_domains_of_different_shapes():
    a, b = (8, 8, 1), (12, 12, 3)
    generator_ab = resized(
        networks.residual_translator((12, 12, 1), 3, base_filters=2, blocks=1, num_downsamples=1), a[:2]
    )
    generator_ba = resized(
        networks.residual_translator((8, 8, 3), 1, base_filters=2, blocks=1, num_downsamples=1), b[:2]
    )
    discriminators = [patch_discriminator(shape, base_filters=2, num_downsamples=1) for shape in (a, b)]
    model = CycleGAN(generator_ab, generator_ba, *discriminators, seed=0)
    assert "identity_error" not in model.tracked
    model.compile(keras.optimizers.Adam(1e-3))
    generator = np.random.default_rng(0)
    images = {"domain_a": generator.random((4, *a), np.float32), "domain_b": generator.random((4, *b), np.float32)}
    history = model.fit(tf.data.Dataset.from_tensor_slices(images).batch(2), verbose=0).history
    assert set(history) == set(model.tracked) and np.isfinite(list(history.values())).all()
    assert model.a_to_b(images["domain_a"]).shape == (4, *b) and model.b_to_a(images["domain_b"]).shape == (4, *a)
    panels = model.preview_images(images)
    assert {title: [each.shape[1:] for each in columns.values()] for title, columns in panels.items()} == {
        "A to B": [a, b, a], "B to A": [b, a, b]
    }  # fmt: skip
    first, second = model.endpoints()
    assert first.inputs["domain_a"].shape == second.outputs["domain_a"].shape == a
    assert first.outputs["domain_b"].shape == second.inputs["domain_b"].shape == b


def test_training_on_crops_and_translation_of_whole_images(tmp_path):
    generators = [
        networks.residual_translator((None, None, 1), base_filters=2, blocks=1, num_downsamples=1, name=name)
        for name in ("generator_ab", "generator_ba")
    ]
    discriminators = [patch_discriminator((8, 8, 1), base_filters=2, num_downsamples=1) for _ in "ab"]
    model = CycleGAN(*generators, *discriminators, crop=(8, 8), size=(12, 16), pool_size=4, seed=0)
    model.compile(keras.optimizers.Adam(1e-3))
    images = np.random.default_rng(0).random((4, 12, 16, 1), np.float32)
    data = tf.data.Dataset.from_tensors({"domain_a": images, "domain_b": 1 - images})
    assert np.isfinite(list(model.fit(data, verbose=0).history.values())).all()
    assert model.pools["a"].images.shape == (4, 8, 8, 1)
    for shape in ((12, 16), (20, 6), (64, 64)):
        assert model.a_to_b(np.zeros((1, *shape, 1), np.float32)).shape == (1, *shape, 1)
    assert model.endpoints()[0].inputs["domain_a"].shape == (12, 16, 1)
    with pytest.raises(ValueError, match="received 9x12, whose translation would have 10x12"):
        model.a_to_b(np.zeros((1, 9, 12, 1), np.float32))
    model.export_size = (20, 23)
    with pytest.raises(ValueError, match="received 20x23, whose translation would have 20x24"):
        model.endpoints()
    model.export_size = (20, 24)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.endpoints()[1].outputs["domain_a"].shape == (20, 24, 1) and loaded.crop == (8, 8)
    np.testing.assert_array_equal(loaded.a_to_b(images), model.a_to_b(images))
    np.testing.assert_array_equal(loaded.pools["a"].images, model.pools["a"].images)


def test_crops_follow_the_offsets():
    images = tf.reshape(tf.range(2 * 3 * 4, dtype=tf.float32), (2, 3, 4, 1))
    offsets = tf.constant([[0.0, 0.99], [0.5, 0.0]])
    crops = crop_images(images, (2, 2), offsets)[..., 0]
    # 1 and 2 pixels of room: starts (0, 2) and (1, 0)
    np.testing.assert_array_equal(crops, [[[2, 3], [6, 7]], [[16, 17], [20, 21]]])
    np.testing.assert_array_equal(crop_images(images, (1, 2))[0, ..., 0], [[5, 6]])  # the center
    many = crop_images(tf.repeat(images[:1], 3000, axis=0), (3, 2), tf.random.stateless_uniform((3000, 2), [1, 2]))
    counts = np.bincount(many[:, 0, 0, 0].numpy().astype(int), minlength=3)
    assert np.abs(counts - 1000).max() < 130  # the standard error is 26


def test_errors():
    good = affine(0.5), affine(0.25), discriminator(1.0), discriminator(2.0)
    color = affine(0.5, (4, 4, 1), 3)
    free = [affine(0.5, (None, None, 1)) for _ in "ab"]
    for networks_, options, message in (
        (
            (color, *good[1:]),
            {},
            r"images of domain B; received one with outputs \(4, 4, 3\) and one with inputs \(4, 4, 1\)",
        ),
        ((*good[:2], discriminator(1.0, (8, 8, 1)), good[3]), {}, r"Expected discriminator_a from images \(4, 4, 1\)"),
        (good, {"cycle_weight": -1}, "Expected cycle_weight as a number >= 0; received -1"),
        (good, {"pool_size": -1}, "Expected pool_size as an integer >= 0"),
        (good, {"source": "c"}, "Expected source as 'a' or 'b', .*; received 'c'"),
        (good, {"semantics": "all"}, "Expected semantics as one of both, source; received 'all'"),
        (good, {"objective": "wasserstein"}, "Expected an objective without means over the batch"),
        (good, {"objective": "nonsense"}, "objective.*nonsense"),
        (good, {"crop": (2, 2)}, r"two generators of images \(None, None, channels\) for crop"),
        (good, {"classifier": discriminator(1.0, (8, 8, 1))}, "Expected a classifier .* in domain A"),
        ((*free, *good[2:]), {}, "Expected size="),
        ((*free, *good[2:]), {"size": (4, 4), "crop": (8, 8)}, "Expected crop of at most the size of the images"),
        ((*free, *good[2:]), {"size": (4, 0)}, r"Expected size as \(height, width\) in pixels; received \(4, 0\)"),
    ):
        with pytest.raises(ValueError, match=message):
            CycleGAN(*networks_, **options)
    model = cyclegan()
    for call, message in (
        (lambda: model.a_to_b(np.zeros((1, 5, 4, 1), np.float32)), r"domain A \[num, 4, 4, 1\]; received \(1, 5, 4"),
        (lambda: model.b_to_a(np.zeros((1, 4, 4, 1), np.uint8)), "divide by 255"),
        (lambda: model.generate(1), "makes images from images: use its endpoints a_to_b, b_to_a"),
        (lambda: model.fit({"domain_a": np.zeros((1, 4, 4, 1), np.float32)}, verbose=0), "'domain_b'"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_problems_are_diagnosed():
    model = cyclegan()
    won = {"discriminator_a_accuracy": 0.999, "discriminator_b_accuracy": 0.998}
    assert list(model.diagnose(won)) == ["the discriminators win"]
    assert not model.diagnose({**won, "discriminator_b_accuracy": 0.9}) and not model.diagnose({})


def test_it_learns_to_invert():
    """Domain B has inverted images, but not those of A; the correct translation is 1 - x."""
    generator = np.random.default_rng(0)

    def discs(num: int) -> np.ndarray:
        y, x = np.mgrid[:8, :8]
        center, radius = generator.uniform(2, 5, (num, 2, 1, 1)), generator.uniform(1.5, 2.5, (num, 1, 1))
        return (np.hypot(y - center[:, 0], x - center[:, 1]) < radius)[..., None].astype(np.float32)

    keras.utils.set_random_seed(0)
    make = [networks.residual_translator((8, 8, 1), base_filters=8, blocks=1, num_downsamples=0) for _ in "ab"]
    model = CycleGAN(*make, *(patch_discriminator((8, 8, 1), base_filters=8, num_downsamples=1) for _ in "ab"),
                     identity_weight=0.0, seed=0)  # fmt: skip
    model.compile(keras.optimizers.Adam(2e-3, beta_1=0.5))
    data = tf.data.Dataset.from_tensor_slices({"domain_a": discs(256), "domain_b": 1 - discs(256)}).batch(16)
    model.fit(data, epochs=8, verbose=0)
    test = discs(64)
    error = np.abs(model.a_to_b(test) - (1 - test)).mean()
    assert error < 0.2 < np.abs(test - (1 - test)).mean()  # the error of the identity is 1
