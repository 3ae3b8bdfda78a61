"""Models with an encoder and a decoder: class conditions, and custom networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from keras_gen import VAE, Autoencoder
from keras_gen.distributions import draw_noise
from tests.models.toys import SHAPE, SIZE, images, linear_decoder, linear_encoder, normals, weights

X = images(4)
CLASSES = 3
LABELS = np.array([0, 2, 1, 2])
ONE_HOT = np.eye(CLASSES, dtype=np.float32)


def conditional() -> VAE:
    encoder, decoder = linear_encoder(num_classes=CLASSES), linear_decoder(num_classes=CLASSES)
    model = VAE(encoder, decoder, num_classes=CLASSES, seed=0)
    model.compile(keras.optimizers.SGD(0.01))
    return model


@keras.saving.register_keras_serializable("keras_gen_tests")
class CustomEncoder(keras.Model):
    """A subclassed network, as a user would write it."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.flatten, self.dropout = keras.layers.Flatten(), keras.layers.Dropout(0.5)
        self.dense = keras.layers.Dense(units)

    def call(self, image, training=False):
        return self.dense(self.dropout(self.flatten(image), training=training))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class TestConditions:
    def test_both_networks_depend_on_the_label(self):
        model = conditional()
        z = X.reshape(4, -1) @ weights(9, 4, 1)[:6] + ONE_HOT[LABELS] @ weights(9, 4, 1)[6:]
        np.testing.assert_allclose(model.encode(X, ONE_HOT[LABELS]), z[:, :2], rtol=1e-4, atol=1e-5)
        logits = z[:, :2] @ weights(5, 6, 2)[:2] + ONE_HOT[LABELS] @ weights(5, 6, 2)[2:]
        expected = special.expit(logits).reshape(4, *SHAPE)
        np.testing.assert_allclose(model.predict({"image": X, "label": LABELS}, verbose=0), expected, rtol=1e-4)
        np.testing.assert_allclose(model({"image": X, "label": ONE_HOT[LABELS]}), expected, rtol=1e-4)
        np.testing.assert_allclose(model({"image": X, "label": LABELS[:, None]}), expected, rtol=1e-4)

    def test_fit_takes_labels_as_a_pair_or_by_name(self):
        histories = []
        for arguments in ((X, LABELS), (tf.data.Dataset.from_tensors({"image": X, "label": LABELS}),)):
            histories.append(conditional().fit(*arguments, shuffle=False, verbose=0).history["loss"])
        assert histories[0] == pytest.approx(histories[1], rel=1e-6)

    @pytest.mark.parametrize("num_samples", [1, 3])
    def test_log_likelihood_pairs_each_image_with_its_label(self, num_samples):
        model, z = conditional(), normals(num_samples, 4, SIZE)
        together = model.log_likelihood(X, z, ONE_HOT[LABELS])
        for i in range(4):
            single = model.log_likelihood(X[i : i + 1], z[:, i : i + 1], ONE_HOT[LABELS[i : i + 1]])
            np.testing.assert_allclose(together[:, i], single[:, 0], rtol=1e-5)

    def test_generate(self):
        model = conditional()
        each = model.generate(4, seed=3, label=LABELS)
        for label in range(CLASSES):
            same = model.generate(4, seed=3, label=label)
            np.testing.assert_allclose(each[LABELS == label], same[LABELS == label], rtol=1e-6)
        z = draw_noise(model.noise(), 4, 3)["noise"]
        np.testing.assert_allclose(each, model.decode(z, ONE_HOT[LABELS]), rtol=1e-6)
        np.testing.assert_array_equal(each, model.generate(4, seed=3, label=list(LABELS)))

    @pytest.mark.parametrize(
        "conditions, message",
        [
            ({}, "Expected label=, a class from 0 to 2, .*received none"),
            ({"label": 3}, "integers from 0 to 2"),
            ({"label": -1}, "integers from 0 to 2"),
            ({"label": 1.0}, "integers from 0 to 2"),
            ({"label": [0, 1]}, r"one label, or 4.*\(2,\)"),
            ({"label": 0, "style": 1}, "Expected conditions among label for VAE; received style"),
        ],
    )
    def test_invalid_conditions_are_refused(self, conditions, message):
        with pytest.raises(ValueError, match=message):
            conditional().generate(4, seed=0, **conditions)

    def test_a_model_without_classes_refuses_labels(self):
        with pytest.raises(ValueError, match="Expected no label: .*received label=0: .* num_classes="):
            VAE(linear_encoder(), linear_decoder()).generate(1, label=0)

    @pytest.mark.parametrize(
        "batch, error, message",
        [
            ({"image": X}, ValueError, "a batch with 'label' for num_classes=3; received .'image'"),
            ({"image": X, "label": LABELS + 1}, ValueError, "labels from 0 to 2"),
            ({"image": X, "label": LABELS - 1}, ValueError, "labels from 0 to 2"),
            ({"image": X, "label": ONE_HOT[LABELS][:, :2]}, ValueError, r"one-hot \[batch, 3\]"),
        ],
    )
    def test_invalid_labels_in_a_batch(self, batch, error, message):
        with pytest.raises(error, match=message):
            conditional().label_of(batch)

    def test_invalid_labels_stop_training(self):
        with pytest.raises(ValueError, match="labels from 0 to 2"):
            conditional().fit(X, LABELS + 1, verbose=0)


class TestCustomNetworks:
    def test_subclassed_networks(self, tmp_path):
        encoder = CustomEncoder(2 * SIZE)
        encoder(X[:1])
        decoder = keras.Sequential([keras.Input((SIZE,)), keras.layers.Dense(6), keras.layers.Reshape(SHAPE)])
        model = VAE(encoder, decoder, seed=0)
        model.compile(keras.optimizers.SGD(0.1))
        before = np.asarray(encoder.dense.kernel)
        model.fit(X, verbose=0)
        assert (np.asarray(encoder.dense.kernel) != before).any()
        model.save(tmp_path / "own.keras")
        loaded = keras.saving.load_model(tmp_path / "own.keras")
        np.testing.assert_array_equal(model.predict(X, verbose=0), loaded.predict(X, verbose=0))
        np.testing.assert_array_equal(model.generate(3, seed=0), loaded.generate(3, seed=0))
        # dropout continues with the same masks
        for _ in range(2):
            assert model.train_on_batch(X, return_dict=True) == loaded.train_on_batch(X, return_dict=True)

    def test_unbuilt_networks(self):
        with pytest.raises(ValueError, match="Expected the encoder as a model whose sizes are known.*call it once"):
            Autoencoder(CustomEncoder(SIZE), linear_decoder())

    @pytest.mark.parametrize(
        "shape, build, message",
        [
            ((None, None, 1), keras.layers.GlobalMaxPooling2D(), r"fixed size; received one of \(None, None, 1\)"),
            ((6,), keras.layers.Dense(SIZE), r"images \(height, width, channels\)"),
            (SHAPE, keras.layers.Dense(SIZE), "an encoder that returns one vector"),
        ],
    )
    def test_encoders_of_other_shapes(self, shape, build, message):
        image = keras.Input(shape)
        with pytest.raises(ValueError, match=message):
            Autoencoder(keras.Model(image, build(image)), linear_decoder())

    def test_wrong_number_of_inputs(self):
        with pytest.raises(
            ValueError,
            match=r"Expected a decoder with 1 input\(s\) for num_classes=None \(no label\); received one with 2",
        ):
            Autoencoder(linear_encoder(SIZE), linear_decoder(num_classes=CLASSES))
