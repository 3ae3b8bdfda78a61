"""Datasets whose image size and batch size depend on the stage."""

import numpy as np
import pytest

from keras_gen import data
from tests.replicas import two_replicas


@pytest.fixture
def multi_resolution(tmp_path):
    images = np.arange(12 * 8 * 8, dtype=np.uint8).reshape(12, 8, 8, 1)
    np.savez(tmp_path / "toy.npz", image=images)

    def load(size, batch_size, steps=3):
        return data.load(tmp_path / "toy.npz", image_shape=(size, size, 1), batch_size=batch_size, steps=steps)

    return load, data.multi_resolution([load(4, 4), load(8, 2)])


def shapes(dataset):
    return [tuple(batch["image"].shape) for batch in dataset]


def test_stage_selects_image_and_batch_size(multi_resolution):
    _, dataset = multi_resolution
    assert shapes(dataset) == [(4, 4, 4, 1)] * 3 and int(dataset.cardinality()) == 3
    dataset.stage.assign(1)
    assert shapes(dataset) == [(2, 8, 8, 1)] * 3
    assert dataset.info.image_shape == (8, 8, 1)


def test_epoch_determines_the_order_in_every_stage(multi_resolution):
    load, dataset = multi_resolution
    separate = load(8, 2)
    dataset.stage.assign(1)
    for epoch in (0, 3):
        dataset.epoch.assign(epoch)
        separate.epoch.assign(epoch)
        for batch, expected in zip(dataset, separate, strict=True):
            np.testing.assert_array_equal(batch["image"], expected["image"])


def test_two_replicas_share_the_batches(multi_resolution):
    _, dataset = multi_resolution
    strategy = two_replicas()
    distributed = strategy.experimental_distribute_dataset(dataset)
    for stage, rows in ((0, 2), (1, 1)):
        dataset.stage.assign(stage)
        for batch in distributed:
            assert [part.shape[0] for part in strategy.experimental_local_results(batch["image"])] == [rows, rows]


def test_stages_of_different_lengths_are_refused(multi_resolution):
    load, _ = multi_resolution
    with pytest.raises(ValueError, match=r"received \[3, 4\]"):
        data.multi_resolution([load(4, 4), load(8, 2, steps=4)])
