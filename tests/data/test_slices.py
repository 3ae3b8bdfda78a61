import pytest

from keras_gen.data.slices import (
    canonical_domain,
    canonical_split,
    canonicalize_splits,
    split_names,
    split_rows,
)

COUNTS = {"train": 50, "test": 9}


@pytest.mark.parametrize(
    "split, expected",
    [
        ("train", [("train", 0, 50)]),
        ("train[:90%]", [("train", 0, 45)]),
        ("train[90%:]", [("train", 45, 50)]),
        ("train[-10:]", [("train", 40, 50)]),
        ("train[:-10]", [("train", 0, 40)]),
        ("train[-20%:-10%]", [("train", 40, 45)]),
        ("test[5:]+train[:1]", [("test", 5, 9), ("train", 0, 1)]),
        ("train[40:1000]", [("train", 40, 50)]),
    ],
)
def test_slices(split, expected):
    assert split_rows(split, COUNTS) == expected


@pytest.mark.parametrize("cut", ["33%", "90%", "7", "-3"])
def test_two_complementary_slices_cover_the_split(cut):
    ((_, a, b),) = split_rows(f"train[:{cut}]", COUNTS)
    ((_, c, d),) = split_rows(f"train[{cut}:]", COUNTS)
    assert (a, b, d) == (0, c, 50)


@pytest.mark.parametrize(
    "split, message",
    [
        ("valid", r"no split 'valid'. Known splits: train \(50\), test \(9\)"),
        ("train[", "Expected a split with an optional slice"),
        ("train[1.5:]", "Expected a split with an optional slice"),
        ("train[120%:]", "from -100% to 100%; received 120%"),
        ("train[50:]", "selects no example"),
        ("", "Expected a split with an optional slice"),
    ],
)
def test_errors_list_the_known_splits(split, message):
    with pytest.raises(ValueError, match=message):
        split_rows(split, COUNTS)


def test_names():
    assert split_names("train[:90%]+test") == ["train", "test"]


def test_alternative_names():
    assert canonical_split("Testing") == "test" and canonical_split("cats") is None
    assert canonical_domain("TrainA") == ("train", "A") and canonical_domain("trains") is None
    assert canonicalize_splits("val[:10%]+Train", ["train", "validation"]) == "validation[:10%]+train"
    assert canonicalize_splits("val", ["val", "validation"]) == "val"
