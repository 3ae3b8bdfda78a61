"""Noise is numpy's Philox with the key [seed, stream]."""

import numpy as np
import pytest

from keras_gen.distributions import Noise
from keras_gen.distributions import draw_noise as draw_by_specification
from keras_gen.runtime.noise import NOISE_KINDS, draw_noise


def philox(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], np.uint64)))


@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_every_kind_by_hand(seed):
    shapes = {"normal": (3,), "uniform": (2, 2), "uniform_symmetric": (1,), "one_hot": (4,)}
    inputs = [
        {"name": kind, "stream": stream, "kind": kind, "shape": list(shapes[kind])}
        for stream, kind in enumerate(NOISE_KINDS)
    ]
    noise = draw_noise(inputs, 5, seed)
    expected = {
        "normal": philox(seed, 0).standard_normal((5, 3), dtype=np.float32),
        "uniform": philox(seed, 1).random((5, 2, 2), dtype=np.float32),
        "uniform_symmetric": 2 * philox(seed, 2).random((5, 1), dtype=np.float32) - 1,
        "one_hot": np.eye(4, dtype=np.float32)[philox(seed, 3).integers(4, size=5)],
    }
    assert list(noise) == list(NOISE_KINDS)
    for kind, values in expected.items():
        assert noise[kind].dtype == np.float32
        np.testing.assert_array_equal(noise[kind], values)
    specification = {kind: Noise(kind, shapes[kind]) for kind in NOISE_KINDS}
    for kind, values in draw_by_specification(specification, 5, seed).items():  # streams in the order of the inputs
        np.testing.assert_array_equal(noise[kind], values)


def test_first_rows_do_not_depend_on_num():
    inputs = [{"name": "z", "stream": 3, "kind": "normal", "shape": [2]}]
    np.testing.assert_array_equal(draw_noise(inputs, 1, 5)["z"], draw_noise(inputs, 64, 5)["z"][:1])


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True, None])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises(ValueError, match=r"Expected seed as an integer with 0 <= seed < 2\*\*63; received"):
        draw_noise([], 1, seed)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="Expected the kind of noise as one of normal, .*; received 'cauchy'"):
        draw_noise([{"name": "z", "stream": 0, "kind": "cauchy", "shape": [2]}], 1, 0)
