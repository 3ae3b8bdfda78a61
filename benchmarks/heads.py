"""The heads of a VAE at equal time: samples and reconstructions of gray and of color images.

usage: python -m benchmarks.heads [--data NAME ...] [--head NAME ...] [--seconds 120] [--seed 1] [--twemoji ZIP]

Trains the default VAE with each head for the same time of one processor core, on drawn gray faces (drawn_faces.py), on
`shapes` in gray and in color, and on Twemoji (72x72/*.png in ZIP, on white), all at 32x32 pixels. Writes
benchmarks/results/heads.json (runs by data, head and seed) and pictures/heads_NAME.png; the images of each run are kept
in runs/benchmarks/, so that the picture has all heads that were trained.
"""

import argparse
import io
import math
import pathlib
import time
import zipfile
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks import record
from benchmarks.drawn_faces import SIZE, draw_faces
from benchmarks.random_conv import random_conv_distance
from keras_gen import pictures, zoo
from keras_gen.data import Factors, render_shapes
from keras_gen.data.pixels import noise_share
from keras_gen.evaluation.evaluators.reconstruction import psnr_and_ssim, ssim_filter_size
from keras_gen.evaluation.metrics.dequantization import cell_nats, dequantize
from keras_gen.evaluation.metrics.laplacian_swd import laplacian_swd

FILES = pathlib.Path("runs/benchmarks")
DATA = ("faces", "shapes_gray", "shapes", "twemoji")
HEADS: dict[str, Any] = {
    "bernoulli": "bernoulli",
    "mixture": "discretized_logistic_mixture",
    "normal_fixed": {"name": "normal", "scale": 0.1},
    "normal_shared": {"name": "normal", "scale": "shared"},
}
TRAIN, TEST, BATCH = 8000, 1000, 128
SHOWN = 32


def images_of(name: str, twemoji: pathlib.Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns training and test images, uint8 [num, 32, 32, 1 or 3]."""
    if name == "faces":
        return draw_faces(TRAIN, 1), draw_faces(TEST, 2)
    if name == "twemoji":
        if twemoji is None:
            raise SystemExit("Expected --twemoji ZIP for the data twemoji; received none")
        images = read_twemoji(twemoji)
        return images[TEST:], images[:TEST]
    sets = [render_shapes(Factors.draw(count, seed), SIZE) for count, seed in ((TRAIN, 1), (TEST, 2))]
    if name == "shapes":
        return sets[0], sets[1]
    luminance = np.float32([0.299, 0.587, 0.114])
    gray = [np.rint(images @ luminance).astype(np.uint8)[..., None] for images in sets]
    return gray[0], gray[1]


def read_twemoji(archive: pathlib.Path) -> np.ndarray:
    """Returns all emoji on white in a random order, uint8 [num, 32, 32, 3]."""
    images = []
    with zipfile.ZipFile(archive) as files:
        for name in sorted(each for each in files.namelist() if each.endswith(".png")):
            emoji = Image.open(io.BytesIO(files.read(name))).convert("RGBA")
            white = Image.new("RGBA", emoji.size, "white")
            opaque = Image.alpha_composite(white, emoji).convert("RGB")
            images.append(np.asarray(opaque.resize((SIZE, SIZE), Image.Resampling.BOX)))
    return np.stack(images)[np.random.default_rng(0).permutation(len(images))]


class StopAfter(keras.callbacks.Callback):
    """Ends `fit` after a time of the processor, counted from the end of the first step, which compiles.

    Args:
        seconds: processor seconds of this process.
    """

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds, self.start, self.steps = seconds, None, 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.steps += 1
        if self.start is None:
            self.start = time.process_time()
        elif time.process_time() - self.start >= self.seconds:
            raise _Finished


class _Finished(Exception):
    """The end of the time, also within an epoch."""


def train(train: np.ndarray, head: Any, seconds: float, seed: int) -> tuple[keras.Model, int]:
    """Returns a default VAE after a time of training, and its number of steps."""
    keras.utils.clear_session()
    model = zoo.build("vae", train.shape[1:], seed=seed, head=head)
    stop = StopAfter(seconds)
    try:
        model.fit(train / np.float32(255), batch_size=BATCH, epochs=10**6, callbacks=[stop], verbose=0)
    except _Finished:
        pass
    return model, stop.steps


def distances(images: np.ndarray, real: np.ndarray) -> dict:
    """Returns distances of images to real ones: of features, and of patches at each level of detail."""
    levels = laplacian_swd(images, real, patches=32, projections=128)
    return {"distance": random_conv_distance(images, real), "swd": {str(level): swd for level, swd in levels.items()}}


def measure(model: Any, test: np.ndarray, seed: int) -> tuple[dict, dict[str, np.ndarray]]:
    """Returns metrics of samples and reconstructions, and the images to show."""
    real = test / np.float32(255)
    reconstructed = np.concatenate([model.reconstruct(part).numpy() for part in np.array_split(real, 8)])
    samples = model.generate(len(real), seed=seed)
    scores = psnr_and_ssim(real, tf.constant(reconstructed), ssim_filter_size(SIZE, SIZE)).numpy().mean(0)
    results = model.evaluate(real, batch_size=BATCH, verbose=0, return_dict=True)
    metrics = {
        "psnr": float(scores[0]),
        "ssim": float(scores[1]),
        "kl": float(results["kl"]),
        "bits_per_dimension": _bits(model, real, results),
        **distances(samples, real),
        "sharpness_of_samples": sharpness(samples) / sharpness(real),
        "sharpness_of_reconstructions": sharpness(reconstructed) / sharpness(real),
    }
    if model.log_scale is not None:
        metrics["scale"] = 1e-3 + math.exp(float(np.asarray(model.log_scale)))
    shown = {"images": real[:SHOWN], "reconstructed": reconstructed[:SHOWN], "samples": samples[:SHOWN]}
    return metrics, {name: pictures.to_uint8(images) for name, images in shown.items()}


def _bits(model: Any, real: np.ndarray, results: dict) -> float | None:
    """Returns minus the ELBO of 8-bit levels in bits per pixel and channel; None where there is none."""
    support, nats = model.likelihood.support, -results["elbo"]
    if support == "binary":
        return None
    if support == "continuous":
        levels = dequantize(real, seed=0).numpy()
        nats = cell_nats(real.shape[1:]) - model.evaluate(levels, batch_size=BATCH, verbose=0, return_dict=True)["elbo"]
    return float(nats) / math.prod(real.shape[1:]) / math.log(2)


def sharpness(images: np.ndarray) -> float:
    """Returns the mean absolute difference of neighboring pixels."""
    return float(np.abs(np.diff(images, axis=1)).mean() + np.abs(np.diff(images, axis=2)).mean())


def draw_picture(name: str) -> np.ndarray:
    """Returns the samples and reconstructions of every head that was trained on a dataset."""
    rows = {}
    for head in HEADS:
        if not (file := FILES / f"heads_{name}_{head}.npz").exists():
            continue
        images = np.load(file)
        pairs = pictures.pairs(images["images"], images["reconstructed"], columns=8, scale=2)
        panels = {"samples": pictures.grid(images["samples"], columns=8, scale=2), "image | reconstruction": pairs}
        rows[head] = pictures.hstack(panels)
    return pictures.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=DATA, choices=DATA)
    parser.add_argument("--head", nargs="+", default=list(HEADS), choices=HEADS)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--twemoji", type=pathlib.Path)
    args = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    FILES.mkdir(parents=True, exist_ok=True)
    for name in args.data:
        train_images, test_images = images_of(name, args.twemoji)
        real = train_images[: len(test_images)] / np.float32(255)
        about = {"noise_share": noise_share(real), "floor": distances(real, test_images / np.float32(255))}
        for head in args.head:
            model, steps = train(train_images, HEADS[head], args.seconds, args.seed)
            metrics, shown = measure(model, test_images, args.seed)
            np.savez_compressed(FILES / f"heads_{name}_{head}.npz", **shown)
            run = {"seconds": args.seconds, "steps": steps, **metrics}
            print(name, head, run, flush=True)
            former = record.read("heads")
            data, runs = former.get("data", {}), former.get("runs", {})
            data[name] = {"train": len(train_images), "test": len(test_images), **about}
            runs.setdefault(name, {}).setdefault(head, {})[str(args.seed)] = run
            record.write("heads", {"what": __doc__.splitlines()[0], "data": data, "runs": runs})
            pictures.save(record.RESULTS / "pictures" / f"heads_{name}.png", draw_picture(name))


if __name__ == "__main__":
    main()
