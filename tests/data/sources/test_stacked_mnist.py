"""Stacked images: three images of a small gray dataset as channels, their labels, and the modes."""

import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_gen import data
from keras_gen.data.cache.store import Store
from keras_gen.data.resize import Resize
from keras_gen.data.resolve import identify
from keras_gen.data.sources.stacked_mnist import SIZES, draw_rows, read_stacked
from keras_gen.data.sources.tfds_builders import find_builder

SIZE = {"train": 20, "test": 7}
NAMES = ("ant", "bee", "cat")
REAL = os.environ.get("KERAS_GEN_TEST_TFDS")


class GrayTestSet(tfds.core.GeneratorBasedBuilder):
    """Gray 6x8 pictures whose pixels are the index: from 0 in train, from 100 in test."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        image = tfds.features.Image(shape=(6, 8, 1), encoding_format="png")
        features = {"image": image, "label": tfds.features.ClassLabel(names=NAMES)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(0, 20), "test": self._generate_examples(100, 7)}

    def _generate_examples(self, start, count):
        for i in range(start, start + count):
            yield i, {"image": np.full((6, 8, 1), i, np.uint8), "label": i % 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gray")
    GrayTestSet(data_dir=str(folder)).download_and_prepare()
    return folder


def read(folder, split, cache="memory", shape=(6, 8, 3)):
    return read_stacked(find_builder("gray_test_set", folder), split, Resize(shape), cache=cache, store=Store(folder))


def pixels(table):
    images = table.images["image"]
    return images.array if images.array is not None else np.stack([images.read(i) for i in range(images.count)])


def test_channels_and_labels_come_from_the_single_images(folder):
    table = read(folder, "train[:300]+test[-50:]")
    images = pixels(table)
    assert images.shape == (350, 6, 8, 3) and images.dtype == np.uint8
    index = images[:, 0, 0]  # the single image behind each channel
    np.testing.assert_array_equal(images, np.broadcast_to(index[:, None, None], images.shape))
    assert index[:300].max() == 19 and index[300:].min() >= 100  # train stacks train images, test stacks test images
    channels = table.columns["channel_labels"]
    np.testing.assert_array_equal(channels, index % 3)
    np.testing.assert_array_equal(table.columns["label"], 9 * channels[:, 0] + 3 * channels[:, 1] + channels[:, 2])
    assert channels.dtype == table.columns["label"].dtype == np.int32
    assert len(table.names["label"]) == 27 and table.names["channel_labels"] == NAMES
    for label, (a, b, c) in zip(table.columns["label"][:20], channels[:20], strict=True):
        assert table.names["label"][label] == f"{NAMES[a]} {NAMES[b]} {NAMES[c]}"


def test_draw_rows_is_reproducible_and_uniform():
    for split, count in (("train", 60_000), ("test", 10_000)):
        rows = draw_rows(split, count)
        assert rows.shape == ({"train": 128_000, "test": 26_000}[split], 3) == (SIZES[split], 3)
        np.testing.assert_array_equal(rows, draw_rows(split, count))
        assert rows.min() >= 0 and rows.max() < count
        # every image is equally likely; 5 standard deviations of the count in a tenth of the images
        tenths = np.bincount(rows.reshape(-1) * 10 // count, minlength=10)
        assert np.abs(tenths - rows.size / 10).max() < 5 * np.sqrt(rows.size * 0.09)
        assert np.abs(np.corrcoef(rows.T)[np.triu_indices(3, 1)]).max() < 5 / np.sqrt(len(rows))  # independent
    assert (draw_rows("train", 50)[:100] != draw_rows("test", 50)[:100]).any()


def test_all_caches_give_the_same_images(folder):
    memory, uncached, disk = (read(folder, "train[5:40]", cache) for cache in ("memory", None, "disk"))
    assert memory.images["image"].array is not None and uncached.images["image"].array is None
    assert isinstance(disk.images["image"].array, np.memmap)
    np.testing.assert_array_equal(pixels(memory), pixels(uncached))
    np.testing.assert_array_equal(pixels(memory), pixels(disk))
    np.testing.assert_array_equal(pixels(memory), pixels(read(folder, "train[:40]"))[5:])
    assert memory.fingerprint == uncached.fingerprint != read(folder, "train[5:41]").fingerprint


def test_load_and_describe(folder):
    assert identify("stacked_gray_test_set", folder) == ("stacked", "stacked_gray_test_set")
    assert identify("stacked_mnist")[0] == "stacked" and "stacked_mnist" in data.list_sources(data_dir=folder)
    about = data.describe("stacked_gray_test_set", data_dir=folder)
    assert about.splits == {"train": 128_000, "test": 26_000} and about.image_shape == (6, 8, 3)
    assert about.kind == "stacked" and "27 modes" in about.about
    expected = pixels(read(folder, "test[:20]"))[:, 0, 0]
    for cache in ("auto", None):
        dataset = data.load(
            "stacked_gray_test_set", "test[:20]", image_shape=(12, 16, 3), batch_size=20, data_dir=folder, cache=cache
        )
        batch = next(dataset.as_numpy_iterator())
        assert set(batch) == {"image", "label", "channel_labels"} and batch["channel_labels"].shape == (20, 3)
        np.testing.assert_allclose(batch["image"][:, 5, 7] * 255, expected, atol=1e-3)


def test_errors(folder, tfds_dir):
    with pytest.raises(ValueError, match="image_shape with three channels for stacked_.*; received 1"):
        read(folder, "train", shape=(6, 8, 1))
    with pytest.raises(ValueError, match=r"no split 'valid'. Known splits: train \(128,000\), test \(26,000\)"):
        read(folder, "valid")
    with pytest.raises(ValueError, match="gray images with class labels .*; received data_test_set with images"):
        data.describe("stacked_data_test_set", data_dir=tfds_dir)
    with pytest.raises(ValueError, match="there is no dataset and no folder of this name"):
        data.describe("stacked_nothing")


@pytest.mark.skipif(not REAL, reason="KERAS_GEN_TEST_TFDS names no TFDS directory that holds (or can prepare) mnist")
def test_stacked_mnist_has_1000_modes():
    dataset = data.load("stacked_mnist", "test", image_shape=(28, 28, 3), batch_size=26_000, data_dir=REAL, cache=None,
                        fields=["label"])  # fmt: skip
    counts = np.bincount(next(dataset.as_numpy_iterator())["label"], minlength=1000)
    assert len(counts) == 1000 and counts.min() >= 5  # 26 expected per mode, 18 to 38 by digit frequencies
