import hashlib
import os
import pathlib
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gen import data

REAL = os.environ.get("KERAS_GEN_TEST_DATA")
needs_real_data = pytest.mark.skipif(not REAL, reason="KERAS_GEN_TEST_DATA names no folder with real data")


@pytest.fixture(scope="module")
def array_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("arrays") / "set.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (50, 6, 6, 1), np.uint8)
    np.savez(file, image=pixels, label=np.arange(50), weight=np.linspace(0, 1, 50))
    return file


def load(source, split="train", **options):
    return data.load(source, split, **{"image_shape": (6, 6, 1), "batch_size": 8, **options})


def test_dataset_fields_and_info(array_file):
    dataset = load(array_file, "train[:84%]", seed=5)
    assert dataset.cardinality() == 6
    assert isinstance(dataset.epoch, tf.Variable) and dataset.epoch.dtype == tf.int64 and int(dataset.epoch) == 0
    info = dataset.info
    assert (info.source, info.split, info.num_examples, info.num_batches) == (str(array_file), "train[:84%]", 42, 6)
    assert info.image_shape == (6, 6, 1) and info.label_names is None and info.skipped == () and info.seed == 5
    assert info.fields["image"] == tf.TensorSpec((None, 6, 6, 1), tf.float32) and set(info.fields) == {
        *("image", "label", "weight")
    }
    batch = next(iter(dataset))
    assert batch["image"].dtype == tf.float32 and batch["label"].dtype == tf.int32
    assert 0 <= tf.reduce_min(batch["image"]) and tf.reduce_max(batch["image"]) <= 1
    assert set(next(iter(load(array_file, fields=["label"])))) == {"label"}


def test_another_process_gives_the_same_epoch(array_file):
    options = "image_shape=(6, 6, 1), batch_size=8, seed=9, augment=('flip', 'shift'), binarize='dynamic'"
    code = f"""
import hashlib
from keras_gen import data
dataset = data.load({str(array_file)!r}, {options})
dataset.epoch.assign(4)
digest = hashlib.sha256()
for batch in dataset.as_numpy_iterator():
    digest.update(batch["image"].tobytes() + batch["label"].tobytes())
print(digest.hexdigest())
"""
    root = pathlib.Path(data.__file__).parents[2]
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    dataset = load(array_file, seed=9, augment=("flip", "shift"), binarize="dynamic")
    for epoch in (0, 4):  # here after an earlier epoch, in the other process without one
        dataset.epoch.assign(epoch)
        digest = hashlib.sha256()
        for batch in dataset.as_numpy_iterator():
            digest.update(batch["image"].tobytes() + batch["label"].tobytes())
    assert other.stdout.split()[-1] == digest.hexdigest()


@pytest.mark.parametrize("drop, batches", [(False, 3), (True, 2)])
def test_steps_may_depend_on_the_batches_of_one_pass(array_file, drop, batches):
    received = []

    def steps(number):
        received.append(number)
        return 2 * number

    size = -(-load(array_file).info.num_examples // 3) + 1  # the third batch is smaller
    dataset = load(array_file, batch_size=size, steps=steps, drop_remainder=drop)
    assert received == [batches] and dataset.info.num_batches == len(list(dataset)) == 2 * batches
    whole = load(array_file, batch_size=size, steps=lambda number: None, drop_remainder=drop)
    assert whole.info.num_batches == batches


def test_fit_trains_on_a_new_order_in_every_epoch(array_file):
    dataset = load(array_file)
    recorded = []

    class SetEpoch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            recorded.append([])
            dataset.epoch.assign(epoch)

    def record_labels(batch):
        def record(label):
            recorded[-1].append(label.tolist())
            return np.float32(label)

        return batch["image"], tf.ensure_shape(tf.numpy_function(record, [batch["label"]], tf.float32), [None])

    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(
        dataset.map(record_labels, num_parallel_calls=1), epochs=3, callbacks=[SetEpoch()], verbose=0, shuffle=False
    )
    for epoch in range(3):
        fresh = load(array_file)
        fresh.epoch.assign(epoch)
        expected = [batch["label"].tolist() for batch in fresh.as_numpy_iterator()]
        assert recorded[epoch] == expected


def test_only_training_splits_are_shuffled(array_file, tfds_dir):
    order = [label for batch in load(array_file) for label in batch["label"].numpy()]
    assert sorted(order) == list(range(50)) != order
    unshuffled = [label for batch in load(array_file, shuffle=False) for label in batch["label"].numpy()]
    assert unshuffled == list(range(50))
    test = load("data_test_set", "test", data_dir=tfds_dir, image_shape=(6, 6, 3))
    orders = []
    for epoch in (0, 1):
        test.epoch.assign(epoch)
        orders.append([n for batch in test for n in batch["number"].numpy()])
    assert orders[0] == orders[1]


def test_input_context_shards_the_epoch(array_file):
    parts = []
    for i in range(2):
        context = tf.distribute.InputContext(num_input_pipelines=2, input_pipeline_id=i, num_replicas_in_sync=2)
        parts.append([n for batch in load(array_file, input_context=context) for n in batch["label"].numpy()])
    full = [n for batch in load(array_file) for n in batch["label"].numpy()]
    assert parts == [full[::2], full[1::2]]
    with pytest.raises(ValueError, match="received both"):
        load(array_file, input_context=context, num_shards=2)


def test_unreadable_files_are_logged_and_named_in_info(tmp_path, caplog):
    for i in range(6):
        Image.fromarray(np.full((9, 9, 3), i, np.uint8)).save(tmp_path / f"{i}.jpg")
    photo = tmp_path / "2.jpg"
    photo.write_bytes(photo.read_bytes()[: photo.stat().st_size // 2])
    (tmp_path / "7.png").write_text("a text")
    dataset = load(tmp_path)
    (record,) = caplog.records
    assert record.name == "keras_gen" and record.levelname == "WARNING"
    assert "Left out 2 of 7 files: 2 that cannot be read" in record.getMessage()
    assert "2.jpg: " in record.getMessage() and "7.png: its content" in record.getMessage()
    caplog.clear()
    load(tmp_path, report=False)
    assert not caplog.records
    assert dataset.info.num_examples == 5 and [os.path.basename(file) for file, _ in dataset.info.skipped] == [
        *("2.jpg", "7.png")
    ]
    with pytest.raises(ValueError, match="2.jpg: "):
        load(tmp_path, on_error="raise")


def test_images_of_every_mode_in_one_folder(tmp_path):
    """The same gray in each; of 16 bits it is 100 * 257."""
    gray, color = np.full((6, 8), 100, np.uint8), np.full((6, 8, 3), 100, np.uint8)
    images = {"L": Image.fromarray(gray), "RGB": Image.fromarray(color), "P": Image.fromarray(color).quantize(4)}
    images |= {mode: images["RGB"].convert(mode) for mode in ("LA", "RGBA")}
    images["deep"] = Image.fromarray(gray.astype(np.uint16) * 257)
    for name, image in images.items():
        image.save(tmp_path / f"{name}.png")
    images["RGB"].convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    images["P"].save(tmp_path / "palette.gif")
    images["deep"].save(tmp_path / "deep.tif")
    turned = Image.Exif()
    turned[0x0112] = 6
    images["L"].transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=turned, quality=100)
    for shape in ((6, 8, 3), (6, 8, 1)):
        (batch,) = load(tmp_path, image_shape=shape, batch_size=20)
        assert batch["image"].shape == (10, *shape)
        np.testing.assert_allclose(batch["image"], 100 / 255, atol=2 / 255)


def test_transparent_images_are_composited_on_the_background(tmp_path):
    image = np.zeros((6, 6, 4), np.uint8)
    image[:3] = (200, 100, 0, 51)
    Image.fromarray(image).save(tmp_path / "a.png")
    batch = next(iter(load(tmp_path, image_shape=(6, 6, 3), background=(0, 100, 250))))
    np.testing.assert_array_equal(np.rint(batch["image"][0, 0, 0] * 255), [40, 100, 200])
    np.testing.assert_array_equal(np.rint(batch["image"][0, 5, 0] * 255), [0, 100, 250])


def test_two_domains(tmp_path):
    for name, count in {"trainA": 5, "trainB": 3}.items():
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.fromarray(np.full((6, 6), i, np.uint8)).save(tmp_path / name / f"{i}.png")
    dataset = load(tmp_path, augment=("flip",))
    assert dataset.info.num_examples == 5 and set(dataset.element_spec) == {"domain_a", "domain_b"}
    assert set(next(iter(load(tmp_path, fields="domain_b")))) == {"domain_b"}


def test_fields_of_shapes(tfds_dir):
    dataset = load("shapes/tiny", "train_seen", data_dir=tfds_dir, image_shape=(64, 64, 3))
    batch = next(iter(dataset))
    assert {"image", "label", "caption", "attributes", *data.FACTORS} <= set(batch)
    pictures = data.render_shapes(data.Factors.from_batch(batch))
    np.testing.assert_array_equal(pictures, np.rint(batch["image"].numpy() * 255))
    assert dataset.info.label_names == data.FACTORS["shape"] and len(dataset.info.attribute_names) == 47


@pytest.mark.parametrize(
    "options, message",
    [
        ({"batch_size": 0}, "Expected batch_size as a positive integer; received 0"),
        ({"steps": -1}, "Expected steps as a positive integer"),
        ({"binarize": "yes"}, "Expected binarize as one of None, 'dynamic', 'threshold', 'auto'; received 'yes'"),
        ({"augment": ("spin",)}, "Expected augment as names among flip, .*; received 'spin'"),
        ({"on_error": "ignore"}, "Expected on_error as one of 'skip', 'raise'; received 'ignore'"),
        ({"cache": "ram"}, "Expected cache as one of 'auto', 'memory', 'disk', None; received 'ram'"),
        ({"slices": "sorted"}, "Expected slices as one of 'random', 'file'; received 'sorted'"),
        ({"fields": ["caption"]}, "Expected fields as names among image, label, weight; received 'caption'"),
        ({"fields": []}, "Expected fields as names among .*; received none"),
        ({"num_shards": 2, "shard_index": 2}, "Expected shard_index from 0 to 1; received 2"),
        ({"batch_size": 51, "drop_remainder": True}, "at least one batch; received 50 examples"),
        ({"image_shape": (6, 6, 4)}, "Expected an image with 4 channels; received 1"),
    ],
)
def test_invalid_options(array_file, options, message):
    with pytest.raises(ValueError, match=message):
        load(array_file, **options)


@needs_real_data
@pytest.mark.slow
def test_mnist_has_the_known_statistics(tmp_path):
    folder = os.environ.get("KERAS_GEN_TEST_TFDS")
    if not folder:
        folder = tmp_path
        subprocess.run([sys.executable, f"{REAL}/prepare_tfds.py", "--data-dir", folder, "mnist"], check=True)
    dataset = load("mnist", "test", image_shape=(28, 28, 1), batch_size=1000, data_dir=folder)
    batches = list(dataset.as_numpy_iterator())
    labels = np.concatenate([batch["label"] for batch in batches])
    # known facts about the 10,000 test digits: the count of each digit, and the mean gray value
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert abs(np.mean([batch["image"].mean() for batch in batches]) - 0.1325) < 1e-4
    assert dataset.info.label_names == tuple("0123456789")


@needs_real_data
def test_emoji_are_composited_on_the_background(tmp_path):
    with zipfile.ZipFile(f"{REAL}/twemoji/twemoji.zip") as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.endswith(".png")][:40])
    dataset = load(tmp_path / "72x72", image_shape=(72, 72, 3), batch_size=40, shuffle=False, background=(20, 120, 250))
    assert dataset.info.num_examples == 40
    for file, image in zip(sorted((tmp_path / "72x72").iterdir()), next(iter(dataset))["image"].numpy(), strict=True):
        ground = Image.new("RGBA", (72, 72), (20, 120, 250))
        expected = Image.alpha_composite(ground, Image.open(file).convert("RGBA")).convert("RGB")
        np.testing.assert_allclose(image * 255, np.asarray(expected), atol=1)  # Pillow rounds differently
