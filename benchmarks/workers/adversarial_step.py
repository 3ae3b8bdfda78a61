"""Shared code of the workers of adversarial models: a repeated batch, counts of weights and multiply-adds."""

import math
import os

import keras
import numpy as np
import tensorflow as tf

from keras_gen.layers import ResizeConv2D

from .serve import serve


def serve_adversarial(model: keras.Model, columns: dict[str, np.ndarray], networks: dict[str, keras.Model]) -> None:
    """Trains a compiled model on one repeated batch, for as many steps as the benchmark requests.

    Args:
        model: The model.
        columns: The batch, field -> [rows, ...].
        networks: Networks whose weights and multiply-adds are reported, by name.
    """
    dataset = repeated(columns)
    about = {
        "parameters": {name: sum(math.prod(v.shape) for v in n.trainable_variables) for name, n in networks.items()},
        "multiply_adds": {name: multiply_adds(network) for name, network in networks.items()},
        "tensorflow": tf.__version__,
        "threads": int(os.environ.get("TF_NUM_INTRAOP_THREADS", len(os.sched_getaffinity(0)))),
    }
    serve(lambda steps: model.fit(dataset.take(steps), verbose=0), about)


def repeated(columns: dict[str, np.ndarray]) -> tf.data.Dataset:
    """Returns a dataset that repeats one batch, field -> [rows, ...]."""
    # the tuner would delay the end of every `fit`; keras_gen.data disables it as well
    pipeline = tf.data.Options()
    pipeline.autotune.enabled = False
    return tf.data.Dataset.from_tensors(columns).cache().repeat().with_options(pipeline)


def multiply_adds(network: keras.Model) -> int:
    """Returns multiply-adds of convolutions and dense layers for one example; borders count like the interior."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2DTranspose, ResizeConv2D)):
            total += math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3])
        elif isinstance(layer, keras.layers.Conv2D):
            total += math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
        elif isinstance(layer, keras.layers.Dense):
            total += math.prod(layer.kernel.shape)
    return total
