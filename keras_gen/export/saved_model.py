"""Endpoints as the signatures of a SavedModel."""

import pathlib
from collections.abc import Sequence

import tensorflow as tf

from keras_gen.models import Endpoint


def write_saved_model(endpoints: Sequence[Endpoint], folder: pathlib.Path, batch: int | None = None) -> None:
    """Traces every endpoint and writes one SavedModel with a signature for each.

    Only the variables that the endpoints read are saved: no optimizer, no metric.

    Args:
        endpoints: the endpoints to save.
        folder: the folder to create.
        batch: a fixed batch size, or None for any.
    """
    module = tf.Module()
    signatures = {}
    for endpoint in endpoints:
        function = tf.function(endpoint.function)
        signatures[endpoint.name] = function.get_concrete_function(**endpoint.specification(batch))
        setattr(module, endpoint.name, function)
    module.parameters = list(
        {id(variable): variable for traced in signatures.values() for variable in traced.graph.variables}.values()
    )
    tf.saved_model.save(module, str(folder), signatures=signatures)
