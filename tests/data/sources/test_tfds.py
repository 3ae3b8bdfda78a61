import types

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_gen import data
from keras_gen.data.cache.store import Store
from keras_gen.data.pipeline.batches import Plan, build
from keras_gen.data.resize import Resize
from keras_gen.data.sources.tfds import describe_tfds, map_features, read_tfds
from keras_gen.data.sources.tfds_builders import find_builder
from tests.data.conftest import COUNT

RESIZE = Resize((6, 8, 3))


@pytest.fixture(scope="module")
def builder(tfds_dir):
    return find_builder("data_test_set", tfds_dir)


def read(builder, split="train", cache="memory", folder=None):
    return read_tfds(builder, split, RESIZE, cache=cache, store=Store(folder))


def test_features_become_fields(builder):
    table = read(builder)
    index = table.columns["number"]
    assert sorted(index) == list(range(COUNT))
    np.testing.assert_array_equal(table.images["image"].array[:, 0, 0, 0], index)
    assert table.images["image"].array.shape == (COUNT, 6, 8, 3)
    assert table.columns["label"].dtype == np.int32
    np.testing.assert_array_equal(table.columns["label"], index % 2)
    assert table.names["attributes"] == ("bald", "young")
    np.testing.assert_array_equal(table.columns["attributes"], np.stack([index % 5 == 0, index % 3 == 0], -1))
    assert table.columns["caption"].tolist() == [f"number {i}".encode() for i in index]
    assert table.columns["box"].shape == (COUNT, 4) and table.columns["box"].dtype == np.float32
    assert table.names["label"] == ("even", "odd") and table.left_out == ("many",)


def test_slices_of_tfds(builder):
    full = read(builder).columns["number"].tolist()
    assert read(builder, "train[:10%]").columns["number"].tolist() == full[:9]
    assert read(builder, "train[10%:]").columns["number"].tolist() == full[9:]
    assert len(read(builder, "train[-5:]+test").columns["number"]) == 15


@pytest.mark.parametrize(
    "split, message",
    [
        ("valid", r"data_test_set has no split 'valid'. .*splits: .*train \(90\)"),
        ("train[", "Expected a split with an optional slice"),
        ("train[:0]", "selects no example"),
    ],
)
def test_invalid_splits(builder, split, message):
    with pytest.raises(ValueError, match=message):
        read(builder, split)


def epoch_of(dataset, number, epoch):
    number.assign(epoch)
    batches = list(dataset.as_numpy_iterator())
    assert len(batches) == dataset.cardinality()
    return {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}


def plan(**changes):
    return Plan(**{"batch_size": 16, "seed": 1, "shuffle": True, **changes})


def test_a_stream_has_the_cached_examples_in_an_order_given_by_seed_and_epoch(builder):
    memory, stream = read(builder, "train[5:]"), read(builder, "train[5:]", "none")
    options = {"augment": ("flip", "color"), "shuffle": False}
    expected = epoch_of(*build(memory, plan(**options)), 3)
    result = epoch_of(*build(stream, plan(**options)), 3)
    assert expected.keys() == result.keys()
    for field in expected:  # the same images and augmentations, which depend on the example, not on the cache
        np.testing.assert_array_equal(result[field], expected[field])
        assert result[field].dtype == expected[field].dtype

    first, second = build(stream, plan()), build(stream, plan())
    orders = {epoch: tuple(epoch_of(*first, epoch)["number"]) for epoch in (0, 1, 2)}
    assert len(set(orders.values())) == 3
    assert all(sorted(order) == sorted(expected["number"]) for order in orders.values())
    assert tuple(epoch_of(*second, 2)["number"]) == orders[2]  # without epochs 0 and 1 before


def test_stream_order_does_not_depend_on_the_global_seed(builder):
    orders = []
    for seed in (0, 1, None):  # with 0, tf.data's own shuffle cannot take a seed that is a tensor
        tf.random.set_seed(seed)
        orders.append(tuple(epoch_of(*build(read(builder, "train", "none"), plan()), 1)["number"]))
    assert orders[0] == orders[1] == orders[2]


def test_streams_are_sharded_and_repeated(builder):
    stream = read(builder, "train", "none")
    dataset, number = build(stream, plan(steps=12))
    assert dataset.element_spec["image"] == tf.TensorSpec((16, 6, 8, 3), tf.float32)
    full = epoch_of(dataset, number, 1)["number"]
    assert len(full) == 192 and sorted(full[:COUNT]) == sorted(full[COUNT : 2 * COUNT]) == list(range(COUNT))
    assert tuple(full[:COUNT]) != tuple(full[COUNT : 2 * COUNT])
    part = epoch_of(*build(stream, plan(num_shards=2, shard_index=1)), 1)["number"]
    np.testing.assert_array_equal(part, full[1:COUNT:2])
    assert tuple(epoch_of(*build(stream, plan(seed=2)), 1)["number"]) != tuple(full[:COUNT])


def test_channels_that_cannot_be_converted_raise_before_the_first_batch(builder):
    for cache in ("memory", "none"):
        with pytest.raises(ValueError, match="Expected an image with 4 channels; received 3"):
            read_tfds(builder, "test", Resize((6, 8, 4)), cache=cache, store=Store())


def test_disk_cache_is_written_once(builder, tmp_path):
    first = read(builder, cache="disk", folder=tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again = read(builder, cache="disk", folder=tmp_path)
    assert written == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    memory = read(builder)
    for table in (first, again):
        np.testing.assert_array_equal(table.images["image"].array, memory.images["image"].array)
        assert isinstance(table.images["image"].array, np.memmap)
        for field, value in memory.columns.items():
            np.testing.assert_array_equal(table.columns[field], value)


def test_description(builder):
    about = describe_tfds(builder)
    assert about["splits"] == {"train": COUNT, "test": 10} and about["left_out"] == ("many",)
    assert about["fields"]["box"] == "vector [4]" and about["fields"]["attributes"] == "vector [2]"


def test_slices_of_an_unshuffled_dataset_cause_a_note(tfds_dir, monkeypatch):
    options = {"image_shape": (6, 8, 3), "batch_size": 5, "data_dir": tfds_dir, "report": False}
    assert data.load("data_test_set", "train[:50%]", **options).info.notes == ()
    monkeypatch.setattr(tfds.core.DatasetInfo, "disable_shuffling", property(lambda info: True))
    assert data.load("data_test_set", **options).info.notes == ()
    (note,) = data.load("data_test_set", "train[:50%]", **options).info.notes
    assert note.startswith("data_test_set is not stored in random order") and "may lack whole classes" in note


def test_images_of_more_than_8_bits_raise_an_error():
    image = tfds.features.Image(shape=(8, 8, 1), dtype=np.uint16, encoding_format="png")
    info = types.SimpleNamespace(features=tfds.features.FeaturesDict({"image": image}))
    with pytest.raises(ValueError, match="deep: expected images of 8 bits .uint8.; received uint16. .* a value range"):
        map_features(types.SimpleNamespace(name="deep", info=info))
