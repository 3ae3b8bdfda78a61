"""The variational autoencoder: a decoder, a variational posterior and a prior, trained by a bound on log p(x)."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_gen.distributions import Prior, heads, kl, kl_per_dimension, posteriors
from keras_gen.layers import VampPrior

from ..core.encoder_decoder import EncoderDecoder
from ..core.endpoint import Port


@keras.saving.register_keras_serializable("keras_gen")
class VAE(EncoderDecoder):
    """Maximizes ELBO = E_q(z|x)[log p(x|z)] - KL(q(z|x) || p(z)), or the importance-weighted bound with k samples.

    Reported, in nats per image, averaged over the batch: `elbo` (both terms, never weighted), `reconstruction`
    (-E log p(x|z)), `kl` (prior fitting), and `loss` (what is minimized: with `beta`, warm-up and free bits; for
    `num_samples` k > 1, minus the bound).

    With `fit(x, y)` the code of x is to explain y, and the bound is one on log p(y), since it holds for any q:
    E_q(z|x)[log p(y|z)] - KL(q(z|x) || p(z)) <= log p(y). With x a corruption of y this is the denoising criterion of
    Im et al., whose mean over corruptions it estimates.

    Args:
        encoder: images -> parameters of the posterior, [batch, posterior.outputs(size)].
        decoder: codes [batch, size] -> parameters of the head, [batch, height, width, head.outputs(channels)].
        prior: `keras_gen.Prior`, `MixturePrior`, `FlowPrior`, `VampPrior`, or anything with their interface; None
            is the isotropic standard normal.
        head: name or dict, see `keras_gen.distributions.heads.get`.
        posterior: `"diagonal_normal"` or `"full_covariance_normal"`.
        beta: weight of the KL term, >= 0.
        kl_warmup_steps: steps over which that weight rises linearly from 0, >= 0.
        free_bits: nats per latent dimension, on the batch mean, below which the KL is not pushed, >= 0.
        num_samples: k >= 1 codes per image; k > 1 trains the IWAE bound.
        num_classes: classes to condition on, or None; see `EncoderDecoder`.
        seed: seed of the model's noise.

    Raises:
        ValueError: for options out of range, networks whose sizes do not fit, or combinations that are no bound
            (k > 1 with beta other than 1, with warm-up or with free bits).

    Reference:
        Kingma, Welling 2013, arXiv:1312.6114, eq. 3. Higgins et al. 2017 (beta). Kingma et al. 2016,
        arXiv:1606.04934, section 4.2 and appendix C.8 (free bits). Burda, Grosse, Salakhutdinov 2015,
        arXiv:1509.00519, eq. 8 (k samples). Im, Ahn, Memisevic, Bengio 2017, arXiv:1511.06406 (denoising).
    """

    tracked = ("loss", "elbo", "reconstruction", "kl")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        prior=None,
        head: str | dict = "bernoulli",
        posterior: str = "diagonal_normal",
        beta: float = 1.0,
        kl_warmup_steps: int = 0,
        free_bits: float = 0.0,
        num_samples: int = 1,
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        self.prior = Prior(size=self.latent_size) if prior is None else prior
        self.head, self.posterior = head, posterior
        self.beta, self.kl_warmup_steps = beta, kl_warmup_steps
        self.free_bits, self.num_samples = free_bits, num_samples
        self.likelihood, self.family = heads.get(head), posteriors.get(posterior)
        self._check()

    def losses_of(self, batch, batch_noise, global_batch, training):
        image, label = batch["image"], self.label_of(batch)
        q, z = self.posterior_draws(image, label, batch_noise, self.num_samples, training)
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
            fitting = self._with_free_bits(q, p, global_batch) if self.free_bits else divergence
            loss = reconstruction + self._kl_weight(training) * fitting
        elbo = -(reconstruction + divergence)
        return loss, {"elbo": elbo, "reconstruction": reconstruction, "kl": divergence}

    def posterior_draws(self, image, label, batch_noise, num: int, training: bool = False):
        """The posterior of images and `num` codes of each.

        Returns:
            q with batch shape [batch], and codes [num, batch, size], differentiable in q's parameters.
        """
        q = self.family.distribution(self.encoded(image, label, training), self.latent_size)
        noise = tf.transpose(batch_noise.normal([num, self.latent_size]), [1, 0, 2])
        return q, self.family.draw(q, noise)

    def log_likelihood(self, image, z, label=None, training: bool = False) -> tf.Tensor:
        """log p(x | z) in nats, [num, batch], for codes [num, batch, size]; the decoder runs once on all of them."""
        num, batch = tf.shape(z)[0], tf.shape(z)[1]
        if label is not None:
            label = tf.tile(label, [num, 1])
        parameters = self.decoded(tf.reshape(z, [-1, self.latent_size]), label, training)
        parameters = tf.reshape(parameters, [num, batch, *parameters.shape[1:]])
        return self.likelihood.distribution(parameters).log_prob(tf.cast(image, tf.float32)[None])

    def posterior_of(self, image):
        return self.family.distribution(self.encoded(image), self.latent_size)

    def code_of(self, encoded):
        return encoded[:, : self.latent_size]

    def image_of(self, decoded):
        return self.likelihood.image(decoded)

    def code_ports(self):
        return {"scale": Port((self.latent_size,), "value")}

    def code_details(self, encoded):
        return {"scale": self.family.stddev(encoded, self.latent_size)}

    def _kl_weight(self, training: bool) -> tf.Tensor:
        if not (training and self.kl_warmup_steps):
            return tf.constant(self.beta, tf.float32)
        done = tf.cast(tf.convert_to_tensor(self.train_steps), tf.float32) / self.kl_warmup_steps
        return self.beta * tf.minimum(done, 1.0)

    def _with_free_bits(self, q, p, global_batch) -> tf.Tensor:
        """KL per example in which dimensions below the free bits, on the global batch's mean, stand at that constant.

        The batch mean is sum_d max(free_bits, mean KL_d), with its gradient.
        """
        by_dimension = kl_per_dimension(q, p)
        pushed = tf.cast(global_batch.mean(by_dimension) > self.free_bits, tf.float32)
        return tf.reduce_sum(pushed * by_dimension + (1.0 - pushed) * self.free_bits, axis=1)

    def _check(self):
        whole, number = (int, np.integer), (int, float, np.integer, np.floating)
        for name, kind, smallest in (
            ("beta", number, 0), ("kl_warmup_steps", whole, 0), ("free_bits", number, 0), ("num_samples", whole, 1)
        ):  # fmt: skip
            value = getattr(self, name)
            if not isinstance(value, kind) or not smallest <= value < math.inf:
                what = "an integer" if kind is whole else "a number"
                raise ValueError(f"{name} must be {what} >= {smallest}; received {value!r}")
        if self.num_samples > 1 and (self.beta != 1 or self.free_bits or self.kl_warmup_steps):
            raise ValueError(
                f"num_samples={self.num_samples} trains the IWAE bound, which is a bound only with beta=1, "
                f"kl_warmup_steps=0 and free_bits=0; received beta={self.beta}, "
                f"kl_warmup_steps={self.kl_warmup_steps}, free_bits={self.free_bits}"
            )
        if getattr(self.prior, "size", self.latent_size) != self.latent_size:
            raise ValueError(f"The prior has size {self.prior.size}, the decoder takes codes of {self.latent_size}")
        if not getattr(self.prior, "full_support", True):
            raise ValueError(
                f"{self.prior} gives no density to some codes, where a normal posterior reaches them all: the KL term "
                "would be infinite. Choose a prior on all real numbers (Normal, Laplace, Logistic, StudentT, ...)"
            )
        if isinstance(self.prior, VampPrior) and (self.num_classes or not self.family.factorizes):
            raise ValueError("A VampPrior needs a diagonal_normal posterior and a model without classes")
        if self.free_bits:  # raises where the KL does not split by dimension
            q = self.family.distribution(tf.zeros([1, self.family.outputs(self.latent_size)]), self.latent_size)
            kl_per_dimension(q, self.prior.distribution(self.posterior_of))
        wanted = self.family.outputs(self.latent_size)
        if self.encoder.output_shape[-1] != wanted:
            raise ValueError(
                f"posterior={self.posterior!r} with codes of {self.latent_size} needs an encoder of {wanted} outputs; "
                f"it has {self.encoder.output_shape[-1]}"
            )
        wanted = (*self.image_shape[:2], self.likelihood.outputs(self.image_shape[2]))
        if tuple(self.decoder.output_shape[1:]) != wanted:
            raise ValueError(
                f"head={self.head!r} on images {self.image_shape} needs a decoder with outputs {wanted}; "
                f"it has {tuple(self.decoder.output_shape[1:])}"
            )
