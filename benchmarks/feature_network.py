"""Trains `small_v1`, the network of the default evaluation features, from scratch.

    python -m benchmarks.feature_network --emoji twemoji.zip --data-dir DIR [--steps N] [--out FILE]

The trunk, five convolutions and a linear layer with 64 features, has linear heads that are not shipped: the classes of
six factors of `shapes`, the digits of MNIST, group, subgroup and skin tone of Twemoji, a thumbnail of 8x8 pixels, and
kind and degree of damage. One third of a batch is damaged: blurred, noisy, or mixed with another image. Only whole
images have classes. Three outputs of the last layer, besides the 64 features, predict the degrees of the three kinds of
damage by linear regression on the features; they are part of the file.

Prints the sha256 of the weights and writes benchmarks/results/feature_network.json with accuracies on held-out data
(new shapes, MNIST's test digits, emoji of the held-out captions of `benchmarks.twemoji_folder`), before and after
rounding to 8 bits. The seed fixes data and initial weights; threads may change the last bits, hence the digest.
"""

import hashlib
import io
import json
import pathlib
import time
import zipfile
from typing import Annotated

import keras
import numpy as np
import scipy.ndimage
import tensorflow as tf
import typer
from PIL import Image

from benchmarks import record
from benchmarks.twemoji_folder import caption_of, held_out
from keras_gen import data
from keras_gen.data import FACTORS, Factors, normalize, render_shapes
from keras_gen.data.resize import Resize
from keras_gen.evaluation.features.small_network import (
    FILE,
    NUM_FEATURES,
    SIZE,
    STRIDES,
    Layers,
    apply_network,
    prepare,
    read_layers,
    write_layers,
)
from keras_gen.evaluation.seeding import seeded_generator

FILTERS = (24, 48, 96, 128, 128)
SHAPE_FACTORS = ("shape", "color", "texture", "size", "position", "background")
NUM_SHAPES = {"train": 24_000, "test": 2_000}
# images of each source in a batch, and damaged images of all sources
BATCH = {"shapes": 32, "digits": 12, "emoji": 20}
DAMAGED = 32
THUMBNAIL = 8
KINDS = ("none", "blur", "noise", "mixture")
# largest degree of each kind: pixels of a Gaussian's standard deviation, of a pixel's value, fraction of another image
MAX_DEGREES = {"blur": 3.0, "noise": 1.0, "mixture": 0.5}
LEARNING_RATE = 2e-3
# images of each source for the regression of the degrees of damage, and as many damaged ones; a ridge that only
# prevents singular matrices
REGRESSION_IMAGES, RIDGE = 2000, 0.1
# factor of the predicted degrees. Without them, damaged images are among the real ones: their other features are small,
# and real images of few, unlike classes are far apart
DAMAGE_WEIGHT = 10.0

# images float32 [num, 32, 32, 3] and {head: integer classes [num]}; -1 is an unknown class
Labeled = tuple[np.ndarray, dict[str, np.ndarray]]


def shapes(split: str) -> Labeled:
    """Returns images of `shapes` whose seeds are not those of the dataset."""
    factors = Factors.draw(NUM_SHAPES[split], {"train": 1001, "test": 1002}[split])
    images = render_shapes(factors, SIZE).astype(np.float32) / 255
    return images, {factor: getattr(factors, factor) for factor in SHAPE_FACTORS}


def digits(split: str, data_dir: pathlib.Path | None) -> Labeled:
    """Returns MNIST."""
    loaded = data.load(
        "mnist", split, image_shape=(28, 28, 1), batch_size=1000, shuffle=False, data_dir=data_dir
    ).as_numpy_iterator()
    parts = [(prepare(tf.constant(batch["image"])).numpy(), batch["label"]) for batch in loaded]
    return np.concatenate([images for images, _ in parts]), {"digit": np.concatenate([labels for _, labels in parts])}


def emoji(archive: pathlib.Path, size: int = SIZE) -> dict[str, Labeled]:
    """Returns the emoji of both splits of `benchmarks.twemoji_folder`, [num, size, size, 3] on white."""
    resize = Resize((size, size, 3))
    with zipfile.ZipFile(archive) as files:
        lines = [json.loads(line) for line in files.read("captions.jsonl").decode().splitlines() if line.strip()]
        lines = [row for row in lines if normalize(caption_of(row))]
        images = [resize(np.asarray(Image.open(io.BytesIO(files.read(row["file"]))).convert("RGBA"))) for row in lines]
    labels = {
        "group": _classes([row["group"] for row in lines]),
        "subgroup": _classes([row["subgroup"] for row in lines]),
        # two people have two tones
        "tone": np.array([row["tone"] or 0 if not isinstance(row["tone"], list) else -1 for row in lines]),
    }
    stacked = np.stack(images).astype(np.float32) / 255
    is_test = np.array([held_out(caption_of(row)) for row in lines])
    return {
        split: (stacked[rows], {name: values[rows] for name, values in labels.items()})
        for split, rows in (("train", ~is_test), ("test", is_test))
    }


def _classes(names: list[str | None]) -> np.ndarray:
    known = sorted({name for name in names if name})
    return np.array([known.index(name) if name else -1 for name in names])


def damage(images: np.ndarray, others: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Damages images and returns them with the degrees, the square roots of fractions of the largest: [num, 3]."""
    damaged, degrees = images.copy(), np.zeros((len(images), 3), np.float32)
    for row, image in enumerate(images):
        kind, degree = generator.integers(3), generator.uniform(0.15, 1.0)
        largest = degree**2 * list(MAX_DEGREES.values())[kind]
        if kind == 0:
            damaged[row] = scipy.ndimage.gaussian_filter(image, (largest, largest, 0))
        elif kind == 1:
            noise = generator.standard_normal(image.shape, np.float32)
            if np.ptp(image, axis=-1).max() < 1e-3 and generator.random() < 0.7:  # gray images with gray noise
                noise = noise[..., :1]
            damaged[row] = np.clip(image + largest * noise, 0, 1)
        else:
            damaged[row] = (1 - largest) * image + largest * others[row]
        degrees[row, kind] = degree
    return damaged, degrees


def augment(images: np.ndarray, generator: np.random.Generator, *, flip: bool) -> np.ndarray:
    """Shifts images by at most 2 pixels, and flips, inverts, grays or recolors some of them."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    result = np.empty_like(images)
    for row, (top, left) in enumerate(generator.integers(0, 5, (len(images), 2))):
        image = padded[row, top : top + SIZE, left : left + SIZE]
        chance = generator.random(3)
        if flip and chance[0] < 0.5:
            image = image[:, ::-1]
        if chance[1] < 0.1:
            image = 1 - image
        if chance[2] < 0.1:
            image = np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)
        result[row] = image
    return result


def build() -> tuple[keras.Model, keras.Model, dict[str, int]]:
    """Returns the trunk, the trunk with its heads, and the number of classes of each classifying head."""
    image = keras.Input((SIZE, SIZE, 3))
    x = image * 2.0 - 1.0
    for i, (filters, stride) in enumerate(zip(FILTERS, STRIDES, strict=True)):
        x = keras.layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, name=f"conv_{i}")(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.95, name=f"norm_{i}")(x))
    x = keras.layers.Dense(NUM_FEATURES, use_bias=False, name="dense")(keras.layers.Flatten()(x))
    # without scale and shift, so that features have the variance 1
    features = keras.layers.BatchNormalization(momentum=0.95, center=False, scale=False, name="norm")(x)
    classes = {factor: len(FACTORS[factor]) for factor in SHAPE_FACTORS}
    classes |= {"digit": 10, "group": 10, "subgroup": 99, "tone": 6, "kind": len(KINDS)}
    heads = {name: keras.layers.Dense(count, name=name)(features) for name, count in classes.items()}
    heads["degrees"] = keras.layers.Dense(len(MAX_DEGREES), name="degrees")(features)
    heads["thumbnail"] = keras.layers.Dense(THUMBNAIL**2 * 3, name="thumbnail")(features)
    return keras.Model(image, features), keras.Model(image, heads), classes


def folded(trunk: keras.Model) -> Layers:
    """Returns the layers of the trunk with batch normalizations folded into kernels and biases."""
    layers = []
    names = [(f"conv_{i}", f"norm_{i}") for i in range(len(FILTERS))] + [("dense", "norm")]
    for layer, normalization in names:
        norm = trunk.get_layer(normalization)
        mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
        scale = 1 / np.sqrt(variance + norm.epsilon) * (np.asarray(norm.gamma) if norm.scale else 1)
        shift = np.asarray(norm.beta) if norm.center else 0
        layers.append((np.asarray(trunk.get_layer(layer).kernel) * scale, (shift - mean * scale).astype(np.float32)))
    return layers


def with_damage(layers: Layers, sets: dict[str, Labeled], seed: int) -> tuple[Layers, dict[str, float]]:
    """Returns layers whose last one also predicts the degrees of damage, times `DAMAGE_WEIGHT`, and their R^2.

    The degrees are linear functions of the features by least squares over images of all sources, half of them damaged.

    Args:
        layers: Layers with 64 outputs.
        sets: Training images.
        seed: Seed of the images and their damage.
    """
    generator = seeded_generator([seed, 2])
    parts = [images[generator.permutation(len(images))[:REGRESSION_IMAGES]] for images, _ in sets.values()]
    whole = np.concatenate(parts)
    damaged, degrees = damage(whole, np.concatenate([np.roll(part, 1, axis=0) for part in parts]), generator)
    targets = np.concatenate([np.zeros_like(degrees), degrees]).astype(np.float64)
    values = features_of(np.concatenate([whole, damaged]), layers).astype(np.float64)
    inputs = np.concatenate([values, np.ones((len(values), 1))], axis=1)
    solution = np.linalg.solve(inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1]), inputs.T @ targets)
    errors = np.mean((inputs @ solution - targets) ** 2, axis=0) / targets.var(axis=0)
    weights, constants = DAMAGE_WEIGHT * solution[:-1], DAMAGE_WEIGHT * solution[-1]
    kernel, bias = layers[-1]
    extended = (
        np.concatenate([kernel, kernel @ weights], axis=1).astype(np.float32),
        np.concatenate([bias, bias @ weights + constants]).astype(np.float32),
    )
    return [*layers[:-1], extended], dict(zip(MAX_DEGREES, (1 - errors).tolist(), strict=True))


def features_of(images: np.ndarray, layers: Layers) -> np.ndarray:
    """Returns the outputs of the layers, [num, outputs]."""
    return np.concatenate([apply_network(tf.constant(part), layers) for part in np.array_split(images, 10)])


def batch_of(sets: dict[str, Labeled], generator: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns images of one batch and {head: targets}, with -1 for a class that an image does not have."""
    images, labels = [], []
    for name, count in BATCH.items():
        source, classes = sets[name]
        rows = generator.integers(0, len(source), count)
        images.append(augment(source[rows], generator, flip=name == "emoji"))
        labels += [{head: values[row] for head, values in classes.items()} for row in rows]
    whole = np.concatenate(images)
    chosen = generator.permutation(len(whole))[:DAMAGED]
    # another image of the same source
    others = np.concatenate([part[generator.permutation(len(part))] for part in images])[chosen]
    damaged, degrees = damage(whole[chosen], others, generator)
    heads = [head for _, classes in sets.values() for head in classes]
    targets = {head: np.array([row.get(head, -1) for row in labels] + [-1] * DAMAGED) for head in heads}
    targets["degrees"] = np.concatenate([np.zeros((len(whole), 3), np.float32), degrees])
    targets["kind"] = np.where(targets["degrees"].any(axis=1), targets["degrees"].argmax(axis=1) + 1, 0)
    return np.concatenate([whole, damaged]), targets


def loss_of(outputs: dict, targets: dict, images: tf.Tensor) -> tf.Tensor:
    """Returns the sum of the heads' losses; unknown classes have none."""
    thumbnails = tf.reshape(tf.image.resize(images, (THUMBNAIL, THUMBNAIL), method="area"), (-1, THUMBNAIL**2 * 3))
    total = 20.0 * tf.reduce_mean(tf.square(outputs["thumbnail"] - thumbnails))
    total += 10.0 * tf.reduce_mean(tf.reduce_sum(tf.square(outputs["degrees"] - targets["degrees"]), axis=1))
    for head, logits in outputs.items():
        if head in ("degrees", "thumbnail"):
            continue
        known = tf.cast(targets[head] >= 0, tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets[head], 0), logits)
        total += tf.reduce_sum(known * losses) / tf.maximum(tf.reduce_sum(known), 1.0)
    return total


def train(model: keras.Model, sets: dict[str, Labeled], steps: int, seed: int) -> None:
    """Trains trunk and heads with Adam and a cosine decay."""
    generator = seeded_generator(seed)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps))
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, targets):
        with tf.GradientTape() as tape:
            loss = loss_of(model(images, training=True), targets, images)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    begin, losses = time.process_time(), []
    for number in range(1, steps + 1):
        images, targets = batch_of(sets, generator)
        losses.append(step(tf.constant(images), {name: tf.constant(values) for name, values in targets.items()}))
        if number % 100 == 0 or number == steps:
            recent = float(np.mean([float(each) for each in losses[-100:]]))
            print(f"step {number:,} of {steps:,}: loss {recent:.3f}, {time.process_time() - begin:.0f} s", flush=True)


def measure(layers: Layers, model: keras.Model, sets: dict[str, Labeled], seed: int) -> dict[str, float]:
    """Returns the accuracy of each head on whole images, and of the kind of damage on half-damaged ones."""
    heads = {
        layer.name: layer.get_weights()
        for layer in model.layers
        if isinstance(layer, keras.layers.Dense) and layer.name != "dense"
    }

    def features(images: np.ndarray) -> np.ndarray:
        return features_of(images, layers)[:, :NUM_FEATURES]

    def predicted(values: np.ndarray, head: str) -> np.ndarray:
        kernel, bias = heads[head]
        return (values @ kernel + bias).argmax(axis=1)

    accuracies = {}
    for images, classes in sets.values():
        values = features(images)
        for head, labels in classes.items():
            known = labels >= 0
            accuracies[head] = float(np.mean(predicted(values[known], head) == labels[known]))
    generator = seeded_generator([seed, 1])
    whole = np.concatenate([images[generator.permutation(len(images))[:300]] for images, _ in sets.values()])
    damaged, degrees = damage(whole, whole[generator.permutation(len(whole))], generator)
    kinds = np.concatenate([np.zeros(len(whole), int), degrees.argmax(axis=1) + 1])
    values = features(np.concatenate([whole, damaged]))
    accuracies["kind of damage"] = float(np.mean(predicted(values, "kind") == kinds))
    return accuracies


def first_images(sets: dict[str, Labeled], num: int = 2000) -> dict[str, Labeled]:
    """Returns the first images of each source."""
    return {
        name: (images[:num], {head: values[:num] for head, values in classes.items()})
        for name, (images, classes) in sets.items()
    }


def main(
    emoji_archive: Annotated[pathlib.Path, typer.Option("--emoji")],
    data_dir: Annotated[pathlib.Path | None, typer.Option()] = None,
    steps: int = 6000,
    seed: int = 0,
    out: pathlib.Path = FILE,
    name: str = "feature_network",
) -> None:
    """Trains the network and writes its weights."""
    emoji_sets = emoji(emoji_archive)
    sets = {
        split: {"shapes": shapes(split), "digits": digits(split, data_dir), "emoji": emoji_sets[split]}
        for split in ("train", "test")
    }
    keras.utils.set_random_seed(seed)
    trunk, model, _ = build()
    begin = time.process_time()
    train(model, sets["train"], steps, seed)
    seconds = time.process_time() - begin
    layers = folded(trunk)
    write_layers(out, layers)
    # the regression reads the rounded features
    extended, explained = with_damage(read_layers(out), sets["train"], seed)
    write_layers(out, extended)
    rounded = read_layers(out)
    probe = np.concatenate([images[:100] for images, _ in sets["test"].values()])
    features = {
        "Keras": trunk.predict(probe, verbose=0),
        "folded": np.asarray(apply_network(tf.constant(probe), layers)),
        "8 bits": np.asarray(apply_network(tf.constant(probe), rounded))[:, :NUM_FEATURES],
    }
    content = {
        "steps": steps,
        "batch_size": sum(BATCH.values()) + DAMAGED,
        "seed": seed,
        "processor_seconds": round(seconds),
        "weights": int(sum(kernel.size + bias.size for kernel, bias in extended)),
        "bytes": out.stat().st_size,
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
        "images": {split: {key: len(part[0]) for key, part in parts.items()} for split, parts in sets.items()},
        "accuracy": {
            "training": measure(rounded, model, first_images(sets["train"]), seed),
            "held out": measure(rounded, model, sets["test"], seed),
            "held out, before rounding": measure(layers, model, sets["test"], seed),
        },
        "damage_r_squared": explained,
        "feature_difference": {
            "folding": float(np.abs(features["folded"] - features["Keras"]).max()),
            "rounding, root mean square": float(np.sqrt(np.square(features["8 bits"] - features["folded"]).mean())),
        },
        "feature_std": float(features["8 bits"].std()),
    }
    print(json.dumps(content, indent=2))
    print(f"wrote {out} and {record.write(name, content)}; enter the sha256 in {FILE.with_name('small_network.py')}")


if __name__ == "__main__":
    typer.run(main)
