"""A loaded dataset receives the epoch number even through further `tf.data` operations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import data
from keras_gen.data.pipeline.epochs import loaded_in
from keras_gen.models import GenerativeModel
from tests.replicas import two_replicas

COUNT, BATCH = 24, 4


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Images whose pixels are all equal to the image's index."""
    file = tmp_path_factory.mktemp("epochs") / "set.npz"
    np.savez(file, image=np.broadcast_to(np.arange(COUNT, dtype=np.uint8)[:, None, None, None], (COUNT, 4, 4, 1)))
    return file


@pytest.fixture
def load(source):
    return lambda **options: data.load(source, image_shape=(4, 4, 1), batch_size=BATCH, value_range=(0, 255), **options)


# common operations on a dataset; each of them returns batches of images
OPERATIONS = {
    "map": lambda loaded: loaded.map(lambda batch: {"image": batch["image"]}),
    "take": lambda loaded: loaded.take(3),
    "skip": lambda loaded: loaded.skip(2),
    "repeat once": lambda loaded: loaded.repeat(1),
    "prefetch": lambda loaded: loaded.prefetch(tf.data.AUTOTUNE),
    "filter": lambda loaded: loaded.filter(lambda batch: True),
    "unbatch and batch": lambda loaded: loaded.unbatch().batch(6),
    "rebatch": lambda loaded: loaded.rebatch(6),
    "concatenate": lambda loaded: loaded.concatenate(tf.data.Dataset.from_tensors({"image": tf.zeros([4, 4, 4, 1])})),
    "enumerate": lambda loaded: loaded.enumerate().map(lambda number, batch: batch),
    "zip": lambda loaded: tf.data.Dataset.zip(loaded, tf.data.Dataset.range(9)).map(lambda batch, number: batch),
    "shard": lambda loaded: loaded.shard(2, 0),
    "options": lambda loaded: loaded.with_options(tf.data.Options()),
    "scan": lambda loaded: loaded.scan(0, lambda state, batch: (state, batch)),
    "choose": lambda loaded: tf.data.Dataset.choose_from_datasets([loaded], tf.data.Dataset.range(1).repeat(6)),
    "interleave": lambda loaded: tf.data.Dataset.range(1).interleave(lambda _: loaded),
    "flat_map": lambda loaded: tf.data.Dataset.range(1).flat_map(lambda _: loaded).map(lambda batch: batch),
}


class RecordingModel(GenerativeModel):
    """A model that trains nothing and records the indices of the images in each step."""

    def __init__(self):
        super().__init__(seed=0)
        self.image_shape, self.recorded, self.gain = (4, 4, 1), [], self.add_weight(shape=(), name="gain")
        self.compile(keras.optimizers.SGD(0.0), run_eagerly=True)

    def losses_of(self, batch, batch_noise, global_batch, training):
        numbers = tf.reduce_mean(tf.cast(batch["image"], tf.float32), axis=[1, 2, 3])
        self.recorded.append(np.rint(255 * numbers.numpy()).astype(int).tolist())
        return self.gain * numbers, {}


def numbers_of(dataset) -> list[list[int]]:
    return [np.rint(255 * batch["image"].numpy()[:, 0, 0, 0]).astype(int).tolist() for batch in dataset]


@pytest.mark.parametrize("name", OPERATIONS)
def test_order_changes_from_epoch_to_epoch(load, name):
    transformed, model = OPERATIONS[name](load()), RecordingModel()
    if transformed.cardinality() < 0:  # Keras warns about an unknown cardinality
        transformed = transformed.apply(tf.data.experimental.assert_cardinality(len(list(transformed))))
    model.fit(transformed, epochs=2, verbose=0)
    epochs = np.array_split(np.array(model.recorded, object), 2)
    expected = []
    for epoch in (0, 1):  # the same epochs of a separate dataset
        separate = load()
        separate.epoch.assign(epoch)
        expected.append(numbers_of(OPERATIONS[name](separate)))
    assert expected[0] != expected[1]
    assert [list(map(list, each)) for each in epochs] == expected


def test_two_zipped_datasets_receive_the_epoch(load):
    first, second = load(), load(seed=1)
    pairs = tf.data.Dataset.zip(first, second).map(lambda one, other: one).prefetch(2)
    assert loaded_in(pairs) == [first, second]
    assert loaded_in(tf.data.Dataset.zip(first, first)) == [first]
    RecordingModel().fit(pairs, epochs=3, verbose=0)
    assert (int(first.epoch), int(second.epoch)) == (2, 2)


def test_distributed_datasets_are_found(load):
    loaded, strategy = load(), two_replicas()
    assert loaded_in(strategy.experimental_distribute_dataset(loaded.map(lambda batch: batch))) == [loaded]
    from_function = strategy.distribute_datasets_from_function(lambda context: loaded.prefetch(1))
    assert loaded_in(from_function) == [loaded]


def test_multi_resolution_data_is_found_below_operations(load):
    multi_resolution = data.multi_resolution([load(steps=2), load(steps=2)])
    result = loaded_in(multi_resolution.map(lambda batch: batch).prefetch(1))
    assert result == [multi_resolution] and result[0].stage is multi_resolution.stage
    result[0].epoch.assign(3)
    assert [int(variable) for variable in multi_resolution.epoch.variables] == [3, 3]


def test_other_data_contains_no_loaded_dataset():
    for source in (np.zeros(3), None, tf.data.Dataset.range(3).repeat().cache(), (number for number in range(3))):
        assert loaded_in(source) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda loaded: loaded.repeat(), r"repeat\(\)"),
        (lambda loaded: loaded.map(lambda batch: batch).repeat(2).prefetch(1), r"repeat\(\)"),
        (lambda loaded: loaded.cache().map(lambda batch: batch), r"cache\(\)"),
        (lambda loaded: (batch for batch in loaded), "a Python generator"),
    ],
)
def test_operations_that_repeat_one_epoch_are_refused(load, change, message):
    with pytest.raises(ValueError, match=rf"load below {message}.*load\(steps=N\)"):
        RecordingModel().fit(change(load()), steps_per_epoch=3, epochs=2, verbose=0)


def test_steps_per_epoch_is_refused(load):
    with pytest.raises(ValueError, match=r"load below steps_per_epoch=3.*load\(steps=N\)"):
        RecordingModel().fit(load().prefetch(1), steps_per_epoch=3, epochs=2, verbose=0)
