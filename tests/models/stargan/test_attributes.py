"""The attribute schema: groups, names, datasets, and its errors."""

import numpy as np
import pytest

from keras_gen.models import AttributeSchema

FACES = AttributeSchema((3, 1, 1), names=("black", "blond", "brown", "young", "smiling"))
# the paper's two datasets: attributes of faces, and expressions
BOTH = AttributeSchema((3, 1, 2), (0, 0, 1), ("black", "blond", "brown", "young", "angry", "happy"))


def test_known_groups_and_entries_of_each_dataset():
    assert (BOTH.size, BOTH.num_datasets, FACES.num_datasets) == (6, 2, 1)
    np.testing.assert_array_equal(BOTH.known_groups, [[1, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(BOTH.known_entries, [[1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]])
    np.testing.assert_array_equal(FACES.known_entries, np.ones((1, 5)))


@pytest.mark.parametrize(
    "attributes, expected",
    [
        ("blond", None),
        (("blond", "young"), [[0, 1, 0, 1, 0]] * 2),
        (["black", ("brown", "smiling", "young")], [[1, 0, 0, 0, 0], [0, 0, 1, 1, 1]]),
        ([["black", "young"], [0, 0.5, 0.5, 0, 1]], [[1, 0, 0, 1, 0], [0, 0.5, 0.5, 0, 1]]),
        (np.eye(5)[:2], np.eye(5)[:2]),
        ([0, 1, 0, 0, 0.25], [[0, 1, 0, 0, 0.25]] * 2),
    ],
)
def test_names_and_vectors(attributes, expected):
    vectors, datasets = FACES.vectors(attributes, 2)
    assert vectors.dtype == np.float32 and datasets.tolist() == [0, 0]
    np.testing.assert_array_equal(vectors, [[0, 1, 0, 0, 0]] * 2 if expected is None else expected)


def test_names_determine_their_dataset():
    vectors, datasets = BOTH.vectors(["happy", ("black", "young")], 2)
    np.testing.assert_array_equal(vectors, [[0, 0, 0, 0, 0, 1], [1, 0, 0, 1, 0, 0]])
    assert datasets.tolist() == [1, 0]
    assert BOTH.vectors(np.eye(6)[4], 1, dataset=1)[1].tolist() == [1]


@pytest.mark.parametrize(
    "attributes, message",
    [
        ("red", "Expected the attribute as one of black, blond"),
        (["black", "red"], "Expected the attribute as one of .*; received 'red'"),
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
def test_invalid_attributes(attributes, message):
    with pytest.raises(ValueError, match=message):
        FACES.vectors(attributes, 2)


def test_invalid_attributes_of_several_datasets():
    with pytest.raises(ValueError, match="of different datasets"):
        BOTH.vectors(("black", "happy"), 1)
    with pytest.raises(ValueError, match="Expected the dataset of an attribute vector"):
        BOTH.vectors(np.eye(6)[0], 1)
    with pytest.raises(ValueError, match="dataset=0 to 1; received 2"):
        BOTH.vectors(np.eye(6)[0], 1, dataset=2)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (((),), "Expected groups as sizes"),
        (((3, 0),), "Expected groups as sizes"),
        (((3,), (0, 1)), "each of the 1 groups"),
        (((3, 1), (0, 2)), "without a gap"),
        (((2,), (), ("a", "a")), "2 unique names"),
        (((3,), (), ("a", "b")), "3 unique names"),
    ],
)
def test_invalid_groups(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttributeSchema(*arguments)


def test_probabilities_and_the_most_probable_vector():
    logits = np.log([[2.0, 1, 1, 3, 0.5], [1.0, 1, 2, 1 / 3, 1]]).astype(np.float32)
    probabilities = FACES.probabilities(logits).numpy()
    expected = [[0.5, 0.25, 0.25, 0.75, 1 / 3], [0.25, 0.25, 0.5, 0.25, 0.5]]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-6)
    np.testing.assert_array_equal(FACES.most_probable(probabilities), [[1, 0, 0, 1, 0], [0, 0, 1, 0, 0]])
    one, flags = AttributeSchema((3,)), AttributeSchema((1, 1, 1))
    np.testing.assert_allclose(one.probabilities(logits[:, :3]), probabilities[:, :3], rtol=1e-6)
    np.testing.assert_allclose(flags.probabilities(logits[:1, :3]), [[2 / 3, 1 / 2, 1 / 2]], rtol=1e-6)


def test_with_entry():
    vectors = np.array([[1, 0, 0, 1, 0], [0, 0, 1, 0, 0]], np.float32)
    np.testing.assert_array_equal(FACES.with_entry(vectors, 1), [[0, 1, 0, 1, 0], [0, 1, 0, 0, 0]])
    np.testing.assert_array_equal(FACES.with_entry(vectors, 3), [[1, 0, 0, 0, 0], [0, 0, 1, 1, 0]])
