"""Ratios in the table of timings."""

import pytest

from benchmarks.speed import COMPARISONS, same_networks, with_ratios


def row(library: str, setting: str, images: float, **more) -> dict:
    return {"library": library, "setting": setting, "ms_per_step": 1e3 / images, "parameters": 10, **more}


def test_ratios_to_the_best_peer_and_to_the_best_with_the_same_options():
    rows = [
        row("ours", "float32", 120.0),
        row("ours", "float32, simultaneous", 150.0),
        row("ours", "bfloat16", 180.0),
        row("ours", "bfloat16, simultaneous", 200.0),
        row("peer", "float32", 80.0),
        row("peer", "float32, channels_last", 96.0),
        row("peer", "float32, channels_last, simultaneous", 100.0),
        row("peer", "bfloat16 autocast", 90.0),
    ]
    rated = with_ratios(rows, "peer")
    # relative to 100, the best of all float32 rows of the peer
    assert [each["ratio_to_best_float32_peer"] for each in rated] == [1.2, 1.5, 1.8, 2.0, 0.8, 0.96, 1.0, 0.9]
    # relative to 96, 100, 90, and no peer
    assert [each["ratio_to_peer_alike"] for each in rated] == [1.25, 1.5, 2.0, None, 0.83, 1.0, 1.0, 1.0]


def test_different_networks_are_rejected():
    same = [row("ours", "a", 1.0, multiply_adds={"g": 5}), row("peer", "b", 1.0, multiply_adds={"g": 5})]
    same_networks(same)
    with pytest.raises(ValueError, match=r"multiply_adds of ours \(a\): .*5.*, of peer \(b\): .*6"):
        same_networks([same[0], {**same[1], "multiply_adds": {"g": 6}}])
    with pytest.raises(ValueError, match="parameters of ours"):
        same_networks([same[0], {**same[1], "parameters": 11}])


def test_workers_support_the_settings():
    from benchmarks.workers import keras_gen_cyclegan, keras_gen_dcgan, keras_gen_vae

    assert tuple(keras_gen_dcgan.SETTINGS) == COMPARISONS["dcgan"].our_settings
    assert tuple(keras_gen_vae.SETTINGS) == COMPARISONS["vae"].our_settings
    assert tuple(keras_gen_cyclegan.SETTINGS) == COMPARISONS["cyclegan"].our_settings
