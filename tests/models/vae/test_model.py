"""The VAE's losses computed by hand, and its options."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen import VAE, Prior
from keras_gen.layers import FlowPrior, MixturePrior, VampPrior
from keras_gen.models import GlobalBatch
from tests.models.toys import (
    SHAPE,
    SIZE,
    FixedNoise,
    images,
    linear_decoder,
    linear_encoder,
    losses_of,
    normals,
    weights,
)
from tests.replicas import two_replicas

NUM = 4
X = images(NUM)
FLAT = X.reshape(NUM, -1)


def vae(**options) -> VAE:
    channels = options.pop("channels", 1)
    encoder = options.pop("encoder", None) or linear_encoder()
    return VAE(encoder, linear_decoder(channels), **{"seed": 0, **options})


def posterior_by_hand() -> tuple[np.ndarray, np.ndarray]:
    raw = FLAT @ weights(6, 2 * SIZE, 1)
    return raw[:, :SIZE], 1e-4 + np.logaddexp(0, raw[:, SIZE:] + 0.5413)


def decoded_by_hand(z: np.ndarray) -> np.ndarray:
    """Maps codes [k, batch, size] to pixels [k, batch, pixels]."""
    return z @ weights(SIZE, 6, 2)


def bernoulli_by_hand(logits: np.ndarray) -> np.ndarray:
    p = special.expit(logits.astype(np.float64))
    return (FLAT * np.log(p) + (1 - FLAT) * np.log(1 - p)).sum(-1)


def kl_by_hand(mean, scale) -> np.ndarray:
    return (scale**2 + mean**2 - 1) / 2 - np.log(scale)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=2e-5, atol=2e-6)  # float32 sums of about ten terms


def test_elbo_terms_by_hand():
    noise = normals(NUM, 1, SIZE)
    mean, scale = posterior_by_hand()
    log_likelihood = bernoulli_by_hand(decoded_by_hand(mean + scale * noise[:, 0]))
    divergence = kl_by_hand(mean, scale).sum(1)
    loss, logs = losses_of(vae(), X, noise)
    close(logs["reconstruction"], -log_likelihood)
    close(logs["kl"], divergence)
    close(logs["elbo"], log_likelihood - divergence)
    close(loss, divergence - log_likelihood)


def test_normal_head_by_hand():
    noise = normals(NUM, 1, SIZE)
    mean, scale = posterior_by_hand()
    pixels = special.expit(decoded_by_hand(mean + scale * noise[:, 0]))
    loss, logs = losses_of(vae(head={"name": "normal", "scale": 0.3}), X, noise)
    close(logs["reconstruction"], -stats.norm.logpdf(FLAT, pixels, 0.3).sum(1))


def test_monte_carlo_kl_for_priors_without_a_closed_form():
    noise = normals(NUM, 1, SIZE)
    mean, scale = posterior_by_hand()
    z = mean + scale * noise[:, 0]
    by_hand = (stats.norm.logpdf(z, mean, scale) - stats.laplace.logpdf(z, 0.5, 2.0)).sum(1)
    _, logs = losses_of(vae(prior=Prior("Laplace", size=SIZE, loc=0.5, scale=2.0)), X, noise)
    close(logs["kl"], by_hand)


def test_full_covariance():
    encoder = linear_encoder(outputs=5)
    noise = normals(NUM, 1, SIZE)
    raw = FLAT @ weights(6, 5, 1)
    _, logs = losses_of(vae(encoder=encoder, posterior="full_covariance_normal"), X, noise)
    for row in range(NUM):
        # TFP fills a triangle of 3 numbers a, b, c as [[c, 0], [b, a]]; softplus makes its diagonal positive
        a, b, c = raw[row, 2:]
        positive = 1e-4 + np.logaddexp(0, np.array([a, c]) + 0.5413)
        factor = np.array([[positive[1], 0.0], [b, positive[0]]])
        z = raw[row, :2] + factor @ noise[row, 0]
        covariance = factor @ factor.T
        divergence = 0.5 * (np.trace(covariance) + raw[row, :2] @ raw[row, :2] - 2 - np.log(np.linalg.det(covariance)))
        assert logs["kl"][row] == pytest.approx(divergence, rel=1e-4)
        logits = (z @ weights(SIZE, 6, 2)).astype(np.float64)
        p = special.expit(logits)
        expected = (FLAT[row] * np.log(p) + (1 - FLAT[row]) * np.log(1 - p)).sum()
        assert logs["reconstruction"][row] == pytest.approx(-expected, rel=1e-4)


@pytest.mark.parametrize("k", [2, 5])
def test_importance_weighted_bound(k):
    noise = normals(NUM, k, SIZE)
    mean, scale = posterior_by_hand()
    z = mean + scale * noise.transpose(1, 0, 2)
    log_likelihood = bernoulli_by_hand(decoded_by_hand(z))
    log_ratio = (stats.norm.logpdf(z, mean, scale) - stats.norm.logpdf(z)).sum(-1)
    bound = special.logsumexp(log_likelihood - log_ratio, axis=0) - np.log(k)
    loss, logs = losses_of(vae(num_samples=k), X, noise)
    close(loss, -bound)
    close(logs["reconstruction"], -log_likelihood.mean(0))
    close(logs["kl"], log_ratio.mean(0))
    close(logs["elbo"], (log_likelihood - log_ratio).mean(0))
    assert (bound > logs["elbo"]).all()  # Jensen


def test_one_sample_is_the_elbo_and_k_samples_average_to_it():
    noise = normals(NUM, 4000, SIZE)
    loss, logs = losses_of(vae(num_samples=4000), X, noise)
    one = [losses_of(vae(), X, noise[:, i : i + 1])[1]["elbo"] for i in range(20)]
    # `elbo` of k samples is unbiased for the ELBO; 20 single estimates scatter around it
    error = np.std(one, axis=0) / np.sqrt(20)
    assert (np.abs(np.mean(one, axis=0) - logs["elbo"]) < 4.5 * error + 0.05).all()


def test_beta_scales_the_loss_and_not_the_reported_kl():
    noise = normals(NUM, 1, SIZE)
    _, plain = losses_of(vae(), X, noise)
    loss, logs = losses_of(vae(beta=3.0), X, noise)
    close(loss, plain["reconstruction"] + 3.0 * plain["kl"])
    close(logs["elbo"], plain["elbo"])


@pytest.mark.parametrize("step, weight", [(0, 0.0), (5, 1.0), (10, 2.0), (25, 2.0)])
def test_warm_up(step, weight):
    model, noise = vae(beta=2.0, kl_warmup_steps=10), normals(NUM, 1, SIZE)
    model.train_steps.assign(step)
    loss, logs = losses_of(model, X, noise)
    close(loss, logs["reconstruction"] + weight * logs["kl"])
    tested, logs = losses_of(model, X, noise, training=False)
    close(tested, logs["reconstruction"] + 2.0 * logs["kl"])  # evaluation does not depend on the step


def test_warm_up_depends_on_the_training_steps():
    model = vae(kl_warmup_steps=4)
    model.compile(keras.optimizers.SGD(0.0))
    weights_seen = []
    for _ in range(6):
        logs = model.train_on_batch(X, return_dict=True)
        model.reset_metrics()
        weights_seen.append((logs["loss"] - logs["reconstruction"]) / logs["kl"])
    np.testing.assert_allclose(weights_seen, [0, 0.25, 0.5, 0.75, 1, 1], atol=1e-4)  # a difference of float32 sums


def test_free_bits_value_and_gradient():
    model, noise, floor = vae(free_bits=0.1), normals(NUM, 1, SIZE), 0.1
    # the second dimension close to the prior, so that it falls below the floor
    kernel = weights(6, 2 * SIZE, 1)
    kernel[:, [1, 3]] *= 0.1
    model.encoder.trainable_variables[0].assign(kernel)
    raw = FLAT @ kernel
    mean_kl = kl_by_hand(raw[:, :SIZE], 1e-4 + np.logaddexp(0, raw[:, SIZE:] + 0.5413)).mean(0)
    assert mean_kl[0] > floor > mean_kl[1]

    def kl_sum():
        loss, logs = model.losses_of({"image": tf.constant(X)}, FixedNoise(noise), GlobalBatch(tf.constant(NUM)), True)
        return tf.reduce_mean(loss - logs["reconstruction"])

    def expected_sum():  # sum_d max(floor, batch mean of KL_d)
        raw = tf.reshape(tf.constant(X), [NUM, -1]) @ model.encoder.trainable_variables[0]
        mean, scale = raw[:, :SIZE], 1e-4 + tf.math.softplus(raw[:, SIZE:] + 0.5413)
        by_dimension = (scale**2 + mean**2 - 1) / 2 - tf.math.log(scale)
        return tf.reduce_sum(tf.maximum(floor, tf.reduce_mean(by_dimension, 0)))

    assert float(kl_sum()) == pytest.approx(mean_kl[0] + floor, rel=1e-5)
    gradients = []
    for function in (kl_sum, expected_sum):
        with tf.GradientTape() as tape:
            value = function()
        gradients.append(tape.gradient(value, model.encoder.trainable_variables[0]).numpy())
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)
    assert (gradients[0][:, [1, 3]] == 0).all() and (gradients[0][:, [0, 2]] != 0).any()


@pytest.mark.parametrize(
    "options",
    [{"free_bits": 0.1, "kl_warmup_steps": 2}, {"prior": "vamp", "num_samples": 3}],
    ids=["free bits and warm-up", "vamp and k = 3"],
)
def test_two_replicas_equal_one_device(options):
    """With batch statistics, a prior with weights, a regularizer in the encoder, and uneven batches."""
    data = tf.data.Dataset.from_tensor_slices({"image": images(11)}).batch(4)

    def train():
        encoder = linear_encoder(kernel_regularizer=keras.regularizers.L2(0.1))
        model_options = {**options, "prior": VampPrior(SIZE, 3, SHAPE, mean=0.5)} if "prior" in options else options
        model = vae(encoder=encoder, **model_options)
        model.compile(keras.optimizers.SGD(0.05))
        history = model.fit(data, epochs=2, verbose=0).history
        return [np.asarray(variable) for variable in model.trainable_variables], history

    one, one_history = train()
    with two_replicas().scope():
        two, two_history = train()
    assert len(one) == (3 if "prior" in options else 2)
    for left, right in zip(one, two, strict=True):
        # sums over 4 rows in a different order: a few ULPs of float32
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)
    for name, values in one_history.items():
        np.testing.assert_allclose(values, two_history[name], rtol=1e-5)


def test_a_regularizer_is_added_once_per_step():
    rate, strength = 0.1, 0.2

    def kernel_after_a_step(**options):
        model = vae(encoder=linear_encoder(**options))
        model.compile(keras.optimizers.SGD(rate))
        model.fit(X, batch_size=NUM, shuffle=False, verbose=0)
        return model.encoder.trainable_variables[0].numpy()

    difference = kernel_after_a_step() - kernel_after_a_step(kernel_regularizer=keras.regularizers.L2(strength))
    # the gradient of strength * w^2 is 2 * strength * w, not divided by the batch
    np.testing.assert_allclose(difference, rate * 2 * strength * weights(6, 4, 1), atol=1e-6)


@pytest.mark.parametrize(
    "build_prior",
    [
        lambda: MixturePrior(SIZE, 3),
        lambda: FlowPrior(SIZE, couplings=2, hidden=4),
        lambda: VampPrior(SIZE, 3, SHAPE, mean=0.5),
    ],
    ids=["mixture", "flow", "vamp"],
)
def test_trainable_priors_are_trained_and_saved(build_prior, tmp_path):
    prior = build_prior()
    model = vae(prior=prior)
    model.compile(keras.optimizers.SGD(0.1))
    before = [np.asarray(variable) for variable in prior.trainable_variables]
    model.fit(X, epochs=2, verbose=0)
    after = [np.asarray(variable) for variable in prior.trainable_variables]
    assert all((left != right).any() for left, right in zip(before, after, strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.prior) is type(prior)
    for left, right in zip(after, loaded.prior.trainable_variables, strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(model.generate(5, seed=1), loaded.generate(5, seed=1))


@pytest.mark.parametrize(
    "options",
    [
        {"beta": 0.5, "kl_warmup_steps": 7, "free_bits": 0.25, "head": {"name": "normal", "scale": 0.3}},
        {"num_samples": 3, "prior": Prior("Laplace", size=SIZE, loc=[0.0, 1.0], scale=2.0), "seed": 5},
        {"posterior": "full_covariance_normal", "encoder": linear_encoder(5)},
    ],
    ids=["weights and head", "samples and prior", "posterior"],
)
def test_every_option_is_saved(options, tmp_path):
    vae(**options).save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    for name, value in options.items():
        if name == "prior":
            assert repr(loaded.prior) == repr(value)
        elif name != "encoder":
            assert getattr(loaded, name) == value
    loss, _ = losses_of(vae(**options), X, normals(NUM, options.get("num_samples", 1), SIZE))
    np.testing.assert_array_equal(losses_of(loaded, X, normals(NUM, loaded.num_samples, SIZE))[0], loss)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"beta": -1.0}, "Expected beta as a number >= 0"),
        ({"beta": "2"}, "Expected beta as a number >= 0"),
        ({"free_bits": float("nan")}, "Expected free_bits as a number >= 0"),
        ({"num_samples": 0}, "Expected num_samples as an integer >= 1"),
        ({"num_samples": 1.5}, "Expected num_samples as an integer >= 1"),
        ({"num_samples": 2, "beta": 0.5}, "Expected beta=1, kl_warmup_steps=0 and free_bits=0"),
        ({"num_samples": 2, "free_bits": 0.5}, "Expected beta=1, kl_warmup_steps=0 and free_bits=0"),
        ({"num_samples": 2, "kl_warmup_steps": 5}, "Expected beta=1, kl_warmup_steps=0 and free_bits=0"),
        ({"prior": Prior(size=3)}, "Expected a prior of size 2, .*; received 3"),
        ({"prior": Prior("Uniform", size=2, low=-1.0, high=1.0)}, "infinite"),
        ({"prior": Prior("Exponential", size=2, rate=1.0)}, "infinite"),
        (
            {"free_bits": 0.1, "prior": Prior("Laplace", size=2, loc=0.0, scale=1.0)},
            "Expected distributions whose KL has a closed form",
        ),
        ({"free_bits": 0.1, "prior": MixturePrior(2, 3)}, "independent dimensions"),
        ({"posterior": "full_covariance_normal"}, "an encoder with 5 outputs .*; received 4"),
        ({"posterior": "normal"}, "posterior.*normal"),
        ({"head": "discretized_logistic_mixture"}, r"outputs \(2, 3, 9\)"),
        ({"head": "gauss"}, "head.*gauss"),
        ({"channels": 3}, r"outputs \(2, 3, 1\)"),
        ({"num_classes": 3}, "Expected an encoder with 2 input.* received one with 1"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        vae(**options)


def test_vamp_prior_needs_a_diagonal_posterior_and_no_classes():
    prior = VampPrior(SIZE, 3, SHAPE)
    with pytest.raises(ValueError, match="no classes with a VampPrior"):
        VAE(linear_encoder(5), linear_decoder(), prior=prior, posterior="full_covariance_normal")
    with pytest.raises(ValueError, match="no classes with a VampPrior"):
        VAE(linear_encoder(num_classes=3), linear_decoder(num_classes=3), prior=prior, num_classes=3)


def test_terms_are_float32_under_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = vae()
        assert model.encoder(X).dtype == tf.bfloat16  # the last layer is not float32
        loss, logs = losses_of(model, X, normals(NUM, 1, SIZE))
    finally:
        keras.config.set_dtype_policy(policy)
    mean, scale = posterior_by_hand()
    # the outputs of the encoder have 8 bits of mantissa, and the KL is computed in float32
    np.testing.assert_allclose(logs["kl"], kl_by_hand(mean, scale).sum(1), rtol=0.05)
    assert all(value.dtype == np.float32 for value in (loss, *logs.values()))
