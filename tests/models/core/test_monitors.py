"""Keras callbacks and saving methods for models of several players: they work, or raise before training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import zoo
from keras_gen.models.core.monitors import mode_of
from tests.toys import TOYS

from .test_adversarial import batches, gan

callbacks = keras.callbacks


@pytest.mark.parametrize(
    "callback, message",
    [
        (lambda: callbacks.EarlyStopping("loss"),
         r"monitor among discriminator_loss, generator_loss, .*received EarlyStopping\(monitor='loss'\)"
         r".*EarlyStopping\(monitor='discriminator_loss', mode='min'\)"),
        (lambda: callbacks.EarlyStopping(), r"monitor='val_loss'\) \(a val_ metric needs validation_data\)"),
        (lambda: callbacks.ReduceLROnPlateau("val_generator_loss"),
         r"needs validation_data.*ReduceLROnPlateau\(monitor='val_generator_loss', mode='min'\)"),
        (lambda: callbacks.EarlyStopping("fid"), "received EarlyStopping.*'fid'"),
        (lambda: callbacks.EarlyStopping("sample_diversity"), "Expected mode='min' or mode='max'.*'sample_diversity'"),
        (lambda: callbacks.ModelCheckpoint("x.keras", save_best_only=True), "received ModelCheckpoint.*'val_loss'"),
        (lambda: callbacks.ModelCheckpoint("x.h5"), r"files that end in .keras; received 'x.h5'"),
        (lambda: "early", "Expected Keras callbacks; received 'early'"),
    ],
)  # fmt: skip
def test_unsupported_callbacks_are_refused_before_the_first_step(callback, message):
    model = gan()
    with pytest.raises(ValueError, match=message):
        model.fit(batches(), callbacks=[callback()], verbose=0)
    assert int(model.train_steps) == 0


def test_a_validation_metric_is_suggested():
    with pytest.raises(ValueError, match=r"val_generator_loss.*monitor='val_discriminator_loss', mode='min'"):
        gan().fit(batches(), validation_data=batches(), callbacks=callbacks.EarlyStopping(), verbose=0)


def test_metric_names_determine_which_value_is_better():
    smallest = ("loss", "generator_loss", "val_cycle_error", "reconstruction", "spatial_loss", "identity_error")
    largest = ("val_elbo", "real_accuracy", "category_information", "mask_iou", "semantic_agreement")
    unclear = ("kl", "sample_diversity", "resolution", "alpha", "critic_distance", "style_kl")
    for mode, names in (("min", smallest), ("max", largest), (None, unclear)):
        assert [mode_of(name) for name in names] == [mode] * len(names)


def test_callbacks_work(tmp_path):
    model = gan(keras.optimizers.SGD(0.1))
    file = tmp_path / "best.keras"
    chosen = [
        callbacks.EarlyStopping("generator_loss", patience=9),
        callbacks.ReduceLROnPlateau("generator_loss", factor=0.5, patience=1, min_delta=1e9),
        callbacks.ModelCheckpoint(file, monitor="val_discriminator_accuracy", save_best_only=True),
        callbacks.ModelCheckpoint(tmp_path / "x.weights.h5", save_weights_only=True),
        callbacks.BackupAndRestore(tmp_path / "backup"),
        callbacks.TerminateOnNaN(),
        callbacks.CSVLogger(str(tmp_path / "log.csv")),
        callbacks.TensorBoard(str(tmp_path / "board"), write_graph=False),
        callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(fid=1.0 - epoch)),
        callbacks.EarlyStopping("fid", mode="min", patience=2),
    ]
    history = model.fit(batches(), validation_data=batches(), epochs=3, callbacks=chosen, verbose=0)
    assert len(history.epoch) == 3 and file.is_file() and chosen[2].mode == "max" and chosen[0].mode == "min"
    # the first epoch improves on no epoch; each of the others is a plateau for both players
    assert [float(each.learning_rate) for each in model.optimizers.values()] == pytest.approx([0.025] * 2)
    assert (tmp_path / "log.csv").read_text().startswith("epoch,")
    assert keras.saving.load_model(file).generate(2, seed=0).shape == (2, 2, 3, 1)


@pytest.mark.parametrize("name", ["x.h5", "x.hdf5", "x"])
def test_other_formats_name_the_alternative(name, tmp_path):
    with pytest.raises(ValueError, match=r"ends in .keras; received .*keras_gen.export.export_model\(model, folder\)"):
        gan().save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_export_of_keras_names_the_alternative(tmp_path):
    with pytest.raises(ValueError, match=r"keras_gen.export.export_model\(model, folder\).*TFLite of generate"):
        gan().export(tmp_path / "model")
    with pytest.raises(ValueError, match="TFLite of a_to_b, b_to_a"):
        TOYS["cyclegan"].build().export(str(tmp_path / "model.onnx"), format="onnx")


def test_weights_of_several_players(tmp_path):
    model, other = gan(), gan()
    model.fit(batches(), verbose=0)
    model.save_weights(tmp_path / "x.weights.h5")
    other.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(model.generate(2, seed=1), other.generate(2, seed=1))


def test_other_methods_of_keras():
    model = zoo.build("gan", (8, 8, 1), hidden_units=4, latent_size=2)
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    assert "generator" in "".join(lines) and model.count_params() > 0
    assert isinstance(keras.models.clone_model(model), type(model)) and '"GAN"' in model.to_json()
    model.compile(model.optimizers, run_eagerly=True)
    x = TOYS["gan"].columns(4)["image"]
    assert np.isfinite(list(model.fit(x, batch_size=None, verbose=0).history.values())).all()
    assert np.isfinite(list(model.fit(tf.constant(x), verbose=0).history.values())).all()
