"""Two merged datasets with different labels: images from both, known attributes, and each image's dataset."""

import numpy as np
import pytest
from PIL import Image

from keras_gen import data
from keras_gen.data.transforms.merge_attribute_sets import merged_groups

ANIMALS = {"label": ("cat", "dog")}
TRAITS = {"attributes": ("small", "tame")}
OPTIONS = {"image_shape": (8, 8, 3), "batch_size": 7, "shuffle": False}


@pytest.fixture
def sources(tmp_path):
    """Class folders (three images, dark) and a folder with attributes (four, bright)."""
    for index, label in enumerate(("cat", "dog", "dog")):
        folder = tmp_path / "animals" / label
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), index, np.uint8)).save(folder / f"{index}.png")
    rows = ["file_name,small,tame"]
    for index in range(4):
        (tmp_path / "traits").mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 200 + index, np.uint8)).save(tmp_path / "traits" / f"{index}.png")
        rows.append(f"{index}.png,{index % 2},{index // 2}")
    (tmp_path / "traits" / "metadata.csv").write_text("\n".join(rows))
    return f"{tmp_path / 'animals'},{tmp_path / 'traits'}"


def test_groups_of_the_first_dataset_come_first():
    result = merged_groups([ANIMALS, TRAITS], ["tame", "label", "small"])
    assert result == ((2, 1, 1), (0, 1, 1), ("cat", "dog", "tame", "small"))


def test_a_field_of_both_datasets_gives_two_groups():
    result = merged_groups([ANIMALS, {"label": ("day", "night")}], ["label"])
    assert result == ((2, 2), (0, 1), ("cat", "dog", "day", "night"))


@pytest.mark.parametrize(
    ("names", "chosen", "message"),
    [
        ([ANIMALS, TRAITS], ["label", "wild"], "fields label and the attributes small, tame; received 'wild'"),
        ([ANIMALS, TRAITS], ["label"], "received none of dataset 2 in label"),
        ([ANIMALS, ANIMALS], ["label"], "unique attributes; received cat, dog in both"),
    ],
)
def test_invalid_names(names, chosen, message):
    with pytest.raises(ValueError, match=message):
        merged_groups(names, chosen)


@pytest.mark.parametrize("cache", ["memory", "disk", None])
def test_each_image_has_the_attributes_of_its_dataset(sources, cache, tmp_path):
    loaded = data.load(sources, attributes=["label", "tame"], cache=cache, data_dir=tmp_path / "store", **OPTIONS)
    batch = {name: np.asarray(value) for name, value in next(iter(loaded)).items()}
    np.testing.assert_array_equal(batch["dataset"], [0, 0, 0, 1, 1, 1, 1])
    expected = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1]]
    np.testing.assert_array_equal(batch["attributes"], expected)
    np.testing.assert_allclose(batch["image"][:, 0, 0, 0] * 255, [0, 1, 2, 200, 201, 202, 203], atol=1e-4)
    assert loaded.info.attribute_names == ("cat", "dog", "tame") and loaded.info.num_examples == 7


def test_bytes_and_floats_are_scaled_to_the_same_range(tmp_path):
    for name, pixels in (("bytes", np.full((2, 8, 8, 3), 51, np.uint8)), ("floats", np.full((2, 8, 8, 3), 0.2, "f4"))):
        names = np.array([f"{name}_a", f"{name}_b"])
        np.savez(tmp_path / f"{name}.npz", image=pixels, label=np.array([0, 1]), label_names=names)
    batch = next(iter(data.load(f"{tmp_path}/bytes.npz,{tmp_path}/floats.npz", attributes=["label"], **OPTIONS)))
    np.testing.assert_allclose(batch["image"], 0.2, atol=1e-6)
    np.testing.assert_array_equal(batch["attributes"], np.eye(4))


def test_labels_without_names_raise_an_error(tmp_path):
    for name in "ab":
        np.savez(tmp_path / f"{name}.npz", image=np.zeros((2, 8, 8, 3), np.uint8), label=np.array([0, 1]))
    with pytest.raises(ValueError, match="received 'label'"):
        data.load(f"{tmp_path}/a.npz,{tmp_path}/b.npz", attributes=["label"], **OPTIONS)
