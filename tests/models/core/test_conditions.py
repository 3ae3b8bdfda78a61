"""Conditions of `generate`: each mixin handles its own conditions and passes the others on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.distributions import Noise, draw_noise
from keras_gen.models import ClassConditional, GenerativeModel, TextConditional

SHAPE = (1, 1, 1)


class Conditional(ClassConditional, TextConditional, GenerativeModel):
    """A model of one-pixel images: the sum of a class, the first number of an embedding, and noise."""

    image_shape = SHAPE
    num_classes = 3

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        layers = [keras.Input((2,)), keras.layers.Embedding(4, 5), keras.layers.GlobalAveragePooling1D()]
        self.set_text_encoder(keras.Sequential(layers), ("red", "blue"))

    def noise(self):
        return {"z": Noise("uniform", (1,))}

    def generate_from(self, noise, label, embedding):
        pixel = tf.argmax(label, axis=1, output_type=tf.int32)
        return (tf.cast(pixel, tf.float32)[:, None] + embedding[:, :1] + noise["z"])[:, :, None, None]

    def endpoints(self):
        return [self.embed_endpoint(), self.generate_endpoint()]


def test_several_kinds_of_conditions():
    model = Conditional(label_names=("a", "b", "c"))
    conditions = model.conditions_of(2, label=["c", "a"], caption="red")
    assert conditions.keys() == model.condition_ports().keys() == {"label", "embedding"}
    for name, port in model.condition_ports().items():
        assert conditions[name].shape == (2, *port.shape) and conditions[name].dtype == np.float32
    np.testing.assert_array_equal(conditions["label"], [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(conditions["embedding"], np.repeat(model.embed_captions("red"), 2, axis=0))
    images = model.generate(2, seed=0, label=["c", "a"], caption="red")[:, 0, 0, 0]
    plain = model.generate(2, seed=0, label=0, embedding=np.zeros(5))[:, 0, 0, 0]
    np.testing.assert_allclose(images - plain, [2, 0] + conditions["embedding"][:, 0], atol=1e-6)


def test_endpoint_inputs_are_noise_and_conditions():
    model = Conditional()
    endpoint = model.endpoints()[1]
    assert {name: port.kind for name, port in endpoint.inputs.items()} == {
        "z": "uniform", "label": "label", "embedding": "value"
    }  # fmt: skip
    inputs = {**draw_noise(model.noise(), 3, 7), **model.conditions_of(3, label=2, caption="blue")}
    images = model.generate(3, seed=7, label=2, caption="blue")
    np.testing.assert_allclose(endpoint.function(**inputs)["image"], images, atol=1e-6)


@pytest.mark.parametrize(
    "conditions, message",
    [
        ({"label": 0, "caption": "red", "style": 1}, "among label, caption, tokens, embedding .*received style"),
        ({"label": 0}, "Expected a text"),
        ({"caption": "red"}, "Expected label="),
        ({"label": 0, "caption": "red", "embedding": np.zeros(5)}, "received caption, embedding"),
    ],
)
def test_invalid_conditions_are_refused(conditions, message):
    with pytest.raises(ValueError, match=message):
        Conditional().generate(1, seed=0, **conditions)


def test_a_model_without_conditions():
    assert GenerativeModel().conditions_of(3) == {} == GenerativeModel().condition_ports()
    with pytest.raises(ValueError, match="Expected no condition for GenerativeModel; received label"):
        GenerativeModel().conditions_of(3, label=1)
