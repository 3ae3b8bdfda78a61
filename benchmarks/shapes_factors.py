"""Can every factor of `shapes` be read from a 32x32 picture? A small convolutional classifier with one head per factor.

All eleven factors are classes (the measures inside a class, such as the exact radius, are not asked for), so what is
reported is plain accuracy on the 2,000 test pictures.

usage: python -m benchmarks.shapes_factors [--epochs 10] [--seed 0] [--data-dir DIR]
"""

import argparse
import time

import keras
import numpy as np
import tensorflow as tf

from keras_gen import data
from keras_gen.data import FACTORS

from . import record

WINDOW = 22  # pixels; the largest object is 20.4 wide at 32x32


def cut_out(image: tf.Tensor, *, shaken: bool = False) -> dict[str, tf.Tensor]:
    """Cut the window around the object: float32 [b, h, w, 3] -> `object` [b, 22, 22, 3], `middle` [b, 2] in [0, 1].

    `shaken` moves each window by up to one pixel each way, so that training sees an object in nine ways.
    """
    differs = tf.reduce_max(tf.abs(image - image[:, :1, :1]), axis=-1) > 0.05

    def middle(seen: tf.Tensor) -> tf.Tensor:
        seen = tf.cast(seen, tf.int32)
        first, last = tf.argmax(seen, axis=1), seen.shape[1] - 1 - tf.argmax(seen[:, ::-1], axis=1)
        return (first + last + 1) // 2

    row, column = middle(tf.reduce_any(differs, axis=2)), middle(tf.reduce_any(differs, axis=1))
    found = tf.stack([row, column], axis=-1)
    start = found - WINDOW // 2
    if shaken:
        start += tf.random.uniform(tf.shape(start), -1, 2, tf.int64)
    reach = tf.clip_by_value(start[..., None] + tf.range(WINDOW, dtype=tf.int64), 0, image.shape[1] - 1)
    window = tf.gather(tf.gather(image, reach[:, 0], axis=1, batch_dims=1), reach[:, 1], axis=2, batch_dims=1)
    return {"object": window, "middle": tf.cast(found, tf.float32) / image.shape[1]}


def build_classifier() -> keras.Model:
    """A convolutional network with one head of logits per factor."""
    window, middle = keras.Input((WINDOW, WINDOW, 3), name="object"), keras.Input((2,), name="middle")
    x = window
    for filters, strides in ((32, 1), (64, 2), (64, 1), (96, 2)):
        x = keras.layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.Dense(256, activation="relu")(keras.layers.Flatten()(x))
    where = keras.layers.Dense(64, activation="relu")(middle)
    heads = {
        factor: keras.layers.Dense(len(names), name=factor)(where if factor == "position" else x)
        for factor, names in FACTORS.items()
    }
    return keras.Model({"object": window, "middle": middle}, heads)


class Epoch(keras.callbacks.Callback):
    """Tells the data which epoch begins."""

    def __init__(self, dataset: tf.data.Dataset):
        super().__init__()
        self.epoch = dataset.epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch.assign(epoch)


def measure(epochs: int, seed: int, data_dir: str | None, limit: float) -> dict:
    """Train and return the result as it is written to the file."""
    keras.utils.set_random_seed(seed)
    options = {"image_shape": (32, 32, 3), "batch_size": 64, "data_dir": data_dir, "fields": ["image", *FACTORS]}
    train = data.load("shapes", "train", seed=seed, **options)
    test = data.load("shapes", "test", **options)

    def pairs(dataset):
        return dataset.map(
            lambda batch: (cut_out(batch["image"], shaken=True), {factor: batch[factor] for factor in FACTORS})
        )

    model = build_classifier()
    steps = train.info.num_batches * epochs
    model.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(2e-3, steps), weight_decay=1e-3),
        loss={factor: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for factor in FACTORS},
    )
    start = time.perf_counter()
    model.fit(pairs(train), epochs=epochs, verbose=2, shuffle=False, callbacks=[Epoch(train)])
    seconds = time.perf_counter() - start

    logits = model.predict(test.map(lambda batch: cut_out(batch["image"])), verbose=0)
    truth = {factor: np.concatenate([batch[factor] for batch in test.as_numpy_iterator()]) for factor in FACTORS}
    accuracy = {factor: float((logits[factor].argmax(-1) == truth[factor]).mean()) for factor in FACTORS}
    return {
        "what": "accuracy per factor on the test split of shapes at 32x32, one classifier with a head per factor",
        "accuracy": accuracy,
        "lowest": min(accuracy.values()),
        "bound": limit,
        "holds": min(accuracy.values()) >= limit,
        "test_images": test.info.num_examples,
        "train_images": train.info.num_examples,
        "epochs": epochs,
        "seed": seed,
        "parameters": model.count_params(),
        "train_seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir")
    parser.add_argument("--bound", type=float, default=0.99)
    args = parser.parse_args()
    result = measure(args.epochs, args.seed, args.data_dir, args.bound)
    file = record.write("shapes_factors", result)
    for factor, value in result["accuracy"].items():
        print(f"{factor:16s} {100 * value:6.2f} %")
    print(f"written to {file}")
    if not result["holds"]:
        raise SystemExit(f"the lowest accuracy is {result['lowest']:.4f}, below {args.bound}")


if __name__ == "__main__":
    main()
