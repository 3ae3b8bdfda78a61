"""`translate` and `reconstruct` of image files with runs; for exports see tests/runtime/test_attributes.py."""

import types
from typing import Any

import numpy as np
import pytest
from PIL import Image

from keras_gen import translation, zoo
from keras_gen.data.resize import Resize
from keras_gen.runs import Run
from keras_gen.runtime.image_file import read_image

SHAPE = (8, 12, 3)
SYSTEMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "cyclegan": ({"base_filters": 4}, {"domains": ["plain", "striped"]}),
    "stargan": (
        {"groups": [2, 1], "attribute_names": ["black", "blond", "young"], "base_filters": 4, "blocks": 1,
         "num_downsamples": 1, "discriminator_filters": 4}, {}),
    "vae": ({"network": "mlp", "hidden_units": 8, "latent_size": 2, "num_classes": 3}, {"label": ["2", "0", "cat"]}),
    "puzzlegan": (
        {"base_filters": 4, "image_filters": 4, "discriminator_filters": 4, "code_size": 8, "latent_size": 2}, {}),
    "gan": ({"hidden_units": 4, "latent_size": 2}, {}),
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A function that returns a run of a system with an untrained model, which is built once."""
    folder, built = tmp_path_factory.mktemp("runs"), {}

    def get(system: str) -> Run:
        if system not in built:
            settings, names = SYSTEMS[system]
            model = zoo.build(system, SHAPE, seed=1, **settings)
            model.set_names(names)
            config = {"system": system, "image_shape": list(SHAPE), "settings": settings, "data": {}, "training": {}}
            built[system] = Run.create(folder / system, config)
            model.save(built[system].model_file)
        return built[system]

    return get


@pytest.fixture
def photos(tmp_path):
    """A folder of images with several sizes, modes and formats, and a text file."""
    random, folder = np.random.default_rng(0), tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for name, shape in (("a.png", (8, 12, 3)), ("a.jpg", (40, 30, 3)), ("sub/a.png", (9, 9)), ("b.PNG", (20, 12, 4))):
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no image")
    return folder


def pixels(file) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image)


def as_read(folder, *names) -> np.ndarray:
    """Returns images as they are read for training."""
    return np.stack([Resize(SHAPE)(read_image(folder / name, SHAPE[:2])) for name in names]).astype(np.float32) / 255


def eight_bits(images) -> np.ndarray:
    return np.rint(np.clip(images, 0, 1) * 255)


@pytest.mark.parametrize("to, method", [("B", "a_to_b"), ("striped", "a_to_b"), ("a", "b_to_a"), ("plain", "b_to_a")])
def test_a_folder_into_the_other_domain(call, runs, photos, tmp_path, to, method):
    run, out = runs("cyclegan"), tmp_path / "out"
    result = call("translate", run.path, photos, "--to", to, "--out", out)
    assert result.exit_code == 0 and f"{out}: 4 images" in result.stdout, result.output
    written = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert written == ["a.jpg", "a.png", "b.PNG", "sub/a.png"]
    with Image.open(out / "a.jpg") as image:
        assert image.format == "JPEG" and image.size == (12, 8)
    names = ("a.png", "sub/a.png", "b.PNG")
    expected = eight_bits(getattr(run.load_model(), method)(as_read(photos, *names)))
    for name, image in zip(names, expected, strict=True):
        np.testing.assert_allclose(pixels(out / name), image, atol=1)  # batches of different sizes round differently
    assert expected.std() > 1


def test_files_are_overwritten_only_on_request_and_outputs_are_not_inputs(call, runs, photos, tmp_path):
    run, out = runs("cyclegan"), photos / "out"
    line = ("translate", run.path, photos, photos / "a.png", "--to", "B", "--out", out, "--quiet")
    first = call(*line)
    assert first.exit_code == 0 and first.stdout == "" and len(list(out.rglob("*.*"))) == 4
    again = call(*line)
    assert again.exit_code == 2 and "exists, and so do 3 more. Replace such files (--overwrite)" in again.stderr
    # the output folder is not an input
    assert call(*line, "--overwrite").exit_code == 0 and len(list(out.rglob("*.*"))) == 4
    before = (photos / "a.png").read_bytes()
    onto = call("translate", run.path, photos, "--to", "B", "--out", photos, "--overwrite")
    assert onto.exit_code == 2 and "is an image that is read" in onto.stderr
    assert (photos / "a.png").read_bytes() == before


def test_equal_names_are_numbered(tmp_path):
    for name in ("x/a.gif", "x/a.png", "y/a.png", "y/A.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (4, 4)).save(tmp_path / name)
    files = [tmp_path / name for name in ("x/a.gif", "x/a.png", "y/a.png", "y/A.png")]
    pairs = translation.targets(files, tmp_path / "out")
    assert [target.name for _, target in pairs] == ["a.png", "a_2.png", "a_3.png", "A_4.png"]


def test_unreadable_files_are_reported_at_the_end(call, runs, photos, tmp_path):
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:60])
    (photos / "empty.jpg").touch()
    result = call("translate", runs("cyclegan").path, photos, "--to", "B", "--out", tmp_path / "out")
    assert result.exit_code == 1 and "4 images" in result.stdout
    assert "2 files could not be read" in result.stderr and "empty.jpg: the file is empty" in result.stderr
    assert "broken.png: " in result.stderr and not (tmp_path / "out" / "broken.png").exists()
    none = call("translate", runs("cyclegan").path, tmp_path / "out", "--to", "B", "--limit", 0, "--out", "x")
    assert none.exit_code == 2


def test_batches_and_limits_do_not_change_an_image(runs, photos, tmp_path):
    run, reports = runs("puzzlegan"), []
    translation.translate(run.path, [photos], tmp_path / "all", seed=3)
    options: dict[str, Any] = {"seed": 3, "batch_size": 1, "progress": lambda *what: reports.append(what)}
    result = translation.translate(run.path, [photos], tmp_path / "three", limit=3, **options)
    assert [file.name for file in result.written] == ["a.jpg", "a.png", "b.PNG"] and not result.failed
    assert reports == [("translate", number, 3) for number in (0, 1, 2, 3)]
    for name in ("a.png", "b.PNG"):
        actual, expected = (pixels(tmp_path / folder / name).astype(int) for folder in ("all", "three"))
        assert abs(actual - expected).max() <= 1 and actual.std() > 0.5


def test_attributes_by_name(call, runs, photos, tmp_path):
    run, out = runs("stargan"), tmp_path / "out"
    assert call("translate", run.path, photos / "a.png", "--attributes", "blond,young", "--out", out).exit_code == 0
    expected = run.load_model().translate(as_read(photos, "a.png"), ("blond", "young"))
    np.testing.assert_allclose(pixels(out / "a.png"), eight_bits(expected)[0], atol=1)
    for options, part in (
        (("--attributes", "blonde"), "Expected the attribute as one of blond, black, young"),
        (("--attributes", "young"), "Expected exactly one of black, blond"),
        ((), "Expected the attributes that images shall have: --attributes, of black, blond, young"),
        (("--attributes", "blond", "--to", "B"), "--to chooses one of two domains"),
    ):
        result = call("translate", run.path, photos, *options, "--out", tmp_path / "no")
        assert result.exit_code == 2 and part in result.stderr


def test_a_conditional_model_reconstructs_with_a_class(call, runs, photos, tmp_path):
    run, out = runs("vae"), tmp_path / "out"
    assert call("reconstruct", run.path, photos / "a.png", "--label", "cat", "--out", out).exit_code == 0
    label = np.eye(3, dtype=np.float32)[[2]]
    expected = run.load_model().reconstruct(as_read(photos, "a.png"), label).numpy()
    np.testing.assert_allclose(pixels(out / "a.png"), eight_bits(expected)[0], atol=1)
    for options, part in (
        ((), "is conditional: --label, of 2, 0, cat"),
        (("--label", "2"), "2 is the name of class 0, and the index of class 'cat'"),
    ):
        result = call("reconstruct", run.path, photos, *options, "--out", tmp_path / "no")
        assert result.exit_code == 2 and part in result.stderr


@pytest.mark.parametrize(
    "system, command, part",
    [
        ("vae", "translate", "translates no images; its endpoints are encode, decode, reconstruct, generate. Use "
         "keras-gen reconstruct, keras-gen sample"),
        ("gan", "reconstruct", "has no encoder and decoder to reconstruct images; its endpoints are generate. Use "
         "keras-gen sample"),
        ("cyclegan", "reconstruct", "Use keras-gen translate"),
        ("cyclegan", "translate", "Expected the domain to translate into: --to A (plain) or --to B (striped)"),
    ],
)  # fmt: skip
def test_an_unsupported_command_names_supported_ones(call, runs, photos, tmp_path, system, command, part):
    result = call(command, runs(system).path, photos, "--out", tmp_path / "out")
    assert result.exit_code == 2 and part in result.stderr and not (tmp_path / "out").exists()


def test_paths_without_images_are_refused(call, runs, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, part in ((tmp_path / "gone", "gone does not exist"), (tmp_path / "empty", "there is no image")):
        result = call("translate", tmp_path / "no_run", path, "--out", tmp_path / "out")
        assert result.exit_code == 2 and part in result.stderr


@pytest.mark.parametrize("name, sampling", [("generate", {}), ("generate_step", {"endpoint": "generate_step"})])
def test_a_model_that_samples_in_one_or_many_steps_is_sampled(name, sampling):
    ports = {"inputs": {"state": {"kind": "value"}}, "outputs": {"state": {"kind": "value"}}}
    model: Any = types.SimpleNamespace(system="toy", description={"sampling": sampling}, signatures={name: ports})
    assert translation._unsupported(model, "translate").endswith(f"its endpoints are {name}. Use keras-gen sample")
