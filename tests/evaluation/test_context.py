import numpy as np
import pytest

from keras_gen import data
from keras_gen.evaluation.context import gather

from .toys import blobs


@pytest.fixture
def dataset(tmp_path):
    images, labels = blobs(50, seed=0)
    np.savez(tmp_path / "a.npz", x=images, y=labels, number=np.arange(50))
    return data.load(tmp_path / "a.npz", image_shape=(8, 8, 1), batch_size=8, shuffle=False)


def test_a_whole_dataset_keeps_its_order(dataset):
    batch = gather(dataset, None, seed=0)
    np.testing.assert_array_equal(batch["number"], np.arange(50))
    np.testing.assert_array_equal(batch["image"], blobs(50, seed=0)[0] / np.float32(255))
    np.testing.assert_array_equal(gather(dataset, 1000, seed=0)["number"], np.arange(50))


def test_seed_chooses_examples(dataset):
    numbers = gather(dataset, 20, seed=0)["number"]
    assert len(set(numbers.tolist())) == 20 and list(numbers) == sorted(numbers)
    np.testing.assert_array_equal(numbers, gather(dataset, 20, seed=0)["number"])
    assert set(numbers.tolist()) != set(gather(dataset, 20, seed=1)["number"].tolist())
    assert numbers.max() > 30  # not the first examples


def test_columns_keep_their_rows(dataset):
    batch = gather(dataset, 20, seed=0)
    images, labels = blobs(50, seed=0)
    np.testing.assert_array_equal(batch["label"], labels[batch["number"]])
    np.testing.assert_array_equal(batch["image"], images[batch["number"]] / np.float32(255))
