"""Default commands on data that a system was not tuned on: a picture, a score and the time of each, before and after.

usage: python -m benchmarks.untuned SYSTEM_DATA ... [--options "--minutes 4"] [--stop-after S] [--checkout DIR]
                                    [--label NAME] [--again] [--twemoji ZIP] [--mnist DIR] [--folder DIR]
       python -m benchmarks.untuned --table
       python -m benchmarks.untuned --list

SYSTEM_DATA is a row of `ROWS`, such as `aae_twemoji`. A row is the command that a user types, in a process of its own:
`keras-gen train SYSTEM --data DATA --out RUN`, with --options where it is not the default command, such as a budget.
With --checkout the command, and what the trained model then draws, come from another version of the library; scores are
always computed by this one, from image files and arrays. With --stop-after the training is ended after that many
seconds of the processor, as by Ctrl-C: versions can so be compared at equal time on a busy machine. A finished row is
skipped, unless --again is given.

Samples are compared with as many test images by the Frechet distance in the features `small_v1`, the headline of
`keras-gen evaluate`; the floor is the distance of training images. Reconstructions and restored images are compared
with their files at the files' own size (PSNR). Translations are classified by a small network that is trained on the
real images of the domains, and compared with the true translations where these exist. Writes
benchmarks/results/untuned.json (runs by row and label) and pictures/untuned_ROW_LABEL.png.
"""

import argparse
import csv
import dataclasses
import gzip
import io
import json
import os
import pathlib
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import record, skin_tones, twemoji_folder
from benchmarks.drawn_faces import draw_described_faces
from keras_gen import pictures, zoo
from keras_gen.evaluation.features.classifier import feature_classifier
from keras_gen.evaluation.features.extractors import feature_extractor
from keras_gen.evaluation.metrics.frechet_distance import frechet_distance

SHARED = pathlib.Path("../shared/data")
COMPARED = 500  # samples, and test images
SHOWN = 10  # images in a row of a picture
MAX_BYTES = 60_000  # of a picture
NUM_TRAIN_FACES, NUM_TEST_FACES = 4000, 500
CLASSIFIED, CLASSIFIER_STEPS = 32, 400  # height and width of the classifier's images, and its updates
TONE_SIZE = 72  # that of the files
DEFAULT = "default"  # the label of this version


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A dataset in files.

    Attributes:
        source: What `--data` receives.
        train: Images of the training split, or of each domain; [num, height, width, channels] in uint8.
        test: The same of the test split.
        captions: Captions of the test images, or None.
        is_paired: Whether test images of two domains with one index are the true translations of each other.
    """

    source: pathlib.Path
    train: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    captions: list[str] | None = None
    is_paired: bool = False


# data


def faces(folder: pathlib.Path, args: argparse.Namespace) -> Prepared:
    """Drawn gray faces at 32x32 with captions of skin, hair, light and background."""
    images, captions = {}, {}
    for split, num, seed in (("train", NUM_TRAIN_FACES, 1), ("test", NUM_TEST_FACES, 2)):
        images[split], numbers = draw_described_faces(num, seed)
        captions[split] = [caption_of(*row) for row in zip(*(numbers[name] for name in NUMBERS), strict=True)]
        if not (folder / split).exists():
            names = _write(folder / split, images[split])
            with open(folder / split / "metadata.csv", "w", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerows([("file_name", "caption"), *zip(names, captions[split], strict=True)])
    return Prepared(folder, {"": images["train"]}, {"": images["test"]}, captions["test"])


NUMBERS = ("tone", "hair", "light", "background")


def caption_of(tone: float, hair: float, light: float, background: float) -> str:
    """Returns the caption of a drawn face.

    Example:
        >>> caption_of(0.4, 0.8, -0.3, 0.7)
        'a face with dark skin and light hair, lit from the left, on a bright background'
    """
    skin = "dark" if tone < 0.5 else "light" if tone > 0.65 else "medium"
    side = "left" if light < -0.12 else "right" if light > 0.12 else "front"
    place = "dark" if background < 0.38 else "bright" if background > 0.62 else "gray"
    return (
        f"a face with {skin} skin and {'dark' if hair < 0.5 else 'light'} hair, lit from the {side}, on a {place} "
        "background"
    )


def hair(folder: pathlib.Path, args: argparse.Namespace) -> Prepared:
    """Drawn faces in two domains: A has dark hair, and B has hair nearly as light as the skin."""
    splits = {}
    for split, num, seed in (("train", NUM_TRAIN_FACES, 1), ("test", NUM_TEST_FACES, 2)):
        images, numbers = draw_described_faces(num, seed)
        splits[split] = {"A": images[numbers["hair"] < 0.35], "B": images[numbers["hair"] > 0.65]}
    return _domains(folder, splits)


def tones(folder: pathlib.Path, args: argparse.Namespace) -> Prepared:
    """Emoji in two domains: A has the light skin tone, and B the dark one. 60 emoji are held out."""
    emoji, _ = skin_tones.read(args.twemoji, TONE_SIZE)
    emoji = np.rint(255 * emoji).astype(np.uint8)
    train, test = skin_tones.split(len(emoji))
    # the other half of the emoji in B, so that no training image has its counterpart
    first, second = train[::2], train[1::2]
    splits = {
        "train": {"A": emoji[first, 0], "B": emoji[second, -1]},
        "test": {"A": emoji[test, 0], "B": emoji[test, -1]},
    }
    return dataclasses.replace(_domains(folder, splits), is_paired=True)


def twemoji(folder: pathlib.Path, args: argparse.Namespace) -> Prepared:
    """Twemoji at 72x72 with captions, of which a tenth is held out; the images have an alpha channel."""
    if not folder.exists():
        twemoji_folder.write(args.twemoji, folder)
    images, captions = {}, []
    for split in ("train", "test"):
        with open(folder / split / "metadata.csv", encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        images[split] = np.stack([_read(folder / split / row["file_name"]) for row in rows])
        captions = [row["caption"] for row in rows]
    order = np.random.default_rng(0).permutation(len(images["test"]))
    return Prepared(
        folder, {"": images["train"]}, {"": images["test"][order]}, [captions[position] for position in order]
    )


def digits(folder: pathlib.Path, args: argparse.Namespace) -> Prepared:
    """MNIST: 60,000 and 10,000 digits at 28x28, in a .npz file."""
    arrays = {}
    for split, name in (("train", "train"), ("test", "t10k")):
        for field, kind, start in (("x", "images-idx3", 16), ("y", "labels-idx1", 8)):
            content = gzip.decompress((args.mnist / f"{name}-{kind}-ubyte.gz").read_bytes())
            values = np.frombuffer(content, np.uint8, offset=start)
            arrays[f"{field}_{split}"] = values.reshape(-1, 28, 28, 1) if field == "x" else values.astype(np.int32)
    file = folder.with_suffix(".npz")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(file, **arrays)
    return Prepared(file, {"": arrays["x_train"]}, {"": arrays["x_test"]})


def _domains(folder: pathlib.Path, splits: dict[str, dict[str, np.ndarray]]) -> Prepared:
    for split, domains in splits.items():
        for domain, images in domains.items():
            if not (folder / f"{split}{domain}").exists():
                _write(folder / f"{split}{domain}", images)
    return Prepared(folder, splits["train"], splits["test"])


def _write(folder: pathlib.Path, images: np.ndarray) -> list[str]:
    """Writes 00001.png, ... and returns the names."""
    folder.mkdir(parents=True)
    names = [f"{number:05}.png" for number in range(1, 1 + len(images))]
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(folder / name)
    return names


def _read(file: pathlib.Path) -> np.ndarray:
    """Returns an image on white, uint8 [height, width, 1 or 3]."""
    with Image.open(file) as image:
        if image.mode in ("RGBA", "P", "LA"):
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


DATA: dict[str, Callable[[pathlib.Path, argparse.Namespace], Prepared]] = {
    "faces": faces,
    "hair": hair,
    "tones": tones,
    "twemoji": twemoji,
    "digits": digits,
}
# system -> two datasets that its defaults were not tuned on
ROWS = {
    f"{system}_{name}": (system, name)
    for system, names in {
        "text2image": ("twemoji", "faces"),
        "puzzlegan": ("twemoji", "digits"),
        "progan": ("twemoji", "faces"),
        "aae": ("twemoji", "faces"),
        "cyclegan": ("tones", "hair"),
        "autoencoder": ("twemoji", "faces"),
        "vae": ("twemoji", "faces"),
        "gan": ("twemoji", "faces"),
        "dcgan": ("twemoji", "faces"),
        "infogan": ("twemoji", "faces"),
    }.items()
    for name in names
}


# training and drawing, by any version


class Checkout:
    """A version of the library whose commands run in processes of their own.

    Args:
        folder: Its root.
        log: File to which the output of the commands is appended.
    """

    def __init__(self, folder: pathlib.Path, log: pathlib.Path):
        self.folder, self.log = folder.resolve(), log.resolve()
        # the module has had a __main__ only since the command line is `python -m keras_gen`
        self.module = "keras_gen" if (folder / "keras_gen" / "__main__.py").exists() else "keras_gen.cli"

    def command(self, *arguments: object, stop_after: float | None = None) -> int:
        """Runs `keras-gen ARGUMENTS` and returns its exit status.

        Args:
            *arguments: Arguments.
            stop_after: Seconds of the processor after which the command receives SIGTERM, or None.
        """
        return self._run(["-m", self.module, *map(str, arguments)], stop_after)

    def python(self, code: str, *arguments: object) -> None:
        """Runs Python code with arguments.

        Raises:
            RuntimeError: If it fails.
        """
        if status := self._run(["-c", code, *map(str, arguments)]):
            raise RuntimeError(f"Expected exit status 0; received {status}. See {self.log}")

    def _run(self, arguments: list[str], stop_after: float | None = None) -> int:
        environment = os.environ | {"PYTHONPATH": str(self.folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
        with open(self.log, "a", encoding="utf-8") as stream:
            process = subprocess.Popen([sys.executable, *arguments], cwd=self.folder, env=environment, stdout=stream,
                                       stderr=stream)  # fmt: skip
            if stop_after is not None:
                while process.poll() is None and _processor_seconds(process.pid) < stop_after:
                    time.sleep(0.2)
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
            return process.wait()


def _processor_seconds(process_id: int) -> float:
    """Returns the processor time of a running process, by Linux's /proc."""
    fields = pathlib.Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


GENERATE = """
import json, sys
import numpy as np
from keras_gen import models, runs
getattr(models, "import_all", lambda: None)()
run, out, conditions, num = sys.argv[1:]
conditions = json.loads(conditions)
model = runs.load(run)
np.save(out, np.asarray(model.generate(int(num), seed=0, **conditions), np.float32))
"""


def train(
    checkout: Checkout,
    system: str,
    source: pathlib.Path,
    run: pathlib.Path,
    options: list[str],
    stop_after: float | None,
) -> dict[str, Any]:
    """Trains by the command, and returns its time and length.

    Args:
        checkout: The version of the library.
        system: Key of the system.
        source: The data.
        run: The run directory, which is replaced.
        options: Further options of the command; none for the default command.
        stop_after: Seconds of the processor after which the training is ended, or None.

    Raises:
        SystemExit: If the training fails.
    """
    shutil.rmtree(run, ignore_errors=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    status = checkout.command("train", system, "--data", source.resolve(), "--out", run.resolve(), *options,
                              stop_after=stop_after)  # fmt: skip
    minutes = (time.monotonic() - start) / 60
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status not in (0, 128 + signal.SIGTERM):
        raise SystemExit(f"Expected exit status 0 of the training; received {status}. See {checkout.log}")
    config = json.loads((run / "config.json").read_text())
    training = config["training"]
    return {
        "command": " ".join(["keras-gen train", system, "--data", source.name, *options]),
        "stopped_after": stop_after if status else None,
        "image_shape": config["image_shape"],
        "batch_size": training["batch_size"],
        "epochs": training["epochs"],
        "steps": training["steps"],
        "finished_epochs": _rows(run / "metrics.csv"),
        "requested_minutes": training.get("minutes"),
        "minutes": round(minutes, 2),
        "processor_minutes": round((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60, 2),
    }


def _rows(file: pathlib.Path) -> int:
    return max(0, len(file.read_text().splitlines()) - 1) if file.exists() else 0


# scores


def draw(checkout: Checkout, system: str, data: Prepared, run: pathlib.Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Returns the scores of what the trained model draws, and the rows of the picture, uint8 images of one size."""
    endpoints, scores, rows = zoo.get(system).endpoints, {}, []
    work = run.parent / f"{run.name}_drawn"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    if "reconstruct" in endpoints or "restore" in endpoints:
        command = "reconstruct" if "reconstruct" in endpoints else "translate"
        real = data.test[""][:COMPARED]
        _write(work / "real", real)
        _command(checkout, command, run, work / "real", work / "restored")
        restored = _read_folder(work / "restored")
        scores["psnr"] = round(psnr(real, restored), 2)
        rows += [real[:SHOWN], restored[:SHOWN]]
    if "generate" in endpoints:
        real = data.test[""][:COMPARED]
        captions = None if data.captions is None else data.captions[: len(real)]
        is_conditional = "embed" in endpoints
        conditions = {"caption": captions} if is_conditional else {}
        checkout.python(GENERATE, run.resolve(), (work / "samples.npy").resolve(), json.dumps(conditions), len(real))
        samples = np.load(work / "samples.npy")
        extract = feature_extractor("small_v1")
        features = extract(real / np.float32(255))
        order = np.random.default_rng(0).permutation(len(data.train[""]))[: len(real)]
        scores["fd_small_v1"] = round(frechet_distance(extract(samples), features, full_rank=False), 3)
        scores["fd_small_v1_floor"] = round(
            frechet_distance(extract(data.train[""][order] / np.float32(255)), features, full_rank=False), 3
        )
        scores["images"] = len(real)
        samples = pictures.to_uint8(samples)
        rows += [real[:SHOWN]] if is_conditional else []
        rows += [samples[:SHOWN], samples[SHOWN : 2 * SHOWN]]
    if "a_to_b" in endpoints:
        rows += _translate(checkout, data, run, work, scores)
    return scores, rows


def _translate(checkout: Checkout, data: Prepared, run: pathlib.Path, work: pathlib.Path, scores: dict) -> list:
    rows, labeled = [], []
    for split in (data.train, data.test):
        images = np.concatenate([split[domain] for domain in "AB"])
        labeled.append((images, np.repeat([0, 1], [len(split[domain]) for domain in "AB"])))
    labeled = [(_resized(images, (CLASSIFIED, CLASSIFIED)) / np.float32(255), labels) for images, labels in labeled]
    epochs = max(5, round(CLASSIFIER_STEPS * 128 / len(labeled[0][0])))
    classifier = feature_classifier(labeled[0], labeled[1], settings={"epochs": epochs})
    scores["accuracy_real"] = round(classifier.accuracy, 3)
    for source, target in ("AB", "BA"):
        real = data.test[source][:COMPARED]
        folder = work / f"{source}_to_{target}"
        _write(work / source, real)
        _command(checkout, "translate", run, work / source, folder, "--to", target)
        translated = _read_folder(folder)
        inputs = _resized(translated, (CLASSIFIED, CLASSIFIED)) / np.float32(255)
        reached = classifier.classify(inputs) == "AB".index(target)
        scores[f"accuracy_{source}_to_{target}"] = round(float(reached.mean()), 3)
        enlarged = _resized(translated, real.shape[1:3])
        scores[f"change_{source}_to_{target}"] = round(_error(enlarged, real), 4)
        if data.is_paired:  # 1 is the identity, 0 the true translation
            truth = data.test[target][:COMPARED]
            scores[f"error_{source}_to_{target}"] = round(_error(enlarged, truth) / _error(real, truth), 3)
        rows += [real[:SHOWN], translated[:SHOWN]]
    return rows


def _error(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the mean absolute difference of uint8 images, 0 to 1."""
    return float(np.abs(first.astype(np.float32) - second).mean() / 255)


def _command(checkout: Checkout, command: str, run, source, out, *options: str) -> None:
    if status := checkout.command(command, run.resolve(), source.resolve(), "--out", out.resolve(), *options):
        raise SystemExit(f"Expected exit status 0 of keras-gen {command}; received {status}. See {checkout.log}")


def _read_folder(folder: pathlib.Path) -> np.ndarray:
    return np.stack([_read(file) for file in sorted(folder.glob("*.png"))])


def _resized(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns images of another size by bicubic interpolation, uint8 [num, *size, channels]."""
    if images.shape[1:3] == tuple(size):
        return images
    gray = images.shape[-1] == 1
    resized = [
        np.asarray(Image.fromarray(image.squeeze(-1) if gray else image).resize(size[::-1], Image.Resampling.BICUBIC))
        for image in images
    ]
    return np.stack(resized)[..., None] if gray else np.stack(resized)


def psnr(real: np.ndarray, restored: np.ndarray) -> float:
    """Returns the mean peak signal-to-noise ratio in dB, after the restored images are resized to the real ones.

    Args:
        real: uint8 [num, height, width, channels].
        restored: uint8 images of any size, with as many channels.
    """
    difference = (_resized(restored, real.shape[1:3]).astype(np.float32) - real) / 255
    return float(np.mean(-10 * np.log10(np.maximum(np.square(difference).mean((1, 2, 3)), 1e-10))))


def save_picture(file: pathlib.Path, rows: list[np.ndarray]) -> None:
    """Writes rows of images, of at most `MAX_BYTES`: with fewer colors until the file is that small."""
    height = max(row.shape[1] for row in rows)
    width = max(row.shape[2] for row in rows)
    canvas = pictures.grid(np.concatenate([_on_canvas(row, (height, width)) for row in rows]), columns=SHOWN)
    image = Image.fromarray(canvas.squeeze(-1) if canvas.shape[-1] == 1 else canvas)
    for colors in (256, 192, 128, 96, 64, 48, 32):
        stream = io.BytesIO()
        # without dithering, whose noise makes a file larger than more colors do
        (image if image.mode == "L" else image.quantize(colors, dither=Image.Dither.NONE)).save(
            stream, "PNG", optimize=True
        )
        if len(stream.getvalue()) <= MAX_BYTES or image.mode == "L":
            break
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(stream.getvalue())


def _on_canvas(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns images in the middle of a white canvas, with three channels or one."""
    height, width = images.shape[1:3]
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    margins = ((0, 0), (top, size[0] - height - top), (left, size[1] - width - left), (0, 0))
    return np.pad(images, margins, constant_values=255)


# table


def table() -> str:
    """Returns the table of all rows, in Markdown."""
    lines = [
        "| row | version | size | batches | minutes of the processor | score (floor) |",
        "|---|---|---|---|---|---|",
    ]
    for row, runs in record.read("untuned").get("runs", {}).items():
        for label, run in runs.items():
            lines.append(
                f"| `{row}` | {label} | {run['image_shape'][0]} | {_length_text(run)} | {run['processor_minutes']:.1f} "
                f"| {_score_text(run)} |"
            )
    return "\n".join(lines)


def _length_text(run: dict[str, Any]) -> str:
    epochs = f"{run['finished_epochs']} of {run['epochs']} epochs"
    return f"{epochs}, of {run['steps']} batches of {run['batch_size']}" if run["steps"] else epochs


def _score_text(run: dict[str, Any]) -> str:
    parts = []
    if "psnr" in run:
        parts.append(f"PSNR {run['psnr']:.1f} dB")
    if "fd_small_v1" in run:
        parts.append(f"distance {run['fd_small_v1']:.2f} ({run['fd_small_v1_floor']:.2f})")
    if "accuracy_real" in run:
        reached = ", ".join(f"{100 * run[f'accuracy_{each}']:.0f} %" for each in ("A_to_B", "B_to_A"))
        parts.append(f"target recognized in {reached} (real images {100 * run['accuracy_real']:.0f} %)")
    if "error_A_to_B" in run:
        parts.append(f"error relative to the identity {run['error_A_to_B']:.2f}, {run['error_B_to_A']:.2f}")
    return "; ".join(parts)


def run_row(row: str, args: argparse.Namespace) -> None:
    """Runs a row and writes its result and its picture."""
    system, name = ROWS[row]
    done = record.read("untuned").get("runs", {})
    if args.label in done.get(row, {}) and not args.again:
        print(f"{row}, {args.label}: done before; --again repeats it", flush=True)
        return
    folder = pathlib.Path(args.folder)
    run = folder / "runs" / f"{row}_{args.label}"
    run.parent.mkdir(parents=True, exist_ok=True)
    data = DATA[name](folder / "data" / name, args)
    checkout = Checkout(args.checkout, run.with_suffix(".log"))
    trained = run.with_suffix(".json")  # so that a row that was interrupted after its training is only scored
    if args.again or not trained.exists():
        trained.unlink(missing_ok=True)
        result = train(checkout, system, data.source, run, shlex.split(args.options), args.stop_after)
        trained.write_text(json.dumps(result))
    result = json.loads(trained.read_text())
    scores, rows = draw(checkout, system, data, run)
    save_picture(record.RESULTS / "pictures" / f"untuned_{row}_{args.label}.png", rows)
    result |= {**scores, "hardware": record.hardware()}
    print(f"{row}, {args.label}: {json.dumps(result)}", flush=True)
    done = record.read("untuned").get("runs", {})  # another row may have been written meanwhile
    record.write("untuned", {"compared": COMPARED, "runs": done | {row: done.get(row, {}) | {args.label: result}}})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="SYSTEM_DATA")
    parser.add_argument("--options", default="", help="options of keras-gen train; default none")
    parser.add_argument("--stop-after", type=float, help="seconds of the processor after which the training is ended")
    parser.add_argument("--checkout", type=pathlib.Path, default=pathlib.Path(__file__).parents[1])
    parser.add_argument("--label", default=DEFAULT, help="name of the version in the table")
    parser.add_argument("--again", action="store_true", help="repeat a row that is done")
    parser.add_argument("--twemoji", type=pathlib.Path, default=SHARED / "twemoji" / "twemoji.zip")
    parser.add_argument("--mnist", type=pathlib.Path, default=SHARED / "mnist", help="folder of the four .gz files")
    parser.add_argument("--folder", default="runs/benchmarks/untuned", help="for data, runs and logs")
    parser.add_argument("--table", action="store_true", help="print the table of all results")
    parser.add_argument("--list", action="store_true", help="print the rows")
    args = parser.parse_args()
    if unknown := sorted(set(args.rows) - set(ROWS)):
        parser.error(f"expected rows from {', '.join(ROWS)}; received {', '.join(unknown)}")
    if args.list:
        print("\n".join(ROWS))
    for row in args.rows:
        run_row(row, args)
    if args.table:
        print(table())


if __name__ == "__main__":
    main()
