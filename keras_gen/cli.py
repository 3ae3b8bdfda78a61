"""The command line: `keras-gen zoo | data | train | launch | sample | evaluate | export | check | translate |
reconstruct`.

TensorFlow is imported by the commands that need it, so that the others answer at once. The file is long because every
option is a line with its help; the work is done by the packages. What does not fit is refused before that import.
"""

import importlib.metadata
import json
import os
import pathlib
import platform
import re
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from . import __version__, completion
from .launch import end_with_launcher
from .launch import launch as launch_workers
from .progress import Progress, report
from .startup import DEBUG, errors_alone, starting

BAD_INPUT = (ValueError, FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError)
INTERRUPTED = 130


class Reporting(TyperGroup):
    """Commands whose errors are one message, without a traceback.

    Exit codes: 2 for input that does not fit, 1 for a run that failed, 130 for Ctrl-C.
    """

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, SystemExit):
            raise
        except KeyboardInterrupt as error:
            raise typer.Exit(INTERRUPTED) from error
        except Exception as error:
            if os.environ.get(DEBUG) or type(error).__module__.startswith(("click", "typer")):
                raise
            own = type(error).__module__.startswith("keras_gen")
            expected = own or isinstance(error, (*BAD_INPUT, FloatingPointError, OSError))
            hint = "" if expected else f"\nThis was not expected; `keras-gen --debug ...` or {DEBUG}=1 shows where."
            name = "" if expected else f"{type(error).__name__}: "
            console = Console(stderr=True, soft_wrap=True, highlight=False)
            console.print("error:", style="bold red", end=" ")
            console.print(f"{name}{error}{hint}", markup=False)
            raise typer.Exit(2 if isinstance(error, BAD_INPUT) else 1) from error


app = typer.Typer(
    cls=Reporting,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Generative models for Keras: train, measure, export.\n\n"
    "Example: keras-gen train vae --data shapes --out runs/vae\n\n"
    "Also as python -m keras_gen. keras-gen --install-completion completes commands, options, systems, settings, "
    "datasets and run directories with Tab.",
)
RunArgument = Annotated[
    pathlib.Path,
    typer.Argument(
        metavar="RUN", help="A run directory, as `train` makes it.", autocompletion=completion.run_directories
    ),
]
ValueRange = Annotated[
    str | None, typer.Option(metavar="LOW,HIGH", help="Stored numbers that are black and white; default detected.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files of these names.")]
SIZE = "Pixels: 64, or HEIGHTxWIDTH such as 48x64"
DataDir = Annotated[str | None, typer.Option(help="TFDS directory; default TFDS_DATA_DIR or ~/tensorflow_datasets.")]


def _show_versions(asked: bool) -> None:
    if asked:
        packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("keras", "tensorflow"))
        print(f"keras-gen {__version__} (Python {platform.python_version()}, {packages})")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_versions, is_eager=True, help="Show the versions and exit.")
    ] = False,
):
    if debug:
        os.environ[DEBUG] = "1"


@app.command()
def zoo(
    system: Annotated[
        str | None, typer.Argument(help="Show the settings of this one.", autocompletion=completion.systems)
    ] = None,
):
    """List the systems: keys, papers, data, endpoints.

    Examples: [bold]keras-gen zoo[/bold]; [bold]keras-gen zoo vae[/bold] (its settings, for train --set)
    """
    from . import zoo as systems

    console = Console()
    if system is None:
        table = _table("key", "system", "paper", "data", "endpoints")
        for key, row in systems.SYSTEMS.items():
            table.add_row(key, row.title, row.paper, ", ".join(row.data), ", ".join(row.endpoints))
        console.print(table)
        return
    row = systems.get(system)
    learning_rate_multipliers = "".join(
        f" (of the {player} {pace:g} times that)" for player, pace in row.learning_rate_multipliers.items()
    )
    console.print(f"{row.title}. {row.paper}. Endpoints: {', '.join(row.endpoints)}.", highlight=False)
    console.print(
        f"Trained on {' or '.join(row.data)}; {row.epochs} epochs, batch size {row.batch_size}, learning rate "
        f"{row.learning_rate:g}{learning_rate_multipliers}, images of {row.image_size} pixels where the data have no size of their own.",
        highlight=False,
    )
    table = _table("setting", "default")
    for name, default in row.settings.items():
        table.add_row(name, json.dumps(default))
    console.print(table)


@app.command()
def data(
    source: Annotated[
        str | None,
        typer.Argument(help="Describe this one: a name, a folder, an .npz or .npy.", autocompletion=completion.sources),
    ] = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="Write a picture of some images here, or an .npy.")] = None,
    split: Annotated[str | None, typer.Option(help="Of which split; default the first.")] = None,
    num: Annotated[int, typer.Option(min=1, help="Images in the picture.")] = 64,
    image_size: Annotated[str | None, typer.Option(help=f"{SIZE}; default the source's own, at most 64.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of images.")] = 0,
    value_range: ValueRange = None,
    overwrite: Overwrite = False,
    data_dir: DataDir = None,
):
    """Say what a data source holds; without a source, which there are.

    Example: [bold]keras-gen data shapes --out shapes.png[/bold]
    """
    from keras_gen.data.slices import split_rows
    from keras_gen.data.sources.skipped import summarize
    from keras_gen.training import config as plan

    from . import data as sources
    from . import outputs
    from .training.source import crop_note, inspect_source, source_from

    size = plan.size_of(_size(image_size))
    if out is not None:
        outputs.check_file(out, overwrite=overwrite)
    console = Console(highlight=False)
    if source is None:
        table = _table("source", "what it is")
        for name, text in sources.list_sources(data_dir=data_dir).items():
            table.add_row(name, text)
        console.print(table)
        return
    numbers = _range(value_range)
    with Progress():
        described = sources.describe(source, data_dir=data_dir, value_range=numbers)
    if split is not None and described.splits and described.kind != "tfds":
        split_rows(split, described.splits)
    console.print(f"{described.source} ({described.kind}): {described.about}", markup=False)
    notes = [*described.notes, summarize(described.skipped, sum(described.sizes.values()))]
    if described.sizes or described.kind == "arrays":
        facts = source_from(described)
        notes.append(crop_note(facts.sizes, plan.image_shape_of(facts, size, plan.LARGEST_OWN_SIZE)[:2]))
    for note in filter(None, notes):
        console.print(note, markup=False, soft_wrap=True)
    table = _table("split", "images")
    for name, count in described.splits.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    table = _table("field", "what it is", "values")
    for name, text in described.fields.items():
        table.add_row(name, text, _shortened(described.names.get(name, ())))
    console.print(table)
    if out is None:
        return
    with Progress():
        facts = inspect_source(source, data_dir, value_range=numbers)
        size = size or (facts.image_size if facts.rendered else None)
        shape = plan.image_shape_of(facts, size, plan.LARGEST_OWN_SIZE)
        chosen = split or next(iter(facts.splits))
        options = {"batch_size": num, "seed": seed, "shuffle": True, "fields": ["image"], "data_dir": data_dir}
        with starting():
            load = sources.load
        dataset = load(source, chosen, image_shape=shape, value_range=numbers, report=False, **options)
        images = next(iter(dataset))["image"].numpy()
    outputs.write_file(out, images)
    console.print(f"{out}: {len(images)} images of {chosen}", markup=False)


@app.command()
def train(
    system: Annotated[
        str | None,
        typer.Argument(help="A key of `keras-gen zoo`; not needed to resume.", autocompletion=completion.systems),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="A name, a folder, an .npz or .npy; default the first that suits the system.",
            autocompletion=completion.sources,
        ),
    ] = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="The run directory; default runs/SYSTEM.", autocompletion=completion.run_directories),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="In all, also after a resume; default the system's.")] = None,
    steps: Annotated[int | None, typer.Option(help="Batches in an epoch; default once through the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images in a step, over all devices.")] = None,
    image_size: Annotated[str | None, typer.Option(help=f"{SIZE}; default the data's own where at most 64.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, order and noise; default 0.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, mixed_bfloat16 or mixed_float16.")] = None,
    strategy: Annotated[str, typer.Option(help="auto, default, mirrored, multiworker or tpu.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, exactly.")] = False,
    data_changed: Annotated[
        bool, typer.Option("--data-changed", help="Resume on data that have changed, with a new validation split.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in --out.")] = False,
    patience: Annotated[int | None, typer.Option(help="Stop after so many epochs without a better one.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's; default the system's.")] = None,
    binarize: Annotated[str, typer.Option(help="auto, none, dynamic or threshold.")] = "auto",
    augment: Annotated[str | None, typer.Option(help="With commas: flip, crop, shift, color.")] = None,
    labeled: Annotated[int | None, typer.Option(help="Images whose labels a supervised system may see.")] = None,
    value_range: ValueRange = None,
    data_dir: DataDir = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting, see `keras-gen zoo SYSTEM`.",
            autocompletion=completion.settings,
        ),
    ] = None,
    view: Annotated[
        list[str] | None,
        typer.Option(
            "--view",
            metavar="KEY=VALUE",
            help="Of the data: domains=A,B, domain_field=FIELD, attributes=NAME,..., length=N, crop=pad, max_pixels=N.",
        ),
    ] = None,
    initial_weights: Annotated[
        pathlib.Path | None, typer.Option(help="Start from the weights of this run or .keras file.")
    ] = None,
    pretraining_epochs: Annotated[
        int | None, typer.Option(help="Of each stage of pretraining, for a system that has some; 0 leaves them out.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
):
    """Train a system into a run directory: model, metrics, pictures, states to resume from.

    Example: [bold]keras-gen train vae --data shapes --out runs/vae --epochs 10 --set latent_size=16[/bold]

    After a stop of any kind: [bold]keras-gen train --resume --out runs/vae[/bold]

    Ctrl-C and SIGTERM finish the step and save; a second one stops at once. Exit codes: 130 and 143.
    """
    if out is None and (system is None or resume):
        raise ValueError("--resume needs --out, the run directory to go on with" if resume else "Which system? See zoo")
    chosen = dict(_setting(text) for text in settings or ())
    from . import training

    run = training.train(
        system,
        data,
        out or pathlib.Path("runs") / str(system),
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        image_size=_size(image_size),
        seed=seed,
        precision=precision,
        strategy=strategy,
        resume=resume,
        data_changed=data_changed,
        overwrite=overwrite,
        patience=patience,
        learning_rate=learning_rate,
        binarize=None if binarize == "none" else binarize,
        augment=None if augment is None else _names(augment),
        labeled=labeled,
        value_range=_range(value_range),
        data_dir=data_dir,
        settings=chosen,
        view=dict(_setting(text) for text in view or ()),
        initial_weights=initial_weights,
        pretraining_epochs=pretraining_epochs,
        verbose=0 if quiet else 1,
    )
    if not quiet:
        pictures = sorted(run.samples.glob("epoch_*.png"))
        shown = f"Pictures: {pictures[-1]}. " if pictures else ""
        print(f"{shown}Next: keras-gen evaluate {run.path}; keras-gen export {run.path}")


@app.command(context_settings={"allow_interspersed_args": False})
def launch(
    command: Annotated[list[str] | None, typer.Argument(metavar="-- train ...", help="A training command.")] = None,
    workers: Annotated[int, typer.Option(help="How many processes, at least 2.")] = 2,
):
    """Train in several processes on this machine, to try multi-worker training out on the CPU.

    Example: [bold]keras-gen launch --workers 2 -- train vae --data shapes --out runs/vae[/bold]

    The batch size is that of all workers together. When a worker fails, the others are stopped, and its exit code is
    returned. Clusters start the workers themselves: see docs/clusters.md
    """
    raise typer.Exit(launch_workers(workers, command or []))


@app.command()
def sample(
    run: Annotated[
        pathlib.Path,
        typer.Argument(
            metavar="RUN", help="A run directory or a .keras file.", autocompletion=completion.run_directories
        ),
    ],
    num: Annotated[int, typer.Option(min=1, help="How many images.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same images.")] = 0,
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="A grid (.png, .jpg, ...), an array (.npy), or a folder: one file for each image."),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Class, or one for each image with commas: names, or indices from 0.")
    ] = None,
    caption: Annotated[str | None, typer.Option(help="What to draw, for a system that reads texts.")] = None,
    columns: Annotated[int | None, typer.Option(min=1, help="Images in a row of the grid.")] = None,
    scale: Annotated[int, typer.Option(min=1, help="Enlarge each pixel of the grid so many times.")] = 2,
    overwrite: Overwrite = False,
):
    """Draw images from a trained model.

    Example: [bold]keras-gen sample runs/vae --num 64 --seed 1 --out grid.png[/bold]

    Without --out the file's name says seed, label and caption, and nothing is overwritten. A folder gets 00001.png, ...
    and a metadata.csv, so that it is a source of data. A label that could be a name or an index is written name:1 or
    index:1.
    """
    from . import outputs, runs
    from .names import read_indices

    requested = {name: text for name, text in (("label", label), ("caption", caption)) if text is not None}
    into_folder = out is not None and outputs.is_folder(out)
    if out is None:
        folder = run / "samples" if run.is_dir() else pathlib.Path()
        out = outputs.free_name(folder / f"{outputs.sample_name(seed, requested)}.png")
    elif into_folder:
        outputs.check_folder(out, overwrite=overwrite)
    else:
        outputs.check_file(out, overwrite=overwrite)
    runs.check_model(run)
    with Progress(), starting():
        from . import models

        models.import_all()
        report("Loading the model")
        model = runs.load(run)
    conditions, texts = dict(requested), {name: [text] * num for name, text in requested.items()}
    if label is not None and (classes := getattr(model, "num_classes", None)):
        chosen = read_indices("class", label, model.label_names, classes)
        conditions["label"] = chosen[0] if len(chosen) == 1 else chosen
        named = model.names_of(chosen) or list(map(str, chosen))
        texts["label"] = named * (num if len(named) == 1 else 1)
    images = model.generate(num, seed=seed, **conditions)
    if into_folder:
        outputs.write_folder(out, images, texts)
    else:
        outputs.write_file(out, images, columns, scale)
    about = [f"seed {seed}", *(f"{name} {_shortened(dict.fromkeys(each))}" for name, each in texts.items())]
    print(f"{out}: {num} images, {', '.join(about)}")


@app.command()
def evaluate(
    run: RunArgument,
    nll_samples: Annotated[int, typer.Option(min=1, help="Codes for each image in the log-likelihood.")] = 5000,
    nll_images: Annotated[str, typer.Option(help="Images in the log-likelihood, or all.")] = "500",
    samples: Annotated[int, typer.Option(min=1, help="Generated images compared with as many real ones.")] = 1000,
    features: Annotated[
        str,
        typer.Option(help="What samples are compared by, with commas: pixels, classifier, fid, inception, pyramid."),
    ] = "pixels",
    parzen: Annotated[bool, typer.Option("--parzen", help="The historical Parzen-window estimate too.")] = False,
    neighbor_images: Annotated[
        int, typer.Option(min=1, help="Training images searched for copies, at most.")
    ] = 250_000,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images at a time; default the run's.")] = None,
    split: Annotated[str | None, typer.Option(help="test, validation or train; default the first there is.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of codes, samples and the choice of images.")] = 0,
    beside: Annotated[pathlib.Path | None, typer.Option(help="Another run: samples of both side by side.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
):
    """Measure a run: evaluation.json, a table and pictures.

    Example: [bold]keras-gen evaluate runs/vae --nll-images all[/bold]

    Samples as in published tables:
    [bold]keras-gen evaluate runs/dcgan --samples 10000 --features pixels,classifier,pyramid[/bold]
    """
    if nll_images != "all" and not nll_images.isdigit():
        raise ValueError(f"--nll-images must be a number or all; received {nll_images!r}")
    from . import runs, training

    opened = runs.Run.open(run)
    if split is not None:
        opened.split(split)
    with Progress(not quiet), starting():
        from . import evaluation
    evaluation.evaluate(
        opened,
        nll_samples=nll_samples,
        nll_images=nll_images if nll_images == "all" else int(nll_images),
        samples=samples,
        features=_names(features),
        parzen=parzen,
        neighbor_images=neighbor_images,
        batch_size=batch_size,
        split=split,
        seed=seed,
        verbose=not quiet,
    )
    if beside is not None:
        found = evaluation.compare(opened, beside, samples=samples, seed=seed, split=split, verbose=not quiet)
        if not quiet:
            print(f"Side by side: {found['picture']}")
    training.write_card(opened)
    if not quiet:
        print(f"{opened.evaluation_file}; pictures: {opened.path / 'evaluation'}")


@app.command()
def export(
    run: RunArgument,
    format: Annotated[str, typer.Option(help="tflite, saved_model, or both with a comma.")] = "tflite",
    quantize: Annotated[
        str, typer.Option(help="With commas, the first is model.tflite: none (float32), float16, dynamic, int8.")
    ] = "int8",
    batch: Annotated[int, typer.Option(min=1, help="Fixed batch size of the TFLite files.")] = 1,
    out: Annotated[pathlib.Path | None, typer.Option(help="Folder; default RUN/export.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise in calibration and comparison.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an export of other weights in --out.")
    ] = False,
):
    """Export a run for devices, and check every file against Keras.

    Example: [bold]keras-gen export runs/vae --format tflite --quantize int8,none[/bold]
    """
    from . import runs, training
    from .export.request import check_request

    opened = runs.Run.open(run)
    check_request(opened, format=format, quantize=quantize, batch=batch, out=out)
    with Progress(not quiet), starting():
        from .export import export as export_run
        from .export import few_images, parity_rows, read_parity
    options = {"format": format, "quantize": quantize, "batch": batch, "out": out, "seed": seed}
    with Progress(not quiet):
        folder = export_run(opened, overwrite=overwrite, **options)
    training.write_card(opened)
    if quiet:
        return
    parity = read_parity(folder)
    rows = parity_rows(parity)
    columns = ("precision", "endpoint", "output", "largest error", "mean error", "kB", "bound")
    table = _table(*columns, title="Against Keras")
    for row in rows:
        sizes = (f"{row['max']:.2g}", f"{row['mean']:.2g}", f"{row['bytes'] / 1000:,.0f}")
        judged = {None: "", True: "met", False: "[red]exceeded[/red]"}[row["within"]]
        table.add_row(row["precision"], row["endpoint"], row["output"], *sizes, judged)
    Console(highlight=False).print(table)
    if line := few_images(parity):
        print(line)
    for precision, file in parity["files"].items():
        if file.get("float_fallback"):
            print(
                f"{precision}: {', '.join(file['float_fallback'])} compute in float32, or images would be too far off"
            )
    print(f"{folder}: copy it to a device, then python runtime.py --help")


@app.command()
def check(
    run: RunArgument,
    repair: Annotated[
        bool, typer.Option("--repair", help="Write config.json and metrics.csv from the states; delete damaged states.")
    ] = False,
):
    """Verify a run directory: digests of states and export, config, metrics, models; and what can be done.

    Exit code 1 where something is damaged or missing. Example: [bold]keras-gen check runs/vae[/bold]
    """
    from . import check as checks

    if repair:
        for line in checks.repair(run):
            print(line)
    findings = checks.check(run)
    table = _table("part", "", "what it is", "what to do")
    for finding in findings:
        verdict = "ok" if finding.fine else "[red]damaged[/red]"
        table.add_row(escape(finding.part), verdict, escape(finding.text), escape(finding.remedy))
    Console(highlight=False).print(table)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


Images = Annotated[list[pathlib.Path], typer.Argument(metavar="FILES...", help="Image files, or folders of them.")]
OutFolder = Annotated[pathlib.Path, typer.Option(help="The folder to write to.")]
Trained = Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run directory or an export folder.")]
NoiseSeed = Annotated[int, typer.Option(min=0, help="Of noise, where the system has any.")]
Limit = Annotated[int | None, typer.Option(min=1, help="So many files at most.")]


@app.command()
def translate(
    run: Trained,
    images: Images,
    out: OutFolder,
    to: Annotated[str | None, typer.Option(help="Of two domains the one to translate into: A, B or its name.")] = None,
    attributes: Annotated[str | None, typer.Option(help="What images are to have: names with commas.")] = None,
    label: Annotated[str | None, typer.Option(help="The class, where it is what images are to have.")] = None,
    seed: NoiseSeed = 0,
    limit: Limit = None,
    overwrite: Overwrite = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
):
    """Make images of image files: of another domain, with other attributes, restored from their parts.

    Example: [bold]keras-gen translate runs/cyclegan photos --to B --out translated[/bold]

    Files keep their names and sub-folders. An export folder needs no TensorFlow. Exit code 1 where files could not be
    read; they are named at the end.
    """
    from . import translation

    options = {"to": to, "attributes": attributes, "label": label}
    _convert(translation.translate, run, images, out, seed, limit, overwrite, quiet, **options)


@app.command()
def reconstruct(
    run: Trained,
    images: Images,
    out: OutFolder,
    label: Annotated[str | None, typer.Option(help="Class of the images, for a conditional model.")] = None,
    seed: NoiseSeed = 0,
    limit: Limit = None,
    overwrite: Overwrite = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
):
    """Encode and decode image files.

    Example: [bold]keras-gen reconstruct runs/vae photos --out reconstructed[/bold]

    Files keep their names and sub-folders. An export folder needs no TensorFlow. Exit code 1 where files could not be
    read; they are named at the end.
    """
    from . import translation

    _convert(translation.reconstruct, run, images, out, seed, limit, overwrite, quiet, label=label)


def _convert(convert, run, images, out, seed, limit, overwrite, quiet, **options) -> None:
    """Convert files with progress; name at the end those that could not be read."""
    with Progress(not quiet) as progress:
        options |= {"seed": seed, "limit": limit, "overwrite": overwrite, "progress": progress.update}
        done = convert(run, images, out, **options)
    if not quiet:
        print(f"{out}: {len(done.written):,} images")
    if done.failed:
        typer.echo(f"{len(done.failed):,} files could not be read and are left out:", err=True)
        for file, reason in done.failed:
            typer.echo(f"  {file}: {reason}", err=True)
        raise typer.Exit(1)


def main() -> None:
    """The entry point of `keras-gen`."""
    end_with_launcher()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    errors_alone()
    app()


def _table(*columns: str, title: str | None = None) -> Table:
    """A table whose cells are broken into lines rather than cut."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _setting(text: str) -> tuple[str, object]:
    """`"beta=4"` -> `("beta", 4)`: JSON where it is, else the words True, False and None, else text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"--set takes KEY=VALUE, such as latent_size=16; received {text!r}")
    words = {"True": True, "False": False, "None": None}
    try:
        return name, words[value] if value in words else json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _range(text: str | None) -> tuple[float, ...] | None:
    """`"0,4095"` -> `(0.0, 4095.0)`."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"--value-range takes LOW,HIGH, such as 0,4095; received {text!r}") from None
    return low, high


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _size(text: str | None) -> int | tuple[int, int] | None:
    """`"64"` -> 64; `"48x64"` -> (48, 64), height and width."""
    if text is None:
        return None
    if not (found := re.fullmatch(r"([1-9][0-9]{0,5})(?:x([1-9][0-9]{0,5}))?", text)):
        raise ValueError(f"--image-size takes a number of pixels, or HEIGHTxWIDTH such as 48x64; received {text!r}")
    height, width = found.groups()
    return int(height) if width is None else (int(height), int(width))


def _shortened(values: Iterable[str], most: int = 12) -> str:
    values = tuple(values)
    return ", ".join(values[:most]) + (f", ... ({len(values)})" if len(values) > most else "")


if __name__ == "__main__":
    main()
