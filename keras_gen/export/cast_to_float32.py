"""A model trained in mixed precision, rebuilt in float32 for export."""

import keras


def in_float32(model: keras.Model) -> keras.Model:
    """The model itself where it computes in float32, else a float32 copy with the same weights.

    TFLite has no bfloat16, and the weights of a mixed-precision model are float32 anyway.
    """
    if all(layer.compute_dtype == "float32" for layer in model._flatten_layers()):
        return model
    copy = keras.saving.deserialize_keras_object(_replaced(keras.saving.serialize_keras_object(model)))
    copy.set_weights(model.get_weights())
    return copy


def _replaced(config):
    """A serialized object with every mixed or low precision policy replaced by float32."""
    if isinstance(config, dict):
        if config.get("class_name") in ("DTypePolicy", "FloatDTypePolicy"):
            return "float32"
        return {
            key: "float32" if key == "dtype" and value in ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")
            else _replaced(value)
            for key, value in config.items()
            if key != "compile_config"
        }  # fmt: skip
    if isinstance(config, (list, tuple)):
        return type(config)(_replaced(item) for item in config)
    return config
