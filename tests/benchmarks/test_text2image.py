"""The benchmark of text to image: its configurations and its picture."""

import types

import numpy as np
import pytest

from benchmarks import text2image
from keras_gen import zoo
from keras_gen.models.text2image import preset

GUIDED = ("guided",)
BY_VAE = ("with_vae", "with_sharper_vae", "vae_alone", "twemoji_with_vae")
WORDS = ("a", "red", "star")


@pytest.mark.parametrize("name", text2image.CONFIGURATIONS)
def test_every_configuration_builds_and_loads_its_pretraining(name):
    it = text2image.CONFIGURATIONS[name]
    text = {"vocabulary": WORDS, "length": text2image.LENGTH}
    model = zoo.build("text2image", text2image.SHAPE, seed=0, **text, **it.settings)
    assert set(it.rates) == {player.name for player in model.players()}
    settings = {**zoo.get("text2image").settings, **text, **it.settings}
    joint = preset.embedding_of(text2image.SHAPE, 0, settings)
    model.load_pretrained(joint)
    np.testing.assert_array_equal(model.trunk.get_weights()[0], joint.image_encoder.get_layer("trunk").get_weights()[0])
    assert joint.image_noise == it.noise == model.matching_noise == (0.2 if name in GUIDED else 0.0)
    ablated = not (model.matching_aware and model.interpolate)
    assert ablated == (name in (*GUIDED, *BY_VAE, "without_matching", "without_interpolation", "plain"))
    assert (it.as_vae > 0) == (model.style_encoder is not None) == (name in BY_VAE)


def test_picture_has_a_strip_for_each_caption():
    model = zoo.build("text2image", text2image.SHAPE, vocabulary=WORDS, length=text2image.LENGTH, base_filters=4)
    images = np.zeros((5, *text2image.SHAPE), np.float32)
    split = {"image": images, "caption": np.array([b"a star"] * 4 + [b"red"]), "tokens": model.tokenizer(["a"] * 5)}
    source = types.SimpleNamespace(all=lambda *_, **__: split)
    joint = types.SimpleNamespace(tokenizer_config=model.tokenizer_config)
    picture = text2image.picture(source, model, joint, rows=4, num=2)
    # two columns of two captions; equal captions have separate strips
    assert picture.dtype == np.uint8 and picture.shape[1] > 2 * 3 * 64 and picture.shape[0] > 2 * 64
