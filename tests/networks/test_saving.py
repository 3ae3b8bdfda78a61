"""Every network of the adversarial systems can be saved and has float32 outputs."""

import keras
import numpy as np
import pytest

from keras_gen import networks
from keras_gen.models.aae.networks import code_discriminator
from keras_gen.models.infogan.networks import infogan_discriminator_head, infogan_q_head, infogan_trunk

BUILDERS = {
    "mlp_generator": lambda: networks.mlp_generator(3, (8, 8, 1), hidden_units=(4,), num_classes=2),
    "mlp_generator_of_vectors": lambda: networks.mlp_generator(3, (2,), hidden_units=(4,)),
    "mlp_discriminator": lambda: networks.mlp_discriminator((8, 8, 1), hidden_units=(4,), dropout=0.5, packing=2),
    "dcgan_generator": lambda: networks.dcgan_generator(3, (8, 8, 3), base_filters=2, dense_units=4, num_classes=2),
    "dcgan_discriminator": lambda: networks.dcgan_discriminator((8, 8, 3), base_filters=2, num_classes=2, packing=2),
    "dcgan_discriminator_layer": lambda: networks.dcgan_discriminator(
        (16, 16, 1), base_filters=2, normalization="layer"
    ),
    "infogan_trunk": lambda: infogan_trunk((8, 8, 1), base_filters=2, dense_units=4),
    "infogan_discriminator_head": lambda: infogan_discriminator_head(4),
    "infogan_q_head": lambda: infogan_q_head(4, 3, hidden_units=4),
    "code_discriminator": lambda: code_discriminator(2, hidden_units=(4,), num_classes=3),
}
INNER = {"infogan_trunk"}  # its features are the input of heads


def inputs(model):
    random = np.random.default_rng(0)
    arrays = [random.random((2, *each.shape[1:])).astype(np.float32) for each in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


def randomize(model):
    """Sets moving statistics and shifts to values other than 0 and 1, so that a lost one is detected."""
    random = np.random.default_rng(1)
    for weight in model.weights:
        if "float" in weight.dtype:
            weight.assign(random.uniform(0.5, 1.5, weight.shape) if "moving" in weight.path else weight + 0.1)
    return model


@pytest.mark.parametrize("name", BUILDERS)
def test_save_and_load(name, tmp_path):
    model = randomize(BUILDERS[name]())
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    batch = inputs(model)
    for expected, restored in zip(keras.tree.flatten(model(batch)), keras.tree.flatten(again(batch)), strict=True):
        np.testing.assert_array_equal(restored, expected)


@pytest.mark.parametrize("name", BUILDERS)
def test_mixed_precision(name):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = BUILDERS[name]()
    finally:
        keras.config.set_dtype_policy(policy)
    outputs = keras.tree.flatten(model(inputs(model), training=True))
    assert all(np.all(np.isfinite(np.asarray(each, np.float32))) for each in outputs)
    assert {each.dtype.name for each in outputs} == {"bfloat16" if name in INNER else "float32"}
    if name != "infogan_discriminator_head":  # only the last layer
        assert any(getattr(layer, "compute_dtype", "") == "bfloat16" and layer.weights for layer in model.layers)


def test_a_head_accepts_features_of_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        trunk, head = BUILDERS["infogan_trunk"](), BUILDERS["infogan_q_head"]()
    finally:
        keras.config.set_dtype_policy(policy)
    assert head(trunk(inputs(trunk))).dtype == "float32"
