"""The tab of text to image, called as a browser does, compared with the exported model."""

import warnings

import numpy as np
import pytest
from gradio_client.exceptions import AppError

from demos.panels.interpolation import interpolate_vectors
from keras_gen import pictures
from keras_gen.runtime import Runtime

from .conftest import export_small_model
from .test_latent import read_image, read_rgb, rgb

SHAPE = (16, 16, 3)
WORDS = ("a", "large", "striped", "red", "star", "in", "the", "center", "plain", "blue")
SETTINGS = {
    "base_filters": 4,
    "vocabulary": WORDS,
    "length": 8,
    "embedding_size": 6,
    "text_filters": 8,
    "latent_size": 5,
}


SERVED = {"text": lambda runs: export_small_model(runs, "text", "text2image", SHAPE, SETTINGS)}


@pytest.fixture(scope="module")
def model(served_models):
    return Runtime(served_models["text"].folder)


def generate(model, caption, seed=3, num=8):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about unknown words
        return model.generate(num, seed, caption=caption)


def test_generate_returns_eight_samples_of_a_caption(client, model):
    path, note = client.predict("A large RED star!", 3, api_name="/text_generate")
    assert note == "The model knows every word."
    expected = generate(model, "a large red star")
    picture = read_rgb(path)
    scale = (picture.shape[1] - 5 * 2) // (4 * 16)
    np.testing.assert_array_equal(picture, pictures.grid(expected, 4, scale=scale))
    assert np.abs(expected - generate(model, "a plain blue star")).max() > 0.01


@pytest.mark.parametrize(
    ("caption", "note"),
    [
        ("a red gnu, a gnu", "Unknown words: gnu."),
        ("빨간 별 \N{SLICE OF PIZZA}", "Unknown words: 빨간, 별, \N{SLICE OF PIZZA}."),
        ("a red star " * 910, "The model reads only the first 8 of 2,730 words."),  # 10,010 characters
        ("x" * 10_000, f"Unknown words: {'x' * 40}...."),
        ("<b>red</b> | **star**", "Unknown words: <b>red<, b>, |."),
    ],
    ids=["unknown", "Korean and emoji", "10,010 characters", "one word of 10,000", "markup"],
)
def test_unknown_words_are_listed(client, model, caption, note):
    path, said = client.predict(caption, 3, api_name="/text_generate")
    assert said == note
    np.testing.assert_array_equal(read_first(path), rgb(generate(model, caption)[0]))


def read_first(path):
    """Returns the first image of the grid, at its original size."""
    picture = read_rgb(path)
    scale = (picture.shape[1] - 5 * 2) // (4 * 16)
    return picture[2 : 2 + 16 * scale : scale, 2 : 2 + 16 * scale : scale]


@pytest.mark.parametrize("caption", ["", "  \N{IDEOGRAPHIC SPACE}", "?!"])
def test_an_empty_caption_is_refused(client, caption):
    with pytest.raises(AppError, match="Expected a caption with at least one word"):
        client.predict(caption, 3, api_name="/text_generate")
    with pytest.raises(AppError, match="Expected a caption with at least one word"):
        client.predict("a star", caption, 3, 5, 0.5, api_name="/text_walk")


def test_captions_are_interpolated(client, model):
    strip, at_position, *notes = client.predict("a red star", "a blue gnu", 3, 5, 0.25, api_name="/text_walk")
    assert notes == ["The model knows every word.", "Unknown words: gnu."]
    ends = [model.run("embed", tokens=model.tokenize(caption))["embedding"][0]
            for caption in ("a red star", "a blue gnu")]  # fmt: skip
    z = np.repeat(model.noise(1, 3)["z"], 6, axis=0)
    codes = interpolate_vectors(*ends, [0, 0.25, 0.5, 0.75, 1, 0.25])
    images = model.run("generate", embedding=codes, z=z)["image"]
    picture = read_rgb(strip)
    scale = (picture.shape[1] - 6 * 2) // (5 * 16)
    np.testing.assert_array_equal(picture, pictures.grid(images[:5], 5, scale=scale))
    np.testing.assert_array_equal(read_image(at_position, SHAPE), rgb(images[5]))
    moved = client.predict("a red star", "a blue gnu", 3, 0.25, api_name="/text_position")
    np.testing.assert_array_equal(read_image(moved, SHAPE), rgb(images[5]))


def test_endpoints(endpoints):
    assert set(("generate", "walk", "position")) <= endpoints("text")
