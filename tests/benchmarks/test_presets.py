"""The page of presets: current, from counts that are those of the networks."""

import keras
import pytest

from benchmarks import presets, record
from keras_gen import zoo
from keras_gen.zoo.weights import count_weights

COUNTS = record.read("presets")["weights"]


def test_the_page_is_current():
    assert presets.DOC.read_text() == presets.page(COUNTS), "run python -m benchmarks.presets"


def dense(*units: int) -> int:
    """Returns the number of weights of dense layers with these numbers of units, first the inputs."""
    return sum((inputs + 1) * outputs for inputs, outputs in zip(units, units[1:], strict=False))


def convolutions(kernel: int, *channels: int) -> int:
    """Returns the number of weights of convolutions without biases."""
    return sum(kernel**2 * inputs * outputs for inputs, outputs in zip(channels, channels[1:], strict=False))


def residual(blocks: int, channels: int = 256) -> int:
    """Returns the number of weights of residual blocks of two 3x3 convolutions with affine normalizations."""
    return blocks * 2 * (convolutions(3, channels, channels) + 2 * channels)


def test_weights_by_arithmetic():
    count = {key: each["paper"] for key, each in COUNTS.items()}
    assert count["autoencoder"] == {
        "encoder": dense(784, 1000, 500, 250, 30), "decoder": dense(30, 250, 500, 1000, 784)
    }  # fmt: skip
    assert count["vae"] == {"encoder": dense(784, 500, 2 * 20), "decoder": dense(20, 500, 784)}
    assert count["aae"] == {
        "encoder": dense(784, 1000, 1000, 8), "decoder": dense(8, 1000, 1000, 784),
        "discriminator": dense(8, 1000, 1000, 1),
    }  # fmt: skip
    # a maxout unit has five linear functions
    assert count["gan"] == {
        "generator": dense(100, 1200, 1200, 784), "discriminator": dense(784, 1200) + dense(240, 1200) + dense(240, 1)
    }  # fmt: skip
    assert count["dcgan"] == {
        "generator": 100 * 4 * 4 * 1024 + convolutions(5, 1024, 512, 256, 128, 3) + 2 * (1024 + 512 + 256 + 128) + 3,
        "discriminator": convolutions(5, 3, 128, 256, 512, 1024) + 128 + 2 * (256 + 512 + 1024) + 4 * 4 * 1024 + 1,
    }  # fmt: skip
    # table 1; a normalized layer has scale and shift of each channel instead of biases
    assert count["infogan"] == {
        "generator": 74 * 1024 + 2 * 1024 + 1024 * 7 * 7 * 128 + 2 * 128 + convolutions(4, 128, 64, 1) + 2 * 64 + 1,
        "trunk": convolutions(4, 1, 64, 128) + 64 + 2 * 128 + 7 * 7 * 128 * 1024 + 2 * 1024,
        "discriminator_head": dense(1024, 1),
        "q_head": 1024 * 128 + 2 * 128 + dense(128, 10 + 2 * 2),
    }


def test_weights_of_translators_by_arithmetic():
    generator = convolutions(7, 3, 64) + 2 * 64 + convolutions(3, 64, 128, 256) + 2 * (128 + 256)
    generator += residual(9) + convolutions(3, 256, 128, 64) + 2 * (128 + 64) + convolutions(7, 64, 3) + 3
    discriminator = convolutions(4, 3, 64, 128, 256, 512, 1) + 64 + 2 * (128 + 256 + 512) + 1
    names = ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b")
    expected = (generator, generator, discriminator, discriminator)
    assert COUNTS["cyclegan"]["paper"] == dict(zip(names, expected, strict=True))
    # the authors' code has biases instead of scales and shifts: 11.378 and 2.765 million
    biases = 64 + 128 + 256 + 9 * 2 * 256 + 128 + 64
    assert generator - biases == 11_378_179 and discriminator - (128 + 256 + 512) == 2_764_737
    # five attributes; the authors' code normalizes the first convolution and has no biases in the last layers
    planes = convolutions(7, 3 + 5, 64) + 64 + convolutions(4, 64, 128, 256) + 2 * (128 + 256) + residual(6)
    planes += convolutions(4, 256, 128, 64) + 2 * (128 + 64) + convolutions(7, 64, 3) + 3
    critic = convolutions(4, 3, 64, 128, 256, 512, 1024, 2048) + 64 + 128 + 256 + 512 + 1024 + 2048
    critic += convolutions(3, 2048, 1) + convolutions(2, 2048, 5) + 5
    assert COUNTS["stargan"]["paper"] == {"generator": planes, "discriminator": critic}
    published = zoo.get("stargan").presets["paper"].weights
    assert published == {"generator": planes + 64 - 3, "discriminator": critic - 5}


def test_weights_of_progan_by_arithmetic():
    widths = [512] * 4 + [256, 128, 64, 32, 16]  # from 4 to 1024 pixels
    biased = lambda *channels: convolutions(3, *channels) + sum(channels[1:])  # noqa: E731
    generator = 512 * 4 * 4 * 512 + 4 * 4 * 512 + biased(512, 512)
    generator += sum(biased(a, b, b) for a, b in zip(widths, widths[1:], strict=False))
    generator += sum(3 * width + 3 for width in widths)
    # the minibatch standard deviation is one more channel
    discriminator = biased(513, 512) + dense(4 * 4 * 512, 512, 1)
    discriminator += sum(biased(b, b, a) for a, b in zip(widths, widths[1:], strict=False))
    discriminator += sum(dense(3, width) for width in widths)
    assert COUNTS["progan"]["paper"] == {"generator": generator, "discriminator": discriminator}
    assert round(generator / 1e6, 1) == round(discriminator / 1e6, 1) == 23.1  # as in table 2


@pytest.mark.parametrize("key", zoo.SYSTEMS)
def test_published_weights(key):
    paper = zoo.get(key).presets["paper"]
    counted = {name: COUNTS[key]["paper"][name] for name in paper.weights}
    # rounded to three or four digits, and other biases
    assert counted == pytest.approx({name: number for name, number in paper.weights.items() if number}, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("key", zoo.SYSTEMS)
def test_the_counts_are_those_of_the_networks(key):
    for name in zoo.get(key).presets:
        keras.backend.clear_session()
        assert count_weights(key, name) == COUNTS[key][name]
