import dataclasses

import pytest

from keras_gen.training import amounts
from keras_gen.training import config as plan
from keras_gen.training.source import SourceInfo


@pytest.mark.parametrize(
    "images, asked, steps, expected",
    [
        (1000, None, None, 128),
        (128, None, None, 128),
        (58, None, None, 16),
        (18, None, None, 8),
        (5, None, None, 2),
        (1, None, None, 1),
        (5, None, 10, 128),  # repeated until there are ten batches
        (58, 20, None, 20),
    ],
)
def test_a_default_batch_size_is_reduced_until_there_are_whole_batches(images, asked, steps, expected):
    options = {"source": SourceInfo({"train": images}, None, 3), "split": "train", "steps": steps}
    assert amounts.batch_size_of(asked, 128, whole=True, **options) == expected
    assert amounts.batch_size_of(asked, 128, whole=False, **options) == asked or 128


def test_a_given_batch_size_is_refused():
    source = SourceInfo({"train": 20}, None, 3)
    with pytest.raises(ValueError, match="at most 18, the number of training images.*received 64. Use --batch-size 8"):
        amounts.batch_size_of(64, 128, source=source, split="train[:-2]", whole=True, steps=None)


@dataclasses.dataclass
class Info:
    num_images: dict

    @property
    def num_examples(self):
        return max(self.num_images.values())


def told(training, validation, *, usual=None, size=8, patience=None, without="", test=None):
    config = {
        "training": {"batch_size": size, "steps": None, "patience": patience},
        "data": {"splits": {"test": test}},
    }
    held_out = None if validation is None else Info(validation)
    return amounts.few_images(config, Info(training), held_out, usual_batch=usual, without=without)


def test_enough_is_not_spoken_of():
    assert told({"image": 1000}, {"image": 100}, usual=8) == ""


def test_one_message_says_what_is_too_little_for_what():
    text = told({"image": 18}, {"image": 2}, usual=128, patience=3)
    assert text.count("Few images:") == 1 and text.count("\n- ") == 4
    for part in (
        "18 images to train on",
        "the batch size is 8 in place of 128",
        "2 images for validation: which epoch is the best one depends on chance, and so does when --patience 3 stops",
        "no test split: evaluate will measure on the validation images",
    ):
        assert part in text
    text = told({"domain_a": 400, "domain_b": 3}, None, without="'b' has none", patience=2, test="test")
    assert "3 images of domain_b to train on" in text and "domain_a" not in text
    assert "no validation: 'b' has none" in text and "by which --patience 2 stops too" in text and "no test" not in text
    assert "an epoch is one step on all 5" in told({"image": 5}, None, size=128)


@pytest.mark.parametrize(
    "training, validation, expected",
    [("train[:-4]", "train[-4:]", "train"), ("train", "validation", "train"), ("a[:90%]+b", "a[90%:]", "a[:90%]+b")],
)
def test_what_was_cut_off_for_validation_returns_to_training(training, validation, expected):
    splits = {"train": training, "validation": validation, "test": None}
    assert plan.without_validation(splits) == {"train": expected, "validation": None, "test": None}
