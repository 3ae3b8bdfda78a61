"""The vector of selected attributes: one-hot groups and single entries, in the order of selection."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gen import data
from keras_gen.data.info import Table
from keras_gen.data.transforms.attributes import attribute_groups, choose_attributes

NAMES = {"label": ("cat", "dog", "fox"), "attributes": ("small", "tame")}


def test_groups_of_selected_attributes():
    assert attribute_groups(NAMES, ["tame", "label"]) == ((1, 3), ("tame", "cat", "dog", "fox"))


@pytest.mark.parametrize("chosen", [[], "label", ["label", "label"], ["wild"], ["attributes"]])
def test_invalid_selections_are_refused(chosen):
    with pytest.raises(ValueError, match="attributes"):
        attribute_groups(NAMES, chosen)


def test_shapes_colors_and_textures(tfds_dir):
    options = {"image_shape": (8, 8, 3), "batch_size": 40, "seed": 1, "data_dir": tfds_dir}
    loaded = data.load("shapes/tiny", attributes=["texture", "color"], **options)
    batch = next(iter(loaded))
    vector = np.asarray(batch["attributes"])
    assert vector.shape == (40, 12) and loaded.info.attribute_names[:4] == ("plain", "striped", "dotted", "checked")
    np.testing.assert_array_equal(vector[:, :4].argmax(axis=1), batch["texture"])
    np.testing.assert_array_equal(vector[:, 4:].argmax(axis=1), batch["color"])
    assert set(np.unique(vector)) == {0.0, 1.0} and (vector.sum(axis=1) == 2).all()


def test_single_attributes_of_a_folder(tmp_path):
    rows = ["file_name,small,tame"]
    for index in range(4):
        Image.fromarray(np.full((8, 8, 3), index, np.uint8)).save(tmp_path / f"{index}.png")
        rows.append(f"{index}.png,{index % 2},{index // 2}")
    (tmp_path / "metadata.csv").write_text("\n".join(rows))
    options = {"image_shape": (8, 8, 3), "batch_size": 4, "shuffle": False}
    batch = next(iter(data.load(tmp_path, attributes=["tame"], **options)))
    np.testing.assert_array_equal(batch["attributes"], [[0], [0], [1], [1]])


def test_cached_and_streamed_data_have_the_same_attributes(tfds_dir):
    chosen = ["young", "label"]
    options = {"image_shape": (6, 8, 3), "batch_size": 10, "shuffle": False, "attributes": chosen, "data_dir": tfds_dir}
    cached, streamed = (next(iter(data.load("data_test_set", cache=cache, **options))) for cache in ("memory", None))
    number = np.asarray(cached["number"])
    np.testing.assert_array_equal(
        cached["attributes"], np.stack([number % 3 == 0, number % 2 == 0, number % 2 == 1], -1)
    )
    for name in ("number", "attributes"):
        np.testing.assert_array_equal(cached[name], streamed[name])


def faces(folder, rows: str) -> str:
    """Writes a folder of images with metadata.csv.

    Args:
        folder: The folder.
        rows: The header, and a line for each image, without file names; separated by spaces.
    """
    header, *lines = rows.split()
    for index in range(len(lines)):
        Image.fromarray(np.full((8, 8, 3), 20 * index, np.uint8)).save(folder / f"{index}.png")
    named = [f"{index}.png,{line}" for index, line in enumerate(lines)]
    (folder / "metadata.csv").write_text("\n".join([f"file_name,{header}", *named]))
    return str(folder)


MIXED = "smiling,age,young 1,20,0 -1,31,1 1,44,0 -1,20,1"
FOUR = {"image_shape": (8, 8, 3), "batch_size": 4, "shuffle": False}


def test_minus_one_becomes_zero_with_one_note(tmp_path, caplog):
    source = faces(tmp_path, MIXED)
    loaded = data.load(source, attributes=["smiling", "young"], **FOUR)
    data.load(source, attributes=["smiling", "young"], report=False, **FOUR)
    np.testing.assert_array_equal(next(iter(loaded))["attributes"], [[1, 0], [0, 1], [1, 0], [0, 1]])
    assert caplog.messages == [f"{source}: smiling: attributes of -1 and 1 are read as 0 and 1."]
    # a slice in which all values are equal, perhaps -1
    single = data.load(source, "train[:1]", attributes=["smiling"], **FOUR)
    assert next(iter(single))["attributes"].numpy().tolist() in ([[0.0]], [[1.0]])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (MIXED, "received 'age' with 20 and 31 and 44: choose among smiling, young .*or convert the column to 0 and 1"),
        ("age .5 1 0 0", "'age' with 0 and 0.5 and 1"),
        ("age -1 1 0 0", "'age' with -1 and 0 and 1"),
        ("age 1 2 3 4 5 6", "'age' with 6 values from 1 to 6"),
    ],
)
def test_other_values_raise_an_error(tmp_path, rows, message):
    source = faces(tmp_path, rows)
    with pytest.raises(ValueError, match=f"Expected 0 and 1 .or -1 and 1. .*{message}"):
        data.load(source, attributes=["age"], **FOUR)
    assert data.load(source, **FOUR).info.attribute_names  # loaded as it is if nothing needs binary values


def test_attributes_of_an_array_file(tmp_path):
    arrays = {"x": np.zeros((4, 8, 8, 3), np.uint8), "attribute_names": ["a", "b"], "label_names": ["one", "two"]}
    np.savez(tmp_path / "set.npz", attributes=[[1, 7], [-1, 8], [1, 9], [-1, 7]], y=[1, 2, 1, 2], **arrays)
    batch = next(iter(data.load(tmp_path / "set.npz", attributes=["a"], **FOUR)))
    np.testing.assert_array_equal(batch["attributes"], [[1], [0], [1], [0]])
    with pytest.raises(ValueError, match="'b' with 7 and 8 and 9"):
        data.load(tmp_path / "set.npz", attributes=["b"], **FOUR)
    with pytest.raises(ValueError, match="classes from 0 to 1 in 'label', which has 2 names; received 1 to 2"):
        data.load(tmp_path / "set.npz", attributes=["label"], **FOUR)


def test_constant_attributes_are_reported_for_training_data(tmp_path, caplog):
    source = faces(tmp_path, "young,old 0,0 0,1 0,0 0,1")
    data.load(source, attributes=["young", "old"], **FOUR)
    assert not caplog.messages
    training = data.load(source, attributes=["young", "old"], **FOUR | {"shuffle": True})
    assert training.info.notes == ("young: the same in all 4 images of this split, so it cannot be learned.",)
    assert caplog.messages == [f"{source}: {training.info.notes[0]}"]


class VectorStream:
    """A stream of attribute vectors."""

    mapping = {"attributes": ("attributes", "vector")}

    def decode(self, record):
        return {"attributes": record}


def test_values_of_a_stream_are_checked_when_they_are_read():
    table = Table({}, {}, {"attributes": ("a", "b")}, "", stream=VectorStream(), count=1)
    decode = choose_attributes(table, ["b"]).stream.decode
    np.testing.assert_array_equal(decode(tf.constant([7.0, -1.0]))["attributes"], [0])
    np.testing.assert_array_equal(decode(tf.constant([7.0, 1.0]))["attributes"], [1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected 0 and 1 .* in the attributes b"):
        decode(tf.constant([1.0, 0.5]))
