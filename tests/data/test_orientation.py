"""Whether mirrored images look like the others: digits of several kinds do not, and faces, shapes and emoji do."""

import gzip
import os
import pathlib

import numpy as np
import pytest
import scipy.io

from benchmarks.drawn_faces import draw_faces
from benchmarks.heads import read_twemoji
from keras_gen.data import Factors, render_shapes
from keras_gen.data.orientation import orientation_accuracy
from keras_gen.data.pixels import MAX_ORIENTATION_ACCURACY, SAMPLE

REAL = os.environ.get("KERAS_GEN_TEST_DATA")
needs_real_data = pytest.mark.skipif(not REAL, reason="KERAS_GEN_TEST_DATA names no folder with real data")
FILES = pathlib.Path(REAL or "")


def accuracies(images: np.ndarray, repeats: int = 4) -> list[float]:
    """Returns the accuracy for several random choices of 256 images."""
    scaled = images / np.float32(255) if images.dtype == np.uint8 else images
    choices = (np.random.default_rng(seed).permutation(len(images))[:SAMPLE] for seed in range(repeats))
    return [orientation_accuracy(scaled[rows]) for rows in choices]


def mnist(num: int = 2000) -> np.ndarray:
    content = gzip.open(FILES / "mnist" / "train-images-idx3-ubyte.gz").read()
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28, 1)[:num]


def usps() -> np.ndarray:
    return scipy.io.loadmat(FILES / "usps" / "usps.mat")["Xtr"].reshape(-1, 16, 16, 1).astype(np.float32)


def colored_digits() -> np.ndarray:
    """Digits and backgrounds of random colors: bright on dark, dark on bright and of equal brightness."""
    digits, random = mnist() / np.float32(255), np.random.default_rng(0)
    color, background = random.random((2, len(digits), 1, 1, 3), np.float32)
    return digits * color + (1 - digits) * background


def stacked_digits() -> np.ndarray:
    return np.concatenate(np.array_split(mnist(1998), 3), axis=-1)


@needs_real_data
@pytest.mark.parametrize(
    ("draw", "expected"),
    [(mnist, 0.94), (usps, 0.83), (colored_digits, 0.92), (stacked_digits, 0.98)],
)
def test_digits_differ_from_their_mirror_images(draw, expected):
    measured = accuracies(draw())
    assert np.mean(measured) == pytest.approx(expected, abs=0.03) and min(measured) > MAX_ORIENTATION_ACCURACY


@needs_real_data
def test_emoji_look_like_their_mirror_images_although_many_face_left():
    measured = accuracies(read_twemoji(FILES / "twemoji" / "twemoji.zip"))
    assert np.mean(measured) == pytest.approx(0.56, abs=0.05) and max(measured) <= MAX_ORIENTATION_ACCURACY


def test_drawn_faces_look_like_their_mirror_images():
    measured = accuracies(draw_faces(1000, 1))  # their hair has a faint pattern that is not symmetric
    assert 0.45 < np.mean(measured) < 0.6 and max(measured) <= MAX_ORIENTATION_ACCURACY


def test_shapes_are_as_likely_as_their_mirror_images():
    images = render_shapes(Factors.draw(1000, 1))[:, ::2, ::2]
    # four means of 256 outcomes, 0 or 1, with a standard error of 0.016 if they were independent
    assert np.mean(accuracies(images)) == pytest.approx(0.5, abs=0.06)


def test_images_that_all_face_one_way_are_recognized_by_their_edges_alone():
    """A bright or dark disc with an eye on its right."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:24, :24]
    images = []
    for _ in range(100):
        row, column, tone = random.uniform(8, 16), random.uniform(8, 16), random.random()
        disc = np.hypot(rows - row, columns - column) < 7
        eye = np.hypot(rows - row + 2, columns - column - 4) < 2
        images.append(np.where(eye, 1 - tone, np.where(disc, tone, 0.5)) + random.normal(0, 0.03, (24, 24)))
    facing_right = np.stack(images)[..., None]
    assert orientation_accuracy(facing_right) > 0.9
    either_way = facing_right.copy()
    either_way[::2] = facing_right[::2, :, ::-1]
    assert abs(orientation_accuracy(either_way) - 0.5) < 0.15  # three standard errors


def test_symmetric_images_and_few_images_have_no_orientation():
    symmetric = np.random.default_rng(0).random((20, 8, 4, 3))
    symmetric = np.concatenate([symmetric, symmetric[:, :, ::-1]], axis=2)
    assert orientation_accuracy(symmetric) == 0.5
    assert orientation_accuracy(np.full((10, 5, 7, 1), 0.3)) == orientation_accuracy(symmetric[:1]) == 0.5


def test_the_size_and_a_flip_of_all_images_do_not_matter():
    faces = draw_faces(64, 1) / np.float32(255)
    doubled = faces.repeat(2, axis=1).repeat(2, axis=2)
    assert orientation_accuracy(doubled) == pytest.approx(orientation_accuracy(faces), abs=1e-9)
    # the classifier recognizes what is usual: the sign of the difference is learned
    assert orientation_accuracy(faces[:, :, ::-1]) == pytest.approx(orientation_accuracy(faces), abs=1e-9)
