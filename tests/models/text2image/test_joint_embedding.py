"""JointEmbedding: it learns which caption belongs to which image, and two replicas equal one device."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import networks
from keras_gen.models import BatchNoise, GlobalBatch, JointEmbedding
from tests.replicas import two_replicas

WORDS = ("dark", "bright", "left", "right")
SHAPE = (4, 4, 1)


def columns(num: int = 12) -> dict[str, np.ndarray]:
    """Returns images in which one half is bright or dark, and captions that name the half and the brightness."""
    which = np.arange(num) % 4
    image = np.full((num, *SHAPE), 0.5, np.float32)
    for row, kind in enumerate(which):
        image[row, :, 2 * (kind % 2) : 2 * (kind % 2) + 2] = kind // 2
    tokens = np.stack([2 + which // 2, 4 + which % 2, 0 * which], axis=1).astype(np.int32)
    return {"image": image, "tokens": tokens}


def joint(projected: bool = False, **options) -> JointEmbedding:
    """Builds a model; with a projection, images and texts are compared in three dimensions."""
    keras.utils.set_random_seed(0)
    size = 3 if projected else 5
    image = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(size)])
    encoder = networks.text_encoder(len(WORDS), 3, 5, base_filters=6)
    projection = keras.Sequential([keras.Input((5,)), keras.layers.Dense(size)]) if projected else None
    return JointEmbedding(encoder, image, projection, vocabulary=WORDS, seed=0, **options)


@pytest.mark.parametrize(("loss", "projected"), [("contrastive", True), ("structured", False)])
def test_it_learns_to_distinguish_four_captions(loss, projected):
    model = joint(projected, loss=loss)
    model.compile(keras.optimizers.Adam(0.02))
    data = tf.data.Dataset.from_tensor_slices(columns(16)).batch(8)
    before = model.evaluate(data, verbose=0, return_dict=True)
    model.fit(data, epochs=40, verbose=0)
    after = model.evaluate(data, verbose=0, return_dict=True)
    assert set(after) == set(model.tracked)
    assert after["image_accuracy"] == after["text_accuracy"] == 1 and after["loss"] < 0.2 * before["loss"]
    # an image has the highest score with its own caption
    four = columns(4)
    scores = model.score(model.embed_image(four["image"])[:, None], model.embed(four["tokens"])[None]).numpy()
    np.testing.assert_array_equal(scores.argmax(1), np.arange(4))
    np.testing.assert_allclose(model.predict(four, verbose=0), np.diag(scores), rtol=1e-5)


@pytest.mark.parametrize("projected", [False, True])
def test_loss_of_a_batch_by_hand(projected, tmp_path):
    model = joint(projected, temperature=0.5)
    model.compile("sgd")
    batch = {name: value[:3] for name, value in columns(4).items()}
    image, text = np.asarray(model.embed_image(batch["image"])), np.asarray(model.embed(batch["tokens"]))
    if projected:
        weight, bias = model.projection.get_weights()
        text = text @ weight + bias
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (image, text)]
    scores = unit[0] @ unit[1].T / 0.5
    each = [np.log(np.exp(s).sum(1)) - np.diag(s) for s in (scores, scores.T)]
    result = model.evaluate(tf.data.Dataset.from_tensors(batch), verbose=0, return_dict=True)
    assert result["loss"] == pytest.approx(np.mean(each), rel=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(batch, verbose=0), model.predict(batch, verbose=0))


@pytest.mark.parametrize(
    ("loss", "noise"), [("contrastive", 0.2), pytest.param("structured", 0.0, marks=pytest.mark.slow)]
)
def test_two_replicas_equal_one_device(loss, noise):
    def run():
        model = joint(loss=loss, image_noise=noise)
        model.compile(keras.optimizers.SGD(0.1))
        # 9 rows in batches of 4: in the last batch, one replica has no row
        data = tf.data.Dataset.from_tensor_slices(columns(9)).batch(4)
        history = model.fit(data, epochs=3, verbose=0).history
        return model.get_weights(), history

    keras.utils.clear_session()
    one, one_history = run()
    with two_replicas().scope():
        two, two_history = run()
    start = joint(loss=loss).get_weights()
    assert max(np.abs(a - b).max() for a, b in zip(one, start, strict=True) if a.ndim > 1) > 1e-2
    for value, other in zip(one, two, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-4, atol=2e-6)  # the same sums in a different order
    for name, values in one_history.items():
        np.testing.assert_allclose(values, two_history[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_image_noise_has_its_standard_deviation_only_in_training():
    batch, images = columns(4), []

    def run(noise: float, training: bool) -> float:
        model = joint(image_noise=noise)
        model.compile("sgd")
        embed = model.embed_image
        model.embed_image = lambda image, training=False: images.append(np.asarray(image)) or embed(image, training)
        global_batch = GlobalBatch(tf.constant(4))
        rows, _ = model.losses_of(batch, BatchNoise(tf.constant([1, 2]), global_batch), global_batch, training)
        return float(tf.reduce_mean(rows))

    assert run(0.5, False) == run(0.0, True) != run(0.5, True)
    np.testing.assert_array_equal(images[0], batch["image"])
    noise = images[2] - batch["image"]
    assert 0.3 < noise.std() < 0.7 and abs(noise.mean()) < 0.3


def test_save_and_load(tmp_path):
    model = joint(loss="structured", image_noise=0.3)
    model.compile("adam")
    model.save(tmp_path / "joint.keras")
    loaded = keras.saving.load_model(tmp_path / "joint.keras")
    assert loaded.loss == "structured" and loaded.vocabulary == WORDS and loaded.image_noise == 0.3
    np.testing.assert_array_equal(loaded.embed(columns()["tokens"]), model.embed(columns()["tokens"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "triplet"}, "Expected loss as one of contrastive, structured; received 'triplet'"),
        ({"temperature": 0}, "Expected temperature > 0 and image_noise >= 0; received 0 and 0.0"),
        ({"image_noise": -1.0}, "image_noise >= 0; received 0.1 and -1.0"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        joint(**options)


def test_inconsistent_sizes_are_refused():
    image = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(4)])
    with pytest.raises(ValueError, match=r"text_encoder's shape \(5,\); received one with \(4,\)"):
        JointEmbedding(networks.text_encoder(4, 3, 5, base_filters=6), image, vocabulary=WORDS)
    narrow = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"from the text_encoder's \(5,\) to the image_encoder's \(4,\); received one"):
        JointEmbedding(networks.text_encoder(4, 3, 5, base_filters=6), image, narrow, vocabulary=WORDS)
