"""Captions of TFDS datasets: several per image, or in a separate file."""

import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_gen import data
from keras_gen.data.info import Table
from keras_gen.data.transforms.caption_file import add_captions

OPTIONS = {"image_shape": (4, 4, 3), "batch_size": 6, "shuffle": False}


class FlowersTestSet(tfds.core.GeneratorBasedBuilder):
    """Images with names, as `oxford_flowers102` has them."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        image, name = tfds.features.Image(shape=(None, None, 3)), tfds.features.Text()
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict({"image": image, "file_name": name})
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for index in range(6):
            yield index, {"image": np.full((4, 4, 3), index, np.uint8), "file_name": f"image_{index}.jpg"}


class SeveralCaptionsTestSet(FlowersTestSet):
    """Images with several captions, as `coco_captions` has them."""

    def _info(self):
        captions = tfds.features.Sequence({"id": np.int64, "text": tfds.features.Text()})
        image = tfds.features.Image(shape=(None, None, 3))
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict({"image": image, "captions": captions})
        )

    def _generate_examples(self):
        for index in range(6):
            texts = [{"id": 10 * index + k, "text": f"image {index}, text {k}"} for k in range(1 + index % 3)]
            yield index, {"image": np.full((4, 4, 3), index, np.uint8), "captions": texts}


def numbers(batch) -> list[int]:
    return np.rint(np.asarray(batch["image"])[:, 0, 0, 0] * 255).astype(int).tolist()


@pytest.mark.parametrize("cache", ["memory", None])
def test_first_of_several_captions_is_used(tmp_path, cache):
    SeveralCaptionsTestSet(data_dir=str(tmp_path)).download_and_prepare()
    assert "caption" in data.describe("several_captions_test_set", data_dir=tmp_path).fields
    batch = next(iter(data.load("several_captions_test_set", data_dir=tmp_path, cache=cache, **OPTIONS)))
    assert batch["caption"].numpy().tolist() == [f"image {index}, text 0".encode() for index in numbers(batch)]
    tokens = {"vocabulary": ["image", "text"], "length": 2}
    options = {"data_dir": tmp_path, "cache": cache, "tokens": tokens, **OPTIONS}
    np.testing.assert_array_equal(next(iter(data.load("several_captions_test_set", **options)))["tokens"], [[2, 1]] * 6)


@pytest.mark.parametrize("cache", ["memory", None])
def test_captions_from_a_file(tmp_path, cache):
    FlowersTestSet(data_dir=str(tmp_path)).download_and_prepare()
    file = tmp_path / "captions.csv"
    rows = [f"image_{index}.jpg,flower number {index}" for index in reversed(range(7))]
    file.write_text("file_name,caption\n" + "\n".join(rows))
    options = {"data_dir": tmp_path, "cache": cache, **OPTIONS}
    batch = next(iter(data.load("flowers_test_set", captions=file, **options)))
    assert batch["caption"].numpy().tolist() == [f"flower number {index}".encode() for index in numbers(batch)]
    file.write_text("file_name,caption\n" + "\n".join(rows[:-1]))
    with pytest.raises(Exception, match="Expected a caption of the image 'image_0.jpg'"):
        next(iter(data.load("flowers_test_set", captions=file, **options)))


def test_hostile_caption_files_are_refused(tmp_path):
    table = Table({}, {"file_name": np.array([b"a.png"], object)}, {}, "")
    (tmp_path / "up.csv").write_text("file_name,caption\n../a.png,a flower\n")
    with pytest.raises(ValueError, match=r"up.csv: the file_name '../a.png' leads out of"):
        add_captions(table, tmp_path / "up.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ValueError, match="pipe.csv cannot be read: expected a regular file; received a named pipe"):
        add_captions(table, tmp_path / "pipe.csv")


def test_datasets_without_file_names_are_refused(tfds_dir, tmp_path):
    (tmp_path / "captions.csv").write_text("file_name,caption\na.png,a flower\n")
    with pytest.raises(ValueError, match="a source with `file_name` for captions; received the fields"):
        data.load("data_test_set", captions=tmp_path / "captions.csv", data_dir=tfds_dir, **OPTIONS)
