"""Classes, attributes and domains by name or index."""

import re

import numpy as np
import pytest

from keras_gen.runtime import names

DIGITS = tuple(map(str, range(10)))
ONE_TO_NINE = tuple(map(str, range(1, 10)))
PETS = ("cat", "dog", "big dog", "a,b", "name:x")


@pytest.mark.parametrize(
    "text, known, count, indices",
    [
        ("7", DIGITS, 10, [7]),  # a name that is its own index
        ("0,9", DIGITS, 10, [0, 9]),
        ("9", ONE_TO_NINE, 9, [8]),  # not an index: the indices are 0 to 8
        ("0", ONE_TO_NINE, 9, [0]),  # no names
        ("name:1, index:1", ONE_TO_NINE, 9, [0, 1]),
        ("dog,0,big dog", PETS, 5, [1, 0, 2]),
        ("a,b", PETS, 5, [3]),
        ("name:x", PETS, 5, [4]),
        ("name:cat", PETS, 5, [0]),
        ("6", PETS, 8, [6]),  # the last classes have no name
        ("2", None, 3, [2]),
        ("index:2", None, 3, [2]),
    ],
)
def test_names_and_indices_on_the_command_line(text, known, count, indices):
    assert names.read_indices("class", text, known, count) == indices


@pytest.mark.parametrize(
    "text, known, count, message",
    [
        ("1", ONE_TO_NINE, 9,
         "1 is the name of class 0, and the index of class '2': write name:1 or index:1"),
        ("7", ("7", "a"), 9, "7 is the name of class 0, and the index of a class without a name: write name:7 or"),
        ("dgo", PETS, 5,
         "Expected the class as one of dog, cat, big dog, a,b, name:x (or an index from 0 to 4); received 'dgo'"),
        ("CAT", PETS, 5, "Expected the class as one of cat, dog"),
        ("5", PETS, 5, "(or an index from 0 to 4); received '5'"),
        ("-1", PETS, 5, "(or an index from 0 to 4); received '-1'"),
        ("name:1", PETS, 5, "(or an index from 0 to 4); received '1'"),
        ("index:dog", PETS, 5, "Expected the class as an index from 0 to 4 (there are no names); received 'dog'"),
        ("", PETS, 5, "received ''"),
        ("cat", None, 3, "Expected the class as an index from 0 to 2 (there are no names); received 'cat'"),
        ("x", tuple(f"c{i}" for i in range(99)), 99, "c19, ... (99 in all) (or an index from 0 to 98); received 'x'"),
    ],
)  # fmt: skip
def test_ambiguous_and_unknown_names_are_refused(text, known, count, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        names.read_indices("class", text, known, count)


def test_in_python_integers_are_indices_and_strings_are_names():
    assert names.indices_of("class", "1", ONE_TO_NINE, 9) == 0
    assert names.indices_of("class", 1, ONE_TO_NINE, 9) == 1
    assert names.indices_of("class", ["1", 1, np.int64(2), np.str_("9")], ONE_TO_NINE, 9) == [0, 1, 2, 8]
    assert names.indices_of("class", np.array(["cat", "dog"]), PETS, 5) == [0, 1]
    one_hot = np.eye(3, dtype=np.float32)
    assert names.indices_of("class", one_hot, PETS, 5) is one_hot
    with pytest.raises(ValueError, match="Expected the class as one of cat"):
        names.indices_of("class", "1", PETS, 5)


def test_domains_can_be_named_by_letter():
    for text, known, domain in (
        ("A", None, 0), ("b", None, 1), ("b", ("x", "y"), 1), ("y", ("x", "y"), 1), ("B", ("x", "B"), 1),
        ("name:B", ("B", "C"), 0), ("0", ("x", "y"), 0),
    ):  # fmt: skip
        assert names.read_domain(text, known) == domain
    for text, known, message in (
        ("B", ("B", "C"), "B is the name of domain A, and the letter of domain 'C': write name:B or index:1"),
        ("1", ("1", "7"), "1 is the name of domain 0, and the index of domain '7'"),
        ("horse", ("horses", "zebras"), "Expected the domain as one of horses, zebras .*; received 'horse'"),
        ("C", None, "Expected the domain as one of A, B .*; received 'C'"),
    ):
        with pytest.raises(ValueError, match=message):
            names.read_domain(text, known)
