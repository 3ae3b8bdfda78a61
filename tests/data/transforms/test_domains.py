"""Two domains from two sources, two classes, or the splits of a TFDS dataset; labels stay with their images."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_gen import data
from keras_gen.data.transforms.domains import has_domains, joined_splits, split_of

OPTIONS = {"image_shape": (4, 4, 1), "batch_size": 3, "shuffle": True}


def save(file, count: int, first: int, **columns):
    """Writes images that are identified by their first pixel: first, first + 1, ... of 255."""
    images = np.zeros((count, 4, 4, 1), np.uint8)
    images[:, 0, 0, 0] = first + np.arange(count)
    images[:, 3, 3] = 255  # images with a maximum of at most 31 would be rejected as too dark
    np.savez(file, image=images, **columns)
    return file


def number(images) -> list[int]:
    return np.rint(np.asarray(images)[:, 0, 0, 0] * 255).astype(int).tolist()


@pytest.fixture
def two_files(tmp_path):
    a = save(tmp_path / "a.npz", 5, 10, label=np.arange(5) % 2)
    b = save(tmp_path / "b.npz", 9, 100, label=np.arange(9))
    return f"{a},{b}"


def test_two_sources_give_two_domains_with_their_labels(two_files):
    loaded = data.load(two_files, **OPTIONS)
    assert loaded.info.num_examples == 9  # one pass over the larger source, while the smaller one repeats
    numbers = {"a": [], "b": []}
    for batch in loaded:
        assert set(batch) == {"domain_a", "domain_b", "label_a", "label_b"}
        a, b = number(batch["domain_a"]), number(batch["domain_b"])
        np.testing.assert_array_equal(batch["label_a"], [(each - 10) % 2 for each in a])
        np.testing.assert_array_equal(batch["label_b"], [each - 100 for each in b])
        numbers["a"] += a
        numbers["b"] += b
    assert sorted(numbers["b"]) == list(range(100, 109))
    assert set(numbers["a"]) == set(range(10, 15)) and len(numbers["a"]) == 9


def test_two_sources_are_described_and_sliced_together(two_files):
    description = data.describe(two_files)
    assert description.kind == "pair" and description.splits == {"train": 9} and description.smaller == {"train": 5}
    assert description.image_shape == (4, 4, 1) and {"domain_a", "domain_b", "label_a", "label_b"} == set(
        description.fields
    )
    # rows of a fixed random choice, in the order of the file
    batch = next(iter(data.load(two_files, "train[80%:]", **{**OPTIONS, "shuffle": False})))
    assert number(batch["domain_a"]) == [13, 13] and number(batch["domain_b"]) == [103, 105]


def test_two_classes_of_one_dataset(tmp_path):
    file = save(tmp_path / "c.npz", 9, 0, label=np.arange(9) % 3)
    batches = list(data.load(file, domains=(2, 0), **OPTIONS))
    assert {n % 3 for batch in batches for n in number(batch["domain_a"])} == {2}
    assert {n % 3 for batch in batches for n in number(batch["domain_b"])} == {0}


def test_shapes_by_texture(tfds_dir):
    options = {"image_shape": (16, 16, 3), "batch_size": 50, "domains": ("plain", "striped"), "domain_field": "texture"}
    batch = next(iter(data.load("shapes/tiny", data_dir=tfds_dir, **options)))
    plain, striped = (np.asarray(batch[name]) for name in ("domain_a", "domain_b"))
    assert plain.shape == striped.shape == (50, 16, 16, 3)
    # stripes have a second color, so neighboring pixels differ more
    roughness = [np.abs(np.diff(images, axis=1)).mean() for images in (plain, striped)]
    assert roughness[1] > 1.2 * roughness[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domains": (0, 0)}, "two different classes"),
        ({"domains": "01"}, "two different classes"),
        ({"domains": (0, 7)}, "no image of the class 7"),
        ({"domains": (0, "seven")}, "classes of 'label' among integers; received 'seven'"),
        ({"domains": (0, 1), "domain_field": "color"}, "a field of classes, one of label; received 'color'"),
    ],
)
def test_invalid_options(tmp_path, options, message):
    file = save(tmp_path / "c.npz", 9, 0, label=np.arange(9) % 3)
    with pytest.raises(ValueError, match=message):
        data.load(file, **options, **OPTIONS)


def test_splits_of_tfds_domains():
    splits = {"trainA": 3, "trainB": 5, "testA": 2, "testB": 1}
    assert has_domains(splits) and not has_domains({"train": 3, "test": 2})
    assert joined_splits(splits, max) == {"train": 5, "test": 2} and joined_splits(splits, min)["train"] == 3
    assert split_of("train[:10%]+test", "A") == "trainA[:10%]+testA"


class TwoDomainsTestSet(tfds.core.GeneratorBasedBuilder):
    """Splits and features as those of TFDS's `cycle_gan` sets."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(shape=(4, 4, 1)), "label": tfds.features.ClassLabel(names=["A", "B"])}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        counts = {"trainA": 3, "trainB": 5, "testA": 2, "testB": 1}
        return {name: self._generate_examples(name, count) for name, count in counts.items()}

    def _generate_examples(self, name, count):
        for index in range(count):
            yield index, {"image": np.full((4, 4, 1), 10 * ("B" in name) + index, np.uint8), "label": name[-1]}


def test_a_tfds_dataset_of_two_domains(tmp_path):
    TwoDomainsTestSet(data_dir=str(tmp_path)).download_and_prepare()
    options = {"data_dir": tmp_path, "download": False}
    description = data.describe("two_domains_test_set", data_dir=tmp_path)
    assert description.splits == {"train": 5, "test": 2} and description.smaller == {"train": 3, "test": 1}
    assert {"domain_a", "domain_b"} <= set(description.fields)
    batches = list(data.load("two_domains_test_set", "train", **options, **OPTIONS))
    a, b = ([n for batch in batches for n in number(batch[name])] for name in ("domain_a", "domain_b"))
    assert sorted(b) == [10, 11, 12, 13, 14] and set(a) == {0, 1, 2} and len(a) == 5
    assert {int(label) for batch in batches for label in batch["label_b"]} == {1}
