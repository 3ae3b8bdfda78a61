"""The vector of chosen attributes: one-hot groups and single entries, in the order in which they were chosen."""

import numpy as np
import pytest

from keras_gen import data
from keras_gen.data.attributes import attribute_groups

NAMES = {"label": ("cat", "dog", "fox"), "attributes": ("small", "tame")}


def test_groups():
    assert attribute_groups(NAMES, ["tame", "label"]) == ((1, 3), ("tame", "cat", "dog", "fox"))


@pytest.mark.parametrize("chosen", [[], "label", ["label", "label"], ["wild"], ["attributes"]])
def test_refused(chosen):
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
    from PIL import Image

    rows = ["file_name,small,tame"]
    for index in range(4):
        Image.fromarray(np.full((8, 8, 3), index, np.uint8)).save(tmp_path / f"{index}.png")
        rows.append(f"{index}.png,{index % 2},{index // 2}")
    (tmp_path / "metadata.csv").write_text("\n".join(rows))
    options = {"image_shape": (8, 8, 3), "batch_size": 4, "shuffle": False}
    batch = next(iter(data.load(tmp_path, attributes=["tame"], **options)))
    np.testing.assert_array_equal(batch["attributes"], [[0], [0], [1], [1]])


def test_of_a_stream_as_of_a_held_set(tfds_dir):
    chosen = ["young", "label"]
    options = {"image_shape": (6, 8, 3), "batch_size": 10, "shuffle": False, "attributes": chosen, "data_dir": tfds_dir}
    held, streamed = (next(iter(data.load("data_test_set", cache=cache, **options))) for cache in ("memory", None))
    number = np.asarray(held["number"])
    np.testing.assert_array_equal(held["attributes"], np.stack([number % 3 == 0, number % 2 == 0, number % 2 == 1], -1))
    for name in ("number", "attributes"):
        np.testing.assert_array_equal(held[name], streamed[name])
