"""Text2Image: losses by hand, the effect of each option, pretraining, and texts as conditions."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import networks, zoo
from keras_gen.models import BatchNoise, GlobalBatch, Text2Image
from keras_gen.models.text2image import preset
from keras_gen.models.text2image.model import mismatched_captions
from tests.replicas import two_replicas

WORDS = ("dark", "bright", "left", "right")
SHAPE = (4, 4, 1)
LENGTH, SIZE = 3, 5
TOKENS = tf.constant([[2.0, 0.0], [2.0, 0.0], [3.0, 0.0], [2.0, 4.0]])


def text2image(**options) -> Text2Image:
    keras.utils.set_random_seed(0)
    z, text = keras.Input((2,)), keras.Input((SIZE,))
    dense = keras.layers.Dense(16, "sigmoid")(keras.layers.Concatenate()([z, text]))
    generator = keras.Model([z, text], keras.layers.Reshape(SHAPE)(dense), name="generator")
    trunk = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(6, "tanh")], name="trunk")
    features, text = keras.Input((6,)), keras.Input((SIZE,))
    hidden = keras.layers.Dense(8, "tanh")(keras.layers.Concatenate()([features, text]))
    head = keras.Model([features, text], keras.layers.Dense(1)(hidden), name="head")
    encoder = networks.text_encoder(len(WORDS), LENGTH, SIZE, base_filters=4)
    arguments: dict[str, Any] = {"vocabulary": WORDS, "seed": 0, "ema": None, **options}
    return Text2Image(generator, trunk, head, encoder, **arguments)


def batch(num: int = 4) -> dict[str, tf.Tensor]:
    generator = np.random.default_rng(1)
    which = np.arange(num) % 4
    tokens = np.stack([2 + which // 2, 4 + which % 2, 0 * which], axis=1)
    image = generator.uniform(size=(num, *SHAPE)).astype(np.float32)
    return {"image": tf.constant(image), "tokens": tf.constant(tokens, tf.int32)}


def losses(model, data):
    """Returns both players' losses and metrics, and the shared tensors."""
    global_batch = GlobalBatch(tf.shape(data["image"])[0])
    batch_noise = BatchNoise(tf.constant([1, 2]), global_batch)
    shared = model.shared_forward(data, batch_noise, training=True)
    return [player.loss(data, shared, batch_noise, global_batch, True) for player in model.players()], shared


def softplus(x):
    return np.logaddexp(0, x)


@pytest.mark.parametrize("matching_aware", [True, False])
def test_discriminator_loss_is_that_of_the_paper(matching_aware):
    model, data = text2image(matching_aware=matching_aware), batch()
    ((rows, metrics), _), shared = losses(model, data)
    real = np.asarray(model.discriminate(data["image"], shared["embedding"]))
    mismatched = np.asarray(model.discriminate(data["image"], shared["mismatched"]))
    fake = np.asarray(model.discriminate(shared["generated"], shared["embedding"]))
    # -log sigmoid(s_r) - (log(1 - sigmoid(s_w)) + log(1 - sigmoid(s_f))) / 2, and -log(1 - sigmoid(s)) = softplus(s)
    negatives = (softplus(mismatched) + softplus(fake)) / 2 if matching_aware else softplus(fake)
    np.testing.assert_allclose(rows, softplus(-real) + negatives, rtol=1e-5)
    expected = ((real > 0).astype(float) + (mismatched <= 0)) / 2
    np.testing.assert_array_equal(metrics["match_accuracy"], expected)


def test_mismatched_texts_belong_to_other_images():
    model, data = text2image(), batch()
    _, shared = losses(model, data)
    texts = np.asarray(model.embed(data["tokens"]))
    for row, mismatched in enumerate(shared["mismatched"].numpy()):
        assert np.abs(mismatched - texts).max(1).min() < 1e-6  # it is a text of the batch
        assert np.abs(mismatched - texts[row]).max() > 1e-3  # but not the text of the image


def test_mismatched_captions_differ_and_are_uniformly_distributed():
    noise = tf.constant(np.random.default_rng(0).uniform(size=(3000, 4, 4)), tf.float32)
    index = np.array([mismatched_captions(TOKENS, TOKENS, each)[0] for each in noise])
    for row in (0, 1):
        # 3,000 trials with probability 1/2: the standard error of the fraction is .009
        np.testing.assert_allclose(np.bincount(index[:, row], minlength=4) / 3000, [0, 0, 0.5, 0.5], atol=0.04)
    np.testing.assert_allclose(np.bincount(index[:, 2], minlength=4) / 3000, [1 / 3, 1 / 3, 0, 1 / 3], atol=0.04)


def test_a_batch_of_equal_captions_has_no_mismatched_captions():
    index, has_mismatch = mismatched_captions(TOKENS[:2], TOKENS[:2], tf.zeros([2, 2]))
    assert not has_mismatch.numpy().any() and set(index.numpy()) <= {0, 1}
    assert mismatched_captions(TOKENS[:1], TOKENS, tf.zeros([1, 4]))[1].numpy().all()


def test_a_batch_without_mismatched_captions():
    model, data = text2image(), batch()
    data["tokens"] = tf.repeat(data["tokens"][:1], 4, axis=0)
    ((rows, metrics), _), shared = losses(model, data)
    images = data["image"], shared["generated"]
    real, fake = (np.asarray(model.discriminate(image, shared["embedding"])) for image in images)
    np.testing.assert_allclose(rows, softplus(-real) + softplus(fake), rtol=1e-5)
    np.testing.assert_array_equal(metrics["match_accuracy"], 0.5)


def test_generator_is_trained_with_interpolated_texts():
    model, data = text2image(), batch()
    (_, (rows, _)), shared = losses(model, data)
    pairs = (("generated", "embedding"), ("generated_interpolated", "interpolated"))
    terms = [model.discriminate(shared[image], shared[text]) for image, text in pairs]
    np.testing.assert_allclose(rows, sum(softplus(-np.asarray(term)) for term in terms), rtol=1e-5)
    texts = np.asarray(model.embed(data["tokens"]))
    means = (texts[:, None] + texts[None]) / 2
    for row, interpolated in enumerate(shared["interpolated"].numpy()):
        assert np.abs(interpolated - means[row]).max(1).min() < 1e-6
    plain = text2image(interpolate=False)
    (_, (rows, _)), shared = losses(plain, data)
    assert "interpolated" not in shared
    np.testing.assert_allclose(
        rows, softplus(-np.asarray(plain.discriminate(shared["generated"], shared["embedding"]))), rtol=1e-5
    )


@pytest.mark.parametrize(
    "objective",
    [
        *(
            "relativistic_average",
            "wasserstein",
        ),  # with and without a comparison of the batch's logits
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("least_squares", "hinge", "minimax")),
    ],
)
def test_every_objective_and_a_penalty_train(objective):
    model = text2image(objective=objective, penalty={"name": "r1", "gamma": 1.0})
    model.compile(keras.optimizers.Adam(1e-3))
    history = model.fit(tf.data.Dataset.from_tensor_slices(batch(8)).batch(4), verbose=0).history
    assert set(history) == set(model.tracked) and np.isfinite(list(history.values())).all()


def test_penalty_is_the_gradient_with_respect_to_the_image():
    plain, penalized = text2image(), text2image(penalty={"name": "r1", "gamma": 2.0})
    ((without, _), _), shared = losses(plain, batch())
    ((rows, _), _), _ = losses(penalized, batch())
    image = batch()["image"]
    with tf.GradientTape() as tape:
        tape.watch(image)
        logits = penalized.discriminate(image, shared["embedding"])
    gradient = tape.gradient(logits, image)
    # gamma / 2 = 1 times the squared norm; the gradient is half as large with respect to images in [-1, 1]
    np.testing.assert_allclose(rows - without, np.square(gradient / 2).sum((1, 2, 3)), rtol=1e-4)


def image_encoder() -> keras.Model:
    return keras.Sequential(
        [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(SIZE)], name="image_encoder"
    )


def projection() -> keras.Model:
    return keras.Sequential([keras.Input((SIZE,)), keras.layers.Dense(SIZE)], name="projection")


@pytest.mark.parametrize("projected", [False, True])
def test_matching_loss_is_the_cross_entropy_of_captions(projected):
    options = {"image_encoder": image_encoder(), "matching_weight": 3.0, "temperature": 0.5}
    plain, matched = text2image(), text2image(**options, projection=projection() if projected else None)
    data = batch()
    (_, (without, _)), shared = losses(plain, data)
    (_, (rows, _)), _ = losses(matched, data)
    image, text = np.asarray(matched.image_encoder(shared["generated"])), np.asarray(shared["embedding"])
    if projected:
        weight, bias = matched.projection.get_weights()
        text = text @ weight + bias
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (image, text)]
    scores = unit[0] @ unit[1].T / 0.5
    expected = 3.0 * (np.log(np.exp(scores).sum(1)) - np.diag(scores))
    np.testing.assert_allclose(rows - without, expected, rtol=1e-4)


def test_matching_loss_is_over_the_global_batch_and_its_encoders_are_frozen():
    def run():
        parts = {"image_encoder": image_encoder(), "projection": projection()}
        model = text2image(**parts, matching_weight=1.0, matching_noise=0.2)
        model.compile(keras.optimizers.SGD(0.05))
        before = [value for part in parts.values() for value in part.get_weights()]
        model.fit(tf.data.Dataset.from_tensor_slices(batch(9)).batch(4), epochs=2, verbose=0)
        after = [value for part in parts.values() for value in part.get_weights()]
        for value, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(value, other)
        return model.generator.get_weights()

    keras.utils.clear_session()
    one = run()
    with two_replicas().scope():
        two = run()
    for value, other in zip(one, two, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-4, atol=2e-6)  # the same sums in a different order


def style_encoder(noise: int = 2) -> keras.Model:
    image, text = keras.Input(SHAPE), keras.Input((SIZE,))
    features = keras.layers.Concatenate()([keras.layers.Flatten()(image), text])
    return keras.Model([image, text], keras.layers.Dense(2 * noise)(features), name="style_encoder")


def test_style_loss_is_the_negative_elbo():
    plain, styled = text2image(), text2image(style_encoder=style_encoder(), style_weight=0.5, style_scale=0.2)
    data = batch()
    (_, (without, _)), _ = losses(plain, data)
    (_, (rows, metrics)), shared = losses(styled, data)
    image, text = np.asarray(data["image"]), shared["embedding"]
    parameters = np.asarray(styled.style_encoder([data["image"], text]))
    mean, scale = parameters[:, :2], 1e-4 + np.logaddexp(0, parameters[:, 2:] + 0.5413)
    divergence = (0.5 * (scale**2 + mean**2 - 1) - np.log(scale)).sum(1)
    reconstructed = np.asarray(shared["reconstructed"])
    squared_error = np.square(image - reconstructed).sum((1, 2, 3))
    log_likelihood = -squared_error / (2 * 0.2**2) - 16 * np.log(0.2 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(rows - without, 0.5 * (divergence - log_likelihood), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(metrics["style_kl"], divergence, rtol=1e-4)
    np.testing.assert_allclose(metrics["style_error"], np.abs(image - reconstructed).mean((1, 2, 3)), rtol=1e-4)


def test_generator_player_trains_the_style_encoder():
    model = text2image(style_encoder=style_encoder(), style_weight=0.5)
    before = model.style_encoder.get_weights()
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit(tf.data.Dataset.from_tensor_slices(batch(8)).batch(4), epochs=30, verbose=0).history
    assert max(np.abs(a - b).max() for a, b in zip(before, model.style_encoder.get_weights(), strict=True)) > 1e-2
    assert history["style_error"][-1] < 0.8 * history["style_error"][0]


def test_an_incompatible_style_encoder_is_refused():
    with pytest.raises(ValueError, match=r"a style_encoder from .*to \(4,\), mean and scale .*; received one from"):
        text2image(style_encoder=style_encoder(3))
    with pytest.raises(ValueError, match="Expected style_weight >= 0 and style_scale > 0; received 0.01 and 0.0"):
        text2image(style_scale=0.0)


def test_load_pretrained_copies_a_joint_embedding(tmp_path):
    settings: dict[str, Any] = {"vocabulary": WORDS, "length": 4, "embedding_size": 6, "text_filters": 4}
    settings |= {"trunk_filters": 3, "embedding_loss": "structured"}
    joint = preset.joint_embedding((8, 8, 1), 1, **settings)
    model = zoo.build("text2image", (8, 8, 1), seed=2, base_filters=4, latent_size=3, matching_weight=0.5, **settings)
    other = np.abs(joint.text_encoder.get_weights()[0] - model.text_encoder.get_weights()[0]).max()
    assert other > 0.01
    model.load_pretrained(joint)
    assert (joint.loss, joint.compiled) == ("structured", True)
    trunk = joint.image_encoder.get_layer("trunk")
    for actual, theirs in (
        (model.text_encoder, joint.text_encoder),
        (model.image_encoder, joint.image_encoder),
        (model.projection, joint.projection),
        (model.trunk, trunk),
    ):
        for value, expected in zip(actual.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(value, expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.matching_weight == 0.5
    for name in ("image_encoder", "projection"):
        actual, theirs = getattr(loaded, name).get_weights()[0], getattr(joint, name).get_weights()[0]
        np.testing.assert_array_equal(actual, theirs)
    joint.projection = None
    with pytest.raises(ValueError, match="Expected a joint embedding with a projection if, and only if"):
        model.load_pretrained(joint)
    # a trunk with a different structure keeps its weights
    wide_settings: dict[str, Any] = {**settings, "trunk_filters": 5}
    wide = zoo.build("text2image", (8, 8, 1), seed=2, base_filters=4, **wide_settings)
    first = wide.trunk.get_weights()
    wide.load_pretrained(joint)
    np.testing.assert_array_equal(wide.trunk.get_weights()[0], first[0])
    short_settings: dict[str, Any] = {**settings, "length": 3}
    short = zoo.build("text2image", (8, 8, 1), seed=2, base_filters=4, **short_settings)
    with pytest.raises(ValueError, match="Expected a model of the same vocabulary and length, 4 words and 3"):
        short.load_pretrained(joint)


def test_text_encoder_is_frozen():
    model = text2image()
    before = model.text_encoder.get_weights()
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(tf.data.Dataset.from_tensor_slices(batch(8)).batch(4), epochs=2, verbose=0)
    for value, other in zip(before, model.text_encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(value, other)


def test_three_forms_of_a_text():
    model = text2image()
    caption = model.generate(3, seed=1, caption="Bright, LEFT!")
    assert caption.shape == (3, *SHAPE) and np.abs(caption[0] - caption[1]).max() > 1e-4
    tokens = model.generate(3, seed=1, tokens=[3, 4, 0])
    embedding = model.generate(3, seed=1, embedding=model.embed_captions("bright left")[0])
    np.testing.assert_array_equal(caption, tokens)
    np.testing.assert_array_equal(caption, embedding)
    several = model.generate(3, seed=1, caption=["bright left", "dark right", "bright left"])
    # up to rounding, since sums depend on the other rows of the batch
    np.testing.assert_allclose(several[[0, 2]], caption[[0, 2]], atol=1e-6)
    assert np.abs(several[1] - caption[1]).max() > 1e-4
    z = np.zeros((1, 2), np.float32)
    text = model.embed_captions("dark")
    images = model.predict({"z": z, "embedding": text}, verbose=0)
    np.testing.assert_allclose(images, model.generate(1, seed=3, caption="dark", z=z), atol=1e-6)


def test_ignored_words_are_reported():
    model = text2image()
    with pytest.warns(UserWarning, match="Unknown words: 빨간, 🍕$"):
        model.generate(1, seed=0, caption="빨간 🍕 dark")
    with pytest.warns(UserWarning, match="The caption has 2000 words; the first 3 are read"):
        model.generate(1, seed=0, caption="dark " * 2000)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({}, "Expected a text, as one of caption='a red circle', tokens or embedding; received none"),
        ({"caption": "dark", "tokens": [2, 0, 0]}, "received caption, tokens"),
        (
            {"caption": "dark", "label": 1},
            "Expected conditions among caption, tokens, embedding for .*; received label",
        ),
        ({"caption": " ?! "}, "Expected a caption with at least one word; received ' .! '"),
        ({"caption": ["dark", "bright"]}, "Expected one caption, or 3 .one for each image.; received 2"),
        ({"tokens": [2, 0]}, r"Expected tokens .batch, 3.; received the shape \(1, 2\)"),
        ({"embedding": [[1.0, 2.0]]}, r"Expected embedding .num, 5.; received the shape \(1, 2\)"),
    ],
)
def test_invalid_texts_are_refused(conditions, message):
    with pytest.raises(ValueError, match=message):
        text2image().generate(3, seed=0, **conditions)


def test_a_batch_without_tokens_is_refused():
    model = text2image()
    model.compile("adam")
    with pytest.raises(ValueError, match="a batch with 'tokens' for Text2Image; received .'image'.*Load captions with"):
        model.fit(batch()["image"].numpy(), verbose=0)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"vocabulary": ()}, "Expected the vocabulary, a list of words; received none"),
        ({"objective": "vanilla"}, "vanilla"),
        ({"penalty": "r3"}, "Expected penalty as one of .*; received 'r3'"),
        ({"matching_weight": 1.0}, "Expected an image_encoder with matching_weight=1.0; received None"),
        (
            {"matching_weight": -1.0},
            "Expected matching_weight >= 0, matching_noise >= 0 and temperature > 0; received -1.0,",
        ),
        ({"matching_noise": -0.1}, "received 0.0, -0.1 and 0.1"),
    ],
)
def test_incompatible_parts_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        text2image(**parts)


def test_incompatible_networks_are_refused():
    model = text2image()
    other = networks.text_encoder(len(WORDS), LENGTH, SIZE + 1, base_filters=4)
    with pytest.raises(ValueError, match=r"Expected a generator with two inputs, the second of shape \(6,\).*received"):
        Text2Image(model.generator, model.trunk, model.head, other, vocabulary=WORDS)
    with pytest.raises(ValueError, match=r"projection from the text_encoder's \(5,\) to .* \(5,\); received one from"):
        wide = keras.Sequential([keras.Input((SIZE,)), keras.layers.Dense(SIZE + 1)])
        text2image(image_encoder=image_encoder(), projection=wide)
    flat = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(6)])
    with pytest.raises(ValueError, match=r"from the generator's images \(4, 4, 1\) .* received one from \(4, 4, 3\)"):
        Text2Image(model.generator, flat, model.head, model.text_encoder, vocabulary=WORDS)


def test_problems_are_diagnosed_as_in_a_gan():
    assert "the discriminator wins" in text2image().diagnose({"discriminator_accuracy": 0.99})
    assert "the generator collapses" in text2image().diagnose({"sample_diversity": 0.1})
