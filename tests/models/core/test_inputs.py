"""Checks of data passed to Keras's methods: the range of images, the meaning of y, and unused data."""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from keras_gen import VAE, Autoencoder, zoo
from keras_gen.models.core.graph_checks import between
from keras_gen.models.core.inputs import check_range, range_error, split_arrays
from tests.models.toys import SHAPE, SIZE, images, linear_decoder, linear_encoder, losses_of, normals, weights
from tests.replicas import two_replicas
from tests.toys import TOYS

from .test_adversarial import gan

X = images(8)
# noisy inputs and clean targets of a denoising model
NOISY, CLEAN = np.random.default_rng(1).random((8, *SHAPE), np.float32), images(8, seed=2)


def vae(**options) -> VAE:
    model = VAE(linear_encoder(), linear_decoder(), seed=0)
    model.compile(keras.optimizers.SGD(0.01), **options)
    return model


def autoencoder(rate: float = 0.1) -> Autoencoder:
    model = Autoencoder(linear_encoder(SIZE), linear_decoder(), seed=0)
    model.compile(keras.optimizers.SGD(rate))
    return model


def conditional(classes: int) -> VAE:
    model = VAE(linear_encoder(num_classes=classes), linear_decoder(num_classes=classes), num_classes=classes, seed=0)
    model.compile(keras.optimizers.SGD(0.01))
    return model


class TestRange:
    @pytest.mark.parametrize(
        "low, high, message",
        [
            (-1, 1, r"values from -1 to 1; rescale with \(x \+ 1\) / 2$"),
            (0, 255, "values from 0 to 255; divide by 255$"),
            (3, 250, "divide by 255$"),
            # digits from 0 to 16, and 12-bit images
            (0, 16, r"values from 0 to 16; divide by the value of white.*value_range=\(black, white\)"),
            (0, 4095, r"divide by the value of white"),
            (-3, 2.5, r"values from -3 to 2.5; rescale with \(x - black\) / \(white - black\).*value_range="),
            (np.nan, np.nan, "received NaN; remove these images"),
            (0, np.inf, "received infinite values"),
        ],
    )
    def test_errors_have_a_remedy(self, low, high, message):
        with pytest.raises(ValueError, match=message):
            raise range_error("image", low, high)

    def test_other_fields_are_named(self):
        assert "values from 0 to 2 in 'domain_b'" in str(range_error("domain_b", 0, 2))

    def test_rounding_is_allowed(self):
        for value in (1.0009, -0.0009):
            images = np.full((2, *SHAPE), value, np.float32)
            check_range("image", images)
            between("images", "image", images, -1e-3, 1 + 1e-3)
        bfloat16 = tf.cast(np.linspace(0, 1, 12).reshape(2, *SHAPE), tf.bfloat16)
        assert np.isfinite(vae().evaluate(bfloat16, verbose=0)).all()
        with pytest.raises(ValueError, match="from 0.5 to 1.002"):
            check_range("image", np.array([[0.5], [1.002]], np.float32))

    @pytest.mark.parametrize("position", [0, 3, 17, 31, 64, 199, 399])
    def test_a_single_nan_is_detected_at_any_position(self, position):
        images = np.full((400, 1, 1, 1), 0.5, np.float32)
        images[position] = np.nan
        with pytest.raises(ValueError, match="received NaN"):
            check_range("image", images)
        with pytest.raises(ValueError, match="received NaN"):
            between("images", "image", images, 0.0, 1.0)

    def test_all_blocks_are_checked(self, monkeypatch):
        monkeypatch.setattr("keras_gen.models.core.inputs.BLOCK", 12)
        late = X.copy()
        late[-1] = 2.0
        with pytest.raises(ValueError, match="from 0 to 2"):
            check_range("image", late)

    @staticmethod
    def dataset_with(value: float, batch: int) -> tf.data.Dataset:
        """Returns batches of two images, of which one has a constant value."""
        images = X.copy()
        images[2 * batch] = value
        return tf.data.Dataset.from_tensor_slices(images).batch(2)

    @pytest.mark.parametrize("form", ["plain", "several steps", "xla", "eager", "replicas", "bfloat16"])
    def test_later_batches_of_a_dataset(self, form):
        options = {
            "several steps": {"steps_per_execution": 2}, "xla": {"jit_compile": True}, "eager": {"run_eagerly": True}
        }.get(form, {})  # fmt: skip
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16" if form == "bfloat16" else "float32")
        try:
            with (two_replicas() if form == "replicas" else tf.distribute.get_strategy()).scope():
                model = vae(**options)
        finally:
            keras.config.set_dtype_policy(policy)
        for value, batch, message in ((np.nan, 1, "received NaN"), (7.0, 3, r"values from \d to 7")):
            with pytest.raises(ValueError, match=rf"images in \[0, 1\]; .*{message}") as error:
                model.fit(self.dataset_with(value, batch), verbose=0)
            assert len(str(error.value)) < 200
        with pytest.raises(ValueError, match="received NaN"):
            model.evaluate(self.dataset_with(np.nan, 1), verbose=0)
        with pytest.raises(ValueError, match="received NaN"):
            model.predict(self.dataset_with(np.nan, 1), verbose=0)
        assert all(np.isfinite(value).all() for value in model.get_weights())

    def test_a_step_with_an_invalid_batch_updates_nothing(self):
        model, snapshots = vae(), []

        def record(batch, logs):
            snapshots.append([variable.numpy().copy() for variable in model.trainable_variables])

        with pytest.raises(ValueError, match="received NaN"):
            watch = keras.callbacks.LambdaCallback(on_train_batch_end=record)
            model.fit(self.dataset_with(np.nan, 1), callbacks=[watch], verbose=0)
        assert len(snapshots) == 1
        for before, variable in zip(snapshots[0], model.trainable_variables, strict=True):
            np.testing.assert_array_equal(before, variable)

    def test_other_methods_check_the_range(self):
        model, signed = vae(), 2 * X - 1
        methods = [
            model.encode, model.reconstruct, model.train_on_batch, model.test_on_batch, model.predict_on_batch,
            lambda x: model.predict(x, verbose=0), lambda x: model.predict({"image": x}, verbose=0), model,
        ]  # fmt: skip
        for method in methods:
            with pytest.raises(ValueError, match="from -1 to 1; rescale"):
                method(signed)
        with pytest.raises(ValueError, match="received values from nan to nan"):
            model.generate(2, noise=np.full((2, 2), np.nan))

    @pytest.mark.parametrize("key, method", [("cyclegan", "a_to_b"), ("infogan", "infer"), ("stargan", "classify")])
    def test_methods_of_systems_check_the_range(self, key, method):
        model, images = TOYS[key].build(), np.full((2, *TOYS[key].image_shape), 3.0, np.float32)
        with pytest.raises(ValueError, match="values from 3 to 3"):
            getattr(model, method)(images)

    def test_range_check_can_be_turned_off(self):
        model = vae()
        model.checks_range = False
        assert np.isfinite(model.evaluate(5 * X, verbose=0)).all()


class TestForms:
    """Other forms of images than one array."""

    @pytest.mark.parametrize("form", ["no channel", "list", "numbers", "generator", "PyDataset", "float64"])
    def test_every_form_equals_an_array(self, form):
        class Batches(keras.utils.PyDataset):
            def __len__(self):
                return 1

            def __getitem__(self, index):
                return X

        data = {
            "no channel": X[..., 0],
            "list": list(X),
            "numbers": X.tolist(),
            "generator": (batch for batch in [X, X]),
            "PyDataset": Batches(),
            "float64": X.astype(np.float64),
        }[form]
        expected = autoencoder().evaluate(X, batch_size=8, verbose=0, return_dict=True)
        steps = {"steps": 1} if form == "generator" else {}
        results = autoencoder().evaluate(data, verbose=0, return_dict=True, **steps)
        assert results == pytest.approx(expected, rel=1e-6)

    def test_predict_without_a_channel(self):
        model = autoencoder()
        np.testing.assert_array_equal(model.predict(X[..., 0], verbose=0), model.predict(X, verbose=0))

    @pytest.mark.parametrize(
        "data, message",
        [
            (None, "Expected images .* as x; received None"),
            (X[:0], "at least one image; received none"),
            ([X[0], X[0][:1]], "one shape; received several shapes"),
            ((X * 255).astype(np.uint8), r"received uint8 \(8-bit images: divide by 255\)"),
            ((X * 255).astype(np.uint16), r"received uint16 \(16-bit images"),
            (X > 0.5, r"received bool \(convert them with astype"),
            (X[0], "add an axis for a single image"),
        ],
    )
    def test_refused(self, data, message):
        for method in (vae().fit, vae().evaluate):
            with pytest.raises(ValueError, match=message):
                method(data, verbose=0)

    def test_lists_keep_their_type(self):
        labels, model = list(range(8)), conditional(8)
        assert np.isfinite(model.evaluate(X, labels, verbose=0)).all()
        captions = {"image": list(X), "caption": ["a star"] * 8}
        assert model._checked_data(captions)[0]["caption"].dtype.kind == "U"

    def test_translators_accept_other_sizes(self):
        model = zoo.build("cyclegan", (8, 8, 1), base_filters=4, blocks=1, num_downsamples=1, crop=8)
        assert model.predict(np.full((1, 12, 12), 0.5, np.float32), verbose=0).shape == (1, 12, 12, 1)

    def test_an_unbatched_dataset_is_refused(self):
        with pytest.raises(ValueError, match="batch the dataset"):
            vae().fit(tf.data.Dataset.from_tensor_slices(X), verbose=0)


class TestTargets:
    """`fit(x, y)` with images as y: the model learns to compute y from x."""

    def test_loss_compares_with_the_target(self):
        model = autoencoder()
        expected = ((CLEAN - model.reconstruct(NOISY).numpy()) ** 2).sum(axis=(1, 2, 3)).mean()
        pairs = tf.data.Dataset.from_tensor_slices((NOISY, CLEAN)).batch(4)
        named = {"image": NOISY, "target": CLEAN}
        for data in ((NOISY, CLEAN), (named,), (pairs,)):
            assert model.evaluate(*data, verbose=0, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-5)
        history = model.fit(NOISY, CLEAN, validation_data=(NOISY, CLEAN), epochs=1, verbose=0).history
        assert history["val_loss"][0] == pytest.approx(model.evaluate(NOISY, CLEAN, verbose=0)[0], rel=1e-5)
        assert history["val_loss"][0] < expected

    def test_elbo_of_a_vae_is_that_of_the_target(self):
        noise = normals(8, 1, SIZE)
        loss, logs = losses_of(vae(), {"image": tf.constant(NOISY), "target": tf.constant(CLEAN)}, noise)
        _, plain = losses_of(vae(), NOISY, noise)
        np.testing.assert_array_equal(logs["kl"], plain["kl"])  # the posterior is that of x
        encoded = NOISY.reshape(8, -1) @ weights(6, 4, 1)
        scale = vae().family.stddev(tf.constant(encoded), SIZE).numpy()
        logits = (encoded[:, :SIZE] + scale * noise[:, 0]) @ weights(SIZE, 6, 2)
        y = CLEAN.reshape(8, -1)
        expected = -(y * logits - np.logaddexp(0, logits)).sum(axis=1)  # -log p(y | z), Bernoulli
        np.testing.assert_allclose(logs["reconstruction"], expected, rtol=1e-4)
        np.testing.assert_allclose(loss, expected + logs["kl"], rtol=1e-4)

    def test_an_adversarial_autoencoder_reconstructs_the_target(self):
        model, x = TOYS["aae"].build(), tf.constant(TOYS["aae"].columns(4)["image"])
        losses, _ = model.reconstruction({"image": x, "target": 1 - x}, model.encoded(x), None, None, False)
        error = ((1 - x - model.reconstruct(x)).numpy() ** 2).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(losses, error, rtol=1e-4)

    def test_training_approaches_the_target(self):
        model, y = autoencoder(3.0), np.ones_like(NOISY)
        model.fit(NOISY, y, epochs=15, verbose=0)
        assert model.reconstruct(NOISY).numpy().mean() > 0.9 > NOISY.mean() + 0.3

    @pytest.mark.parametrize("form", ["array", "dataset", "xla"])
    def test_a_target_out_of_range(self, form):
        model, y = vae(jit_compile=form == "xla"), 255 * CLEAN
        data = (X, y) if form == "array" else (tf.data.Dataset.from_tensor_slices((X, y)).batch(4),)
        with pytest.raises(ValueError, match="from 0 to 255 in 'target'; divide by 255"):
            model.fit(*data, verbose=0)


class TestUnused:
    """Data that a model does not use is refused."""

    @pytest.mark.parametrize("method", ["fit", "evaluate"])
    @pytest.mark.parametrize(
        "model, data, options, message",
        [
            (
                vae,
                (X, np.arange(8)),
                {},
                r"Expected no y: this VAE uses no labels; received y of the shape \(8,\): build .*num_classes=",
            ),
            (gan, (X, np.arange(8)), {}, "this GAN uses no labels.*num_classes="),
            (gan, (X, X), {}, "GAN does not learn to compute y from x.*leave it out"),
            (lambda: conditional(8), ({"image": X, "label": np.arange(8)}, np.arange(8)), {}, "'label' once"),
            (vae, ({"image": X, "target": X}, X), {}, "'target' once"),
            (lambda: conditional(8), (X, np.array(list("abcdefgh"))), {}, "received names: numpy.unique"),
            (vae, (X, X[:, :1]), {}, r"Expected target \[batch, 2, 3, 1\]"),
            (vae, (X,), {"sample_weight": np.ones(8)}, "sample_weight is not supported"),
            (lambda: conditional(8), (X, np.arange(8)), {"sample_weight": np.ones(8)}, "sample_weight is not supp"),
        ],
    )
    def test_refused(self, method, model, data, options, message):
        with pytest.raises(ValueError, match=message):
            getattr(model(), method)(*data, verbose=0, **options)

    def test_class_weights_and_validation_weights_are_refused(self):
        with pytest.raises(ValueError, match="class_weight is not supported"):
            vae().fit(X, class_weight={0: 1.0}, verbose=0)
        with pytest.raises(ValueError, match="sample_weight is not supported"):
            vae().fit(X, validation_data=(X, None, np.ones(8)), verbose=0)

    @pytest.mark.parametrize(
        "key, remedy", [("infogan", "leave y out"), ("aae", "prior_num_classes"), ("stargan", "leave")]
    )
    def test_labels_for_systems_without_classes_are_refused(self, key, remedy):
        toy = TOYS[key]
        with pytest.raises(ValueError, match=f"uses no labels.*{remedy}"):
            toy.build().fit(toy.columns(4)["image"], np.arange(4), verbose=0)

    def test_labels_out_of_range_are_refused(self):
        model = conditional(8)
        for method in (model.fit, model.evaluate):
            with pytest.raises(ValueError, match="labels from 0 to 7; received values from 2 to 9; number the classes"):
                method(X, np.arange(8) + 2, verbose=0)
        with pytest.raises(ValueError, match="Expected integer labels from 0 to 7; received float32"):
            model.fit(X, np.arange(8) / 2, verbose=0)

    @pytest.mark.parametrize(
        "key, field, value, message",
        [
            ("text2image", "tokens", 99, "tokens from 0 to 5; received values from 99 to 99"),
            ("stargan", "attributes", -1.0, "attributes from 0 to 1; received values from -1 to -1"),
        ],
    )
    def test_other_fields_out_of_range(self, key, field, value, message):
        columns = TOYS[key].columns(4)
        columns[field] = np.full_like(columns[field], value)
        with pytest.raises(ValueError, match=message):
            TOYS[key].build().test_on_batch(columns)


class TestValidationSplit:
    def test_validation_images_are_chosen_from_all_images(self):
        model = conditional(4)
        labels = np.repeat(np.arange(4), 2)
        training, validation = split_arrays({"image": X, "label": labels}, 0.5, 8, seed=0)
        assert len(training["image"]) == len(validation["image"]) == 4
        assert sorted([*training["label"], *validation["label"]]) == labels.tolist()
        assert set(validation["label"]) != {2, 3}  # Keras itself would take the last ones
        again, _ = split_arrays({"image": X, "label": labels}, 0.5, 8, seed=0)
        np.testing.assert_array_equal(training["image"], again["image"])
        history = model.fit(X, labels, validation_split=0.5, verbose=0).history
        assert history["val_loss"][0] == pytest.approx(model.evaluate(validation, verbose=0)[0], rel=1e-5)

    def test_refused(self):
        with pytest.raises(ValueError, match="Expected a validation_split .*received validation_split=1.0 of 8"):
            vae().fit(X, validation_split=1.0, verbose=0)
        with pytest.raises(ValueError, match="received a dataset: split it with take and skip"):
            vae().fit(tf.data.Dataset.from_tensors(X), validation_split=0.5, verbose=0)


def test_toy_autoencoder_is_linear():
    """`test_elbo_of_a_vae_is_that_of_the_target` relies on it."""
    model = autoencoder()
    logits = NOISY.reshape(8, -1) @ weights(6, SIZE, 1) @ weights(SIZE, 6, 2)
    np.testing.assert_allclose(model.reconstruct(NOISY).numpy().reshape(8, -1), scipy.special.expit(logits), rtol=1e-4)
