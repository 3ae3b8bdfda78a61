"""The Progressive GAN compared with a DCGAN: distances at every level of detail over training time, and the cost.

usage: python -m benchmarks.progan DATA SYSTEM [--seconds 1700] [--seed 1] [--threads 2] [--twemoji ZIP]
                                                [--data-dir DIR]

DATA is `shapes` or `twemoji`, at 64x64; SYSTEM is `progan`, `fixed` (its networks at 64x64 from the start), `short` (a
phase is an epoch: its cost and memory, in a few minutes) or `dcgan`.
Learning rates fall to 0 in the second half of the training. Every `EVERY` seconds of processor time, without that of
the comparisons, samples are compared with as many held-out images: the sliced Wasserstein distance of each level of the
Laplacian pyramid, times 1000, and the MS-SSIM of pairs. Images of an earlier stage are enlarged to 64x64 first. Of each
phase: seconds for an image, the time of its first step, memory, and how often it was traced. Writes
benchmarks/results/progan_DATA_SYSTEM.json, and of `progan` a picture of all stages; weights go to runs/benchmarks/.
"""

import argparse
import json
import pathlib
import time
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import puzzlegan, record
from keras_gen import data, pictures, zoo
from keras_gen.evaluation.metrics.laplacian_swd import laplacian_swd
from keras_gen.evaluation.metrics.ms_ssim import pair_similarity
from keras_gen.models import ProgressiveGAN

from .budget import Budget
from .workers.memory import memory

WEIGHTS = pathlib.Path("runs/benchmarks")
SIZE = 64
SHAPE = (SIZE, SIZE, 3)
STEPS = 125  # images per epoch
EVERY = 120  # seconds between two comparisons
COMPARED, PATCHES = 1000, 32
SYSTEMS: dict[str, tuple[str, dict[str, Any], int]] = {
    "progan": ("progan", {"full_width_resolution": 8, "fade_images": 16_000, "stable_images": 16_000}, 16),
    "fixed": ("progan", {"full_width_resolution": 8, "start_resolution": SIZE}, 16),
    "short": ("progan", {"full_width_resolution": 8, "fade_images": 2_000, "stable_images": 2_000}, 16),
    "dcgan": ("dcgan", {"base_filters": 32}, 64),
}


def source_of(args) -> tuple[str, dict[str, str]]:
    """Returns the source for `data.load`, and its splits for training and comparison."""
    if args.data == "shapes":
        return "shapes", {"train": "train", "test": "test"}
    file = WEIGHTS / f"twemoji_{SIZE}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        parts = puzzlegan.twemoji(SIZE, args.twemoji)
        np.savez(file, **{f"image_{name}": np.round(255 * part).astype(np.uint8)
                          for name, part in zip(("train", "test"), parts, strict=True)})  # fmt: skip
    return str(file), {"train": "train", "test": "test"}


def batches(model, batch_size: int, args) -> tf.data.Dataset:
    """Returns training data, in several resolutions if the model grows."""
    source, splits = source_of(args)
    options: dict[str, Any] = {"steps": STEPS, "seed": args.seed, "data_dir": args.data_dir, "fields": ("image",)}
    stages = model.data_stages(batch_size)
    if not stages:
        return data.load(source, splits["train"], image_shape=SHAPE, batch_size=batch_size, **options)
    return data.multi_resolution([data.load(source, splits["train"], **stage, **options) for stage in stages])


def real(args, role: str = "test", num: int = COMPARED) -> np.ndarray:
    """Returns up to `num` real images of a split, float32 [num, 64, 64, 3]."""
    source, splits = source_of(args)
    loaded = data.load(source, splits[role], image_shape=SHAPE, batch_size=num, data_dir=args.data_dir,
                       fields=("image",), shuffle=True)  # fmt: skip
    return next(iter(loaded))["image"].numpy()


def scores(images: np.ndarray, reference: np.ndarray) -> dict:
    """Returns distances by level, their mean, and the MS-SSIM of pairs."""
    levels = laplacian_swd(images, reference, patches=PATCHES)
    levels = {str(level): round(value, 2) for level, value in levels.items()}
    similar = pair_similarity(images)
    return {
        "swd": levels,
        "swd_mean": round(float(np.mean(list(levels.values()))), 2),
        "ms_ssim": round(similar.value, 4),
    }


class Recorder(Budget):
    """Compares at intervals, stops after a duration of training, and records the cost of each phase.

    Attributes:
        curve: One entry for each comparison.
        phases: Resolution and phase -> its cost.
    """

    def __init__(self, seconds: float, reference: np.ndarray):
        super().__init__(seconds)
        self.reference = reference
        self.curve, self.phases, self.traces = [], {}, {}

    def set_model(self, model):
        super().set_model(model)
        step = model.train_step  # replaced before Keras traces it

        def counted(batch):
            self.traces[self.phase()] = self.traces.get(self.phase(), 0) + 1
            return step(batch)

        self.model.train_step = counted

    def phase(self) -> str:
        """Returns the name of the phase; always the same one for a model that does not grow."""
        if not isinstance(self.model, ProgressiveGAN):
            return f"{SIZE}x{SIZE}"
        height, width = self.model.size_of(self.model.phase.stage)
        return f"{height}x{width} {'fading in' if self.model.phase.fading else 'stable'}"

    def on_train_batch_begin(self, batch, logs=None):
        self.began = time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        took = time.process_time() - self.began
        entry = self.phases.setdefault(self.phase(), {"first_step_s": round(took, 2), "steps": 0, "seconds": 0.0})
        if "resident_mb" in entry:
            entry["steps"], entry["seconds"] = entry["steps"] + 1, entry["seconds"] + took
        entry["resident_mb"] = round(memory()["resident_mb"])
        super().on_train_batch_end(batch, logs)
        if self.model.stop_training or self.spent >= EVERY * (len(self.curve) + 1):
            stopped = time.process_time()
            self.compare()
            self.exclude(time.process_time() - stopped)

    def compare(self):
        """Compares samples with held-out images."""
        images = self.model.generate(len(self.reference), seed=0)
        times = SIZE // images.shape[1]
        entry = {"seconds": round(self.spent), "phase": self.phase(), "shown": images.shape[1]}
        self.curve.append(entry | scores(images.repeat(times, 1).repeat(times, 2), self.reference))
        print(json.dumps(self.curve[-1]), flush=True)

    def costs(self, batch_sizes: dict[int, int]) -> list[dict]:
        """Returns a row for each phase."""
        rows = []
        for name, entry in self.phases.items():
            batch = batch_sizes[int(name.split("x")[0])]
            each = 1e3 * entry["seconds"] / max(1, entry["steps"]) / batch
            about = {key: entry[key] for key in ("first_step_s", "resident_mb")}
            cost = {"batch_size": batch, "steps": entry["steps"] + 1, "ms_per_image": round(each, 3)}
            rows.append({"phase": name, **cost, **about, "traces": self.traces[name]})
        return rows


def picture(model, rows: int = 10) -> np.ndarray:
    """Returns a grid: a row for each stage, the same latent code in each column, at the size of the last stage."""
    rows_of_images = []
    for stage in range(model.stable_stage + 1):
        images = model.generate(rows, seed=1, stage=stage)
        times = model.image_shape[0] // images.shape[1]
        rows_of_images.append(images.repeat(times, 1).repeat(times, 2))
    return pictures.grid(np.concatenate(rows_of_images), columns=rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=("shapes", "twemoji"))
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1700, help="processor time of training, without comparisons")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--twemoji", default=puzzlegan.TWEMOJI, help="the zip with captions.jsonl and the pictures")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    key, settings, batch_size = SYSTEMS[args.system]
    model = zoo.build(key, SHAPE, seed=args.seed, **settings)
    reference = real(args)
    floor = scores(real(args, "train", len(reference)), reference)  # real images instead of samples
    watch = Recorder(args.seconds, reference)
    work = time.process_time()
    model.fit(batches(model, batch_size, args), epochs=100_000, verbose=2, callbacks=[watch])
    work = (time.process_time() - work) / 60
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    name = f"progan_{args.data}_{args.system}"
    model.save(WEIGHTS / f"{name}_{args.seed}.keras")
    stages = model.data_stages(batch_size) or [{"image_shape": SHAPE, "batch_size": batch_size}]
    if args.system != "short":
        image = picture(model) if key == "progan" else pictures.grid(model.generate(50, seed=1), columns=10)
        pictures.save(record.RESULTS / "pictures" / f"{name}.png", image)
    result = {
        "last": watch.curve[-1],
        "curve": watch.curve,
        "floor": floor,
        "costs": watch.costs({stage["image_shape"][0]: stage["batch_size"] for stage in stages}),
        "train_minutes": round(watch.spent / 60, 1),
        "processor_minutes_with_comparisons": round(work, 1),
        "parameters": {part: getattr(model, part).count_params() for part in ("generator", "discriminator")},
    }
    content = {"settings": {**settings, "batch_size": batch_size, "steps_per_epoch": STEPS},
               "compared": len(reference), "patches": PATCHES}  # fmt: skip
    print("written to", record.write_run(name, args.seed, result, content))


if __name__ == "__main__":
    main()
