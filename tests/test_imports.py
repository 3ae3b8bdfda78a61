"""The allowed imports between packages, and the cost of `import keras_gen`."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest
from PIL import Image

import keras_gen
from keras_gen import models, zoo

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "keras_gen"
BOTTOM = {"archives", "batching", "files", "lazy", "options", "progress", "runtime"}
LEAVES = {"distributions", "layers", "losses", "data"} | BOTTOM
SIBLINGS = {"training", "evaluation", "export"}
# each part of the package -> the parts it may import, besides itself
MAY = {leaf: LEAVES for leaf in LEAVES} | {bottom: set() for bottom in BOTTOM} | {"archives": {"runtime"}}
MAY["networks"] = LEAVES
MAY["models"] = MAY["networks"] | {"networks"}
MAY["zoo"] = MAY["models"] | {"models"}
# a module that imports nothing of the package may be used by lower parts
MAY["runs"] = MAY["zoo"] | {"zoo"}
MAY["pictures"] = MAY["zoo"] | {"zoo"}
MAY["outputs"] = BOTTOM | {"pictures"}
MAY["startup"] = {"progress"}
MAY |= {sibling: MAY["runs"] | {"runs", "pictures", "startup"} for sibling in SIBLINGS}
MAY["translation"] = MAY["runs"] | {"runs", "pictures", "outputs", "export", "startup"}
MAY["launch"] = set()
MAY["check"] = MAY["runs"] | {"runs", "training", "export"}
MAY["completion"] = {"zoo", "data"}
MAY["command_options"] = {"options"}
MAY["cli"] = MAY["training"] | SIBLINGS | {"check", "launch", "completion", "command_options", "outputs", "translation"}
MAY["__main__"] = {"cli"}
OUTSIDE = {"export", "demos", "benchmarks", "tests"}


def part_of(path: pathlib.Path) -> str:
    """`keras_gen/models/vae/model.py` -> `models`; `keras_gen/cli.py` -> `cli`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: pathlib.Path, source: str | None = None) -> list[tuple[int, str]]:
    """Returns (line, full name of the module) of every import in a file, including those in functions."""
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    result = []
    for node in ast.walk(ast.parse(source if source is not None else path.read_text())):
        if isinstance(node, ast.Import):
            result += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            # `from keras_gen import zoo` imports keras_gen.zoo
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "keras_gen" else [module]
            result += [(node.lineno, name) for name in names]
    return result


def forbidden(path: pathlib.Path, source: str | None = None) -> list[str]:
    """Returns the forbidden imports of a file."""
    part, messages = part_of(path), []
    for line, module in imported(path, source):
        parts = module.split(".")
        if parts[0] in OUTSIDE:
            messages.append(f"{path.name}:{line} imports {module}, which is not in the package")
        elif parts[0] == "keras_gen" and len(parts) > 1 and parts[1] in MAY and parts[1] not in MAY[part] | {part}:
            messages.append(f"{path.name}:{line} ({part}) imports {module}")
    return messages


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def test_every_part_of_the_package_is_listed():
    assert {part_of(path) for path in FILES} == set(MAY)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_packages_import_only_packages_to_their_left(path):
    assert not forbidden(path)


@pytest.mark.parametrize(
    "file, source, line",
    [
        ("models/vae.py", "def f():\n    from keras_gen.training import train", 2),
        ("models/vae.py", "from .. import data, zoo", 1),
        ("training/card.py", "import keras_gen.evaluation.evaluators.elbo", 1),
        ("export/convert.py", "from ..training.card import write_card", 1),
        ("data/load.py", "from keras_gen import networks", 1),
        ("runs.py", "from . import training", 1),
        ("zoo/__init__.py", "import demos.app", 1),
    ],
)
def test_a_forbidden_import_is_detected(file, source, line):
    assert [text.split(" ")[0] for text in forbidden(PACKAGE / file, source)] == [f"{pathlib.Path(file).name}:{line}"]


def wrong_imports_of_systems(path: pathlib.Path, source: str | None = None) -> list[str]:
    """Returns the imports from other systems in a file of `models`, except classes of their `model` modules."""
    system, messages = path.relative_to(PACKAGE / "models").parts[0], []
    folders = {each.name for each in (PACKAGE / "models").iterdir() if each.is_dir()} - {"core"}
    for line, module in imported(path, source):
        parts = module.split(".")
        if parts[:2] != ["keras_gen", "models"] or len(parts) < 3 or parts[2] not in folders - {system}:
            continue
        if system == "core" or parts[3:] != ["model"]:
            messages.append(f"{path.name}:{line} ({system}) imports {module}")
    return messages


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "models").glob("*/*.py")), ids=lambda path: "/".join(path.parts[-2:])
)
def test_a_system_imports_only_the_core_and_classes_of_other_systems(path):
    assert not wrong_imports_of_systems(path)


def test_an_import_of_another_systems_helpers_is_detected():
    vae = PACKAGE / "models" / "vae" / "model.py"
    assert not wrong_imports_of_systems(vae, "from ..gan.model import GAN\nfrom ..core.ema import update_ema")
    assert wrong_imports_of_systems(vae, "from ..gan.preset import gan")
    assert wrong_imports_of_systems(PACKAGE / "models" / "core" / "ema.py", "from ..gan.model import GAN")


def test_leaf_packages_have_no_import_cycle():
    uses = {leaf: set() for leaf in LEAVES}
    for path in FILES:
        if part_of(path) in LEAVES:
            uses[part_of(path)] |= {module.split(".")[1] for _, module in imported(path) if "keras_gen." in module}
    uses = {leaf: (others & LEAVES) - {leaf} for leaf, others in uses.items()}
    while free := [leaf for leaf, others in uses.items() if not others]:
        uses = {leaf: others - set(free) for leaf, others in uses.items() if leaf not in free}
    assert not uses


# shared code, which must use declarations and protocols for what is special about a system
SHARED = ("training", "evaluation", "export", "runtime", "data", "runs", "cli.py", "translation.py")
SYSTEMS_FOLDER = "keras_gen.models."
CORE = {"core"}


def system_classes() -> set[str]:
    """Returns the classes of `keras_gen.models` that the folders of systems define."""
    return {name for name, module in models._MEMBERS.items() if module.split(".")[0] not in CORE}


def named_systems(path: pathlib.Path, source: str | None = None) -> list[str]:
    """Returns the systems that a file imports or names as a class or key, except in docstrings."""
    text = source if source is not None else path.read_text()
    folders = {each.name for each in (PACKAGE / "models").iterdir() if each.is_dir()} - CORE
    names, keys = system_classes(), set(zoo.SYSTEMS)
    named = []
    for line, module in imported(path, text):
        folder = module.removeprefix(SYSTEMS_FOLDER).split(".")[0] if module.startswith(SYSTEMS_FOLDER) else None
        if folder in folders:
            named.append(f"{path.name}:{line} imports {module}")
    for node in ast.walk(ast.parse(text)):
        name = None
        if isinstance(node, ast.ImportFrom):
            name = next((alias.name for alias in node.names if alias.name in names), None)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            name = node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value
        if name in names or isinstance(node, ast.Constant) and name in keys:
            named.append(f"{path.name}:{node.lineno} names {name}")
    return named


SHARED_FILES = sorted(
    path
    for place in (*(PACKAGE / name for name in SHARED), ROOT / "demos" / "panels")
    for path in (place.rglob("*.py") if place.is_dir() else [place] * place.is_file())
)


@pytest.mark.parametrize("path", SHARED_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_shared_code_names_no_system(path):
    assert not named_systems(path)


@pytest.mark.parametrize(
    "source, named",
    [
        ("from keras_gen.models.text2image import preset", "imports keras_gen.models.text2image"),
        ("from ..models.stargan.attributes import Attributes", "imports keras_gen.models.stargan.attributes"),
        ("def f(model):\n    from keras_gen.models import StarGAN", "names StarGAN"),
        ("import keras_gen\nok = isinstance(model, keras_gen.VAE)", "names VAE"),
        ("if config['system'] == 'progan':\n    pass", "names progan"),
        ('"""Trains: `keras-gen train vae`, as `VAE` does."""\nfrom keras_gen.models.core import ema', None),
    ],
)
def test_a_named_system_is_detected(source, named):
    texts = named_systems(PACKAGE / "training" / "fitting.py", source)
    assert not texts if named is None else any(named in text for text in texts)


def run(program: str, environment: dict | None = None) -> str:
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_import_and_help_load_no_large_library():
    program = """
import sys
import keras_gen
print(keras_gen.__version__, *sys.modules)
from keras_gen import cli
try:
    cli.app(["train", "--help"])
except SystemExit as end:
    assert end.code == 0
heavy = {"tensorflow", "keras", "numpy", "tensorflow_datasets", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""
    loaded = run(program).splitlines()[0].split()
    assert loaded[0] == keras_gen.__version__
    assert not {"tensorflow", "keras", "numpy", "typer", "rich", "PIL"} & set(loaded)


def test_commands_without_tensorflow_do_not_import_it(tmp_path, toy_run, toy_images):
    (tmp_path / "empty").mkdir()
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "file").write_text("")
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.png")
    vae = ["train", "vae", "--data", str(toy_images), "--out", str(tmp_path / "new")]
    of_run = [str(toy_run.path)]
    cases = [
        (["--version"], 0, f"keras-gen {keras_gen.__version__}"),
        (["zoo"], 0, "text2image"),
        (["zoo", "vae"], 0, "latent_size"),
        (["zoo", "gone"], 2, "received 'gone'"),
        (["data"], 0, "stacked_mnist"),
        (["data", "shapes"], 0, "20,000"),
        (["data", "mnist"], 0, "image [28, 28, 1]"),
        (["data", str(tmp_path / "photos")], 0, "train"),
        (["data", str(toy_images)], 0, "200"),
        (["data", str(toy_images), "--out", "a.png", "--split", "gone"], 2, "no split 'gone'"),
        (["train", "gone", "--data", "shapes"], 2, "received 'gone'"),
        (["train", "vae", "--data", "no/such/folder"], 2, "no folder of this name"),
        (["train", "vae", "--data", "gone_set"], 2, "Expected 'shapes'"),
        (["train", "vae", "--data", str(tmp_path / "empty")], 2, "contains no images"),
        (["train", "vae", "--data", str(tmp_path / "broken.npz")], 2, "broken.npz"),
        (["train", "vae", "--data", "shapes", "--out", str(tmp_path / "held")], 2, "--overwrite"),
        (["train", "--resume", "--out", str(tmp_path / "gone")], 2, "does not exist"),
        (["train", "--resume", "--out", *of_run, "--batch-size", "3"], 2, "batch_size is 60, received 3"),
        ([*vae, "--set", "depth=3"], 2, "received depth"),
        ([*vae, "--set", "latent_size=abc"], 2, "an integer >= 1 for the setting latent_size of 'vae'; received 'abc'"),
        ([*vae, "--set", "beta"], 2, "Expected KEY=VALUE"),
        ([*vae, "--view", "domains=a,b"], 2, "Expected no option (this system sees the images as they are)"),
        ([*vae, "--epochs", "0"], 2, "Expected an integer >= 1 for epochs"),
        ([*vae, "--pretraining-epochs", "2"], 2, "Expected pretraining_epochs only with systems"),
        ([*vae, "--precision", "float8"], 2, "for precision; received 'float8'"),
        ([*vae, "--strategy", "magic"], 2, "for strategy; received 'magic'"),
        ([*vae, "--strategy", "multiworker"], 2, "TF_CONFIG"),
        ([*vae, "--binarize", "maybe"], 2, "received 'maybe'"),
        ([*vae, "--augment", "spin"], 2, "received 'spin'"),
        ([*vae, "--initial-weights", str(tmp_path / "gone")], 2, "does not exist"),
        (["train", "dcgan", *vae[2:], "--batch-size", "1000"], 2, "at most 180"),
        (["train", "cyclegan", "--data", str(toy_images), *vae[4:]], 2, "Expected data with two domains"),
        (["sample", str(tmp_path / "gone")], 2, "does not exist"),
        (["evaluate", str(tmp_path / "gone")], 2, "does not exist"),
        (["evaluate", *of_run, "--split", "gone"], 2, "for split; received 'gone'"),
        (["evaluate", *of_run, "--nll-images", "some"], 2, "for nll_images; received 'some'"),
        (["export", str(tmp_path / "gone")], 2, "does not exist"),
        (["export", *of_run, "--quantize", "int3"], 2, "received int3"),
        (["export", *of_run, "--format", "onnx"], 2, "received onnx"),
        (["export", *of_run, "--out", str(tmp_path / "held")], 2, "Expected an export folder"),
        (["check", str(tmp_path / "gone")], 2, "Expected a run directory"),
    ]
    program = f"""
import sys
from typer.testing import CliRunner
import keras_gen.completion, keras_gen.data, keras_gen.training.config, keras_gen.zoo
from keras_gen import cli
def heavy():
    return {{"tensorflow", "keras", "tensorflow_probability"}} & set(sys.modules)
for arguments, code, text in {cases!r}:
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == code and text in result.output, (arguments, result.exit_code, result.output)
    assert not heavy(), (arguments, heavy())
assert "latent_size=" in [name for name, _ in __import__("keras_gen.completion").completion.settings("la")]
assert [name for name, _ in keras_gen.completion.presets("p")] == ["paper"]
assert list(keras_gen.completion.run_directories({str(toy_run.path)!r})) == [{str(toy_run.path)!r}]
assert "shapes/placed" in keras_gen.completion.sources("shapes/") and ("vae", "Variational Autoencoder") in \\
    keras_gen.completion.systems("v")
assert not heavy(), heavy()
"""
    environment = {**os.environ, "COLUMNS": "400", "TERM": "dumb", "COMP_WORDS": "keras-gen train vae --set la"}
    run(program, environment)


@pytest.mark.parametrize("asked, expected", [(None, "1"), ("0", "0")])
def test_onednn_is_enabled_by_default(asked, expected, monkeypatch):
    if asked is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")  # this process has already imported the package
    else:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", asked)
    assert run("import os, keras_gen; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])").strip() == expected


def test_attributes_are_loaded_lazily_and_unknown_ones_raise():
    assert keras_gen.VAE is keras_gen.models.VAE and keras_gen.train is keras_gen.training.train
    assert set(keras_gen.__all__) <= set(dir(keras_gen))
    for name in keras_gen.__all__:
        assert getattr(keras_gen, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'vae'; it has .*VAE"):
        _ = keras_gen.vae
