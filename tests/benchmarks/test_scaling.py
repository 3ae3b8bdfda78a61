"""The scaling estimate: its formula by hand, its measurements, and the numbers in the documentation."""

import numpy as np
import pytest

import keras_gen
from benchmarks import record, scaling
from keras_gen import runs

TEN_MEGABYTES = {"compute_seconds": 0.1, "input_seconds": 0.01, "gradient_bytes": 10_000_000}


def test_formula_by_hand():
    # 2 * 7/8 * 10 MB over 1 GB/s are 17.5 ms
    assert scaling.step_seconds(TEN_MEGABYTES, 8, 1.0) == pytest.approx(0.1 + 0.0175 + 0.01)
    # a device ten times as fast computes in 10 ms; input and network take the same time
    assert scaling.step_seconds(TEN_MEGABYTES, 8, 1.0, speed=10) == pytest.approx(0.01 + 0.0175 + 0.01)
    assert scaling.efficiency(TEN_MEGABYTES, 8, 1.0, speed=10) == pytest.approx(0.02 / 0.0375)
    assert scaling.step_seconds(TEN_MEGABYTES, 1, 1.0) == pytest.approx(0.11)  # one device needs no communication


def test_estimates_skip_impossible_numbers_of_devices():
    rows = scaling.estimates({"a": TEN_MEGABYTES})
    devices = {name: {row["devices"] for row in rows if row["interconnect"] == name} for name in ("NVLink 4",)}
    assert devices == {"NVLink 4": {8}} and len(rows) == 3 * (1 + 1 + 4 * 3)
    assert all(0 < row["efficiency"] <= 1 for row in rows)
    assert all(wire.source for wire in scaling.INTERCONNECTS)


def test_gradients_are_counted_for_every_update_of_a_player():
    vae = keras_gen.build("vae", (8, 8, 1), network="mlp", hidden_units=8, latent_size=2, head="bernoulli")
    assert scaling.gradient_bytes(vae) == 4 * (vae.encoder.count_params() + vae.decoder.count_params())
    game = keras_gen.build("gan", (8, 8, 1), hidden_units=4, latent_size=2, n_critic=3)
    sizes = [
        sum(int(np.prod(v.shape)) for v in network.trainable_variables)
        for network in (game.generator, game.discriminator)
    ]
    assert scaling.gradient_bytes(game) == 4 * (sizes[0] + 3 * sizes[1])


def test_constants_are_measured():
    result = scaling.measure("vae", 1, 1, {"network": "mlp", "hidden_units": 4, "latent_size": 2}, image_size=8)
    assert result["compute_seconds"] > 0 and result["input_seconds"] > 0
    assert result["image_shape"] == [8, 8, 3] and result["batch_size"] == 128


def test_documentation_has_the_numbers_of_the_result():
    content = runs.read_json(record.RESULTS / "scaling.json")
    text = scaling.DOC.read_text()
    assert scaling.write_between_marks(text, scaling.document(content)) == text
    assert content["estimates"] == scaling.estimates(content["systems"]) and "estimate" in text.splitlines()[0]
