"""Runs with a decaying learning rate that are continued with more epochs."""

import dataclasses
import json
import shutil
import signal

import keras
import numpy as np
import pytest

from keras_gen import zoo
from keras_gen.training.train import train
from tests.small import SMALL

from .test_fitting import CallAt, assert_same
from .test_stopping import send

RATE = zoo.get("autoencoder").learning_rate


class RecordRates(keras.callbacks.Callback):
    """Records the factor of every epoch's learning rate."""

    def __init__(self):
        super().__init__()
        self.factors = []

    def on_epoch_end(self, epoch, logs=None):
        self.factors.append(float(self.model.optimizer.learning_rate) / RATE)


@pytest.fixture
def decaying(monkeypatch):
    """Makes the learning rate of autoencoders fall over the second half of the epochs, as in CycleGAN."""
    monkeypatch.setitem(zoo.SYSTEMS, "autoencoder", dataclasses.replace(zoo.get("autoencoder"), decay=0.5))


def test_learning_rate_of_an_extended_run_continues_from_its_last_value(decaying, toy_images, tmp_path, capsys):
    first, further = RecordRates(), RecordRates()
    run = train("autoencoder", toy_images, tmp_path / "run", epochs=4, callbacks=[first], **SMALL)
    np.testing.assert_allclose(first.factors, [1, 1, 1, 1 / 2], rtol=1e-6)
    assert "schedule" not in run.config["training"]
    shutil.copytree(run.path, tmp_path / "stopped")

    capsys.readouterr()
    full = train(None, None, run.path, resume=True, epochs=6, callbacks=[further], verbose=2)
    # linearly from 1/2 in epoch 3, the last one, to 0 in epoch 6; the planned factors were 1, 1
    np.testing.assert_allclose(further.factors, [1 / 3, 1 / 6], rtol=1e-6)
    output = capsys.readouterr().out
    assert "The learning rates continue at 0.5 of their initial values, as at the end of epoch 4, and fall" in output
    assert json.loads((run.path / "config.json").read_text())["training"]["schedule"] == [[0, 4], [4, 6]]

    # stopped in the second of the added epochs, it continues with the same factors, bit for bit
    again = RecordRates()
    with pytest.raises(SystemExit):
        train(None, None, tmp_path / "stopped", resume=True, epochs=6, verbose=0,
              callbacks=[CallAt(6, 2, send(signal.SIGTERM))])  # fmt: skip
    assert_same(train(None, None, tmp_path / "stopped", resume=True, callbacks=[again], verbose=0), full)
    assert again.factors == further.factors[1:]


@pytest.mark.slow
def test_a_run_resumed_without_more_epochs_decays_as_planned(decaying, toy_images, tmp_path):
    full = train("autoencoder", toy_images, tmp_path / "whole", epochs=3, **SMALL)
    with pytest.raises(SystemExit):
        train(
            "autoencoder",
            toy_images,
            tmp_path / "run",
            epochs=3,
            callbacks=[CallAt(3, 2, send(signal.SIGTERM))],
            **SMALL,
        )
    factors = RecordRates()
    assert_same(train(None, None, tmp_path / "run", resume=True, callbacks=[factors], verbose=0), full)
    np.testing.assert_allclose(factors.factors, [2 / 3], rtol=1e-6)
