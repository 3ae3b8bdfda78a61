import numpy as np
import pytest

from keras_gen import zoo
from keras_gen.evaluation.metrics.elbo_surgery import elbo_surgery
from tests.evaluation.toys import blobs, pixel_vae, pixels


def errors_of(parts) -> list[float]:
    """Returns the standard errors, which need more than one image."""
    return [error for error in parts.errors if error is not None]


def test_codes_that_ignore_the_image():
    # q(z|x) = p(z) for every image
    parts = elbo_surgery(pixel_vae(0.0, 1.0), pixels(np.linspace(0, 1, 500)))
    assert parts.kl == pytest.approx(0, abs=1e-3)  # the scale's floor is 1e-4
    assert parts.kl_aggregate == pytest.approx(0, abs=1e-3)
    assert parts.information == pytest.approx(0, abs=1e-3)


def test_two_distant_groups_give_one_bit_of_information():
    # half of the posteriors are N(0, .1^2) and half N(1000, .1^2): the code determines the group alone
    model, images = pixel_vae(1000.0, 0.1), pixels([0, 1] * 500)
    parts = elbo_surgery(model, images)
    assert parts.information == pytest.approx(np.log(2), abs=1e-5)
    exact = 0.5 * (0.01 - 1 - np.log(0.01)) + 0.5 * 0.5 * 1000**2
    assert parts.kl == pytest.approx(exact, rel=1e-4)
    assert parts.kl_aggregate == pytest.approx(exact - np.log(2), rel=1e-4)


def test_information_is_at_most_the_log_of_the_number_of_images():
    parts = elbo_surgery(pixel_vae(1000.0, 0.1), pixels(np.arange(50) / 50))
    assert parts.information == pytest.approx(np.log(50), rel=1e-4)


@pytest.mark.parametrize("slope, scale", [(1.0, 1.0), (3.0, 0.5)])
def test_normal_data_through_a_linear_encoder(slope, scale):
    # x ~ N(0, 1): all codes are N(0, slope^2 + scale^2), and I(x; z) = 1/2 log(1 + slope^2 / scale^2)
    images = pixels(np.random.default_rng(0).normal(0, 1, 4000))
    parts = elbo_surgery(pixel_vae(slope, scale), images, seed=3, num_samples=2)
    total = slope**2 + scale**2
    _, aggregate_error, information_error = errors_of(parts)
    assert parts.information == pytest.approx(0.5 * np.log(1 + slope**2 / scale**2), abs=4 * information_error + 0.01)
    assert parts.kl_aggregate == pytest.approx(0.5 * (total - 1 - np.log(total)), abs=4 * aggregate_error + 0.02)
    assert information_error < 0.03
    assert parts.kl == pytest.approx(parts.kl_aggregate + parts.information, rel=1e-5)
    assert (parts.images, parts.samples) == (4000, 2)


def test_codes_of_an_image_do_not_depend_on_the_batch():
    model, images = pixel_vae(1.0, 0.5), pixels(np.linspace(0, 1, 30))
    np.testing.assert_allclose(
        elbo_surgery(model, images, batch_size=7)[:3], elbo_surgery(model, images, batch_size=30)[:3], rtol=1e-5
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"posterior": "full_covariance_normal"},
        {"prior": {"name": "vamp", "components": 3}},
        {"prior": {"name": "Laplace", "loc": 0.0, "scale": 1.0}, "num_classes": 2},
    ],
    ids=["full covariance", "vamp", "conditional"],
)
def test_any_posterior_and_prior(settings):
    # compared with the average KL(q || p), which the model estimates differently
    images, labels = blobs(200, seed=0)
    model = zoo.build("vae", (8, 8, 1), network="mlp", latent_size=2, hidden_units=16, **settings)
    parts = elbo_surgery(model, images / np.float32(255), labels=labels)
    assert parts.kl == pytest.approx(parts.kl_aggregate + parts.information, abs=1e-5)
    kl_error, _, information_error = errors_of(parts)
    assert -4 * information_error < parts.information < np.log(200)
    results = model.evaluate({"image": images / np.float32(255), "label": labels}, verbose=0, return_dict=True)
    assert parts.kl == pytest.approx(results["kl"], abs=6 * kl_error)


def test_no_images():
    with pytest.raises(ValueError, match="images and num_samples"):
        elbo_surgery(pixel_vae(1.0, 1.0), pixels([]))
