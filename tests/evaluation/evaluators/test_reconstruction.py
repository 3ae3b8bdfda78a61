import numpy as np
import pytest
import tensorflow as tf

from keras_gen import pictures
from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.reconstruction import (
    psnr,
    reconstruction,
    reconstruction_picture,
    ssim_filter_size,
)
from tests.evaluation.toys import make_run


def test_psnr_by_hand():
    images = tf.zeros([3, 4, 4, 1])
    reconstructions = images + tf.reshape([0.1, 1.0, 0.0], [3, 1, 1, 1])
    # mean squared errors .01, 1 and 0, the last one capped
    np.testing.assert_allclose(psnr(images, reconstructions), [20.0, 0.0, 100.0], atol=1e-4)


@pytest.mark.parametrize("shape, size", [((28, 28), 11), ((11, 64), 11), ((10, 64), 9), ((8, 8), 7), ((7, 9), 7)])
def test_ssim_window_fits(shape, size):
    assert ssim_filter_size(*shape) == size


def test_reconstructions_of_a_binarized_model_are_compared_with_the_images_themselves(tmp_path):
    run = make_run(tmp_path, gray=True)
    run.config["data"]["binarize"] = "threshold"  # the discs have the gray value 127: the model sees black images
    context = EvaluationContext(run, "test")
    black = np.zeros((60, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(context.batch(60)["image"], black)
    images = next(iter(run.dataset("test", batch_size=60, binarize=None)))["image"].numpy()
    assert images.max() == np.float32(127 / 255)
    reconstructed = context.model.reconstruct(black).numpy()
    metrics, about = reconstruction(context)
    assert metrics["psnr"] == pytest.approx(float(psnr(images, reconstructed).numpy().mean()), rel=1e-5)
    mean = np.broadcast_to(images.mean(0), images.shape)
    assert metrics["psnr_baseline"] == pytest.approx(float(psnr(images, mean).numpy().mean()), rel=1e-5)
    assert about["psnr"]["note"].startswith("images, which the model sees binarized (threshold), against")
    shown = pictures.pairs(context.batch(32, binarize=None)["image"], reconstructed[:32], columns=4, scale=context.zoom)
    np.testing.assert_array_equal(reconstruction_picture(context), shown)
