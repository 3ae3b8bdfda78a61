"""What Text2Image makes of a batch, and the losses of its two players (GAN-CLS, GAN-INT, and two terms besides)."""

import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions import kl
from keras_gen.distributions.posteriors import DIAGONAL_NORMAL
from keras_gen.losses import contrastive

from ..core.adversarial import AdversarialModel
from ..core.penalized import Penalized
from ..core.sample_diversity import sample_diversity
from .joint_embedding import noisy, own_and_same, project
from .mismatched_captions import mismatched_captions

tfd = tfp.distributions

HALFWAY = 0.5  # the paper's beta of GAN-INT


class TextGame(Penalized, AdversarialModel):
    """The training of `Text2Image`, which has the networks and says what they are."""

    call_fields = {}  # noise and texts make the images

    def shared_forward(self, batch, batch_noise, training):
        tokens = self.tokens_of(batch)
        right, global_batch = self.embed(tokens), batch_noise.global_batch
        everyone = global_batch.gather(right)
        candidates = global_batch.gather(tf.cast(tokens, tf.float32))
        wrong, known = mismatched_captions(
            tf.cast(tokens, tf.float32), candidates, batch_noise.uniform([global_batch.total])
        )
        shared = {
            "right": right,
            "wrong": tf.gather(everyone, wrong),
            "has_wrong": tf.cast(known, tf.float32),
            "generated": self.generated(batch_noise.normal([self.latent_size]), right, training),
        }
        if self.interpolate:
            total = tf.cast(global_batch.total, tf.float32)
            other = tf.minimum(tf.cast(batch_noise.uniform([]) * total, tf.int32), global_batch.total - 1)
            between = HALFWAY * right + (1 - HALFWAY) * tf.gather(everyone, other)
            z = batch_noise.normal([self.latent_size])
            shared |= {"between": between, "generated_between": self.generated(z, between, training)}
        if self.style_encoder is not None:
            style = tf.cast(self.style_encoder([batch["image"], right], training=training), tf.float32)
            z = DIAGONAL_NORMAL.draw(self._style(style), batch_noise.normal([self.latent_size]))
            shared |= {"style": style, "drawn_again": self.generated(z, right, training)}
        return shared

    def discriminator_loss(self, batch, shared, batch_noise, global_batch, training):
        """Real images with their captions against generated ones and, with `matching_aware`, against wrong captions."""
        real, generated = batch["image"], shared["generated"]
        features = self.trunk(real, training=training)  # once, whatever text they are judged with
        right = self._logits(features, shared["right"], training)
        wrong = self._logits(features, shared["wrong"], training)
        fake = self.judged(generated, shared["right"], training)
        losses = self._objective.discriminator(right, fake, **self._means(right, fake, global_batch))
        if self.matching_aware:
            mismatched = self._objective.discriminator(right, wrong, **self._means(right, wrong, global_batch))
            share = 0.5 * shared["has_wrong"]
            losses = (1 - share) * losses + share * mismatched
        if self._penalty:
            losses += self.penalized(  # of the images, their texts held fixed
                lambda images: self.judged(images, shared["right"], training),
                real,
                generated,
                batch_noise,
                global_batch,
            )
        of_match = self._objective.accuracy(right, wrong, **self._means(right, wrong, global_batch))
        metrics = {
            "discriminator_accuracy": self._objective.accuracy(right, fake, **self._means(right, fake, global_batch)),
            "match_accuracy": shared["has_wrong"] * of_match + (1 - shared["has_wrong"]) * 0.5,
            "sample_diversity": tf.fill(tf.shape(losses), sample_diversity(generated, real, global_batch)),
        }
        return losses, metrics

    def generator_loss(self, batch, shared, batch_noise, global_batch, training):
        """What the objective asks of images made for captions and, with `interpolate`, for what lies between two."""
        pairs = [("generated", "right"), *([("generated_between", "between")] if self.interpolate else [])]
        real = None
        if self._objective.generator_needs_real:
            real = self.judged(batch["image"], shared["right"], training)
        losses = 0.0
        for images, text in pairs:
            fake = self.judged(shared[images], shared[text], training)
            means = self._means(fake if real is None else real, fake, global_batch)
            losses += self._objective.generator(fake, real_logits=real, **means)
        if self.matching_weight:
            losses += self.matching_weight * self._mismatch(batch, shared, batch_noise, global_batch)
        if self.style_encoder is None:
            return losses, {}
        image, again = tf.cast(batch["image"], tf.float32), shared["drawn_again"]
        pixels = tfd.Independent(tfd.Normal(again, self.style_scale), 3)
        divergence = kl(self._style(shared["style"]), self._standard()).value
        losses += self.style_weight * (divergence - pixels.log_prob(image))
        return losses, {"style_error": tf.reduce_mean(tf.abs(image - again), [1, 2, 3]), "style_kl": divergence}

    def _style(self, parameters) -> tfd.Distribution:
        """What an image says of its noise: a normal distribution over [n], batch shape [batch]."""
        return DIAGONAL_NORMAL.distribution(parameters, self.latent_size)

    def _standard(self) -> tfd.Distribution:
        return tfd.Independent(tfd.Normal(tf.zeros([self.latent_size]), 1.0), 1)

    def _mismatch(self, batch, shared, batch_noise, global_batch) -> tf.Tensor:
        """How far generated images are from their own captions, among all of the global batch: nats [batch]."""
        image = noisy(shared["generated"], self.matching_noise, batch_noise)
        image = tf.cast(self.image_encoder(image, training=False), tf.float32)
        own, same = own_and_same(self.tokens_of(batch), global_batch)
        texts = tf.nn.l2_normalize(project(self.projection, global_batch.gather(shared["right"])), -1)
        scores = tf.matmul(tf.nn.l2_normalize(image, -1), texts, transpose_b=True) / self.temperature
        return contrastive(scores, own, same)

    def judged(self, images, embedding, training: bool = False) -> tf.Tensor:
        """The discriminator's logits of images with the embeddings of their texts, float32 [batch]."""
        return self._logits(self.trunk(images, training=training), embedding, training)

    def _logits(self, features, embedding, training: bool) -> tf.Tensor:
        return tf.cast(self.head([features, embedding], training=training), tf.float32)[:, 0]

    def _means(self, real, generated, global_batch) -> dict:
        if not (self._objective.needs_means or self._objective.accuracy_needs_means):
            return {}
        return {
            "real_mean": global_batch.differentiable_mean(real),
            "generated_mean": global_batch.differentiable_mean(generated),
        }
