"""GANs on few images: augmentations of what the discriminator sees, and mirrored images, at equal time.

usage: python -m benchmarks.small_data faces|twemoji [--variant NAME ...] [--seconds 90] [--seed 1]
       [--base-filters 16] [--twemoji ZIP]

Trains a DCGAN on 1,000 images of 32x32 pixels, drawn gray faces (drawn_faces.py) or Twemoji (72x72/*.png in ZIP, on
white), for the same time of one processor core with each variant. Compares 1,000 samples with 1,000 other images by the
Frechet distance of `small_v1`, and counts the training images and the other images that the discriminator takes for
real, without augmentation: their difference shows that it memorizes. Writes benchmarks/results/small_data.json (runs by
data, variant and seed) and pictures/small_data_NAME.png; the images of each run are kept in runs/benchmarks/.
"""

import argparse
import pathlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks import record
from benchmarks.drawn_faces import draw_faces
from benchmarks.heads import FILES, StopAfter, _Finished, read_twemoji
from keras_gen import pictures, zoo
from keras_gen.evaluation.features.small_network import small_network_features
from keras_gen.evaluation.metrics.frechet_distance import frechet_distance

DATA = ("faces", "twemoji")
ALL = ["color", "translation", "cutout"]
# settings of the system; `mirrored` is whether the training images are flipped with probability 1/2
VARIANTS: dict[str, dict[str, Any]] = {
    "none": {},
    "mirrored": {},
    "always": {"augment": ALL},
    "adaptive": {"augment": ALL, "augment_probability": "adaptive"},
    "adaptive_fast": {"augment": ALL, "augment_probability": {"name": "adaptive", "images": 100_000}},
}
NUM, BATCH, SHOWN = 1000, 128, 40


def images_of(name: str, twemoji: pathlib.Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns training images and others of the same distribution, float32 [1000, 32, 32, channels] in [0, 1]."""
    if name == "faces":
        images = np.concatenate([draw_faces(NUM, 1), draw_faces(NUM, 2)])
    elif twemoji is None:
        raise SystemExit("Expected --twemoji ZIP for the data twemoji; received none")
    else:
        images = read_twemoji(twemoji)[: 2 * NUM]
    images = images / np.float32(255)
    return images[:NUM], images[NUM:]


def train(variant: str, images: np.ndarray, filters: int, seconds: float, seed: int) -> tuple[keras.Model, int]:
    """Returns a model after a time of training, and its number of steps."""
    keras.utils.clear_session()
    model = zoo.build("dcgan", images.shape[1:], seed=seed, base_filters=filters, **VARIANTS[variant])
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=seed).repeat()
    if variant == "mirrored":
        dataset = dataset.map(lambda image: tf.image.random_flip_left_right(image, seed=seed))
    dataset = dataset.batch(BATCH, drop_remainder=True).map(lambda image: {"image": image})
    stop = StopAfter(seconds)
    try:
        model.fit(dataset, steps_per_epoch=10**9, callbacks=[stop], verbose=0)
    except _Finished:
        pass
    return model, stop.steps


def measure(model: Any, images: np.ndarray, others: np.ndarray, seed: int) -> tuple[dict, np.ndarray]:
    """Returns metrics, and samples [1000, 32, 32, channels]."""
    samples = model.generate(len(others), seed=seed)
    features = small_network_features(others)
    taken = {
        name: float(np.mean(model.discriminator.predict(part, batch_size=250, verbose=0) > 0))
        for name, part in (("training", images), ("other", others), ("generated", samples))
    }
    results = {"fd_small_v1": frechet_distance(small_network_features(samples), features), "taken_for_real": taken}
    if model.adaptive_probability is not None:
        results["augment_probability"] = float(np.asarray(model.adaptive_probability.probability))
    return results, samples


def draw_picture(name: str, images: np.ndarray) -> np.ndarray:
    """Returns training images and the samples of every variant that was trained on a dataset."""
    rows = {"training images": pictures.grid(images[:SHOWN], columns=20, scale=2)}
    for variant in VARIANTS:
        if (file := FILES / f"small_data_{name}_{variant}.npy").exists():
            rows[variant] = pictures.grid(np.load(file), columns=20, scale=2)
    return pictures.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=DATA)
    parser.add_argument("--variant", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    parser.add_argument("--base-filters", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--twemoji", type=pathlib.Path)
    args = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    FILES.mkdir(parents=True, exist_ok=True)
    images, others = images_of(args.data, args.twemoji)
    floor = frechet_distance(small_network_features(images), small_network_features(others))
    for variant in args.variant:
        model, steps = train(variant, images, args.base_filters, args.seconds, args.seed)
        metrics, samples = measure(model, images, others, args.seed)
        np.save(FILES / f"small_data_{args.data}_{variant}.npy", samples[:SHOWN])
        run = {"seconds": args.seconds, "base_filters": args.base_filters, "steps": steps, **metrics}
        print(args.data, variant, run, flush=True)
        former = record.read("small_data")
        floors, runs = former.get("floor", {}) | {args.data: floor}, former.get("runs", {})
        runs.setdefault(args.data, {}).setdefault(variant, {})[str(args.seed)] = run
        record.write("small_data", {"what": __doc__.splitlines()[0], "floor": floors, "runs": runs})
        picture = draw_picture(args.data, images)
        pictures.save(record.RESULTS / "pictures" / f"small_data_{args.data}.png", picture)


if __name__ == "__main__":
    main()
