import dataclasses

import pytest

from keras_gen.training import amounts
from keras_gen.training.source import SourceInfo


@pytest.mark.parametrize(
    "images, requested, steps, expected",
    [
        (1000, None, None, 128),
        (128, None, None, 128),
        (58, None, None, 16),
        (18, None, None, 8),
        (5, None, None, 2),
        (1, None, None, 1),
        (5, None, 10, 128),  # `steps` repeats the images until there are ten batches
        (58, 20, None, 20),
    ],
)
def test_a_default_batch_size_is_reduced_until_it_fits(images, requested, steps, expected):
    options = {"source": SourceInfo({"train": images}, None, 3), "split": "train", "steps": steps}
    assert amounts.batch_size_of(requested, 128, drop_remainder=True, **options) == expected
    assert amounts.batch_size_of(requested, 128, drop_remainder=False, **options) == (requested or 128)


@pytest.mark.parametrize(
    "images, requested, steps, expected",
    [(1000, None, None, 128), (128, None, None, 128), (18, None, None, 16), (18, 20, None, 20), (18, None, 10, 128)],
)
def test_a_batch_has_no_image_twice_where_an_epoch_repeats_few_images(images, requested, steps, expected):
    source = SourceInfo({"train": images}, None, 3)
    options = {"source": source, "split": "train", "steps": steps, "drop_remainder": False, "repeats": True}
    assert amounts.batch_size_of(requested, 128, **options) == expected


def test_a_requested_batch_size_that_is_too_large_is_refused():
    source = SourceInfo({"train": 20}, None, 3)
    with pytest.raises(ValueError, match="at most 18, the number of training images.*received 64. Use --batch-size 8"):
        amounts.batch_size_of(64, 128, source=source, split="train[:-2]", drop_remainder=True, steps=None)


@dataclasses.dataclass
class Info:
    num_images: dict

    @property
    def num_examples(self):
        return max(self.num_images.values())


def warning(training, validation, *, usual=None, size=8, patience=None, without="", test=None):
    config = {
        "training": {"batch_size": size, "steps": None, "patience": patience},
        "data": {"splits": {"test": test}},
    }
    held_out = None if validation is None else Info(validation)
    return amounts.few_images(config, Info(training), held_out, usual_batch=usual, without=without)


def test_many_images_cause_no_warning():
    assert warning({"image": 1000}, {"image": 100}, usual=8) == ""


def test_one_message_has_all_warnings():
    text = warning({"image": 18}, {"image": 2}, usual=128, patience=3)
    assert text.count("Few images:") == 1 and text.count("\n- ") == 4
    for part in (
        "18 images to train on",
        "the batch size is 8 instead of 128",
        "2 images for validation: the choice of the best epoch depends on chance, and so does when --patience 3 stops",
        "no test split: evaluate will measure on the validation images",
    ):
        assert part in text
    text = warning({"domain_a": 400, "domain_b": 3}, None, without="'b' has none", patience=2, test="test")
    assert "3 images of domain_b to train on" in text and "domain_a" not in text
    assert "no validation: 'b' has none" in text and "by which --patience 2 stops too" in text and "no test" not in text
    assert "an epoch is one step on all 5" in warning({"image": 5}, None, size=128)
