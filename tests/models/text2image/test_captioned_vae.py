"""CaptionedVAE: its ELBO, its samples for captions, and the generator that it pretrains."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import networks, zoo
from keras_gen.models import BatchNoise, CaptionedVAE, GlobalBatch
from keras_gen.models.text2image.preset import vae_of

WORDS = ("dark", "bright", "left", "right")
SHAPE, LENGTH, SIZE = (8, 8, 1), 3, 5
SETTINGS = {"vocabulary": WORDS, "length": LENGTH, "embedding_size": SIZE, "text_filters": 4, "latent_size": 3}


def text2image(**settings):
    all_settings: dict[str, Any] = {**SETTINGS, "base_filters": 4, "modulated": True, **settings}
    return zoo.build("text2image", SHAPE, seed=0, **all_settings)


def batch(num: int = 8) -> dict[str, tf.Tensor]:
    which = np.arange(num) % 4
    tokens = np.stack([2 + which // 2, 4 + which % 2, 0 * which], axis=1)
    image = np.zeros((num, *SHAPE), np.float32)
    for row, each in enumerate(which):
        image[row, :, 4 * (each % 2) : 4 * (each % 2) + 4] = 0.4 + 0.6 * (each // 2)
    return {"image": tf.constant(image), "tokens": tf.constant(tokens, tf.int32)}


def dataset(num: int = 8):
    return tf.data.Dataset.from_tensor_slices(batch(num)).batch(4, drop_remainder=True)


def test_elbo_has_normal_pixels_and_a_normal_posterior():
    vae, data = vae_of(text2image(), 1, scale=0.2), batch(4)
    global_batch = GlobalBatch(tf.constant(4))
    loss, logs = vae.losses_of(data, BatchNoise(tf.constant([1, 2]), global_batch), global_batch, True)
    text = vae.embed(data["tokens"])
    parameters = np.asarray(vae.encoded(data["image"], text, True))
    mean, scale = parameters[:, :3], 1e-4 + np.logaddexp(0, parameters[:, 3:] + 0.5413)
    z = mean + scale * np.asarray(BatchNoise(tf.constant([1, 2]), global_batch).normal([1, 3]))[:, 0]
    image = np.asarray(vae.decoded(z, text, True))
    error = np.square(image - data["image"]).sum((1, 2, 3))
    log_likelihood = -error / (2 * 0.2**2) - 64 * np.log(0.2 * np.sqrt(2 * np.pi))
    divergence = (0.5 * (scale**2 + mean**2 - 1) - np.log(scale)).sum(1)
    np.testing.assert_allclose(logs["reconstruction"], -log_likelihood, rtol=1e-4)
    np.testing.assert_allclose(logs["kl"], divergence, rtol=1e-4)
    np.testing.assert_allclose(loss, divergence - log_likelihood, rtol=1e-4)


def dense_vae(scale: float = 0.3) -> CaptionedVAE:
    """Builds a CaptionedVAE with dense layers, since four images are too few for batch normalization."""
    keras.utils.set_random_seed(0)
    layers, image, z, text = keras.layers, keras.Input(SHAPE), keras.Input((3,)), keras.Input((SIZE,))
    features = layers.Dense(16, "tanh")(layers.Concatenate()([layers.Flatten()(image), text]))
    encoder = keras.Model([image, text], layers.Dense(6)(features))
    pixels = layers.Dense(64, "sigmoid")(layers.Dense(32, "tanh")(layers.Concatenate()([z, text])))
    decoder = keras.Model([z, text], layers.Reshape(SHAPE)(pixels))
    texts = networks.text_encoder(len(WORDS), LENGTH, SIZE, base_filters=4)
    # replaces the embeddings of a pretrained joint embedding, which differ between texts
    texts.set_weights([2 * weight for weight in texts.get_weights()])
    return CaptionedVAE(encoder, decoder, texts, vocabulary=WORDS, scale=scale, seed=1)


@pytest.fixture(scope="module")
def vae_of_four():
    """A VAE trained to convergence on four images and their captions."""
    vae = dense_vae()
    vae.compile(keras.optimizers.Adam(1e-2))
    vae.fit(dataset(), epochs=300, verbose=0)
    return vae


def test_samples_match_their_caption(vae_of_four):
    originals = np.asarray(batch(4)["image"])
    for row, caption in enumerate(("dark left", "dark right", "bright left", "bright right")):
        images = vae_of_four.generate(8, seed=0, caption=caption)
        error = np.abs(images[:, None] - originals[None]).mean((2, 3, 4))
        assert error[:, row].mean() < 0.1 and (error.argmin(1) == row).sum() >= 7


def test_text_encoder_is_frozen(vae_of_four):
    assert vae_of_four.trainable_variables and not vae_of_four.text_encoder.trainable_variables
    for weights, initial in zip(
        vae_of_four.text_encoder.get_weights(), dense_vae().text_encoder.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weights, initial)


def test_decoder_pretrains_a_generator():
    vae = vae_of(text2image(), 1)
    vae.fit(dataset(), verbose=0)
    model = text2image(style_weight=0.01)
    noise = {"z": np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)}
    images = [model.generate(2, caption="bright left", **noise)]
    model.load_pretrained(vae)
    images.append(model.generate(2, caption="bright left", **noise))
    # the moving average has the same weights
    text = vae.embed_captions("bright left").repeat(2, 0)
    np.testing.assert_allclose(images[1], vae.decode(noise["z"], text), atol=1e-6)
    assert np.abs(images[0] - images[1]).max() > 1e-3
    # the weights are copies
    before = vae.decoder.get_weights()
    for network, vae_of_four in ((model.generator, before), (model.style_encoder, vae.encoder.get_weights())):
        for actual, expected in zip(network.get_weights(), vae_of_four, strict=True):
            np.testing.assert_array_equal(actual, expected)
    model.fit(dataset(), verbose=0)
    assert max(np.abs(a - b).max() for a, b in zip(before, model.generator.get_weights(), strict=True)) > 1e-5
    for actual, expected in zip(before, vae.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_a_different_vocabulary_is_refused(vae_of_four):
    other = text2image(vocabulary=(*WORDS, "up"))
    with pytest.raises(ValueError, match="Expected a model of the same vocabulary and length, 5 words and 3"):
        other.load_pretrained(vae_of_four)


def test_a_loaded_model_generates_the_same_images(vae_of_four, tmp_path):
    vae_of_four.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert (loaded.scale, loaded.vocabulary, loaded.seed) == (0.3, WORDS, 1)
    np.testing.assert_array_equal(
        loaded.generate(2, seed=3, caption="dark"), vae_of_four.generate(2, seed=3, caption="dark")
    )


def test_endpoints_have_the_input_embedding(vae_of_four):
    by_name = {endpoint.name: endpoint for endpoint in vae_of_four.endpoints()}
    assert set(by_name) == {"embed", "encode", "decode", "reconstruct", "generate"}
    text = by_name["embed"].function(tokens=batch(4)["tokens"])["embedding"]
    decode = by_name["decode"]
    assert decode.inputs["embedding"].shape == (SIZE,) and "label" not in decode.inputs
    images = decode.function(z=tf.zeros((4, 3)), embedding=text)["image"]
    np.testing.assert_allclose(images, vae_of_four.decode(tf.zeros((4, 3)), text), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vae": {"updates": -1}}, "Expected updates of vae as an integer >= 0; received -1"),
        ({"vae": {"beta": 2}}, "Expected vae with any of updates, scale, learning_rate; received beta"),
        ({"dense_units": 8}, "no dense_units with modulated=True, where it has no effect; received dense_units=8"),
    ],
)
def test_inconsistent_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        text2image(**settings)
