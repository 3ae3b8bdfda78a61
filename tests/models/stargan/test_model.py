"""StarGAN: losses by hand, mask vectors, and a brightness that it learns to change."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import networks, zoo
from keras_gen.models import BatchNoise, GlobalBatch, StarGAN
from keras_gen.models.stargan.networks import stargan_discriminator

SHAPE = (4, 4, 1)
RNG = np.random.default_rng(0)
IMAGES = RNG.random((4, *SHAPE), np.float32)
LABELS = np.array([0, 1, 0, 1], np.int32)


class AddAttributes(keras.layers.Layer):
    """A layer that adds 1/10 of the first attribute and 2/10 of the second, so that the cycle error is known."""

    def call(self, inputs):
        image, attributes = inputs
        weights = tf.constant([0.1 * 2**index for index in range(attributes.shape[1])])
        return image + tf.reduce_sum(attributes * weights, axis=1)[:, None, None, None]


def generator(size: int) -> keras.Model:
    inputs = [keras.Input(SHAPE), keras.Input((size,))]
    return keras.Model(inputs, AddAttributes()(inputs))


def discriminator(size: int, side: int = 2) -> keras.Model:
    """Returns a discriminator: a critic map of 6 times the image mean, 2x2, and the logits (mean, -mean, ...)."""
    image = keras.Input(SHAPE)
    mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(image)
    critic = keras.layers.Lambda(lambda x: 6 * keras.ops.tile(x, (1, side, side, 1)))(mean)
    logits = keras.layers.Lambda(lambda x: keras.ops.concatenate([x * (-1) ** i for i in range(size)], -1))(mean)
    return keras.Model(image, [critic, keras.layers.Flatten()(logits)])


def model(**options) -> StarGAN:
    options = {"groups": [2], "ema": None, "seed": 0, **options}
    size = sum(options["groups"])
    num_datasets = max(options["datasets"]) + 1 if options.get("datasets") else 0
    return StarGAN(generator(size + num_datasets), discriminator(size), **options)


def run_players(model: StarGAN, batch: dict) -> dict:
    """Returns the losses and metrics of every player, and the shared tensors."""
    batch = {name: tf.constant(value) for name, value in batch.items()}
    global_batch = GlobalBatch(tf.constant(len(batch["image"])))
    batch_noise = BatchNoise(tf.constant([1, 2]), global_batch)
    shared = model.shared_forward(batch, batch_noise, True)
    losses = {player.name: player.loss(batch, shared, batch_noise, global_batch, True) for player in model.players()}
    return {"shared": shared, **losses}


def entropy(logits, classes):
    """Returns the softmax cross-entropy in nats."""
    return np.log(np.exp(logits).sum(1)) - logits[np.arange(len(logits)), classes]


def test_losses_by_hand():
    outputs = run_players(model(), {"image": IMAGES, "label": LABELS})
    target = outputs["shared"]["target"].numpy()
    assert sorted(target[:, 1]) == [0, 0, 1, 1] and set(target.sum(1)) == {1}  # a permutation of the batch's attributes
    generated = IMAGES + (target @ [0.1, 0.2])[:, None, None, None]
    np.testing.assert_allclose(outputs["shared"]["generated"], generated, rtol=1e-6)
    mean, generated_mean = IMAGES.mean((1, 2, 3)), generated.mean((1, 2, 3))
    logits = np.stack([mean, -mean], 1)
    # of images in [-1, 1] each of the four values of the critic map is 3 * mean + 3: the slope of their sum at each of
    # 16 pixels is 12 / 16, its norm 3
    penalty = 10 * (3 - 1) ** 2
    losses, metrics = outputs["discriminator"]
    np.testing.assert_allclose(losses, 6 * (generated_mean - mean) + penalty + entropy(logits, LABELS), rtol=1e-5)
    np.testing.assert_allclose(metrics["critic_distance"], 6 * (mean - generated_mean), rtol=1e-5)
    np.testing.assert_allclose(metrics["real_accuracy"], LABELS == 0)
    losses, metrics = outputs["generator"]
    error = target @ [0.1, 0.2] + np.array([0.1, 0.2])[LABELS]  # the cycle adds both
    logits = np.stack([generated_mean, -generated_mean], 1)
    expected = -6 * generated_mean + entropy(logits, target.argmax(1)) + 10 * 2 * error
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(metrics["reconstruction_error"], error, rtol=1e-5)
    np.testing.assert_allclose(metrics["translated_accuracy"], target[:, 0])


def test_the_losses_do_not_depend_on_the_size_of_the_critic_map():
    batch = {"image": IMAGES, "label": LABELS}
    small = run_players(model(), batch)
    large = run_players(StarGAN(generator(2), discriminator(2, side=5), groups=[2], ema=None), batch)
    for player in ("discriminator", "generator"):
        np.testing.assert_allclose(large[player][0], small[player][0], rtol=1e-5)


def test_weights_of_the_loss_terms():
    plain = run_players(model(), {"image": IMAGES, "label": LABELS})
    without = run_players(
        model(classification_weight=0.0, reconstruction_weight=0.0, penalty_weight=20.0),
        {"image": IMAGES, "label": LABELS},
    )
    mean, generated = IMAGES.mean((1, 2, 3)), plain["shared"]["generated"].numpy().mean((1, 2, 3))
    np.testing.assert_allclose(without["generator"][0], -6 * generated, rtol=1e-5)
    np.testing.assert_allclose(without["discriminator"][0], 6 * (generated - mean) + 80, rtol=1e-5)


TWO_DATASETS = {"groups": [2, 1, 2], "datasets": [0, 0, 1]}
BATCH = {
    "image": IMAGES,
    "attributes": np.array([[1, 0, 1, 7, 7], [0, 1, 0, 7, 7], [5, 5, 5, 0, 1], [5, 5, 5, 1, 0]], np.float32),
    "dataset": np.array([0, 0, 1, 1], np.int32),
}
KNOWN = np.array([[1, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 0]], np.float32)


def test_mask_vectors_of_two_datasets():
    """Unlabeled attributes are 0, and targets are permuted within each dataset."""
    outputs = run_players(model(**TWO_DATASETS), BATCH)
    target = outputs["shared"]["target"].numpy()
    assert sorted(map(tuple, target[:2])) == sorted(map(tuple, KNOWN[:2]))
    assert sorted(map(tuple, target[2:])) == sorted(map(tuple, KNOWN[2:]))
    batch = {name: tf.constant(value) for name, value in BATCH.items()}
    attributes, mask = model(**TWO_DATASETS).attributes_and_mask(batch)
    np.testing.assert_array_equal(attributes, KNOWN)
    np.testing.assert_array_equal(mask, [[1, 0], [1, 0], [0, 1], [0, 1]])


def test_only_groups_of_the_dataset_are_classified():
    outputs = run_players(model(**TWO_DATASETS, reconstruction_weight=0.0), BATCH)
    mean = IMAGES.mean((1, 2, 3))
    pair = np.stack([mean, -mean], 1)
    known = [
        entropy(pair[:1], [0])[0] + np.log1p(np.exp(-mean[0])),
        entropy(pair[1:2], [1])[0] + np.log1p(np.exp(mean[1])),
    ]
    # the last group's logits are (-mean, mean)
    other = entropy(-pair[2:], [1, 0])
    losses, metrics = outputs["discriminator"]
    rest = -metrics["critic_distance"].numpy() + 40
    np.testing.assert_allclose(losses - rest, [*known, *other], rtol=1e-4)


def test_generator_is_conditioned_on_the_dataset():
    translator = networks.residual_translator((12, 12, 1), base_filters=2, blocks=1, num_attributes=7, padding="zero")
    critic = stargan_discriminator((12, 12, 1), 5, base_filters=2)
    star = StarGAN(translator, critic, **TWO_DATASETS, ema=None)
    image = RNG.random((2, 12, 12, 1), np.float32)
    vector = np.eye(5, dtype=np.float32)[[4, 4]]
    unlabeled = 1 - star.attribute_schema.known_entries[1]  # must be masked
    by_call = star({"image": image, "attributes": vector + unlabeled, "dataset": np.array([1, 1])})
    np.testing.assert_allclose(by_call, translator([image, np.concatenate([vector, [[0, 1]] * 2], 1)]), atol=1e-6)
    np.testing.assert_allclose(star.translate(image, "4"), by_call, atol=1e-6)
    np.testing.assert_allclose(star.translate(image, vector, dataset=1), by_call, atol=1e-6)
    endpoint = star.endpoints()[0]
    assert {name: port.shape for name, port in endpoint.inputs.items()} == {
        "image": (12, 12, 1),
        "attributes": (5,),
        "dataset": (2,),
    }
    columns = star.preview_images({**BATCH, "image": image.repeat(2, 0)})["source | translated"]
    assert list(columns) == ["source", "0", "1", "2", "3", "4"]
    np.testing.assert_allclose(columns["4"][:2], star.translate(image[[0, 0]], np.eye(5)[4], dataset=1), atol=1e-6)


def test_trains_on_two_datasets():
    settings = {"base_filters": 2, "blocks": 1, "num_downsamples": 1, "discriminator_filters": 2, "n_critic": 1}
    star = zoo.build("stargan", (8, 8, 1), **TWO_DATASETS, **settings)
    columns = {**BATCH, "image": RNG.random((4, 8, 8, 1), np.float32)}
    history = star.fit(columns, batch_size=4, epochs=2, verbose=0).history
    assert np.isfinite(list(history.values())).all()


def squares(bright: np.ndarray, seed: int) -> np.ndarray:
    """Returns 4x4 squares with brightness 0.4 or 0.9 at random positions on black, float32 [num, 8, 8, 1]."""
    places = np.random.default_rng(seed).integers(0, 5, (len(bright), 2))
    y, x = np.mgrid[:8, :8]
    inside = [(top <= y) & (y < top + 4) & (left <= x) & (x < left + 4) for top, left in places]
    return (np.stack(inside)[..., None] * np.where(bright, 0.9, 0.4)[:, None, None, None]).astype(np.float32)


def test_it_learns_to_change_the_brightness_and_not_the_position():
    label = np.arange(128) % 2
    star = zoo.build(
        "stargan", (8, 8, 1), seed=0, groups=[2], attribute_names=["dim", "bright"], base_filters=8, blocks=1,
        num_downsamples=0, residual=True, discriminator_filters=8, n_critic=2, ema=0.9, learning_rate=5e-3,
    )  # fmt: skip
    images = squares(label, seed=1)
    star.fit({"image": images, "label": label}, batch_size=32, epochs=40, verbose=0)
    dim, bright = (squares(np.full(50, value), seed=2) for value in (0, 1))
    for source, name, target in ((dim, "bright", bright), (bright, "dim", dim)):
        error = np.abs(star.translate(source, name) - target).mean()
        assert error < np.abs(source - target).mean() / 2  # usually a quarter
    assert np.mean(star.classify(images).numpy().argmax(1) == label) > 0.9


def test_preview_images_have_a_column_for_each_domain():
    star = model(attribute_names=["a", "b"])
    columns = star.preview_images({"image": IMAGES, "label": LABELS})["source | translated"]
    assert list(columns) == ["source", "a", "b"]
    np.testing.assert_allclose(columns["b"], IMAGES + 0.2, rtol=1e-6)


@pytest.mark.parametrize(
    "batch, message",
    [
        ({"image": IMAGES}, r"attributes \[batch, 2\], or label; received image"),
        ({"image": IMAGES, "attributes": np.zeros((4, 3))}, r"Expected attributes \[batch, 2\]"),
    ],
)
def test_batches_without_the_fields(batch, message):
    with pytest.raises(ValueError, match=message):
        model().attributes_of(batch)
    with pytest.raises(ValueError, match="Expected a batch with 'dataset'"):
        model(**TWO_DATASETS).attributes_and_mask({"attributes": np.zeros((4, 5))})


def test_an_out_of_range_label_is_refused():
    with pytest.raises(ValueError, match="labels from 0 to 1; received values from 0 to 2"):
        model().attributes_of({"label": np.array([0, 2])})


def test_translate_with_invalid_arguments():
    star = model(attribute_names=["a", "b"])
    with pytest.raises(ValueError, match="Expected the attribute as one of a, b .*; received 'c'"):
        star.translate(IMAGES, "c")
    with pytest.raises(ValueError, match=r"Expected image \[batch, 4, 4, 1\]; received the shape \(4, 4, 1\)"):
        star.translate(IMAGES[0], "a")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_critic": 0}, "Expected n_critic as an integer >= 1; received 0"),
        ({"classifier_warmup": 0.5}, "Expected classifier_warmup as an integer >= 0; received 0.5"),
        ({"reconstruction_weight": -1.0}, "Expected reconstruction_weight as a number >= 0"),
        ({"penalty_weight": 0.0}, "Expected a weight > 0"),
        ({"groups": [2], "attribute_names": ["a"]}, "2 unique names"),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ValueError, match=message):
        model(**options)


def test_networks_of_other_shapes():
    with pytest.raises(ValueError, match=r"a generator from images and \[batch, 2\]"):
        StarGAN(generator(3), discriminator(2), groups=[2])
    with pytest.raises(ValueError, match=r"logits \[batch, 2\]"):
        StarGAN(generator(2), discriminator(3), groups=[2])


def trained(classes: tuple, predicted: tuple, steps: int = 1000, **options) -> StarGAN:
    """Returns a model that has seen a batch of these classes, for which its classifier predicted `predicted`."""
    star = model(groups=[3], attribute_names=["frown", "neutral", "smile"], **options)
    labels, logits = np.eye(3, dtype=np.float32)[list(classes)], np.eye(3, dtype=np.float32)[list(predicted)]
    star.classifier_statistics.update(tf.constant(logits), tf.constant(labels), None, GlobalBatch(len(classes)))
    star.train_steps.assign(steps)
    return star


CALM = {"real_accuracy": 0.99, "translated_accuracy": 0.9, "reconstruction_error": 0.02}
CLASSES = (0, 0, 1, 1, 1, 2, 2, 2, 2, 2)  # the most frequent class has 50 %


def test_problems_are_diagnosed():
    star = model()
    assert star.diagnose(CALM) == {}
    assert "ignores its attributes" in next(iter(star.diagnose(CALM | {"translated_accuracy": 0.3})))
    assert "cannot be reversed" in next(iter(star.diagnose(CALM | {"reconstruction_error": 0.3})))


@pytest.mark.parametrize(
    "predicted, right",
    [((2,) * 10, "50%"), ((2,) * 9 + (0,), "40%"), ((0, 2, 2, 2, 2, 2, 2, 2, 2, 2), "60%"), (CLASSES, None)],
)
def test_a_classifier_that_is_not_better_than_the_most_frequent_class_is_diagnosed(predicted, right):
    """Half of the images are smiles; from 60 % on, a fifth of the errors of always answering "smile" is avoided."""
    diagnoses = trained(CLASSES, predicted).diagnose(CALM)
    if right in (None, "60%"):
        assert diagnoses == {}
    else:
        (name, text), *_ = diagnoses.items()
        assert "does not recognize the attributes of real images" in name
        assert f"frown/neutral/smile ({right} right, the most frequent answer 50%)" in text
        assert "classification_weight (now 1)" in text
    assert trained(CLASSES, predicted, steps=400).diagnose(CALM) == {}  # too early


def test_translations_are_diagnosed_below_the_accuracy_of_a_perfect_classifier():
    """By chance 0.04 + 0.09 + 0.25 = 38 % of unchanged images have their target's class."""
    star = trained(CLASSES, (2, 0, *CLASSES[2:]))
    logs = CALM | {"real_accuracy": 0.8}
    name, text = next(iter(star.diagnose(logs | {"translated_accuracy": 0.45}).items()))
    assert "ignores its attributes" in name and "80% of real images" in text and "would have it in 38%" in text
    assert star.diagnose(logs | {"translated_accuracy": 0.5}) == {}


def test_groups_are_diagnosed_one_by_one():
    """The first of two binary attributes is learned; the second, which nine of ten images have, is not."""
    star = model(groups=[1, 1], attribute_names=["Male", "Young"])
    attributes = np.stack([np.arange(10) % 2, np.arange(10) > 0], 1).astype(np.float32)
    logits = np.stack([2 * attributes[:, 0] - 1, np.ones(10)], 1).astype(np.float32)
    star.classifier_statistics.update(tf.constant(logits), tf.constant(attributes), None, GlobalBatch(10))
    star.train_steps.assign(1000)
    (text,) = star.diagnose(CALM).values()
    assert text.startswith("Young (90% right, the most frequent answer 90%). ")


def test_training_updates_the_statistics_of_the_classifier():
    batch = {name: tf.constant(value) for name, value in BATCH.items()}
    star = model(**TWO_DATASETS)
    global_batch, batch_noise = (
        GlobalBatch(tf.constant(4)),
        BatchNoise(tf.constant([1, 2]), GlobalBatch(tf.constant(4))),
    )
    shared = star.shared_forward(batch, batch_noise, True)
    star.discriminator_loss(batch, shared, batch_noise, global_batch, False)
    assert np.isnan(star.classifier_statistics.accuracy()).all()
    star.discriminator_loss(batch, shared, batch_noise, global_batch, True)
    # the logits are (mean, -mean, mean, -mean, mean), the labels those of KNOWN
    np.testing.assert_allclose(star.classifier_statistics.accuracy(), [0.5, 0.5, 0.5], rtol=1e-5)
    for shares in star.classifier_statistics.shares():
        np.testing.assert_allclose(shares, [0.5, 0.5], rtol=1e-5)


def test_in_the_warm_up_of_the_classifier_both_players_ignore_the_critic():
    batch = {"image": IMAGES, "label": LABELS}
    star, plain = model(classifier_warmup=10), run_players(model(), batch)
    mean, generated = IMAGES.mean((1, 2, 3)), plain["shared"]["generated"].numpy().mean((1, 2, 3))
    critic = 6 * (generated - mean) + 40
    for steps, weight in ((0, 0.0), (9, 0.0), (10, 1.0)):
        star.train_steps.assign(steps)  # saved with the model, so that a resumed training continues the warm-up
        outputs = run_players(star, batch)
        lost = plain["discriminator"][0] - outputs["discriminator"][0]
        np.testing.assert_allclose(lost, (1 - weight) * critic, atol=1e-5)
        lost = plain["generator"][0] - outputs["generator"][0]
        np.testing.assert_allclose(lost, (1 - weight) * -6 * generated, atol=1e-5)


def test_attributes_out_of_range():
    for value in (-1.0, 30.0):
        vectors = np.array([[1, 0], [0, 1], [value, 0], [0, 1]], np.float32)
        with pytest.raises(ValueError, match="Expected attributes from 0 to 1"):
            run_players(model(groups=[1, 1]), {"image": IMAGES, "attributes": vectors})
