"""Four ways to double the size of a generator's features, compared at equal processor time.

usage: python -m benchmarks.upsampling NAME [--seed 1] [--cpu-minutes 8] [--wall-minutes 9] [--threads 2]
                                            [--folder runs/benchmarks] [--data-dir DIR]

NAME is `dcgan_shapes`, `dcgan_mnist` or `progan_shapes`. The generators of one NAME differ in `upsampling` alone, and
each is trained for the same processor time, in turns of `TURN` seconds. After --wall-minutes the state is stored in
--folder; the same command then continues. Processor time is that of the training steps alone, without compilation and
comparisons.

At `MARKS` seconds and at the end, samples are compared with as many training images, since the result decides about a
default: the Frechet distance in the default features, `small_v1`, and in those of a fixed random network; and the share
of energy at the highest frequencies, relative to real images. When all are trained, writes
benchmarks/results/upsampling.json and a picture with two rows for each: the samples after the first of `MARKS` and at
the end, of the same latent codes.
"""

import argparse
import dataclasses
import json
import pathlib
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import keras_gen
from benchmarks import record
from benchmarks.random_conv import random_conv_distance
from keras_gen import data, pictures, runs, zoo
from keras_gen.evaluation.features.extractors import feature_extractor
from keras_gen.evaluation.metrics.checkerboard import checkerboard_ratio
from keras_gen.evaluation.metrics.frechet_distance import frechet_distance
from keras_gen.models import GenerativeModel
from keras_gen.networks.upsampling import UPSAMPLINGS

MARKS = (60.0, 240.0)  # seconds of processor time, besides the end
TURN = 60.0  # seconds of processor time
COMPARED = 2000
SHOWN = 12  # images in a row


@dataclasses.dataclass(frozen=True)
class Configuration:
    """A system and its data.

    Attributes:
        system: Key of the system.
        source: Name of the dataset.
        image_shape: (height, width, channels).
        settings: Settings of the system besides `upsampling`.
        batch_size: Images in a step.
    """

    system: str
    source: str
    image_shape: tuple[int, int, int]
    settings: dict[str, Any]
    batch_size: int = 64


CONFIGURATIONS = {
    "dcgan_shapes": Configuration("dcgan", "shapes", (32, 32, 3), {"base_filters": 16}),
    "dcgan_mnist": Configuration("dcgan", "mnist", (28, 28, 1), {"base_filters": 16}),
    # without growing: what the forms cost and draw at one size
    "progan_shapes": Configuration(
        "progan", "shapes", (32, 32, 3), {"base_filters": 32, "start_resolution": 32}, batch_size=32
    ),
}


class Clock(keras.callbacks.Callback):
    """Stops training after a processor time, which is counted without the first step, which may compile.

    Args:
        limit: Seconds of processor time.
        deadline: The `time.monotonic()` at which training stops at the latest.

    Attributes:
        seconds: Processor time of the steps so far.
        steps: Number of these steps.
    """

    def __init__(self, limit: float, deadline: float):
        super().__init__()
        self.limit, self.deadline = limit, deadline
        self.seconds, self.steps, self.compiled = 0.0, 0, False

    def on_train_batch_begin(self, batch, logs=None):
        self.start = time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        if self.compiled:
            self.seconds += time.process_time() - self.start
            self.steps += 1
        self.compiled = True
        if self.seconds >= self.limit or time.monotonic() >= self.deadline:
            self.model.stop_training = True


def references(it: Configuration, args) -> tuple[np.ndarray, np.ndarray]:
    """Returns two sets of `COMPARED` training images: those that samples are compared with, and others."""
    loaded = data.load(it.source, "train", image_shape=it.image_shape, batch_size=2 * COMPARED, data_dir=args.data_dir,
                       fields=("image",), seed=args.seed)  # fmt: skip
    images = np.asarray(next(iter(loaded))["image"])
    return images[:COMPARED], images[COMPARED:]


def compare(samples: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Returns distances to real images and the ratio of energies at the highest frequencies."""
    features = feature_extractor("small_v1")
    return {
        "fd_small_v1": round(frechet_distance(features(samples), features(reference)), 2),
        "fd_random_conv": round(random_conv_distance(samples, reference), 4),
        "checkerboard_ratio": round(checkerboard_ratio(samples, reference), 3),
    }


@dataclasses.dataclass
class Trainee:
    """One form in training.

    Attributes:
        model: The model.
        folder: Where its state is stored.
        state: `seconds` and `steps` so far, `turns` begun, and the `curve` of comparisons.
    """

    model: GenerativeModel
    folder: pathlib.Path
    state: dict[str, Any]

    def save(self) -> None:
        """Stores model and state."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.model.save(self.folder / "model.keras")
        runs.write_json(self.folder / "state.json", self.state)


def trainee(name: str, upsampling: str, args) -> Trainee:
    """Returns a form with its stored state, or at its beginning."""
    it, folder = CONFIGURATIONS[name], pathlib.Path(args.folder) / f"upsampling_{name}_{args.seed}" / upsampling
    if (folder / "state.json").exists():
        state = json.loads((folder / "state.json").read_text())
        return Trainee(keras_gen.load(folder / "model.keras"), folder, state)
    model = zoo.build(it.system, it.image_shape, seed=args.seed, upsampling=upsampling, **it.settings)
    return Trainee(model, folder, {"seconds": 0.0, "steps": 0, "turns": 0, "curve": []})


def take_turn(each: Trainee, it: Configuration, end: float, reference: np.ndarray, deadline: float, args) -> None:
    """Trains a form until its next mark, at most for `TURN` seconds, and compares it at the mark."""
    mark = min(mark for mark in (*MARKS, end) if mark > each.state["seconds"])
    clock = Clock(min(TURN, mark - each.state["seconds"]), deadline)
    order = 1000 * args.seed + each.state["turns"]  # every turn has an order of its own
    batches = data.load(it.source, "train", image_shape=it.image_shape, batch_size=it.batch_size, steps=100,
                        data_dir=args.data_dir, fields=("image",), seed=order)  # fmt: skip
    each.model.fit(batches, epochs=10_000, verbose=0, callbacks=[clock])
    each.state["seconds"] += clock.seconds
    each.state["steps"] += clock.steps
    each.state["turns"] += 1
    if each.state["seconds"] >= mark:
        samples = each.model.generate(len(reference), seed=0)
        entry = {"seconds": round(each.state["seconds"], 1), "steps": each.state["steps"]}
        each.state["curve"].append(entry | compare(samples, reference))
        each.folder.mkdir(parents=True, exist_ok=True)
        np.save(each.folder / f"samples_{round(mark)}.npy", samples)
        print(each.folder.name, json.dumps(each.state["curve"][-1]), flush=True)
    each.save()


def train(name: str, args) -> list[Trainee] | None:
    """Trains all forms in turns; returns None if the time was over before the end."""
    it, end, deadline = CONFIGURATIONS[name], 60 * args.cpu_minutes, time.monotonic() + 60 * args.wall_minutes
    forms = [trainee(name, upsampling, args) for upsampling in UPSAMPLINGS]
    reference, _ = references(it, args)
    while unfinished := [each for each in forms if each.state["seconds"] < end]:
        if time.monotonic() >= deadline:
            for each in forms:
                print(each.folder.name, f"{each.state['seconds']:.0f} of {end:.0f} s", flush=True)
            return None
        take_turn(min(unfinished, key=lambda each: each.state["seconds"]), it, end, reference, deadline, args)
    return forms


def final_samples(each: Trainee) -> np.ndarray:
    """Returns the samples of the last comparison."""
    files = sorted(each.folder.glob("samples_*.npy"), key=lambda file: int(file.stem.split("_")[1]))
    return np.load(files[-1])


def write(name: str, forms: list[Trainee], args) -> None:
    """Writes the result of a NAME and its picture."""
    it = CONFIGURATIONS[name]
    reference, others = references(it, args)
    rows, table = [], {}
    for each in forms:
        samples = final_samples(each)
        table[each.folder.name] = {
            **each.state,
            "seconds": round(each.state["seconds"], 1),
            "generator_parameters": each.model.generator.count_params(),
        }
        early = np.load(each.folder / f"samples_{round(MARKS[0])}.npy")
        rows += [early[:SHOWN], samples[:SHOWN]]
    pictures.save(record.RESULTS / "pictures" / f"upsampling_{name}.png",
                  pictures.grid(np.concatenate(rows), columns=SHOWN))  # fmt: skip
    result = {
        "settings": {**dataclasses.asdict(it), "seed": args.seed, "compared": COMPARED, "threads": args.threads},
        "floor": compare(others, reference),
        "forms": table,
    }
    content = {"runs": record.read("upsampling").get("runs", {}) | {f"{name}_{args.seed}": result}}
    print("written to", record.write("upsampling", content))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cpu-minutes", type=float, default=8, help="processor time of each form")
    parser.add_argument("--wall-minutes", type=float, default=9, help="time after which this command stops")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", default="runs/benchmarks", help="where unfinished states are stored")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    if forms := train(args.name, args):
        write(args.name, forms, args)


if __name__ == "__main__":
    main()
