"""The command line of an exported model: `python -m runtime`."""

import argparse
import json
import pathlib
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .captions import caption_warnings
from .images import read_array, read_images
from .measure import measure
from .pictures import PILLOW_FORMATS, write_images
from .runtime import Runtime

# command -> the file that it writes without --out
OUTPUTS = {
    "generate": "generated.png",
    "reconstruct": "reconstructed.png",
    "translate": "translated.png",
    "run": "outputs.npz",
}


def run() -> None:
    """Runs the command line; errors of the user end the process with a message instead of a traceback."""
    try:
        main()
    except (ValueError, OSError, ImportError, MemoryError) as error:
        sys.exit(f"error: {error}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line.

    Args:
        arguments: the command line's arguments; default those of the process.
    """
    options = parser().parse_args(arguments)
    out = pathlib.Path()
    if options.command in OUTPUTS:  # checked before the model is opened
        out = output_file(options.out, OUTPUTS[options.command], options.overwrite)
    model = Runtime(options.folder, precision=options.precision, threads=options.threads)
    if options.command == "info":
        print(summary(model))
    elif options.command == "generate":
        _write(out, model.generate(options.num, options.seed, **_conditions(model, options)))
    elif options.command in ("reconstruct", "translate"):
        images, outputs = _convert(model, options)
        if out.suffix.lower() == ".npy" or outputs.shape != images.shape:  # domains may differ in size
            _write(out, outputs)
        else:
            _write(out, np.concatenate([images, outputs]), columns=len(images))
    elif options.command == "run":
        pairs = [item.partition("=")[::2] for item in options.input]
        outputs = model.run(options.signature, **{name: read_array(file) for name, file in pairs})
        with open(out, "wb") as stream:
            np.savez(stream, **outputs)  # ty: ignore[invalid-argument-type]  (numpy's stub: no name is allow_pickle)
        print(f"{out}: " + ", ".join(f"{name} {list(array.shape)}" for name, array in outputs.items()))
    else:
        model.endpoint(options.signature)
        print(json.dumps(measure(model, options.signature, options.repeats)))


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m runtime",
        description="Run an exported model without TensorFlow.",
        epilog="example: python -m runtime generate --num 16 --seed 1 --out grid.png",
    )
    top.add_argument("--folder", help="export folder (default: the one that contains this package)")
    top.add_argument("--precision", help="float32, float16, dynamic or int8, if exported")
    top.add_argument("--threads", type=int, help="threads of the interpreter")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("info", help="show the model's files, endpoints and names")
    command = commands.add_parser("generate", help="generate images")
    command.add_argument("--num", type=int, default=16, help="images (default: 16)")
    command.add_argument("--seed", type=int, default=None, help="seed of the noise (default: random)")
    command.add_argument("--out", help="a grid (.png; .jpg, .webp, ... with Pillow) or .npy; default generated.png")
    _add_label(command)
    command.add_argument("--caption", help="text that the images show, for a text-conditional model")
    command = commands.add_parser("reconstruct", help="encode and decode images: originals above reconstructions")
    _add_images(command)
    command.add_argument("--out", help="a grid, or .npy (reconstructions alone); default reconstructed.png")
    _add_label(command)
    command = commands.add_parser("translate", help="translate images to another domain or to other attributes")
    _add_images(command)
    target = command.add_mutually_exclusive_group(required=True)
    target.add_argument("--attributes", nargs="+", help="names, see info: one of each exclusive group")
    target.add_argument("--to", help="target domain of two: A, B or its name, see info")
    command.add_argument("--out", help="a grid, originals above translations, or .npy (translations alone); "
                         "default translated.png")  # fmt: skip
    command = commands.add_parser("run", help="run any endpoint on .npy files")
    command.add_argument("signature", help="endpoint, see info")
    command.add_argument("--input", nargs="+", default=[], metavar="NAME=FILE.npy", help="arrays of the inputs")
    command.add_argument("--out", help="default outputs.npz")
    for name in OUTPUTS:
        commands.choices[name].add_argument("--overwrite", action="store_true", help="replace the file in --out")
    command = commands.add_parser("measure", help="latency and peak memory of an endpoint, as JSON")
    command.add_argument("signature", help="endpoint, see info")
    command.add_argument("--repeats", type=int, default=50, help="timed calls (default: 50)")
    return top


def _add_label(command: argparse.ArgumentParser) -> None:
    text = "class, or one for each image: names, or indices from 0; see info"
    command.add_argument("--label", nargs="+", help=text)


def _add_images(command: argparse.ArgumentParser) -> None:
    command.add_argument("images", nargs="+", help=".npy, or image files if Pillow is installed")


def output_file(file: str | None, default: str, overwrite: bool = False) -> pathlib.Path:
    """Returns the file that a command writes.

    Args:
        file: the requested file, or None: the default name, with a number if it is taken.
        default: a name; .npz means that only arrays can be written, any other suffix images.
        overwrite: whether an existing file may be replaced.

    Raises:
        ValueError: for a suffix that cannot be written.
        FileExistsError: if the file exists.
    """
    path, number = pathlib.Path(file or default), 1
    if file is None:
        while path.exists() and not overwrite:
            number += 1
            path = pathlib.Path(default).with_stem(f"{pathlib.Path(default).stem}_{number}")
        return path
    suffixes = (".npz",) if default.endswith(".npz") else (".png", ".npy", *PILLOW_FORMATS)
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"--out {file}: expected a name that ends in {', '.join(suffixes)}; received {path.suffix!r}")
    if path.suffix.lower() in PILLOW_FORMATS:
        try:
            from PIL import Image as Image
        except ImportError as error:
            raise ValueError(
                f"--out {file} needs Pillow (pip install pillow); without it, write a .png or a .npy"
            ) from error
    if path.exists() and not overwrite:
        raise FileExistsError(f"{file} exists. Replace it (--overwrite), or choose another name (--out)")
    return path


def summary(model: Runtime) -> str:
    """Returns the model's files, endpoints and names as readable lines."""
    description = model.description
    shape = "x".join(map(str, model.image_shape))
    lines = [f"{description['title']} ({description['system']}), images {shape}, batch {model.batch}", "files:"]
    for precision, file in description["files"].items():
        mark = "  (in use)" if precision == model.precision else ""
        lines.append(f"  {precision:9} {file['file']:22} {file['bytes'] / 1e3:10.1f} kB{mark}")
    lines.append("endpoints:")
    for name, signature in model.signatures.items():
        inputs, outputs = (
            ", ".join(f"{port_name} {port['kind']} {port['shape']}" for port_name, port in signature[side].items())
            for side in ("inputs", "outputs")
        )
        lines.append(f"  {name}: {inputs} -> {outputs}")
    if sampling := description.get("sampling"):
        last = f", then {sampling['image']}" if sampling["image"] else ""
        lines.append(f"generate: {sampling['steps']:,} steps of {sampling['endpoint']}{last}")
    if attributes := description.get("attributes"):
        lines.append("attributes: " + ", ".join(attributes["names"]))
    if labels := description.get("labels"):
        lines.append("labels: " + ", ".join(f"{index} {name}" for index, name in enumerate(labels)))
    if domains := description.get("domains"):
        lines.append("domains: " + ", ".join(f"{letter} {name}" for letter, name in zip("AB", domains, strict=True)))
    if text := description.get("text"):
        lines.append(f"text: captions of up to {text['length']} words, vocabulary of {len(text['vocabulary'])} words")
    return "\n".join(lines)


def _conditions(model: Runtime, options: argparse.Namespace) -> dict[str, Any]:
    """Returns the conditions of the command line, and prints the losses of a caption."""
    conditions = {}
    if options.label is not None:
        conditions["label"] = model.parse_labels(options.command, options.label)
    if getattr(options, "caption", None) is not None:
        conditions["caption"] = options.caption
        for sentence in caption_warnings(model.read_caption(options.caption)):
            print(f"note: {sentence}", file=sys.stderr)
        warnings.simplefilter("ignore")  # the notes are enough
    return conditions


def _convert(model: Runtime, options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Returns the images of the command line's files, and their reconstructions or translations."""
    if options.command == "translate" and options.to is not None:
        endpoint = model.parse_domain(options.to)
        name, port = next(iter(model.signatures[endpoint]["inputs"].items()))
        images = read_images(options.images, port["shape"], **model.preprocessing)
        return images, next(iter(model.run(endpoint, **{name: images}).values()))
    if options.command == "translate":
        images = read_images(options.images, model.image_shape, **model.preprocessing)
        return images, model.translate(images, model.parse_attributes(options.attributes))
    conditions = _conditions(model, options)
    images = read_images(options.images, model.image_shape, **model.preprocessing)
    return images, model.reconstruct(images, **conditions)


def _write(file: pathlib.Path, images: np.ndarray, columns: int | None = None) -> None:
    write_images(file, images, columns)
    print(f"{file}: {' x '.join(map(str, images.shape))}")
