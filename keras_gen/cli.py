"""The command line: `keras-gen zoo | data | train | launch | sample | evaluate | export | check | translate |
reconstruct`.

TensorFlow is imported by the commands that need it, after their input is checked, so that everything else answers at
once. The options of `train`, `evaluate` and `export` are generated from their declarations; see `keras_gen.options`.
"""

import importlib.metadata
import json
import os
import pathlib
import platform
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from . import __version__, completion
from .command_options import with_options
from .evaluation.config import EvaluateConfig
from .export.config import ExportConfig
from .launch import end_with_launcher
from .launch import launch as launch_workers
from .options import parse_range, parse_size
from .progress import Progress, report
from .startup import DEBUG, log_errors_only, starting
from .training.config import TrainConfig, check_size

if TYPE_CHECKING:
    from .models.core.system import System
    from .translation import Converted

INPUT_ERRORS = (ValueError, FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError)
INTERRUPTED = 130


class CommandGroup(TyperGroup):
    """A group of commands whose errors are one message, without a traceback.

    Exit codes: 2 for invalid input, 1 for a run that failed, 130 for Ctrl-C.
    """

    def invoke(self, ctx: Any) -> Any:
        """Runs a command and turns its errors into a message and an exit code.

        Args:
            ctx: the context of the command line.
        """
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
            expected = own or isinstance(error, (*INPUT_ERRORS, FloatingPointError, OSError))
            hint = "" if expected else f"\nThis was not expected; `keras-gen --debug ...` or {DEBUG}=1 shows where."
            name = "" if expected else f"{type(error).__name__}: "
            console = Console(stderr=True, soft_wrap=True, highlight=False)
            console.print("error:", style="bold red", end=" ")
            console.print(f"{name}{error}{hint}", markup=False)
            raise typer.Exit(2 if isinstance(error, INPUT_ERRORS) else 1) from error


app = typer.Typer(
    cls=CommandGroup,
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
        metavar="RUN", help="A run directory, as `train` writes it.", autocompletion=completion.run_directories
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]


def _show_versions(requested: bool) -> None:
    if requested:
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
        str | None,
        typer.Argument(help="Show the settings and presets of this system.", autocompletion=completion.systems),
    ] = None,
    weights: Annotated[
        bool, typer.Option("--weights", help="Also build every preset and count its weights; takes minutes.")
    ] = False,
):
    """List the systems with papers, datasets and endpoints, or the settings and presets of one system.

    Examples: [bold]keras-gen zoo[/bold]; [bold]keras-gen zoo vae[/bold] (its settings, for train --set, and presets)
    """
    from . import zoo as systems

    console = Console(highlight=False)
    if system is not None:
        chosen = systems.get(system)
        _show_system(console, chosen)
        _show_presets(console, chosen, weights)
        return
    if weights:
        raise ValueError("Expected a system with --weights, such as keras-gen zoo vae --weights; received none")
    table = _table("key", "system", "paper", "data", "endpoints")
    for key, row in systems.SYSTEMS.items():
        table.add_row(key, row.title, row.paper, ", ".join(row.data), ", ".join(row.endpoints))
    console.print(table)


def _show_system(console: Console, system: "System") -> None:
    from .zoo import presets

    console.print(f"{system.title}. {system.paper}. Endpoints: {', '.join(system.endpoints)}.")
    console.print(f"Data: {' or '.join(system.data)}.")
    console.print(f"Defaults: {', '.join(presets.training(system))}.")
    console.print(f"Optimizer: {', '.join(presets.optimizer(system))}.")
    descriptions = system.setting_descriptions
    table = _table("setting", "default", "description")
    for name, default in system.settings.items():
        table.add_row(name, escape(json.dumps(default)), escape(descriptions[name]))
    console.print(table)


def _show_presets(console: Console, system: "System", weights: bool) -> None:
    from .zoo.presets import facts

    counted = dict.fromkeys(system.presets)
    if weights:
        with Progress(), starting():
            from .zoo.weights import count_weights

            for name in system.presets:
                report(f"Building {system.key}, preset {name}")
                counted[name] = count_weights(system.key, name)
    table = _table("preset", "", "", title="Presets, for train --preset")
    for name, preset in system.presets.items():
        table.add_section()
        table.add_row(name, "", escape(preset.description))
        for kind, entries in facts(system, name, counted[name]).items():
            table.add_row("", kind, escape(("\n" if kind in ("sources", "departures") else ", ").join(entries)))
    console.print(table)


@app.command()
def data(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Describe this source: a name, folder, .npz or .npy file.", autocompletion=completion.sources
        ),
    ] = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="Write some images to this picture or .npy file.")] = None,
    split: Annotated[str | None, typer.Option(help="Split of these images; default the first.")] = None,
    num: Annotated[int, typer.Option(min=1, help="Number of images.")] = 64,
    image_size: Annotated[
        str | None,
        typer.Option(help="Pixels: 64, or HEIGHTxWIDTH such as 48x64; default the source's own, at most 64."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of images.")] = 0,
    value_range: Annotated[
        str | None, typer.Option(metavar="LOW,HIGH", help="Stored numbers that are black and white; default detected.")
    ] = None,
    overwrite: Overwrite = False,
    data_dir: Annotated[
        str | None, typer.Option(help="TFDS directory; default TFDS_DATA_DIR or ~/tensorflow_datasets.")
    ] = None,
):
    """Describe a data source, or list the known sources.

    Example: [bold]keras-gen data shapes --out shapes.png[/bold]
    """
    from . import data as sources
    from . import outputs
    from .data.slices import split_rows
    from .data.sources.skipped import summarize
    from .training.source import LARGEST_OWN_SIZE, crop_note, image_shape_of, inspect_source, source_from

    size = None if image_size is None else check_size("image_size", parse_size("--image-size", image_size))
    if out is not None:
        outputs.check_file(out, overwrite=overwrite)
    console = Console(highlight=False)
    if source is None:
        table = _table("source", "description")
        for name, text in sources.list_sources(data_dir=data_dir).items():
            table.add_row(name, text)
        console.print(table)
        return
    numbers = None if value_range is None else parse_range("--value-range", value_range)
    with Progress():
        described = sources.describe(source, data_dir=data_dir, value_range=numbers)
    if split is not None and described.splits and described.kind != "tfds":
        split_rows(split, described.splits)
    console.print(f"{described.source} ({described.kind}): {described.about}", markup=False)
    notes = [*described.notes, summarize(described.skipped, sum(described.sizes.values()))]
    if described.sizes or described.kind == "arrays":
        facts = source_from(described)
        notes.append(crop_note(facts.sizes, image_shape_of(facts, size, LARGEST_OWN_SIZE)[:2]))
    for note in filter(None, notes):
        console.print(note, markup=False, soft_wrap=True)
    table = _table("split", "images")
    for name, count in described.splits.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    table = _table("field", "description", "values")
    for name, text in described.fields.items():
        table.add_row(name, text, _shortened(described.names.get(name, ())))
    console.print(table)
    if out is None:
        return
    with Progress():
        facts = inspect_source(source, data_dir, value_range=numbers)
        size = size or (facts.image_size if facts.rendered else None)
        chosen = split or next(iter(facts.splits))
        with starting():
            load = sources.load
        dataset = load(
            source,
            chosen,
            image_shape=image_shape_of(facts, size, LARGEST_OWN_SIZE),
            batch_size=num,
            seed=seed,
            shuffle=True,
            fields=["image"],
            value_range=numbers,
            data_dir=data_dir,
            report=False,
        )
        images = next(iter(dataset))["image"].numpy()
    outputs.write_file(out, images)
    console.print(f"{out}: {len(images)} images of {chosen}", markup=False)


@app.command()
@with_options(
    TrainConfig,
    arguments=("system",),
    completion={
        "system": completion.systems,
        "data": completion.sources,
        "preset": completion.presets,
        "settings": completion.settings,
    },
)
def train(
    options: dict[str, Any],
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="Run directory; default runs/SYSTEM.", autocompletion=completion.run_directories),
    ] = None,
    quiet: Quiet = False,
):
    """Train a system and write a run directory: model, metrics, pictures, states to resume from.

    Example: [bold]keras-gen train vae --data shapes --out runs/vae --epochs 10 --set latent_size=16[/bold]

    After any kind of stop: [bold]keras-gen train --resume --out runs/vae[/bold]

    Ctrl-C and SIGTERM finish the current step and save; a second one stops at once. Exit codes: 130 and 143.
    """
    system, data = options.pop("system"), options.pop("data")
    if out is None and options["resume"]:
        raise ValueError("Expected --out, the run directory to continue, with --resume; received none")
    if out is None and system is None:
        raise ValueError("Expected a system, see `keras-gen zoo`; received none")
    from . import training

    run = training.train(system, data, out or pathlib.Path("runs") / str(system), **options, verbose=0 if quiet else 1)
    if not quiet:
        pictures = sorted(run.samples.glob("epoch_*.png"))
        newest = f"Pictures: {pictures[-1]}. " if pictures else ""
        print(f"{newest}Next: keras-gen evaluate {run.path}; keras-gen export {run.path}")


@app.command(context_settings={"allow_interspersed_args": False})
def launch(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="-- train ...", help="The command to run in each process.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Number of processes, at least 2.")] = 2,
):
    """Train in several processes on this machine, to try multi-worker training on the CPU.

    Example: [bold]keras-gen launch --workers 2 -- train vae --data shapes --out runs/vae[/bold]

    The batch size counts the images of all workers together. When a worker fails, the others are stopped, and its exit
    code is returned. Clusters start the workers themselves: see docs/clusters.md
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
    num: Annotated[int, typer.Option(min=1, help="Number of images.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same images.")] = 0,
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="A grid (.png, .jpg, ...), an array (.npy), or a folder with one file per image."),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Class, or one for each image, separated by commas: names, or indices from 0.")
    ] = None,
    caption: Annotated[str | None, typer.Option(help="Description of the images, for a text-to-image system.")] = None,
    columns: Annotated[int | None, typer.Option(min=1, help="Images in a row of the grid.")] = None,
    scale: Annotated[int, typer.Option(min=1, help="Enlarge the grid by this factor.")] = 2,
    overwrite: Overwrite = False,
):
    """Generate images with a trained model.

    Example: [bold]keras-gen sample runs/vae --num 64 --seed 1 --out grid.png[/bold]

    Without --out the file name contains seed, label and caption, and nothing is overwritten. A folder receives
    00001.png, ... and a metadata.csv, so that it is a data source itself. Write name:1 or index:1 for a label that
    could be a name or an index.
    """
    from . import outputs, runs
    from .runtime.names import read_indices

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
    conditions: dict[str, Any] = dict(requested)
    texts = {name: [text] * num for name, text in requested.items()}
    if label is not None and (classes := getattr(model, "num_classes", None)):
        chosen = read_indices("class", label, model.label_names, classes)
        conditions["label"] = chosen[0] if len(chosen) == 1 else chosen
        names = model.names_of(chosen) or list(map(str, chosen))
        texts["label"] = names * (num if len(names) == 1 else 1)
    images = model.generate(num, seed=seed, **conditions)
    if into_folder:
        outputs.write_folder(out, images, texts)
    else:
        outputs.write_file(out, images, columns, scale)
    about = [f"seed {seed}", *(f"{name} {_shortened(dict.fromkeys(each))}" for name, each in texts.items())]
    print(f"{out}: {num} images, {', '.join(about)}")


@app.command()
@with_options(EvaluateConfig)
def evaluate(
    run: RunArgument,
    options: dict[str, Any],
    compare_with: Annotated[
        pathlib.Path | None, typer.Option(help="Another run: a picture with samples of both, side by side.")
    ] = None,
    quiet: Quiet = False,
):
    """Measure a run: evaluation.json, a table and pictures.

    Example: [bold]keras-gen evaluate runs/vae --nll-images all[/bold]

    Samples as in published tables:
    [bold]keras-gen evaluate runs/dcgan --samples 10000 --features classifier,pyramid[/bold]
    """
    EvaluateConfig(**options)
    from . import runs, training

    opened = runs.Run.open(run)
    if options["split"] is not None:
        opened.split(options["split"])
    with Progress(not quiet), starting():
        from . import evaluation
    evaluation.evaluate(opened, **options, verbose=not quiet)
    if compare_with is not None:
        names = ("samples", "seed", "split")
        comparison = evaluation.compare(
            opened, compare_with, **{name: options[name] for name in names}, verbose=not quiet
        )
        if not quiet:
            print(f"Side by side: {comparison['picture']}")
    training.write_card(opened)
    if not quiet:
        print(f"{opened.evaluation_file}; pictures: {opened.path / 'evaluation'}")


@app.command()
@with_options(ExportConfig)
def export(run: RunArgument, options: dict[str, Any], quiet: Quiet = False):
    """Export a run for devices, and compare every file with Keras.

    Example: [bold]keras-gen export runs/vae --format tflite --quantize int8,none[/bold]
    """
    ExportConfig(**options)
    from . import runs, training
    from .export.request import check_request

    opened = runs.Run.open(run)
    check_request(opened, **{name: options[name] for name in ("format", "quantize", "batch", "out")})
    with Progress(not quiet), starting():
        from .export import comparison_note, parity_rows, read_parity
        from .export import export as export_run
    with Progress(not quiet):
        folder = export_run(opened, **options)
    training.write_card(opened)
    if quiet:
        return
    parity = read_parity(folder)
    columns = ("precision", "endpoint", "output", "largest error", "mean error", "kB", "bound")
    table = _table(*columns, title="Against Keras")
    for row in parity_rows(parity):
        numbers = (f"{row['max']:.2g}", f"{row['mean']:.2g}", f"{row['bytes'] / 1000:,.0f}")
        verdict = {None: "", True: "met", False: "[red]exceeded[/red]"}[row["within"]]
        table.add_row(row["precision"], row["endpoint"], row["output"], *numbers, verdict)
    Console(highlight=False).print(table)
    if line := comparison_note(parity):
        print(line)
    for precision, file in parity["files"].items():
        if file.get("float_fallback"):
            print(
                f"{precision}: {', '.join(file['float_fallback'])} compute in float32, or images would be too far off"
            )
    print(f"{folder}: copy it to a device, then python -m runtime --help in it")


@app.command()
def check(
    run: RunArgument,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Restore config.json and metrics.csv from the states; delete damaged states."),
    ] = False,
):
    """Verify a run directory: configuration, states, metrics, models and export, with remedies for damaged files.

    Exit code 1 where a file is damaged or missing. Example: [bold]keras-gen check runs/vae[/bold]
    """
    from . import check as checks

    if repair:
        for line in checks.repair(run):
            print(line)
    findings = checks.check(run)
    table = _table("part", "", "description", "remedy")
    for finding in findings:
        verdict = "ok" if finding.fine else "[red]damaged[/red]"
        table.add_row(escape(finding.part), verdict, escape(finding.text), escape(finding.remedy))
    Console(highlight=False).print(table)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


Images = Annotated[list[pathlib.Path], typer.Argument(metavar="FILES...", help="Image files, or folders of them.")]
OutFolder = Annotated[pathlib.Path, typer.Option(help="Folder of the new images.")]
RunOrExport = Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run directory or an export folder.")]
NoiseSeed = Annotated[int, typer.Option(min=0, help="Seed of the noise, for a system that has any.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Largest number of files.")]


@app.command()
def translate(
    run: RunOrExport,
    images: Images,
    out: OutFolder,
    to: Annotated[str | None, typer.Option(help="Domain to translate into: A, B or its name.")] = None,
    attributes: Annotated[str | None, typer.Option(help="Target attributes: names separated by commas.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Target class, for a system that translates between classes.")
    ] = None,
    seed: NoiseSeed = 0,
    limit: Limit = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
):
    """Translate image files: into another domain, to other attributes, or restored from their parts.

    Example: [bold]keras-gen translate runs/cyclegan photos --to B --out translated[/bold]

    Files keep their names and sub-folders. An export folder needs no TensorFlow. Exit code 1 where files could not be
    read; they are listed at the end.
    """
    from . import translation

    def convert(progress: Progress) -> "Converted":
        return translation.translate(
            run,
            images,
            out,
            to=to,
            attributes=attributes,
            label=label,
            seed=seed,
            limit=limit,
            overwrite=overwrite,
            progress=progress.update,
        )

    _convert(convert, out, quiet)


@app.command()
def reconstruct(
    run: RunOrExport,
    images: Images,
    out: OutFolder,
    label: Annotated[str | None, typer.Option(help="Class of the images, for a conditional model.")] = None,
    seed: NoiseSeed = 0,
    limit: Limit = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
):
    """Encode and decode image files.

    Example: [bold]keras-gen reconstruct runs/vae photos --out reconstructed[/bold]

    Files keep their names and sub-folders. An export folder needs no TensorFlow. Exit code 1 where files could not be
    read; they are listed at the end.
    """
    from . import translation

    def convert(progress: Progress) -> "Converted":
        return translation.reconstruct(
            run,
            images,
            out,
            label=label,
            seed=seed,
            limit=limit,
            overwrite=overwrite,
            progress=progress.update,
        )

    _convert(convert, out, quiet)


def _convert(convert: "Callable[[Progress], Converted]", out: pathlib.Path, quiet: bool) -> None:
    """Converts files with progress, and lists at the end those that could not be read."""
    with Progress(not quiet) as progress:
        result = convert(progress)
    if not quiet:
        print(f"{out}: {len(result.written):,} images")
    if result.failed:
        typer.echo(f"{len(result.failed):,} files could not be read and are left out:", err=True)
        for file, reason in result.failed:
            typer.echo(f"  {file}: {reason}", err=True)
        raise typer.Exit(1)


def main() -> None:
    """Runs the command line; the entry point of `keras-gen`."""
    end_with_launcher()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    log_errors_only()
    app()


def _table(*columns: str, title: str | None = None) -> Table:
    """Returns a table whose long cells are wrapped, not cut."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _shortened(values: Iterable[str], maximum: int = 12) -> str:
    """Returns the first values, separated by commas, and their number if there are more."""
    values = tuple(values)
    return ", ".join(values[:maximum]) + (f", ... ({len(values)})" if len(values) > maximum else "")


if __name__ == "__main__":
    main()
