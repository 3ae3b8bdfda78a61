import numpy as np
import pytest

from keras_gen import data
from keras_gen.data.transforms.labeled_subset import choose_balanced

LABEL = np.repeat(np.arange(3), [50, 30, 20]).astype(np.int32)


@pytest.fixture
def file(tmp_path):
    """Images whose first pixel is the index and whose second is the label."""
    images = np.zeros((100, 4, 4, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = np.arange(100), LABEL
    np.savez(tmp_path / "set.npz", image=images, label=LABEL)
    return tmp_path / "set.npz"


def batches(file, epoch=0, **options):
    loaded = data.load(file, "train", image_shape=(4, 4, 1), batch_size=20, labeled=12, seed=3, **options)
    loaded.epoch.assign(epoch)
    return loaded, list(loaded.as_numpy_iterator())


def test_labeled_subset_is_class_balanced():
    for count, expected in ((3, [1, 1, 1]), (12, [4, 4, 4]), (70, [25, 25, 20]), (500, [50, 30, 20])):
        chosen = choose_balanced(LABEL, count, seed=0)
        assert len(set(chosen)) == len(chosen) == sum(expected)
        np.testing.assert_array_equal(np.bincount(LABEL[chosen]), expected)
    uneven = np.bincount(LABEL[choose_balanced(LABEL, 11, seed=0)])
    assert sorted(uneven) == [3, 4, 4]
    np.testing.assert_array_equal(choose_balanced(LABEL, 12, 5), choose_balanced(LABEL, 12, 5))
    assert (choose_balanced(LABEL, 12, 5) != choose_balanced(LABEL, 12, 6)).any()


def test_labeled_subset_is_fixed_and_its_order_changes(file):
    loaded, first = batches(file)
    _, second = batches(file, epoch=1)
    assert set(loaded.info.fields) == {"image", "label", "labeled_image", "labeled_label"}
    indices = []
    for epoch in (first, second):
        images = np.concatenate([batch["labeled_image"] for batch in epoch])
        labels = np.concatenate([batch["labeled_label"] for batch in epoch])
        assert len(images) == 100
        pixels = np.rint(255 * images[:, 0, :2, 0]).astype(int)
        np.testing.assert_array_equal(pixels[:, 1], labels)  # an image keeps its own label
        indices.append(pixels[:, 0])
    assert set(indices[0]) == set(indices[1]) == set(choose_balanced(LABEL, 12, 3))
    assert (indices[0] != indices[1]).any()
    for start in range(0, 96, 12):  # each pass shows each example once
        assert len(set(indices[0][start : start + 12])) == 12
    # the unlabeled stream does not depend on the labeled subset
    plain = data.load(file, "train", image_shape=(4, 4, 1), batch_size=20, seed=3)
    for batch, other in zip(first, plain.as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(batch["image"], other["image"])
        np.testing.assert_array_equal(batch["label"], other["label"])


def test_workers_share_the_labeled_subset(file):
    _, full = batches(file)
    parts = [batches(file, num_shards=2, shard_index=index)[1] for index in (0, 1)]
    for field in ("labeled_image", "labeled_label"):
        rows = np.concatenate([batch[field] for batch in full])
        for index, part in enumerate(parts):
            np.testing.assert_array_equal(np.concatenate([batch[field] for batch in part]), rows[index::2])


def test_errors(file, tmp_path):
    np.save(tmp_path / "bare.npy", np.zeros((10, 4, 4, 1), np.uint8))
    with pytest.raises(ValueError, match="a source with an integer label for labeled; received the columns none"):
        data.load(tmp_path / "bare.npy", image_shape=(4, 4, 1), batch_size=5, labeled=3)
    with pytest.raises(ValueError, match="labeled as a positive number of examples; received 0"):
        data.load(file, image_shape=(4, 4, 1), batch_size=5, labeled=0)
