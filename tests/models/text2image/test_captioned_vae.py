"""A VAE that is told captions: its bound, what it leaves to the code, and the generator that begins as its decoder."""

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
    return zoo.build("text2image", SHAPE, seed=0, **{**SETTINGS, "base_filters": 4, "modulated": True, **settings})


def batch(num: int = 8) -> dict[str, tf.Tensor]:
    which = np.arange(num) % 4
    tokens = np.stack([2 + which // 2, 4 + which % 2, 0 * which], axis=1)
    image = np.zeros((num, *SHAPE), np.float32)
    for row, each in enumerate(which):
        image[row, :, 4 * (each % 2) : 4 * (each % 2) + 4] = 0.4 + 0.6 * (each // 2)
    return {"image": tf.constant(image), "tokens": tf.constant(tokens, tf.int32)}


def dataset(num: int = 8):
    return tf.data.Dataset.from_tensor_slices(batch(num)).batch(4, drop_remainder=True)


def test_its_bound_is_that_of_normal_pixels_and_a_normal_posterior():
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
    """Of dense layers: four pictures are few for normalization by batch."""
    keras.utils.set_random_seed(0)
    layers, image, z, text = keras.layers, keras.Input(SHAPE), keras.Input((3,)), keras.Input((SIZE,))
    seen = layers.Dense(16, "tanh")(layers.Concatenate()([layers.Flatten()(image), text]))
    encoder = keras.Model([image, text], layers.Dense(6)(seen))
    drawn = layers.Dense(64, "sigmoid")(layers.Dense(32, "tanh")(layers.Concatenate()([z, text])))
    decoder = keras.Model([z, text], layers.Reshape(SHAPE)(drawn))
    texts = networks.text_encoder(len(WORDS), LENGTH, SIZE, base_filters=4)
    # as it comes from a joint embedding: its texts are apart
    texts.set_weights([2 * weight for weight in texts.get_weights()])
    return CaptionedVAE(encoder, decoder, texts, vocabulary=WORDS, scale=scale, seed=1)


@pytest.fixture(scope="module")
def learned():
    """A VAE that has seen four pictures with their captions many times."""
    vae = dense_vae()
    vae.compile(keras.optimizers.Adam(1e-2))
    vae.fit(dataset(), epochs=300, verbose=0)
    return vae


def test_draws_show_what_the_text_says(learned):
    pictures = np.asarray(batch(4)["image"])
    for row, caption in enumerate(("dark left", "dark right", "bright left", "bright right")):
        images = learned.generate(8, seed=0, caption=caption)
        error = np.abs(images[:, None] - pictures[None]).mean((2, 3, 4))
        assert error[:, row].mean() < 0.1 and (error.argmin(1) == row).sum() >= 7


def test_the_text_encoder_stays_as_it_was(learned):
    assert learned.trainable_variables and not learned.text_encoder.trainable_variables
    for ours, theirs in zip(learned.text_encoder.get_weights(), dense_vae().text_encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_generator_begins_as_its_decoder():
    vae = vae_of(text2image(), 1)
    vae.fit(dataset(), verbose=0)
    model = text2image(style_weight=0.01)
    noise = {"z": np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)}
    shown = [model.generate(2, caption="bright left", **noise)]
    model.load_pretrained(vae)
    shown.append(model.generate(2, caption="bright left", **noise))
    # the average, which is shown, begins there as well
    told = vae.embed_captions("bright left").repeat(2, 0)
    np.testing.assert_allclose(shown[1], vae.decode(noise["z"], told), atol=1e-6)
    assert np.abs(shown[0] - shown[1]).max() > 1e-3
    # what is trained afterwards is the model's own
    before = vae.decoder.get_weights()
    for network, learned in ((model.generator, before), (model.style_encoder, vae.encoder.get_weights())):
        for ours, theirs in zip(network.get_weights(), learned, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    model.fit(dataset(), verbose=0)
    assert max(np.abs(a - b).max() for a, b in zip(before, model.generator.get_weights(), strict=True)) > 1e-5
    for ours, theirs in zip(before, vae.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_another_vocabulary_is_refused(learned):
    other = text2image(vocabulary=(*WORDS, "up"))
    with pytest.raises(ValueError, match="Expected a model of the same vocabulary and length, 5 words and 3"):
        other.load_pretrained(learned)


def test_saved_and_loaded_it_is_the_same(learned, tmp_path):
    learned.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert (loaded.scale, loaded.vocabulary, loaded.seed) == (0.3, WORDS, 1)
    np.testing.assert_array_equal(
        loaded.generate(2, seed=3, caption="dark"), learned.generate(2, seed=3, caption="dark")
    )


def test_endpoints_take_the_embedding(learned):
    by_name = {endpoint.name: endpoint for endpoint in learned.endpoints()}
    assert set(by_name) == {"embed", "encode", "decode", "reconstruct", "generate"}
    text = by_name["embed"].function(tokens=batch(4)["tokens"])["embedding"]
    decode = by_name["decode"]
    assert decode.inputs["embedding"].shape == (SIZE,) and "label" not in decode.inputs
    images = decode.function(z=tf.zeros((4, 3)), embedding=text)["image"]
    np.testing.assert_allclose(images, learned.decode(tf.zeros((4, 3)), text), atol=1e-6)


@pytest.mark.parametrize(
    ("vae", "message"),
    [
        ({"epochs": -1}, "vae: epochs must be an integer >= 0; received -1"),
        ({"beta": 2}, "vae has no beta: it takes epochs, scale, learning_rate"),
    ],
)
def test_settings_that_do_not_fit(vae, message):
    with pytest.raises(ValueError, match=message):
        text2image(vae=vae)
