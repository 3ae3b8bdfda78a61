"""The export of a run as a whole: its files, its differences from Keras, and the replacement of an earlier export."""

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

from .conftest import CLASSES, SIZE, blobs, file_contents, small_model

ENDPOINTS = ("encode", "decode", "reconstruct", "generate")
# measured on this model: float32 4e-7; int8 mean 2e-3 to 6e-3; the bounds are those of the documentation
FLOAT32_MAX, FLOAT16_MAX, INT8_MEAN = 1e-5, 1e-2, 0.02


def test_folder_has_all_files(folder, description):
    files = ["model.tflite", *(f"model_{name}.tflite" for name in PRECISIONS if name != "int8")]
    expected = {*files, "model.json", "parity.json", "runtime", "requirements.txt", "saved_model"}
    assert {item.name for item in folder.iterdir()} == expected
    assert description["preferred"] == "int8" and description["files"]["int8"]["file"] == "model.tflite"
    requirements = [line for line in (folder / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    assert requirements == ["numpy>=1.26,<3", "ai-edge-litert>=2.1,<3"]
    leftovers = [item.name for item in folder.parent.iterdir() if item.name.startswith(".")]
    assert not leftovers


def test_description_has_the_inputs_of_signatures(description):
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


def test_reported_errors_match_errors_on_other_data(folder, model, parity):
    """Errors in parity.json are about those on other images, and not zero for int8."""
    images, labels = blobs(64, seed=9), np.arange(64) % CLASSES
    expected = model.reconstruct(images, np.eye(CLASSES, dtype=np.float32)[labels]).numpy()
    for precision, bound in (("float32", FLOAT32_MAX), ("int8", INT8_MEAN)):
        error = np.abs(Runtime(folder, precision=precision).reconstruct(images, label=labels) - expected)
        reported = parity["files"][precision]["endpoints"]["reconstruct"]["image"]
        assert error.mean() <= bound
        assert 0.5 <= error.mean() / reported["mean"] <= 2.0
    assert error.max() > 1e-4  # a smaller error would mean that the file is not int8


def test_int8_endpoints_quantize_their_inputs_and_outputs(parity):
    for endpoint, operations in parity["files"]["int8"]["operations"].items():
        assert operations["QUANTIZE"] >= 1 and operations["DEQUANTIZE"] >= 1, endpoint
    assert all("QUANTIZE" not in ops for ops in parity["files"]["float32"]["operations"].values())


def test_smaller_precisions_give_smaller_files(parity):
    size = {precision: file["bytes"] for precision, file in parity["files"].items()}
    assert size["float16"] < 0.6 * size["float32"]
    # the network is tiny (21,000 weights), so metadata is a larger share than usual (a large network has 0.27)
    assert size["int8"] < 0.5 * size["float32"] and size["dynamic"] < 0.5 * size["float32"]


def test_saved_model_accepts_any_batch_size(folder, model):
    loaded = tf.saved_model.load(str(folder / "saved_model"))
    for num in (1, 7):
        z = np.random.default_rng(num).standard_normal((num, 4)).astype(np.float32)
        label = np.eye(CLASSES, dtype=np.float32)[np.arange(num) % CLASSES]
        image = loaded.signatures["decode"](z=tf.constant(z), label=tf.constant(label))["image"]
        np.testing.assert_allclose(image, model.decode(z, label), atol=1e-6)
    # only the weights of the endpoints: no optimizer, metric or seed
    assert len(loaded.parameters) == len(model.encoder.weights) + len(model.decoder.weights)


def test_a_second_export_replaces_tflite_files_and_keeps_the_rest(run, folder, tmp_path):
    """Another precision replaces the TFLite files; other files, and the SavedModel of the same weights, are kept."""
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
    # the same weights give the same file
    assert (copy / "model.tflite").read_bytes() == (folder / "model_float32.tflite").read_bytes()


@pytest.mark.parametrize("renamed", [False, True], ids=["before", "after"])
def test_an_export_killed_during_the_replacement_is_completed(run, folder, tmp_path, monkeypatch, renamed):
    """Between the two renames, the export folder is missing; after them, the files that it keeps from the old one."""
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
    with monkeypatch.context() as patched:  # even if the next export fails
        patched.setattr("keras_gen.export.exporting.convert_and_check", lambda *arguments, **options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            export(run, quantize="none", out=copy)
    names = {item.name for item in copy.iterdir()}
    assert {"notes.txt", "saved_model", "model.json", "model.tflite"} <= names
    assert [item.name for item in tmp_path.iterdir()] == ["export"]
    assert Runtime(copy).generate(1, 0, label=0).shape == (1, SIZE, SIZE, 1)


def test_concurrent_exports_leave_a_complete_export(tmp_path):
    """Replacements of the folder are serialized; otherwise, one of them would find it missing or not empty."""

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


def test_one_image_is_enough(tmp_path):
    """int8 is calibrated on one image, and the batch may be larger than the dataset."""
    model, image = small_model(), blobs(1, size=8)
    folder = export_model(model, tmp_path / "one", calibration=image, format="tflite", quantize="int8", batch=40)
    parity = read_parity(folder)
    assert parity["images"] == {"calibration": {"train": 1}, "comparison": {"train": 1}}
    assert (parity["calibrated_on"], parity["examples"]) == (40, 32)
    assert parity["files"]["int8"]["operations"]["decode"]["QUANTIZE"] >= 1
    error = np.abs(Runtime(folder).reconstruct(image) - model.reconstruct(image).numpy())
    assert error.mean() < INT8_MEAN


def test_a_run_on_few_images_is_exported(run, tmp_path):
    """The run has a single validation image; float32 needs no calibration."""
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
    # int8 is calibrated, and the note has the images of calibration
    parity = read_parity(export(tiny, quantize="int8"))
    assert parity["images"]["calibration"] == {"train": 5} and parity["calibrated_on"] == 32
    assert "; int8 calibrated on 5 training images, repeated to 32 rows: there" in comparison_note(parity)
    parity = read_parity(export(tiny, format="saved_model"))  # the TFLite file and its calibration are kept
    assert parity["images"]["calibration"] == {"train": 5} and parity["calibrated_on"] == 32


def test_a_run_without_a_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist: expected a run directory"):
        export(tmp_path / "nowhere")
    Run.create(tmp_path / "new", {"system": "vae", "image_shape": [16, 16, 1], "settings": {}, "data": {}})
    with pytest.raises(FileNotFoundError, match="holds no model.keras: train it first"):
        export(tmp_path / "new")


class RandomEndpoint(Autoencoder):
    """A model with a random operation in an endpoint, which is not allowed."""

    def endpoints(self):
        def decode(z):
            return {"image": self.decode(z + tf.random.stateless_normal(tf.shape(z), [1, 2]))}

        ports = {"z": Port((self.latent_size,), "latent")}
        return [Endpoint("decode", decode, ports, {"image": Port(self.image_shape, "image")})]


def test_operations_that_are_not_builtin_are_refused_by_name(folder, tmp_path):
    copy = tmp_path / "export"
    shutil.copytree(folder, copy)
    before = file_contents(copy)
    with pytest.raises(ValueError, match="a TFLite builtin; received .*StatelessRandom.*nothing is exported"):
        export_model(small_model(RandomEndpoint), copy, calibration=blobs(32, size=8), format="tflite", quantize="none")
    assert file_contents(copy) == before
    assert [item.name for item in tmp_path.iterdir()] == ["export"]


def test_export_of_color_images_mixture_prior_and_full_covariance(tmp_path):
    """A VAE with an MLP, a discretized logistic head, a mixture prior (two noise inputs) and batch 4."""
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
    # 6 rows in batches of 4: the last batch is padded, and the padding is removed
    np.testing.assert_allclose(runtime.generate(6, 11), model.generate(6, seed=11), atol=1e-5)


def test_int8_selects_the_same_component_of_a_large_mixture(tmp_path):
    """A uniform input with 256 levels would often select the wrong one of 300 components."""
    model = zoo.build("vae", (8, 8, 1), network="mlp", hidden_units=16, latent_size=3,
                      prior={"name": "mixture", "components": 300, "spread": 5.0})  # fmt: skip
    decoder = model.decoder.layers[-2]
    decoder.kernel.assign(4 * decoder.kernel)  # so that distant codes give different images
    folder = export_model(model, tmp_path / "out", calibration=blobs(64, size=8), format="tflite", quantize="int8")
    images = Runtime(folder).generate(64, 3)
    error = np.abs(images - model.generate(64, seed=3)).mean(axis=(1, 2, 3))
    assert np.quantile(error, 0.95) < 0.05 < np.abs(images - images[::-1]).mean()


def test_int8_samples_of_a_flow_prior_are_close(tmp_path):
    """Rounding errors accumulate over the coupling layers, but images must stay close."""
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


def test_export_of_mixed_precision_and_a_vamp_prior(tmp_path):
    """A bfloat16 model is exported in float32, and pseudo-inputs are encoded once, not for every image."""
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
    # bfloat16 has 8 bits of mantissa: the float32 file differs from the bfloat16 model by about 1e-2
    difference = np.abs(Runtime(folder).generate(4, 1) - model.generate(4, seed=1)).max()
    assert 0 < difference < 0.05
    variables = {variable.name for variable in tf.saved_model.load(str(folder / "saved_model")).parameters}
    assert not any("pseudo" in name for name in variables)


def test_int8_preserves_the_categories_of_a_code(tmp_path):
    """Category probabilities stay accurate next to styles with ten times their range, in codes and in `classify`."""
    networks = {"network": "mlp", "hidden_units": 16, "discriminator_units": 8}
    model = zoo.build("aae", (8, 8, 1), latent_size=3, num_categories=4, **networks)
    last = model.encoder.layers[-1]
    last.kernel.assign(10.0 * last.kernel)
    images = blobs(96, size=8)
    folder = export_model(model, tmp_path / "out", calibration=images, format="tflite", quantize="int8")
    runtime = Runtime(folder)
    expected = model.classify(images).numpy()
    probabilities = runtime.run("classify", image=images)["category"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=0.05)
    assert np.abs(probabilities - expected).mean() < 0.03
    code = runtime.encode(images)[:, :4]
    # a quantization step of the code is about 0.1
    assert np.abs(code - expected).mean() < 0.06 and np.abs(code.sum(axis=1) - 1).mean() < 0.2


def contrast_noise(num: int, seed: int) -> np.ndarray:
    """Returns noise around 1/2 with contrasts from 0.03 to 1, float32 [num, 8, 8, 1]."""
    generator = np.random.default_rng(seed)
    contrast = 10 ** generator.uniform(-1.5, 0, (num, 1, 1, 1))
    return (0.5 + contrast * generator.uniform(-0.5, 0.5, (num, 8, 8, 1))).astype(np.float32)


def test_operations_with_large_int8_errors_stay_in_float(tmp_path, parity):
    """In int8, small variances next to large ones are rounded to 0, which changes the output of a normalization."""
    image, code = keras.Input((8, 8, 1)), keras.Input((64,))
    shaped = keras.layers.Reshape((8, 8, 1))(code)
    normalized = keras.layers.GroupNormalization(groups=-1, axis=-1, scale=False, center=False)(shaped)
    decoder = keras.Model(code, keras.layers.Conv2D(1, 1, kernel_initializer="ones")(normalized))
    model = Autoencoder(keras.Model(image, keras.layers.Flatten()(image)), decoder)
    folder = export_model(model, tmp_path / "out", calibration=contrast_noise(192, 0), quantize=("int8", "none"))
    exported_parity = json.loads((folder / "parity.json").read_text())
    assert all(row["within"] is not False for row in parity_rows(exported_parity))
    assert {"MEAN", "RSQRT", "MUL"} <= set(exported_parity["files"]["int8"]["float_fallback"])
    # the rest of the endpoint is still int8
    assert exported_parity["files"]["int8"]["operations"]["decode"]["QUANTIZE"] >= 1
    images = contrast_noise(64, 1)
    error = np.abs(Runtime(folder).reconstruct(images) - model.reconstruct(images).numpy())
    assert 1e-5 < error.mean() < INT8_MEAN
    # the files of the other run are accurate without it
    assert all(file["float_fallback"] == [] for file in parity["files"].values())
