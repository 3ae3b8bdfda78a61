"""A run's export as a whole: what is in the folder, how close it is to Keras, what an export does to an earlier one."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

from keras_gen import cli, zoo
from keras_gen.export import PRECISIONS, comparison_note, export, export_model, parity_rows, read_parity
from keras_gen.export import folder as folders
from keras_gen.models import Autoencoder, Endpoint, Port
from keras_gen.runs import Run
from keras_gen.runtime import Runtime
from keras_gen.runtime.description import digest_of

from .conftest import CLASSES, SIZE, blobs, small, tree

ENDPOINTS = ("encode", "decode", "reconstruct", "generate")
# measured on this model: float32 4e-7; int8 mean 2e-3 to 6e-3. The bounds are the ones the project states
FLOAT32_MAX, FLOAT16_MAX, INT8_MEAN = 1e-5, 1e-2, 0.02


def test_folder_is_complete(folder, description):
    files = ["model.tflite", *(f"model_{name}.tflite" for name in PRECISIONS if name != "int8")]
    expected = {*files, "model.json", "parity.json", "runtime", "requirements.txt", "saved_model"}
    assert {item.name for item in folder.iterdir()} == expected
    assert description["preferred"] == "int8" and description["files"]["int8"]["file"] == "model.tflite"
    requirements = [line for line in (folder / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    assert requirements == ["numpy>=1.26,<3", "ai-edge-litert>=2.1,<3"]
    leftovers = [item.name for item in folder.parent.iterdir() if item.name.startswith(".")]
    assert not leftovers


def test_description_names_what_signatures_take(description):
    assert tuple(description["signatures"]) == ENDPOINTS
    generate = description["signatures"]["generate"]
    assert generate["inputs"] == {
        "noise": {"shape": [4], "kind": "normal", "range": None},
        "label": {"shape": [CLASSES], "kind": "label", "range": [0.0, 1.0]},
    }
    assert generate["outputs"] == {"image": {"shape": [SIZE, SIZE, 1], "kind": "image", "range": [0.0, 1.0]}}
    assert description["noise"]["inputs"] == [{"name": "noise", "stream": 0, "kind": "normal", "shape": [4]}]
    assert list(description["signatures"]["encode"]["outputs"]) == ["z", "scale"]
    assert (description["system"], description["batch"]) == ("vae", 1)


def test_errors_are_within_bounds(parity):
    assert parity["examples"] == 64 and parity["calibrated_on"] == 128
    assert parity["images"] == {"calibration": {"train": 128}, "comparison": {"validation": 64}}
    assert comparison_note(parity) is None
    assert set(parity["files"]) == set(PRECISIONS)
    for row in parity_rows(parity):
        if row["precision"] == "float32":
            assert row["max"] <= FLOAT32_MAX, row
        elif row["kind"] == "image" and row["precision"] == "float16":
            assert row["max"] <= FLOAT16_MAX, row
        elif row["kind"] == "image":
            assert row["mean"] <= INT8_MEAN, row
        assert row["within"] is (True if row["kind"] == "image" else None)
    batches = parity["saved_model"]["batches"]
    assert set(batches) == {"1", "5"}
    worst = [value["max"] for each in batches.values() for outputs in each.values() for value in outputs.values()]
    assert max(worst) <= FLOAT32_MAX


def test_reported_errors_are_the_errors(folder, model, parity):
    """parity.json against a comparison on other data: errors of the same size, and not zero for int8."""
    images, labels = blobs(64, seed=9), np.arange(64) % CLASSES
    expected = model.reconstruct(images, np.eye(CLASSES, dtype=np.float32)[labels]).numpy()
    for precision, bound in (("float32", FLOAT32_MAX), ("int8", INT8_MEAN)):
        error = np.abs(Runtime(folder, precision=precision).reconstruct(images, label=labels) - expected)
        reported = parity["files"][precision]["endpoints"]["reconstruct"]["image"]
        assert error.mean() <= bound
        assert 0.5 <= error.mean() / reported["mean"] <= 2.0
    assert error.max() > 1e-4  # an int8 model that agreed better would be no int8 model


def test_int8_is_int8_in_every_endpoint(parity):
    for endpoint, operations in parity["files"]["int8"]["operations"].items():
        assert operations["QUANTIZE"] >= 1 and operations["DEQUANTIZE"] >= 1, endpoint
    assert all("QUANTIZE" not in ops for ops in parity["files"]["float32"]["operations"].values())


def test_sizes(parity):
    size = {precision: file["bytes"] for precision, file in parity["files"].items()}
    assert size["float16"] < 0.6 * size["float32"]
    # this network is tiny (21,000 weights): the tables of the file weigh more than in a real one (0.27)
    assert size["int8"] < 0.5 * size["float32"] and size["dynamic"] < 0.5 * size["float32"]


def test_saved_model_runs_any_batch(folder, model):
    loaded = tf.saved_model.load(str(folder / "saved_model"))
    for num in (1, 7):
        z = np.random.default_rng(num).standard_normal((num, 4)).astype(np.float32)
        label = np.eye(CLASSES, dtype=np.float32)[np.arange(num) % CLASSES]
        image = loaded.signatures["decode"](z=tf.constant(z), label=tf.constant(label))["image"]
        np.testing.assert_allclose(image, model.decode(z, label), atol=1e-6)
    # the endpoints' weights and nothing else: no optimizer, no metric, no seed
    assert len(loaded.parameters) == len(model.encoder.weights) + len(model.decoder.weights)


def test_export_again_replaces_and_keeps(run, folder, tmp_path):
    """Another precision replaces the TFLite files; the SavedModel of the same weights and foreign files stay."""
    copy = tmp_path / "export"
    shutil.copytree(folder, copy)
    (copy / "notes.txt").write_text("mine")
    export(run, quantize="none", out=copy)
    names = {item.name for item in copy.iterdir()}
    assert names == {"model.tflite", "model.json", "parity.json", "runtime", "requirements.txt", "saved_model",
                     "notes.txt"}  # fmt: skip
    description = json.loads((copy / "model.json").read_text())
    assert list(description["files"]) == ["float32"] and description["saved_model"] == "saved_model"
    assert list(json.loads((copy / "parity.json").read_text())["saved_model"]["batches"]) == ["1", "5"]
    assert (copy / "model.tflite").read_bytes() == (folder / "model_float32.tflite").read_bytes()
    # the same weights give the very same file


@pytest.mark.parametrize("renamed", [False, True], ids=["before", "after"])
def test_an_export_killed_while_it_replaced_another_is_finished(run, folder, tmp_path, monkeypatch, renamed):
    """Between the two renames the export folder is missing; after them, what it takes over."""
    copy = tmp_path / "export"
    shutil.copytree(folder, copy)
    (copy / "notes.txt").write_text("mine")
    killed = tmp_path / ".export-abcdef" / "replaced"
    killed.parent.mkdir()
    copy.rename(killed)
    if renamed:
        description = json.loads((killed / "model.json").read_text())
        copy.mkdir()
        for name in ("model.json", "parity.json", *(file["file"] for file in description["files"].values())):
            shutil.copy(killed / name, copy)
    with monkeypatch.context() as patched:  # also where the next export fails
        patched.setattr("keras_gen.export.exporting.convert_and_check", lambda *arguments, **options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            export(run, quantize="none", out=copy)
    names = {item.name for item in copy.iterdir()}
    assert {"notes.txt", "saved_model", "model.json", "model.tflite"} <= names
    assert [item.name for item in tmp_path.iterdir()] == ["export"]
    assert Runtime(copy).generate(1, 0, label=0).shape == (1, SIZE, SIZE, 1)


def test_two_exports_at_once_leave_one_of_them_whole(tmp_path):
    """They replace the folder in turn; without that, one finds it missing or occupied."""

    def finish(number):
        for _ in range(100):
            scratch = folders.create_scratch(tmp_path / "export")
            (scratch / "new").mkdir()
            (scratch / "new" / f"{number}.txt").write_text("")
            description = {"fingerprint": str(number), "files": {}}
            folders.finish(scratch / "new", tmp_path / "export", description, {})
            shutil.rmtree(scratch, ignore_errors=True)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(finish, number) for number in range(4)]:
            done.result()
    assert {item.name for item in (tmp_path / "export").iterdir()} >= {"model.json", "parity.json"}
    assert [item.name for item in tmp_path.iterdir()] == ["export"]


def test_an_export_of_other_weights_needs_overwrite(run, folder, tmp_path):
    copy = tmp_path / "export"
    copy.mkdir()
    description = json.loads((folder / "model.json").read_text()) | {"fingerprint": "0" * 16}
    description["digest"] = digest_of(description)
    (copy / "model.json").write_text(json.dumps(description))
    (copy / "parity.json").write_bytes((folder / "parity.json").read_bytes())
    with pytest.raises(FileExistsError, match="holds the export of other weights .*--overwrite"):
        export(run, out=copy)
    assert json.loads((copy / "model.json").read_text()) == description


def test_invalid_arguments_are_refused(run, tmp_path):
    with pytest.raises(ValueError, match="Expected one or more precisions of none .*; received int4"):
        export(run, quantize="int8,int4")
    with pytest.raises(ValueError, match="Expected the format as tflite or saved_model; received onnx"):
        export(run, format="onnx")
    with pytest.raises(ValueError, match="Expected batch as an integer from 1 to 65536; received 0"):
        export(run, batch=0, out=tmp_path / "x")
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(ValueError, match="which holds files and no model.json"):
        export(run, out=tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_few_images_are_enough(tmp_path):
    """One image: rounding is calibrated all the same, and a batch may be larger than the whole set."""
    model, image = small(), blobs(1, size=8)
    folder = export_model(model, tmp_path / "one", calibration=image, format="tflite", quantize="int8", batch=40)
    parity = read_parity(folder)
    assert parity["images"] == {"calibration": {"train": 1}, "comparison": {"train": 1}}
    assert (parity["calibrated_on"], parity["examples"]) == (40, 32)
    assert parity["files"]["int8"]["operations"]["decode"]["QUANTIZE"] >= 1
    error = np.abs(Runtime(folder).reconstruct(image) - model.reconstruct(image).numpy())
    assert error.mean() < INT8_MEAN


def test_a_run_of_a_few_images_is_exported(run, tmp_path):
    """One validation image and no second one; float32 needs no calibration."""
    splits = {"train": "train[:5]", "validation": "train[5:6]", "test": None}
    tiny = Run.create(tmp_path / "run", {**run.config, "data": {**run.config["data"], "splits": splits}})
    shutil.copy(run.model_file, tiny.model_file)
    result = CliRunner().invoke(cli.app, ["export", str(tiny.path), "--quantize", "none"], env={"COLUMNS": "400"})
    assert result.exit_code == 0, result.output
    assert (
        "Compared on 1 validation and 5 training images, repeated to 32 rows: there are fewer than 64 validation images"
        in result.output
    )
    parity = read_parity(tiny.export_folder)
    assert parity["images"] == {"comparison": {"validation": 1, "train": 5}} and parity["calibrated_on"] is None
    # the same weights: calibrated now, and the line says on what
    parity = read_parity(export(tiny, quantize="int8"))
    assert parity["images"]["calibration"] == {"train": 5} and parity["calibrated_on"] == 32
    assert "; int8 calibrated on 5 training images, repeated to 32 rows: there" in comparison_note(parity)
    parity = read_parity(export(tiny, format="saved_model"))  # the TFLite file and its calibration stay
    assert parity["images"]["calibration"] == {"train": 5} and parity["calibrated_on"] == 32


def test_run_without_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist: expected a run directory"):
        export(tmp_path / "nowhere")
    Run.create(tmp_path / "new", {"system": "vae", "image_shape": [16, 16, 1], "settings": {}, "data": {}})
    with pytest.raises(FileNotFoundError, match="holds no model.keras: train it first"):
        export(tmp_path / "new")


class Noisy(Autoencoder):
    """Breaks the rule: a random operation inside an endpoint."""

    def endpoints(self):
        def decode(z):
            return {"image": self.decode(z + tf.random.stateless_normal(tf.shape(z), [1, 2]))}

        ports = {"z": Port((self.latent_size,), "latent")}
        return [Endpoint("decode", decode, ports, {"image": Port(self.image_shape, "image")})]


def test_flex_operations_are_refused_by_name(folder, tmp_path):
    copy = tmp_path / "export"
    shutil.copytree(folder, copy)
    before = tree(copy)
    with pytest.raises(ValueError, match="a TFLite builtin; received .*StatelessRandom.*nothing is exported"):
        export_model(small(Noisy), copy, calibration=blobs(32, size=8), format="tflite", quantize="none")
    assert tree(copy) == before
    assert [item.name for item in tmp_path.iterdir()] == ["export"]


def test_color_mixture_full_covariance(tmp_path):
    """Discretized-logistic head, mixture prior with two noise inputs, full covariance; an mlp; batch 4."""
    model = zoo.build(
        "vae",
        (8, 8, 3),
        network="mlp",
        hidden_units=16,
        latent_size=3,
        posterior="full_covariance_normal",
        prior={"name": "mixture", "components": 4},
    )
    folder = export_model(
        model, tmp_path / "out", calibration=blobs(96, channels=3, size=8), format="tflite", quantize=PRECISIONS,
        batch=4, labels=["a", "b"],
    )  # fmt: skip
    parity = json.loads((folder / "parity.json").read_text())
    for row in parity_rows(parity):
        assert row["within"] is not False, row
        assert row["precision"] != "float32" or row["max"] <= FLOAT32_MAX, row
    description = json.loads((folder / "model.json").read_text())
    assert [(item["name"], item["stream"], item["kind"]) for item in description["noise"]["inputs"]] == [
        ("noise", 0, "normal"),
        ("component", 1, "uniform"),
    ]
    assert description["labels"] == ["a", "b"]
    runtime = Runtime(folder, precision="float32")
    # 6 rows in batches of 4: the last batch is filled up, and the filling is cut off
    np.testing.assert_allclose(runtime.generate(6, 11), model.generate(6, seed=11), atol=1e-5)


def test_int8_picks_the_same_of_many_components(tmp_path):
    """A uniform in 256 levels would name the wrong one of 300 components, and another image."""
    model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=16, latent_size=3,
                      prior={"name": "mixture", "components": 300, "spread": 5.0})  # fmt: skip
    decoder = model.decoder.layers[-2]
    decoder.kernel.assign(4 * decoder.kernel)  # codes that are far apart give images that are far apart
    folder = export_model(model, tmp_path / "out", calibration=blobs(64, size=8), format="tflite", quantize="int8")
    images = Runtime(folder).generate(64, 3)
    error = np.abs(images - model.generate(64, seed=3)).mean(axis=(1, 2, 3))
    assert np.quantile(error, 0.95) < 0.05 < np.abs(images - images[::-1]).mean()


def test_samples_of_a_flow_stay_close_in_int8(tmp_path):
    """Rounding adds up over the couplings; the images must not show it."""
    model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=16, latent_size=4, prior="flow")
    generator = np.random.default_rng(0)
    for weight in model.prior.trainable_weights:
        weight.assign_add(generator.normal(0, 0.02, weight.shape).astype(np.float32))
    folder = export_model(model, tmp_path / "out", calibration=blobs(64, size=8), format="tflite",
                          quantize=("none", "int8"))  # fmt: skip
    for row in parity_rows(json.loads((folder / "parity.json").read_text())):
        assert row["within"] is not False, row
    images = model.generate(64, seed=3)
    np.testing.assert_allclose(Runtime(folder, precision="float32").generate(64, 3), images, atol=1e-5)
    assert np.abs(Runtime(folder).generate(64, 3) - images).mean() < 0.02


def test_mixed_precision_and_vamp_prior(tmp_path):
    """bfloat16 training is exported in float32, and the pseudo-inputs are encoded once, not for every image."""
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=16, latent_size=3,
                          prior={"name": "vamp", "components": 5})  # fmt: skip
    finally:
        keras.mixed_precision.set_global_policy("float32")
    folder = export_model(model, tmp_path / "out", calibration=blobs(64, size=8), quantize=("none", "int8"))
    parity = json.loads((folder / "parity.json").read_text())
    assert all(row["within"] is not False for row in parity_rows(parity))
    operations = parity["files"]["float32"]["operations"]
    assert operations["generate"]["FULLY_CONNECTED"] == operations["decode"]["FULLY_CONNECTED"]
    # bfloat16 has 8 bits of mantissa: the float32 file differs from the model as it was trained by about 1e-2
    difference = np.abs(Runtime(folder).generate(4, 1) - model.generate(4, seed=1)).max()
    assert 0 < difference < 0.05
    variables = {variable.name for variable in tf.saved_model.load(str(folder / "saved_model")).parameters}
    assert not any("pseudo" in name for name in variables)


def test_int8_keeps_the_categories_of_a_code(tmp_path):
    """Probabilities next to styles of ten times the range: neither the code nor the class may lose them."""
    model = zoo.build("aae", (8, 8, 1), hidden_units=16, latent_size=3, discriminator_units=8, num_categories=4)
    last = model.encoder.layers[-1]
    last.kernel.assign(10.0 * last.kernel)
    images = blobs(96, size=8)
    folder = export_model(model, tmp_path / "out", calibration=images, format="tflite", quantize="int8")
    runtime = Runtime(folder)
    expected = model.classify(images).numpy()
    found = runtime.run("classify", image=images)["category"]
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=0.05)
    assert np.abs(found - expected).mean() < 0.03
    code = runtime.encode(images)[:, :4]
    # a step of the code's scale is about 0.1
    assert np.abs(code - expected).mean() < 0.06 and np.abs(code.sum(axis=1) - 1).mean() < 0.2


def contrasts(num: int, seed: int) -> np.ndarray:
    """Noise about 1/2 whose contrast goes over a decade and a half, float32 [num, 8, 8, 1]."""
    generator = np.random.default_rng(seed)
    contrast = 10 ** generator.uniform(-1.5, 0, (num, 1, 1, 1))
    return (0.5 + contrast * generator.uniform(-0.5, 0.5, (num, 8, 8, 1))).astype(np.float32)


def test_operations_that_int8_rounds_badly_compute_in_float(tmp_path, parity):
    """Small variances vanish in an int8 range next to large ones, which changes the output of a normalization."""
    image, code = keras.Input((8, 8, 1)), keras.Input((64,))
    shaped = keras.layers.Reshape((8, 8, 1))(code)
    normalized = keras.layers.GroupNormalization(groups=-1, axis=-1, scale=False, center=False)(shaped)
    decoder = keras.Model(code, keras.layers.Conv2D(1, 1, kernel_initializer="ones")(normalized))
    model = Autoencoder(keras.Model(image, keras.layers.Flatten()(image)), decoder)
    folder = export_model(model, tmp_path / "out", calibration=contrasts(192, 0), quantize=("int8", "none"))
    found = json.loads((folder / "parity.json").read_text())
    assert all(row["within"] is not False for row in parity_rows(found))
    assert {"MEAN", "RSQRT", "MUL"} <= set(found["files"]["int8"]["float_fallback"])
    # the layer is still int8, and its sums too
    assert found["files"]["int8"]["operations"]["decode"]["QUANTIZE"] >= 1
    images = contrasts(64, 1)
    error = np.abs(Runtime(folder).reconstruct(images) - model.reconstruct(images).numpy())
    assert 1e-5 < error.mean() < INT8_MEAN
    # files that are close as they are stay int8 throughout
    assert all(file["float_fallback"] == [] for file in parity["files"].values())
