"""The vector of attributes: groups, names, sets, and what is said of what does not fit."""

import numpy as np
import pytest

from keras_gen.models import Attributes

FACES = Attributes((3, 1, 1), names=("black", "blond", "brown", "young", "smiling"))
# the paper's two sets: attributes of faces, and expressions
BOTH = Attributes((3, 1, 2), (0, 0, 1), ("black", "blond", "brown", "young", "angry", "happy"))


def test_known_groups_and_entries_of_the_sets():
    assert (BOTH.size, BOTH.sets, FACES.sets) == (6, 2, 1)
    np.testing.assert_array_equal(BOTH.known_groups, [[1, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(BOTH.known, [[1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]])
    np.testing.assert_array_equal(FACES.known, np.ones((1, 5)))


@pytest.mark.parametrize(
    "wanted, expected",
    [
        ("blond", None),
        (("blond", "young"), [[0, 1, 0, 1, 0]] * 2),
        (["black", ("brown", "smiling", "young")], [[1, 0, 0, 0, 0], [0, 0, 1, 1, 1]]),
        ([["black", "young"], [0, 0.5, 0.5, 0, 1]], [[1, 0, 0, 1, 0], [0, 0.5, 0.5, 0, 1]]),
        (np.eye(5)[:2], np.eye(5)[:2]),
        ([0, 1, 0, 0, 0.25], [[0, 1, 0, 0, 0.25]] * 2),
    ],
)
def test_names_and_vectors(wanted, expected):
    vectors, sets = FACES.vectors(wanted, 2)
    assert vectors.dtype == np.float32 and sets.tolist() == [0, 0]
    np.testing.assert_array_equal(vectors, [[0, 1, 0, 0, 0]] * 2 if expected is None else expected)


def test_names_tell_their_set():
    vectors, sets = BOTH.vectors(["happy", ("black", "young")], 2)
    np.testing.assert_array_equal(vectors, [[0, 0, 0, 0, 0, 1], [1, 0, 0, 1, 0, 0]])
    assert sets.tolist() == [1, 0]
    assert BOTH.vectors(np.eye(6)[4], 1, dataset=1)[1].tolist() == [1]


@pytest.mark.parametrize(
    "wanted, message",
    [
        ("red", "Expected the attribute as one of black, blond"),
        (["black", "red"], "Unknown attribute 'red'"),
        ((), "Expected at least one attribute"),
        ("young", "exactly one of black, blond, brown; received none"),
        (("black", "blond"), "exactly one of black, blond, brown; received black, blond"),
        (["black"], "for 2 images, or one for all; received 1"),
        (np.zeros((2, 4)), "a vector of 5 numbers"),
        (np.full((2, 5), 2.0), "between 0 and 1"),
        (np.full((2, 5), np.nan), "between 0 and 1"),
        ([["black", 3], "black"], "Expected names"),
    ],
)
def test_what_does_not_fit(wanted, message):
    with pytest.raises(ValueError, match=message):
        FACES.vectors(wanted, 2)


def test_of_several_sets():
    with pytest.raises(ValueError, match="of different datasets"):
        BOTH.vectors(("black", "happy"), 1)
    with pytest.raises(ValueError, match="Expected the dataset of an attribute vector"):
        BOTH.vectors(np.eye(6)[0], 1)
    with pytest.raises(ValueError, match="from 0 to 1; received 2"):
        BOTH.vectors(np.eye(6)[0], 1, dataset=2)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (((),), "groups must be sizes"),
        (((3, 0),), "groups must be sizes"),
        (((3,), (0, 1)), "each of the 1 groups"),
        (((3, 1), (0, 2)), "without a gap"),
        (((2,), (), ("a", "a")), "each another"),
        (((3,), (), ("a", "b")), "3 entries"),
    ],
)
def test_groups_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        Attributes(*arguments)


def test_probabilities_and_the_most_probable_vector():
    logits = np.log([[2.0, 1, 1, 3, 0.5], [1.0, 1, 2, 1 / 3, 1]]).astype(np.float32)
    found = FACES.probabilities(logits).numpy()
    expected = [[0.5, 0.25, 0.25, 0.75, 1 / 3], [0.25, 0.25, 0.5, 0.25, 0.5]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(FACES.decided(found), [[1, 0, 0, 1, 0], [0, 0, 1, 0, 0]])
    one, flags = Attributes((3,)), Attributes((1, 1, 1))
    np.testing.assert_allclose(one.probabilities(logits[:, :3]), found[:, :3], rtol=1e-6)
    np.testing.assert_allclose(flags.probabilities(logits[:1, :3]), [[2 / 3, 1 / 2, 1 / 2]], rtol=1e-6)


def test_an_entry_chosen():
    vectors = np.array([[1, 0, 0, 1, 0], [0, 0, 1, 0, 0]], np.float32)
    np.testing.assert_array_equal(FACES.chosen(vectors, 1), [[0, 1, 0, 1, 0], [0, 1, 0, 0, 0]])
    np.testing.assert_array_equal(FACES.chosen(vectors, 3), [[1, 0, 0, 0, 0], [0, 0, 1, 1, 0]])
