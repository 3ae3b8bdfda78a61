"""The variational autoencoder: a decoder, a variational posterior and a prior, trained with a bound on log p(x)."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.data.pixels import SAMPLE, Pixels, noise_share
from keras_gen.distributions import LatentPrior, Prior, check_prior, heads, kl, kl_per_dimension, posteriors
from keras_gen.layers import VampPrior

from ..core.encoder_decoder import EncoderDecoder
from ..core.endpoint import Port
from ..core.global_batch import BatchNoise, GlobalBatch
from .preset import POSTERIOR


@keras.saving.register_keras_serializable("keras_gen")
class VAE(EncoderDecoder):
    """A model that maximizes ELBO = E_q(z|x)[log p(x|z)] - KL(q(z|x) || p(z)), or the importance-weighted bound.

    Metrics, in nats per image, averaged over the batch: `elbo` (both terms, unweighted), `reconstruction`
    (-E log p(x|z)), `kl` (the KL term), and `loss` (the quantity that is minimized: with `beta`, warm-up and free bits;
    for `num_samples` k > 1, minus the importance-weighted bound).

    `fit(x, y)` encodes x and reconstructs y. Since the bound holds for any q, it is one on log p(y):
    E_q(z|x)[log p(y|z)] - KL(q(z|x) || p(z)) <= log p(y). If x is a corruption of y, this estimates the denoising
    criterion of Im et al., its mean over corruptions.

    Args:
        encoder: network from images to parameters of the posterior, [batch, posterior.outputs(size)].
        decoder: network from codes [batch, size] to parameters of the head, [batch, height, width,
            head.outputs(channels)].
        prior: `keras_gen.Prior`, `MixturePrior`, `FlowPrior`, `VampPrior`, or an object with the same interface; None
            is the isotropic standard normal.
        head: name or dict of the distribution of the pixels, see `keras_gen.distributions.heads.get`.
        posterior: "diagonal_normal" or "full_covariance_normal".
        beta: weight of the KL term, >= 0.
        kl_warmup_steps: steps over which that weight rises linearly from 0, >= 0.
        free_bits: nats per latent dimension, on the batch mean, below which the KL term has no gradient, >= 0.
        num_samples: number k >= 1 of codes per image; k > 1 trains the importance-weighted bound (IWAE).
        num_classes: number of classes to condition on, or None; see `EncoderDecoder`.
        seed: seed of the model's noise; None draws one.

    Attributes:
        log_scale: weight, the logarithm of the scale that all pixels share; None for a head without one.

    Raises:
        ValueError: for options out of range, networks whose sizes do not match, or combinations that give no bound
            (k > 1 with beta other than 1, with warm-up or with free bits).

    Example:
        >>> from keras_gen import networks
        >>> encoder = networks.mlp_encoder((8, 8, 1), 4)  # mean and scale of two dimensions
        >>> model = VAE(encoder, networks.mlp_decoder(2, (8, 8, 1)), seed=0)
        >>> model.generate(3, seed=0).shape
        (3, 8, 8, 1)

    Reference:
        Kingma, Welling 2013, arXiv:1312.6114, eq. 3. Higgins et al. 2017 (beta). Kingma et al. 2016,
        arXiv:1606.04934, section 4.2 and appendix C.8 (free bits). Burda, Grosse, Salakhutdinov 2015,
        arXiv:1509.00519, eq. 8 (k samples). Im, Ahn, Memisevic, Bengio 2017, arXiv:1511.06406 (denoising).
    """

    image_shape: tuple[int, int, int]
    tracked = ("loss", "elbo", "reconstruction", "kl")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        prior: LatentPrior | None = None,
        head: str | dict = "bernoulli",
        posterior: str = POSTERIOR,
        beta: float = 1.0,
        kl_warmup_steps: int = 0,
        free_bits: float = 0.0,
        num_samples: int = 1,
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(encoder, decoder, num_classes=num_classes, seed=seed, **kwargs)
        self.prior = check_prior(Prior(size=self.latent_size) if prior is None else prior, self.latent_size)
        self.head, self.posterior = head, posterior
        self.beta, self.kl_warmup_steps = beta, kl_warmup_steps
        self.free_bits, self.num_samples = free_bits, num_samples
        self.likelihood, self.family = heads.get(head), posteriors.get(posterior)
        self._check_numbers()
        self._check_prior()
        self._check_networks()
        self.log_scale = None
        if (initial := self.likelihood.initial_log_scale) is not None:
            self.log_scale = self.add_weight(
                name="log_scale", shape=(), dtype="float32", initializer=keras.initializers.Constant(initial)
            )

    def losses_of(
        self, batch: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        image, label = batch["image"], self.label_of(batch)
        q, z = self.sample_posterior(image, label, batch_noise, self.num_samples, training)
        p = self.prior.distribution(self.posterior_of)
        log_likelihood = self.log_likelihood(self.target_of(batch), z, label, training)
        if self.num_samples > 1:
            log_ratio = q.log_prob(z) - p.log_prob(z)
            log_weights = log_likelihood - log_ratio
            bound = tf.reduce_logsumexp(log_weights, axis=0) - math.log(self.num_samples)
            reconstruction, divergence = -tf.reduce_mean(log_likelihood, 0), tf.reduce_mean(log_ratio, 0)
            loss = -bound
        else:
            reconstruction, divergence = -log_likelihood[0], kl(q, p, z).value
            penalty = self._kl_with_free_bits(q, p, global_batch) if self.free_bits else divergence
            loss = reconstruction + self._kl_weight(training) * penalty
        elbo = -(reconstruction + divergence)
        return loss, {"elbo": elbo, "reconstruction": reconstruction, "kl": divergence}

    def sample_posterior(
        self, image: Any, label: Any, batch_noise: BatchNoise, num: int, training: bool = False
    ) -> tuple[Any, tf.Tensor]:
        """Returns the posterior of images and `num` codes of each.

        Args:
            image: images [batch, height, width, channels] in [0, 1].
            label: one-hot labels [batch, num_classes], or None.
            batch_noise: source of the noise.
            num: codes per image, >= 1.
            training: passed to the encoder.

        Returns:
            q with batch shape [batch], and codes [num, batch, size] that are differentiable in q's parameters.
        """
        q = self.family.distribution(self.encoded(image, label, training), self.latent_size)
        noise = tf.transpose(batch_noise.normal([num, self.latent_size]), [1, 0, 2])
        return q, self.family.reparameterize(q, noise)

    def log_likelihood(self, image: Any, z: Any, label: Any = None, training: bool = False) -> tf.Tensor:
        """Returns log p(x | z) in nats, [num, batch]; the decoder runs once on all codes.

        Args:
            image: images [batch, height, width, channels].
            z: codes [num, batch, size].
            label: one-hot labels [batch, num_classes], or None.
            training: passed to the decoder.
        """
        num, batch = tf.shape(z)[0], tf.shape(z)[1]
        if label is not None:
            label = tf.tile(label, [num, 1])
        parameters = self.decoded(tf.reshape(z, [-1, self.latent_size]), label, training)
        parameters = tf.reshape(parameters, [num, batch, *parameters.shape[1:]])
        scale = () if self.log_scale is None else (tf.convert_to_tensor(self.log_scale),)
        return self.likelihood.distribution(parameters, *scale).log_prob(tf.cast(image, tf.float32)[None])

    def posterior_of(self, image: Any) -> Any:
        return self.family.distribution(self.encoded(image), self.latent_size)

    def code_of(self, encoded: tf.Tensor) -> tf.Tensor:
        return encoded[:, : self.latent_size]

    def image_of(self, decoded: tf.Tensor) -> tf.Tensor:
        return self.likelihood.image(decoded)

    def code_ports(self) -> dict[str, Port]:
        return {"scale": Port((self.latent_size,), "value")}

    def code_details(self, encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scale": self.family.stddev(encoded, self.latent_size)}

    def note_on_arrays(self, columns: Mapping[str, Any]) -> str | None:
        """Returns a note if the head is a likelihood of binary pixels and the images have other ones."""
        if self.likelihood.support != "binary":
            return None
        images = np.asarray(self.target_of(columns)[:: max(1, len(columns["image"]) // SAMPLE)], np.float32)
        pixels = Pixels(images.shape[-1], noise_share(images))
        if pixels.binarization:
            return None
        return (
            f"{pixels.describe()}, but head={self.head!r} is a likelihood of binary pixels. Build the model with "
            "another head: the default of zoo.build suits any pixels."
        )

    def _kl_weight(self, training: bool) -> tf.Tensor:
        if not (training and self.kl_warmup_steps):
            return tf.constant(self.beta, tf.float32)
        progress = tf.cast(tf.convert_to_tensor(self.train_steps), tf.float32) / self.kl_warmup_steps
        return self.beta * tf.minimum(progress, 1.0)

    def _kl_with_free_bits(self, q: Any, p: Any, global_batch: GlobalBatch) -> tf.Tensor:
        """Returns the KL term per example; dimensions whose global batch mean is below the free bits are constant.

        The batch mean is sum_d max(free_bits, mean KL_d), with its gradient.
        """
        by_dimension = kl_per_dimension(q, p)
        active = tf.cast(global_batch.mean(by_dimension) > self.free_bits, tf.float32)
        return tf.reduce_sum(active * by_dimension + (1.0 - active) * self.free_bits, axis=1)

    def _check_numbers(self) -> None:
        integer, number = (int, np.integer), (int, float, np.integer, np.floating)
        for name, types, smallest in (
            ("beta", number, 0),
            ("kl_warmup_steps", integer, 0),
            ("free_bits", number, 0),
            ("num_samples", integer, 1),
        ):
            value = getattr(self, name)
            if not isinstance(value, types) or not smallest <= value < math.inf:
                kind = "an integer" if types is integer else "a number"
                raise ValueError(f"Expected {name} as {kind} >= {smallest}; received {value!r}")
        if self.num_samples > 1 and (self.beta != 1 or self.free_bits or self.kl_warmup_steps):
            raise ValueError(
                f"Expected beta=1, kl_warmup_steps=0 and free_bits=0 with num_samples={self.num_samples}: the IWAE "
                f"objective is a bound only with these; received beta={self.beta}, "
                f"kl_warmup_steps={self.kl_warmup_steps}, free_bits={self.free_bits}"
            )

    def _check_prior(self) -> None:
        if not self.prior.full_support:
            raise ValueError(
                f"Expected a prior with density on all real numbers, as a normal posterior has; received {self.prior}: "
                "the KL term would be infinite. Choose Normal, Laplace, Logistic, StudentT, ..."
            )
        if isinstance(self.prior, VampPrior) and (self.num_classes or not self.family.factorizes):
            raise ValueError(
                "Expected a diagonal_normal posterior and no classes with a VampPrior; received "
                f"posterior={self.posterior!r} and num_classes={self.num_classes}"
            )
        if self.free_bits:  # raises if the KL term is no sum over dimensions
            q = self.family.distribution(tf.zeros([1, self.family.outputs(self.latent_size)]), self.latent_size)
            kl_per_dimension(q, self.prior.distribution(self.posterior_of))

    def _check_networks(self) -> None:
        expected, units = self.family.outputs(self.latent_size), self.encoder.output_shape[-1]
        if units != expected:
            raise ValueError(
                f"Expected an encoder with {expected} outputs (posterior={self.posterior!r}, codes of "
                f"{self.latent_size}); received {units}"
            )
        height, width, channels = self.image_shape
        expected, outputs = (height, width, self.likelihood.outputs(channels)), tuple(self.decoder.output_shape[1:])
        if outputs != expected:
            raise ValueError(
                f"Expected a decoder with outputs {expected} (head={self.head!r}, images {self.image_shape}); received "
                f"{outputs}"
            )
