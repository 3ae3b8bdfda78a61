"""A worker: keras_gen's conv VAE, trained by `model.fit`. Arguments: setting name, batch size."""

import sys
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen import zoo

from .adversarial_step import repeated
from .serve import serve

SETTINGS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float32, steps_per_execution=10": {"steps_per_execution": 10},
    "float32, XLA": {"jit_compile": True},
    "bfloat16": {"precision": "mixed_bfloat16"},
    "bfloat16, steps_per_execution=10": {"precision": "mixed_bfloat16", "steps_per_execution": 10},
}


def main(setting: str, batch_size: int) -> None:
    options = dict(SETTINGS[setting])
    keras.mixed_precision.set_global_policy(options.pop("precision", "float32"))
    model = zoo.build("vae", (28, 28, 1), seed=1, head="bernoulli")
    model.compile(keras.optimizers.Adam(1e-3), **options)
    images = np.random.default_rng(1).random((batch_size, 28, 28, 1)) < 0.13
    dataset = repeated({"image": images.astype("float32")})
    about = {"parameters": model.encoder.count_params() + model.decoder.count_params()}
    serve(lambda steps: model.fit(dataset.take(steps), verbose=0), {**about, "tensorflow": tf.__version__})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
