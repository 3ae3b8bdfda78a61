"""Casts a model that was trained in mixed precision to float32."""

from typing import TypeVar

import keras

ModelT = TypeVar("ModelT", bound=keras.Model)


def cast_to_float32(model: ModelT) -> ModelT:
    """Returns the model itself if it computes in float32, else a float32 copy with the same weights.

    TFLite has no bfloat16, and the weights of a mixed-precision model are float32 anyway.
    """
    if all(layer.compute_dtype == "float32" for layer in model._flatten_layers()):
        return model
    copy = keras.saving.deserialize_keras_object(_with_float32_policies(keras.saving.serialize_keras_object(model)))
    copy.set_weights(model.get_weights())
    return copy


def _with_float32_policies(config):
    """Replaces every mixed-precision or low-precision policy in a serialized object by float32."""
    if isinstance(config, dict):
        if config.get("class_name") in ("DTypePolicy", "FloatDTypePolicy"):
            return "float32"
        return {
            key: "float32" if key == "dtype" and value in ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")
            else _with_float32_policies(value)
            for key, value in config.items()
            if key != "compile_config"
        }  # fmt: skip
    if isinstance(config, (list, tuple)):
        return type(config)(_with_float32_policies(item) for item in config)
    return config
