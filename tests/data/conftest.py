import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_gen.data.shapes.source import shapes_builder

COUNT = 90


def picture(index: int) -> np.ndarray:
    """A 12x16 picture whose pixel values are its index."""
    return np.full((12, 16, 3), index, np.uint8)


class DataTestSet(tfds.core.GeneratorBasedBuilder):
    """Every kind of feature, in several files."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                    "label": tfds.features.ClassLabel(names=["even", "odd"]),
                    "attributes": {"young": np.bool_, "bald": np.bool_},
                    "number": np.int64,
                    "caption": tfds.features.Text(),
                    "box": tfds.features.BBoxFeature(),
                    "many": tfds.features.Sequence(np.int64),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(0, COUNT), "test": self._generate_examples(COUNT, 10)}

    def _generate_examples(self, start, count):
        for i in range(start, start + count):
            yield (
                i,
                {
                    "image": picture(i),
                    "label": i % 2,
                    "attributes": {"young": i % 3 == 0, "bald": i % 5 == 0},
                    "number": i,
                    "caption": f"number {i}",
                    "box": tfds.features.BBox(0.0, 0.0, 0.5, 0.5),
                    "many": list(range(i % 3)),
                },
            )


@pytest.fixture(scope="session")
def tfds_dir(tmp_path_factory):
    """A TFDS directory with `shapes/tiny` and `data_test_set`."""
    folder = tmp_path_factory.mktemp("tfds")
    builder = DataTestSet(data_dir=str(folder))
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=3))
    shapes_builder("shapes/tiny", folder)
    return folder
