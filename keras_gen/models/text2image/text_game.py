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
from .wrong_captions import wrong_captions

tfd = tfp.distributions

HALFWAY = 0.5  # the paper's beta of GAN-INT


class TextGame(Penalized, AdversarialModel):
    """The training of `Text2Image`, which has the networks and says what they are."""

    call_fields = {}  # noise and texts make the images

    def make(self, batch, draws, training):
        tokens = self.tokens_of(batch)
        right, place = self.embed(tokens), draws.place
        everyone = place.gather(right)
        candidates = place.gather(tf.cast(tokens, tf.float32))
        wrong, known = wrong_captions(tf.cast(tokens, tf.float32), candidates, draws.uniform([place.total]))
        made = {
            "right": right,
            "wrong": tf.gather(everyone, wrong),
            "has_wrong": tf.cast(known, tf.float32),
            "generated": self.generated(draws.normal([self.latent_size]), right, training),
        }
        if self.interpolate:
            total = tf.cast(place.total, tf.float32)
            other = tf.minimum(tf.cast(draws.uniform([]) * total, tf.int32), place.total - 1)
            between = HALFWAY * right + (1 - HALFWAY) * tf.gather(everyone, other)
            z = draws.normal([self.latent_size])
            made |= {"between": between, "generated_between": self.generated(z, between, training)}
        if self.style_encoder is not None:
            style = tf.cast(self.style_encoder([batch["image"], right], training=training), tf.float32)
            z = DIAGONAL_NORMAL.draw(self._style(style), draws.normal([self.latent_size]))
            made |= {"style": style, "drawn_again": self.generated(z, right, training)}
        return made

    def discriminator_loss(self, batch, made, draws, place, training):
        """Real images with their captions against generated ones and, with `matching_aware`, against wrong captions."""
        real, generated = batch["image"], made["generated"]
        features = self.trunk(real, training=training)  # once, whatever text they are judged with
        right = self._logits(features, made["right"], training)
        wrong = self._logits(features, made["wrong"], training)
        fake = self.judged(generated, made["right"], training)
        losses = self._objective.discriminator(right, fake, **self._means(right, fake, place))
        if self.matching_aware:
            mismatched = self._objective.discriminator(right, wrong, **self._means(right, wrong, place))
            share = 0.5 * made["has_wrong"]
            losses = (1 - share) * losses + share * mismatched
        if self._penalty:
            losses += self.penalized(  # of the images, their texts held fixed
                lambda images: self.judged(images, made["right"], training), real, generated, draws, place
            )
        of_match = self._objective.accuracy(right, wrong, **self._means(right, wrong, place))
        metrics = {
            "discriminator_accuracy": self._objective.accuracy(right, fake, **self._means(right, fake, place)),
            "match_accuracy": made["has_wrong"] * of_match + (1 - made["has_wrong"]) * 0.5,
            "sample_diversity": tf.fill(tf.shape(losses), sample_diversity(generated, real, place)),
        }
        return losses, metrics

    def generator_loss(self, batch, made, draws, place, training):
        """What the objective asks of images made for captions and, with `interpolate`, for what lies between two."""
        pairs = [("generated", "right"), *([("generated_between", "between")] if self.interpolate else [])]
        real = None
        if self._objective.generator_needs_real:
            real = self.judged(batch["image"], made["right"], training)
        losses = 0.0
        for images, text in pairs:
            fake = self.judged(made[images], made[text], training)
            means = self._means(fake if real is None else real, fake, place)
            losses += self._objective.generator(fake, real_logits=real, **means)
        if self.matching_weight:
            losses += self.matching_weight * self._mismatch(batch, made, draws, place)
        if self.style_encoder is None:
            return losses, {}
        image, again = tf.cast(batch["image"], tf.float32), made["drawn_again"]
        pixels = tfd.Independent(tfd.Normal(again, self.style_scale), 3)
        divergence = kl(self._style(made["style"]), self._standard()).value
        losses += self.style_weight * (divergence - pixels.log_prob(image))
        return losses, {"style_error": tf.reduce_mean(tf.abs(image - again), [1, 2, 3]), "style_kl": divergence}

    def _style(self, parameters) -> tfd.Distribution:
        """What an image says of its noise: a normal distribution over [n], batch shape [batch]."""
        return DIAGONAL_NORMAL.distribution(parameters, self.latent_size)

    def _standard(self) -> tfd.Distribution:
        return tfd.Independent(tfd.Normal(tf.zeros([self.latent_size]), 1.0), 1)

    def _mismatch(self, batch, made, draws, place) -> tf.Tensor:
        """How far generated images are from their own captions, among all of the global batch: nats [batch]."""
        image = noisy(made["generated"], self.matching_noise, draws)
        image = tf.cast(self.image_encoder(image, training=False), tf.float32)
        own, same = own_and_same(self.tokens_of(batch), place)
        texts = tf.nn.l2_normalize(project(self.projection, place.gather(made["right"])), -1)
        scores = tf.matmul(tf.nn.l2_normalize(image, -1), texts, transpose_b=True) / self.temperature
        return contrastive(scores, own, same)

    def judged(self, images, embedding, training: bool = False) -> tf.Tensor:
        """The discriminator's logits of images with the embeddings of their texts, float32 [batch]."""
        return self._logits(self.trunk(images, training=training), embedding, training)

    def _logits(self, features, embedding, training: bool) -> tf.Tensor:
        return tf.cast(self.head([features, embedding], training=training), tf.float32)[:, 0]

    def _means(self, real, generated, place) -> dict:
        if not (self._objective.needs_means or self._objective.accuracy_needs_means):
            return {}
        return {
            "real_mean": place.differentiable_mean(real),
            "generated_mean": place.differentiable_mean(generated),
        }
