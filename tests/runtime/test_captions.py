"""Captions on the device: the same tokens and images as in Keras, and warnings about ignored words."""

import json
import os
import pathlib
import shutil
import unicodedata
import zipfile

import numpy as np
import pytest

from keras_gen import zoo
from keras_gen.data import FACTORS, Factors, Tokenizer, build_vocabulary, caption_shapes, normalize
from keras_gen.export import export_model
from keras_gen.runtime import Runtime
from keras_gen.runtime.captions import read_caption, tokenize
from keras_gen.runtime.command_line import summary
from keras_gen.runtime.description import digest_of

from .device import command_line

LENGTH, SHAPE = 12, (8, 8, 3)
SHAPES = [caption for form in range(4) for caption in caption_shapes(Factors.draw(250, seed=0), form)]
UNUSUAL = [
    "A  Red-Striped CIRCLE, at the top!",
    "\N{LATIN CAPITAL LETTER E WITH ACUTE}toile rouge",
    "E\N{COMBINING ACUTE ACCENT}toile rouge",
    "a\N{NO-BREAK SPACE}red\N{IDEOGRAPHIC SPACE}circle\N{EM SPACE}here",
    "red\N{EN DASH}striped\N{NON-BREAKING HYPHEN}star",
    "빨간 원",
    "\N{HANGUL CHOSEONG PIEUP}\N{HANGUL JUNGSEONG A}\N{HANGUL JONGSEONG RIEUL}",
    "a red \N{SLICE OF PIZZA} at the top",
    "\U0001f469\U0001f3fd\u200d\U0001f680 in space",
    "STRASSE \N{LATIN SMALL LETTER SHARP S}",
    "\N{FULLWIDTH LATIN CAPITAL LETTER R}\N{FULLWIDTH LATIN SMALL LETTER E}d \N{LATIN SMALL LIGATURE FI}sh",
    "a\u2028red\x85circle\x00\x1f",
    "a red circle " * 800,  # more than 10,000 characters
]


@pytest.fixture(scope="module")
def model():
    """A text-to-image model whose vocabulary is too large for token numbers in int8 or bfloat16."""
    vocabulary = (*build_vocabulary(SHAPES), *(f"word{i}" for i in range(2000)))
    settings = {"vocabulary": vocabulary, "length": LENGTH, "embedding_size": 6, "text_filters": 8, "base_filters": 4}
    model = zoo.build("text2image", SHAPE, latent_size=3, **settings)
    generator = np.random.default_rng(0)
    # larger weights, so that the text matters; moving variances stay positive
    for weight in model.generator.weights:
        added = generator.normal(0, 0.1, weight.shape)
        weight.assign(np.abs(weight + added) if weight.path.endswith("variance") else weight + added)
    model.create_ema_networks()
    return model


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    generator = np.random.default_rng(1)
    data = {"image": generator.random((6, *SHAPE), np.float32), "tokens": model.tokenizer(SHAPES[:6])}
    data["tokens"][::3, 0] = generator.integers(2, 2000, 2)
    return export_model(model, tmp_path_factory.mktemp("text") / "export", calibration=data, format="tflite",
                        quantize=("float32", "int8"))  # fmt: skip


def tokens_of(captions, vocabulary) -> np.ndarray:
    """Tokenizes with the runtime."""
    return np.concatenate(
        [tokenize(read_caption(caption, vocabulary, LENGTH).words, vocabulary, LENGTH) for caption in captions]
    )


def test_description_has_the_vocabulary(folder, model):
    description = json.loads((folder / "model.json").read_text())
    assert description["text"] == {"vocabulary": list(model.vocabulary), "length": LENGTH}
    assert "text: captions of up to 12 words, vocabulary of 20" in summary(Runtime(folder))


@pytest.mark.parametrize("captions", [SHAPES, UNUSUAL], ids=["shapes", "unusual"])
def test_runtime_and_keras_tokenize_alike(captions, model):
    np.testing.assert_array_equal(tokens_of(captions, model.vocabulary), model.tokenizer(captions))
    for caption in captions:
        tokens = model.tokenizer([caption])[0]
        reading = read_caption(caption, model.vocabulary, LENGTH)
        assert reading.dropped == len(reading.words) - np.count_nonzero(tokens)
        assert set(reading.unknown) == {word for word, token in zip(reading.words, tokens, strict=False) if token == 1}


def test_runtime_and_keras_tokenize_twemoji_captions_alike():
    folder_of_data = os.environ.get("KERAS_GEN_TEST_DATA")
    file = pathlib.Path(folder_of_data or "", "twemoji", "twemoji.zip")
    if not folder_of_data or not file.is_file():
        pytest.skip("KERAS_GEN_TEST_DATA names no folder with twemoji/twemoji.zip")
    lines = zipfile.ZipFile(file).read("captions.jsonl").decode().splitlines()
    rows = [json.loads(line) for line in lines]
    captions = [text for row in rows for text in (row["label"], " ".join(row["tags"]), row["emoji"]) if text]
    captions = [caption for caption in captions if normalize(caption)]
    assert len(captions) > 10_000
    vocabulary = build_vocabulary(captions, 3000)
    np.testing.assert_array_equal(tokens_of(captions, vocabulary), Tokenizer(vocabulary, LENGTH)(captions))


def test_normalizing_twice_changes_nothing_for_every_character():
    for code in range(0x110000):
        if unicodedata.category(chr(code)) != "Cn":
            text = normalize(f"A{chr(code)}b {chr(code)}")
            assert normalize(text) == text, hex(code)


@pytest.mark.filterwarnings("ignore:Unknown words", "ignore:The caption has")
@pytest.mark.parametrize("caption", ["A large, STRIPED red star!", *UNUSUAL], ids=ascii)
def test_runtime_and_keras_generate_the_same_images_for_a_caption(caption, folder, model):
    device = Runtime(folder, precision="float32")
    images = device.generate(2, seed=4, caption=caption)
    np.testing.assert_allclose(images, model.generate(2, seed=4, caption=caption), atol=1e-5)
    other = device.generate(2, seed=4, caption="a plain blue circle")
    assert np.abs(images - other).max() > 1e-3  # the text matters


def test_int8_embeds_words_beyond_index_256(folder, model):
    device = Runtime(folder, precision="int8")
    words = [model.vocabulary[index] for index in (3, 300, 301, 1500, 1999)]
    actual, expected = (np.concatenate([each(word) for word in words]) for each in (device.embed, model.embed_captions))
    # the quantization error relative to the differences between words
    assert np.abs(actual - expected).mean() < 0.15 * np.abs(expected - expected.mean(0)).mean()


def test_ignored_words_are_reported(folder):
    device = Runtime(folder)
    with pytest.warns(UserWarning, match="^Unknown words: 빨간, 원$"):
        device.generate(1, seed=0, caption="빨간 원")
    with pytest.warns(UserWarning, match="The caption has 2400 words; the first 12 are read"):
        device.generate(1, seed=0, caption=UNUSUAL[-1])
    with pytest.raises(ValueError, match="Expected a caption with at least one word; received '...'"):
        device.generate(1, seed=0, caption="...")
    with pytest.raises(ValueError, match="Expected a caption as text; received 7"):
        device.generate(1, seed=0, caption=[7])
    with pytest.raises(ValueError, match="Expected one caption, or 3 .one for each image.; received 2"):
        device.generate(3, seed=0, caption=["a star", "a heart"])
    several = device.generate(2, seed=0, caption=["a star", "a heart"])
    np.testing.assert_array_equal(several[:1], device.generate(1, seed=0, caption="a star"))


def test_command_line_without_tensorflow(folder, tmp_path):
    device = tmp_path / "device"
    shutil.copytree(folder, device)
    process = command_line(device, "--precision", "float32", "generate", "--caption", "a red gnu", "--num", "2",
                           "--seed", "1", "--out", "images.npy")  # fmt: skip
    assert "note: Unknown words: gnu" in process.stderr
    with pytest.warns(UserWarning, match="gnu"):
        expected = Runtime(folder, precision="float32").generate(2, seed=1, caption="a red gnu")
    np.testing.assert_array_equal(np.load(device / "images.npy"), expected)
    process = command_line(device, "generate", "--caption", " ", code=1)
    assert "error: Expected a caption with at least one word" in process.stderr


def test_a_model_without_text_takes_no_caption(folder, tmp_path):
    copy = tmp_path / "plain"
    shutil.copytree(folder, copy)
    description = json.loads((copy / "model.json").read_text())
    del description["text"]
    (copy / "model.json").write_text(json.dumps({**description, "digest": digest_of(description)}))
    with pytest.raises(ValueError, match="This model .text2image. takes no caption"):
        Runtime(copy).generate(1, seed=0, caption="a star")


def test_vocabulary_of_shapes_has_every_factor_name():
    vocabulary = build_vocabulary(SHAPES)
    words = {word for names in list(FACTORS.values())[:7] for name in names for word in normalize(name).split()}
    assert words <= set(vocabulary)
