"""Metrics of puzzles: by hand, and for models that know the solution."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.evaluation import evaluate
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.puzzle import tile_grid
from keras_gen.evaluation.metrics.jigsaw import average_mask, best_constants, correct_tiles, mask_iou, masked_error
from keras_gen.models import GlobalBatch
from tests.evaluation.toys import make_run

SMALL: dict[str, Any] = {
    "base_filters": 4,
    "image_filters": 4,
    "discriminator_filters": 4,
    "code_size": 8,
    "latent_size": 2,
}
QUICK: dict[str, Any] = {"samples": 40, "max_images": 60, "verbose": False}


def mask(*rows) -> np.ndarray:
    return np.array(rows, np.float32)[None, ..., None]


def test_iou_by_hand():
    true, predicted = mask([1, 1], [0, 0]), mask([0.9, 0.4], [0.6, 0.1])
    np.testing.assert_allclose(mask_iou(true, predicted), [1 / 3])
    np.testing.assert_allclose(mask_iou(true, predicted, 0.4), [2 / 3])
    np.testing.assert_allclose(mask_iou(0 * true, 0 * predicted), [1])


def test_average_mask_baseline_uses_the_best_threshold():
    """Three masks: left, left, top. 'Left' has the IoU 1, 1, 1/3; all marked pixels have 2/3 each."""
    masks = np.concatenate([mask([1, 0], [1, 0]), mask([1, 0], [1, 0]), mask([1, 1], [0, 0])])
    best = average_mask(masks)
    np.testing.assert_array_equal(best, mask([1, 0], [1, 0]))
    np.testing.assert_allclose(mask_iou(masks, best).mean(), 7 / 9)


def test_error_inside_and_the_best_constant_by_hand():
    image = np.array([[0.0, 0.1], [0.7, 0.9]], np.float32)[None, ..., None]
    inside = mask([1, 1], [1, 0])
    np.testing.assert_allclose(best_constants(image, inside), [[[[0.1]]]])  # the median of 0, .1, .7
    np.testing.assert_allclose(masked_error(image, best_constants(image, inside), inside), [0.7 / 3], rtol=1e-6)
    np.testing.assert_allclose(masked_error(image, image + mask([0, 0.3], [0, 9]), inside), [0.1], rtol=1e-5)
    colors = np.random.default_rng(0).random((1, 2, 2, 3)).astype(np.float32)
    best = masked_error(colors, best_constants(colors, inside), inside)
    for other in np.random.default_rng(1).random((20, 1, 1, 1, 3)):
        assert best <= masked_error(colors, other, inside) + 1e-7


def test_equal_tiles_are_interchangeable():
    full = np.array([1, 2, 2, 3], np.float32).reshape(1, 4, 1, 1, 1) / 4
    tiles = full[:, [1, 0, 2, 3]]  # of the positions 1, 0, 2, 3
    presence = np.ones((1, 4))
    np.testing.assert_array_equal(correct_tiles(tiles, full, np.array([[1, 0, 2, 3]]), presence), [[True] * 4])
    np.testing.assert_array_equal(correct_tiles(tiles, full, np.array([[2, 0, 1, 3]]), presence), [[True] * 4])
    np.testing.assert_array_equal(
        correct_tiles(tiles, full, np.array([[0, 1, 2, 3]]), presence), [[False, False, True, True]]
    )
    np.testing.assert_array_equal(
        correct_tiles(tiles, full, np.array([[0, 1, 2, 3]]), np.array([[0, 1, 1, 1]])), [[True, False, True, True]]
    )


def test_metrics_of_patches(tmp_path):
    run = make_run(tmp_path, "puzzlegan", **SMALL)
    content = evaluate(run, **QUICK)
    metrics = content["metrics"]
    assert {"mask_iou", "mask_iou_average", "part_error", "part_error_constant", "psnr", "ssim"} < set(metrics)
    assert "restorations" in content["pictures"]
    model, images = run.load_model(), next(iter(run.dataset("test", batch_size=60)))["image"].numpy()
    columns = model.endpoint_columns({"image": images})
    restored = model.restore(columns["patches"], columns["presence"], seed=0)
    error = np.square(restored["image"] - images).mean((1, 2, 3))
    assert metrics["psnr"] == pytest.approx(-10 * np.log10(error).mean(), rel=1e-4)
    inside = model.shared_forward({"image": tf.constant(images)}, _ZeroNoise(), False)["inside"].numpy() > 0
    expected = (np.abs(restored["image"] - images) * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3))
    assert metrics["part_error"] == pytest.approx(expected.mean(), rel=1e-4)


def test_metrics_of_a_grid_with_all_tiles_and_with_some_missing(tmp_path):
    run = make_run(tmp_path, "puzzlegan", layout="grid", grid_size=2, max_missing=1, **SMALL)
    metrics = evaluate(run, **QUICK)["metrics"]
    endings = [missing + end for missing in ("", "_missing_1") for end in ("", "_baseline")]
    names = {f"{name}{ending}" for name in ("tile_accuracy", "solved", "psnr", "ssim") for ending in endings}
    assert names < set(metrics)
    assert 0 <= metrics["solved"] <= metrics["tile_accuracy"] <= 1


def test_a_model_that_knows_every_place_solves_every_puzzle(tmp_path):
    """With the true positions as scores all tiles are correct, and the assembled image is the source (100 dB)."""
    context = EvaluationContext(
        make_run(tmp_path, "puzzlegan", layout="grid", grid_size=2, max_missing=1, **SMALL), samples=40
    )
    model = context.model
    shuffled, known = model.shuffled, []
    model.shuffled = lambda *arguments: known.append(shuffled(*arguments)) or known[-1]
    blank = model.restore_from
    model.restore_from = lambda tiles, presence, z: {
        **blank(tiles, presence, z), "scores": tf.one_hot(_rows(known[-1], tiles), 4) * presence[:, :, None]
    }  # fmt: skip
    metrics, _ = tile_grid(context)
    assert metrics["tile_accuracy"] == metrics["solved"] == metrics["tile_accuracy_missing_1"] == 1
    # the shuffled order: tiles at their own position, or equal to the tile of their position
    unmoved = (known[0][2] == np.arange(4)).mean()
    assert unmoved <= metrics["tile_accuracy_baseline"] < 1 and metrics["psnr_baseline"] < 60
    assert metrics["psnr"] == pytest.approx(100) and metrics["psnr_missing_1"] < 60


def _rows(known, tiles) -> np.ndarray:
    """The true positions of a batch of puzzles, which is found by its tiles."""
    every, _, positions = known
    start = next(i for i in range(len(every)) if np.array_equal(every[i : i + len(tiles)], tiles.numpy()))
    return positions[start : start + len(tiles)]


class _ZeroNoise:
    """A batch noise of zeros."""

    def __init__(self):
        self.global_batch = GlobalBatch(tf.constant(60))

    def noise(self, specification):
        return {name: tf.zeros([60, *noise.shape]) for name, noise in specification.items()}
