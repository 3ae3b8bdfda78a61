import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_gen.data.resize import Resize
from keras_gen.data.shapes.captions import caption_shapes
from keras_gen.data.shapes.factors import FACTORS, HELD_OUT, Factors
from keras_gen.data.shapes.renderer import render_shapes
from keras_gen.data.shapes.source import describe_shapes, read_shapes, split_sizes
from keras_gen.data.shapes.splits import FIXED, SIZES, draw_split

RESIZE = Resize((64, 64, 3))


def pixels(table):
    images = table.images["image"]
    return np.stack([images.read(i) for i in range(images.count)])


def test_stored_pictures_can_be_rendered_from_their_columns(tfds_dir):
    table = read_shapes("shapes/tiny", "test", RESIZE, tfds_dir)
    factors = Factors.from_batch(table.columns)
    np.testing.assert_array_equal(pixels(table), render_shapes(factors))
    np.testing.assert_array_equal(table.columns["attributes"], factors.attributes())
    np.testing.assert_array_equal(table.columns["label"], factors.shape)
    factors_of_split, forms = draw_split("test")
    expected = sorted(text.encode() for text in caption_shapes(factors_of_split[:200], forms[:200]))
    assert sorted(table.columns["caption"]) == expected
    assert np.bincount(forms, minlength=4).min() > 400  # 500 of each form among 2,000


@pytest.mark.parametrize("config", FIXED)
def test_configurations_fix_some_factors(config, tmp_path, monkeypatch):
    monkeypatch.setitem(SIZES, config, {"train": 20, "test": 10})
    table = read_shapes(f"shapes/{config}", "train", RESIZE, tmp_path)
    factors = Factors.from_batch(table.columns)
    for factor, name in FIXED[config].items():
        assert {FACTORS[factor][i] for i in getattr(factors, factor)} == {name}
        assert f"{factor} {name}" in describe_shapes(f"shapes/{config}")["about"]
    np.testing.assert_array_equal(pixels(table), render_shapes(factors))
    full = draw_split("train")[0][:20]
    assert sorted(zip(factors.shape, factors.color, strict=True)) == sorted(zip(full.shape, full.color, strict=True))


def test_splits_hold_out_combinations(tfds_dir):
    held_out = {(FACTORS["shape"].index(shape), FACTORS["color"].index(color)) for shape, color in HELD_OUT}
    sizes = split_sizes("shapes/tiny")
    pairs = {}
    for split in ("test", "test_seen", "test_unseen"):
        table = read_shapes("shapes/tiny", split, RESIZE, tfds_dir)
        pairs[split] = list(zip(table.columns["shape"].tolist(), table.columns["color"].tolist(), strict=True))
        assert len(pairs[split]) == sizes[split]
    assert set(pairs["test_unseen"]) <= held_out and not set(pairs["test_seen"]) & held_out
    assert sorted(pairs["test_seen"] + pairs["test_unseen"]) == sorted(pairs["test"])


def test_slices_and_concatenated_splits(tfds_dir):
    captions = {
        split: read_shapes("shapes/tiny", split, RESIZE, tfds_dir).columns["caption"].tolist()
        for split in ("test", "test[:-50]", "test[-50:]", "test_seen[:5]+test_unseen[:5]")
    }
    assert captions["test[:-50]"] + captions["test[-50:]"] == captions["test"]
    assert len(captions["test_seen[:5]+test_unseen[:5]"]) == 10
    with pytest.raises(ValueError, match="no split 'validation'. Known splits: train .600., test .200., train_seen"):
        read_shapes("shapes/tiny", "validation", RESIZE, tfds_dir)


def test_split_sizes_and_train_and_test_share_no_picture():
    sizes = describe_shapes("shapes")["splits"]
    assert sizes["train"] == 20_000 and sizes["test"] == 2_000
    assert sizes["train_seen"] + sizes["train_unseen"] == 20_000
    train, test = draw_split("train")[0], draw_split("test")[0]
    assert not set(zip(train.x, train.y, train.shade, strict=True)) & set(zip(test.x, test.y, test.shade, strict=True))


def test_tfds_loads_the_dataset_and_images_are_resized(tfds_dir):

    example = next(iter(tfds.load("shapes/tiny", split="test", data_dir=str(tfds_dir)).as_numpy_iterator()))
    assert example["image"].shape == (64, 64, 3) and example["caption"].startswith((b"a ", b"at ", b"in "))
    assert pixels(read_shapes("shapes/tiny", "test[:2]", Resize((16, 16, 1)), tfds_dir)).shape == (2, 16, 16, 1)


def test_unknown_size(tfds_dir):
    with pytest.raises(
        ValueError, match="Expected 'shapes', 'shapes/placed', 'shapes/plain', 'shapes/tiny'; received 'shapes/huge'"
    ):
        read_shapes("shapes/huge", "train", RESIZE, tfds_dir)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("where a folder should be")
    with pytest.raises(ValueError, match="shapes is rendered once, but cannot be written to .*file.*Set data_dir"):
        read_shapes("shapes/tiny", "train", RESIZE, tmp_path / "file")
