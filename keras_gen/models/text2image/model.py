"""Text to image: a GAN whose generator and discriminator are conditioned on a caption (GAN-CLS, GAN-INT)."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions import kl
from keras_gen.distributions.noise import Noise
from keras_gen.distributions.posteriors import DIAGONAL_NORMAL
from keras_gen.losses import adversarial, contrastive

from ..core.adversarial import AdversarialModel
from ..core.defaults import EMA, OBJECTIVE
from ..core.diagnostics import diagnose_discriminator
from ..core.endpoint import Endpoint, Port
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.logit_means import logit_means
from ..core.penalized import Penalized
from ..core.player import Player
from ..core.sample_diversity import sample_diversity
from ..core.text_conditional import TextConditional
from .captioned_vae import CaptionedVAE
from .joint_embedding import JointEmbedding, add_noise, caption_targets, project
from .preset import TEMPERATURE
from .validation import check

tfd = tfp.distributions

BETA = 0.5  # weight of the first of two interpolated captions, in the paper


@keras.saving.register_keras_serializable("keras_gen")
class Text2Image(TextConditional, Penalized, AdversarialModel):
    """A GAN that generates images of captions, with a discriminator that classifies pairs of image and caption.

    The text encoder is pretrained with images, in a `JointEmbedding`, and frozen here. Let s_r, s_w and s_f be the
    discriminator's logits of {real image, its caption}, {real image, mismatched caption} and {generated image, the
    caption that it was generated for}. With `matching_aware`, the discriminator minimizes

        D(s_r, s_f) / 2 + D(s_r, s_w) / 2,

    where D is the objective's loss of a real and a generated logit; for the paper's objective this equals
    -log sigmoid(s_r) - (log(1 - sigmoid(s_w)) + log(1 - sigmoid(s_f))) / 2. Without `matching_aware` it minimizes
    D(s_r, s_f). The generator minimizes the objective's loss of s_f. With `interpolate`, it also minimizes this loss
    of an image generated for the mean of two captions' embeddings, for which there is no real image.

    A mismatched caption is drawn from all captions of the global batch that differ from the image's own. If none
    differs, the image contributes only D(s_r, s_f). A different caption may still describe the image (a shorter
    description): in data that describe images in several ways, such pairs are label noise for the discriminator.

    With `matching_weight` > 0, which the paper does not have, the generator also minimizes the weighted contrastive
    loss of a frozen image encoder, which was pretrained together with the text encoder: a generated image should be
    closer to its own caption than to the other captions of the batch.

    With a `style_encoder`, which the paper trains afterwards, the generator remains the decoder of a `CaptionedVAE`
    during adversarial training: both also minimize `style_weight` times the negative ELBO of the real images, in nats,
    for normally distributed pixels with the standard deviation `style_scale`.

    The model reports both losses; `discriminator_accuracy` (real against generated images, 1/2 if they cannot be
    distinguished); `match_accuracy` (own against mismatched captions of real images, also without `matching_aware`);
    and `sample_diversity` as in `GAN`. With a `style_encoder` it also reports `style_error`, the mean absolute error of
    reconstructed real images, and `style_kl`, in nats.

    Args:
        generator: [noise [batch, n], embeddings [batch, size]] -> images [batch, height, width, channels] in [0, 1].
        trunk: Images -> features, independent of the text.
        head: [features, embeddings [batch, size]] -> logits [batch, 1].
        text_encoder: Tokens, integers [batch, length] -> embeddings [batch, size]; frozen.
        vocabulary: Words in the order of their tokens; see `keras_gen.data.Tokenizer`.
        matching_aware: Whether the discriminator is trained with mismatched captions (GAN-CLS).
        interpolate: Whether the generator is trained with interpolated embeddings (GAN-INT).
        objective: See `GAN`.
        penalty: See `GAN`; it is computed with the image's own caption.
        image_encoder: Images -> [batch, m], for `matching_weight`; frozen. None without it.
        projection: Embeddings of texts -> [batch, m], which are compared with those of images; frozen. None compares
            the embeddings themselves. See `JointEmbedding`.
        matching_weight: Weight of the generator's contrastive loss, >= 0.
        matching_noise: Standard deviation, >= 0, of normal noise on the images that the frozen encoder encodes, in
            units of their range; the encoder should be trained with the same (`image_noise` of `JointEmbedding`).
        temperature: Temperature of that loss, > 0.
        style_encoder: [images, embeddings] -> mean and unconstrained scale of the noise, [batch, 2 n], or None.
        style_weight: Weight of the negative ELBO, >= 0.
        style_scale: Standard deviation of the pixels in the ELBO, > 0.
        ema: Decay of the generator's exponential moving average, in (0, 1), or None.
        seed: Seed of all noise while training; None draws one.
        **kwargs: Keras's `name` and `dtype`.

    Raises:
        ValueError: For unknown names, a missing vocabulary, numbers out of range, or networks that do not fit.

    Reference:
        Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, Generative Adversarial Text to Image Synthesis,
        arXiv:1605.05396, algorithm 1 (GAN-CLS), equation 5 (GAN-INT, beta = 0.5) and section 4.4 (style encoder). Xu et
        al. 2018, AttnGAN, arXiv:1711.10485 (a matching loss of pretrained encoders for the generator). Bao et al. 2017,
        CVAE-GAN, arXiv:1703.10155 (the losses of a VAE in addition to the adversarial ones).
    """

    averaged_networks = ("generator",)
    call_fields = {}  # `call` takes noise and texts, not images
    shared_networks = ("generator",)
    tracked = (
        *("discriminator_loss", "generator_loss", "discriminator_accuracy"),
        *("match_accuracy", "sample_diversity"),
    )
    image_shape: tuple[int, int, int]

    def __init__(
        self,
        generator: keras.Model,
        trunk: keras.Model,
        head: keras.Model,
        text_encoder: keras.Model,
        *,
        vocabulary: Sequence[str],
        matching_aware: bool = True,
        interpolate: bool = True,
        objective: str | dict = OBJECTIVE,
        penalty: str | dict | None = None,
        image_encoder: keras.Model | None = None,
        projection: keras.Model | None = None,
        matching_weight: float = 0.0,
        matching_noise: float = 0.0,
        temperature: float = TEMPERATURE,
        style_encoder: keras.Model | None = None,
        style_weight: float = 0.01,
        style_scale: float = 0.1,
        ema: float | None = EMA,
        seed: int | None = None,
        **kwargs: Any,
    ):
        if style_encoder is not None:
            self.tracked = (*Text2Image.tracked, "style_error", "style_kl")
            self.shared_networks = ("generator", "style_encoder")
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.set_text_encoder(text_encoder, vocabulary)
        text_encoder.trainable = False
        self.image_encoder, self.matching_weight, self.temperature = image_encoder, matching_weight, temperature
        self.matching_noise = matching_noise
        self.projection = projection
        for network in (image_encoder, projection):
            if network is not None:
                network.trainable = False
        self.generator, self.trunk, self.head = generator, trunk, head
        self.style_encoder, self.style_weight, self.style_scale = style_encoder, style_weight, style_scale
        self.matching_aware, self.interpolate = bool(matching_aware), bool(interpolate)
        self.image_shape = tuple(generator.output_shape[1:])
        check(self)
        self.latent_size = int(generator.inputs[0].shape[-1])
        self.set_penalty(penalty)
        self.objective, self._objective = objective, adversarial.get(objective)
        self.create_ema_networks()

    # training

    def players(self) -> list[Player]:
        return [
            Player("discriminator", (self.trunk, self.head), self.discriminator_loss),
            Player("generator", tuple(getattr(self, name) for name in self.shared_networks), self.generator_loss),
        ]

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        tokens = self.tokens_of(batch)
        embedding, global_batch = self.embed(tokens), batch_noise.global_batch
        all_embeddings = global_batch.gather(embedding)
        tokens = tf.cast(tokens, tf.float32)
        index, has_mismatch = mismatched_captions(
            tokens, global_batch.gather(tokens), batch_noise.uniform([global_batch.total])
        )
        shared = {
            "embedding": embedding,
            "mismatched": tf.gather(all_embeddings, index),
            "has_mismatch": tf.cast(has_mismatch, tf.float32),
            "generated": self.run_generator(batch_noise.normal([self.latent_size]), embedding, training),
        }
        if self.interpolate:
            total = tf.cast(global_batch.total, tf.float32)
            other = tf.minimum(tf.cast(batch_noise.uniform([]) * total, tf.int32), global_batch.total - 1)
            interpolated = BETA * embedding + (1 - BETA) * tf.gather(all_embeddings, other)
            generated = self.run_generator(batch_noise.normal([self.latent_size]), interpolated, training)
            shared |= {"interpolated": interpolated, "generated_interpolated": generated}
        if self.style_encoder is not None:
            style = tf.cast(self.style_encoder([batch["image"], embedding], training=training), tf.float32)
            z = DIAGONAL_NORMAL.reparameterize(self._style(style), batch_noise.normal([self.latent_size]))
            shared |= {"style": style, "reconstructed": self.run_generator(z, embedding, training)}
        return shared

    def discriminator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the loss of real pairs against generated images and, with `matching_aware`, mismatched captions."""
        real, generated, embedding = batch["image"], shared["generated"], shared["embedding"]
        features = self.trunk(real, training=training)  # computed once, for both captions
        real_logits = self._logits(features, embedding, training)
        mismatched_logits = self._logits(features, shared["mismatched"], training)
        generated_logits = self.discriminate(generated, embedding, training)
        means = logit_means(self._objective, real_logits, generated_logits, global_batch)
        mismatched_means = logit_means(self._objective, real_logits, mismatched_logits, global_batch)
        losses = self._objective.discriminator(real_logits, generated_logits, **means)
        has_mismatch = shared["has_mismatch"]
        if self.matching_aware:
            mismatched = self._objective.discriminator(real_logits, mismatched_logits, **mismatched_means)
            weight = 0.5 * has_mismatch
            losses = (1 - weight) * losses + weight * mismatched
        if self._penalty:
            losses += self.penalized(  # a function of the images; their texts are constant
                lambda images: self.discriminate(images, embedding, training),
                real,
                generated,
                batch_noise,
                global_batch,
            )
        match_accuracy = self._objective.accuracy(real_logits, mismatched_logits, **mismatched_means)
        metrics = {
            "discriminator_accuracy": self._objective.accuracy(real_logits, generated_logits, **means),
            "match_accuracy": has_mismatch * match_accuracy + (1 - has_mismatch) * 0.5,
            "sample_diversity": tf.fill(tf.shape(losses), sample_diversity(generated, real, global_batch)),
        }
        return losses, metrics

    def generator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the adversarial, matching and style losses of the generator, and the metrics of the style."""
        embedding = shared["embedding"]
        pairs = [(shared["generated"], embedding)]
        if self.interpolate:
            pairs.append((shared["generated_interpolated"], shared["interpolated"]))
        real_logits = None
        if self._objective.generator_needs_real:
            real_logits = self.discriminate(batch["image"], embedding, training)
        losses = 0.0
        for images, text in pairs:
            logits = self.discriminate(images, text, training)
            means = logit_means(self._objective, logits if real_logits is None else real_logits, logits, global_batch)
            losses += self._objective.generator(logits, real_logits=real_logits, **means)
        if self.image_encoder is not None and self.matching_weight:
            matching = self._matching_loss(self.image_encoder, batch, shared, batch_noise, global_batch)
            losses += self.matching_weight * matching
        if self.style_encoder is None:
            return losses, {}
        image, reconstructed = tf.cast(batch["image"], tf.float32), shared["reconstructed"]
        pixels = tfd.Independent(tfd.Normal(reconstructed, self.style_scale), 3)
        divergence = kl(self._style(shared["style"]), self._style_prior()).value
        losses += self.style_weight * (divergence - pixels.log_prob(image))
        error = tf.reduce_mean(tf.abs(image - reconstructed), [1, 2, 3])
        return losses, {"style_error": error, "style_kl": divergence}

    def _style(self, parameters: Any) -> tfd.Distribution:
        """Returns the posterior of the noise, a normal distribution over [n] with batch shape [batch]."""
        return DIAGONAL_NORMAL.distribution(parameters, self.latent_size)

    def _style_prior(self) -> tfd.Distribution:
        return tfd.Independent(tfd.Normal(tf.zeros([self.latent_size]), 1.0), 1)

    def _matching_loss(
        self,
        image_encoder: keras.Model,
        batch: dict,
        shared: dict,
        batch_noise: BatchNoise,
        global_batch: GlobalBatch,
    ) -> tf.Tensor:
        """Returns the contrastive loss of generated images with all captions of the global batch, in nats [batch]."""
        image = add_noise(shared["generated"], self.matching_noise, batch_noise)
        image = tf.cast(image_encoder(image, training=False), tf.float32)
        own, same = caption_targets(self.tokens_of(batch), global_batch)
        texts = tf.nn.l2_normalize(project(self.projection, global_batch.gather(shared["embedding"])), -1)
        scores = tf.matmul(tf.nn.l2_normalize(image, -1), texts, transpose_b=True) / self.temperature
        return contrastive(scores, own, same)

    def discriminate(self, images: Any, embedding: Any, training: bool = False) -> tf.Tensor:
        """Returns the discriminator's logits of pairs of image and text, float32 [batch].

        Args:
            images: [batch, height, width, channels] in [0, 1].
            embedding: Embeddings of the texts [batch, size].
            training: Passed to the networks.
        """
        return self._logits(self.trunk(images, training=training), embedding, training)

    def _logits(self, features: Any, embedding: Any, training: bool) -> tf.Tensor:
        return tf.cast(self.head([features, embedding], training=training), tf.float32)[:, 0]

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]:
        return diagnose_discriminator(logs, critic=self._objective.name == "wasserstein")

    def load_pretrained(self, pretrained: JointEmbedding | CaptionedVAE) -> None:
        """Copies the weights of a pretrained model of the same captions.

        From a joint embedding, it copies the text encoder, the image encoder and the projection; and the trunk, if the
        joint embedding's image encoder begins with one of the same structure: the discriminator then begins with
        features that captions describe. From a VAE, it copies the text encoder, the decoder as the generator, and the
        encoder as the style encoder.

        Args:
            pretrained: The pretrained model.

        Raises:
            ValueError: For another vocabulary, or networks of another structure.
        """
        if pretrained.vocabulary != self.vocabulary or pretrained.length != self.length:
            raise ValueError(
                f"Expected a model of the same vocabulary and length, {len(self.vocabulary)} words and "
                f"{self.length}; received {len(pretrained.vocabulary)} words and {pretrained.length}"
            )
        self.text_encoder.set_weights(pretrained.text_encoder.get_weights())
        if isinstance(pretrained, CaptionedVAE):
            for network in (self.generator, *self.ema_networks.values()):
                network.set_weights(pretrained.decoder.get_weights())
            if self.style_encoder is not None:
                self.style_encoder.set_weights(pretrained.encoder.get_weights())
            return
        if self.image_encoder is not None:
            self.image_encoder.set_weights(pretrained.image_encoder.get_weights())
            if (self.projection is None) != (pretrained.projection is None):
                raise ValueError(
                    "Expected a joint embedding with a projection if, and only if, this model has one; received one "
                    f"{'without' if pretrained.projection is None else 'with'} a projection"
                )
            if self.projection is not None and pretrained.projection is not None:
                self.projection.set_weights(pretrained.projection.get_weights())
        trunk = next((layer for layer in pretrained.image_encoder.layers if layer.name == self.trunk.name), None)
        if trunk is not None and _shapes(trunk) == _shapes(self.trunk):
            self.trunk.set_weights(trunk.get_weights())

    # generation

    def run_generator(
        self, z: Any, embedding: Any, training: bool = False, network: keras.Model | None = None
    ) -> tf.Tensor:
        """Returns the images of noise and texts, float32 [batch, height, width, channels] in [0, 1].

        Args:
            z: Noise [batch, n].
            embedding: Embeddings of the texts [batch, size].
            training: Passed to the network.
            network: The generator to run; None is the one that is trained, not its moving average.
        """
        inputs = [tf.convert_to_tensor(z), tf.convert_to_tensor(embedding)]
        return tf.cast((network or self.generator)(inputs, training=training), tf.float32)

    def noise(self) -> dict[str, Noise]:
        """Returns z, standard normal noise."""
        return {"z": Noise("normal", (self.latent_size,))}

    def generate_from(self, noise: dict, embedding: Any) -> tf.Tensor:
        return self.run_generator(noise["z"], embedding, network=self.inference_network("generator"))

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Returns the images of `z` [batch, n] with `embedding` or `tokens`."""
        embedding = inputs["embedding"] if "embedding" in inputs else self.embed(self.tokens_of(inputs))
        return self.generate_from({"z": inputs["z"]}, embedding)

    def new_text_image_scorer(self, seed: int) -> JointEmbedding:
        """Returns an untrained joint embedding with default networks, for the evaluation of text-to-image generation.

        It shares no weights with this model.

        Args:
            seed: Seed of its weights; use another one than the model's.
        """
        from .preset import joint_embedding

        return joint_embedding(self.image_shape, seed, vocabulary=self.vocabulary, length=self.length)

    def endpoints(self) -> list[Endpoint]:
        """Returns `embed(tokens) -> embedding` and `generate(embedding, z) -> image`."""
        inputs = {"embedding": Port((self.embedding_size,), "value"), "z": Port((self.latent_size,), "normal")}

        def generate(embedding, z):
            return {"image": self.generate_from({"z": z}, embedding)}

        image = {"image": Port(self.image_shape, "image")}
        return [self.embed_endpoint(), Endpoint("generate", generate, inputs, image)]


def mismatched_captions(tokens: tf.Tensor, all_tokens: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns for each caption another one that differs from it, drawn uniformly.

    Args:
        tokens: Captions of this replica's rows, [rows, length].
        all_tokens: Captions of the global batch, of the same dtype, [total, length].
        noise: Uniform on [0, 1), [rows, total].

    Returns:
        The index of the mismatched caption in `all_tokens`, int32 [rows]; and whether it differs, bool [rows], which is
        False if all captions are equal.
    """
    differs = tf.reduce_any(tokens[:, None] != all_tokens[None], axis=-1)
    index = tf.argmax(tf.where(differs, noise, -1.0), axis=1, output_type=tf.int32)
    return index, tf.reduce_any(differs, axis=1)


def _shapes(network: keras.Model) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in network.weights]
