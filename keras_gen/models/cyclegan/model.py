"""CycleGAN: translation between two domains without pairs, trained with cycle consistency."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gen.layers import ImagePool
from keras_gen.losses import absolute_error, adversarial, over_patches, semantic_consistency

from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.player import Player
from .inference import OTHER, TwoDomains
from .preset import CYCLE_WEIGHT, IDENTITY_WEIGHT, OBJECTIVE, POOL_SIZE
from .random_crop import crop_images
from .validation import check

WINNING_ACCURACY = 0.995  # above, the discriminators leave the generators hardly any gradient


@keras.saving.register_keras_serializable("keras_gen")
class CycleGAN(TwoDomains):
    """Two generators between domains A and B, and a discriminator of patches for each domain.

    Batches hold `domain_a` and `domain_b`, which are not paired. With generators G: A -> B and F: B -> A and logits
    C_a, C_b of the discriminators, averaged over patches, the generators share one loss; with the least-squares
    objective it is

        w (C_b(G(a)) - 1)^2 / 2 + w (C_a(F(b)) - 1)^2 / 2               adversarial, w = adversarial_weight
        + cycle_weight (|F(G(a)) - a| + |G(F(b)) - b|)                  cycle consistency, mean over pixels
        + identity_weight (|G(b) - b| + |F(a) - a|)                     only if the domains have the same shape

    On images in [0, 1] the absolute differences are half of those in the paper's range [-1, 1], and this objective's
    terms are half of the paper's, too: the loss is half of the paper's, with the same weights. (The paper halves the
    discriminators' loss as well.) Both generators are one player with one loss. A step updates three players: the
    generators, then each discriminator, on the same translations or on earlier ones from a pool.

    Semantic consistency (off without a `classifier`): the predictions of a frozen classifier f, pretrained on the
    labels of the source domain, must not change by translation. With `semantics="both"`, as in CyCADA, the loss has
    both directions: source -> target, f(G(s)) as f(s), and target -> source, f(F(t)) as f(t); with `"source"` only the
    first, since f is less reliable on images of the target domain.

    Metrics: the players' losses; `adversarial_loss`, `cycle_error` and `identity_error` (unweighted means of the two
    directions; the errors in units of the range [0, 1]); each discriminator's accuracy over patches;
    `semantic_agreement`, the fraction of predictions that do not change.

    Args:
        generator_ab: network from images [batch, height, width, channels] in [0, 1] of domain A to images of domain B.
            The domains may differ in size and channels. The network must treat the images of a batch independently
            (instance normalization), since several batches are concatenated.
        generator_ba: network from images of domain B to images of domain A.
        discriminator_a: network from images of domain A to logits [batch, rows, columns, 1] or [batch, 1].
        discriminator_b: network from images of domain B to logits.
        cycle_weight: lambda, >= 0; 0 turns the cycle consistency loss off.
        identity_weight: weight of the identity loss, >= 0; half of lambda in the paper. Domains of different shapes
            have no identity loss.
        adversarial_weight: weight of the generators' adversarial loss, >= 0; with 0 the discriminators are still
            trained.
        objective: adversarial objective, see `keras_gen.losses.adversarial`; one without means over the batch.
        pool_size: number of past translations per direction in the pool, at least the global batch size; 0 for none.
        classifier: network from images of the source domain to logits [batch, classes], which is frozen; or None.
        source: domain of the classifier, "a" or "b".
        semantics: "source" or "both".
        semantic_weight: weight of the classifier's cross-entropy in nats, >= 0.
        crop: (height, width) of random crops to train on; None trains on whole images. The generators must take images
            of any size.
        size: (height, width) of whole images in a batch; required if the generators take any size.
        export_size: (height, width) of the images of the endpoints; None is `size`. It may be assigned later.
        domain_names: names of domain A and domain B, or None; `keras_gen.train` sets them from the data.
        ema: decay of the generators' moving averages in (0, 1), which inference uses; None turns them off.
        seed: seed of all noise; None draws one.

    Raises:
        ValueError: for networks that do not match each other, or options out of range.

    Reference:
        Zhu, Park, Isola, Efros 2017, Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks,
        arXiv:1703.10593, eq. 1-3, sections 4 and 5.2. Hoffman et al. 2017, CyCADA, arXiv:1711.03213, eq. 4.
    """

    averaged_networks = shared_networks = ("generator_ab", "generator_ba")

    def __init__(
        self,
        generator_ab: keras.Model,
        generator_ba: keras.Model,
        discriminator_a: keras.Model,
        discriminator_b: keras.Model,
        *,
        cycle_weight: float = CYCLE_WEIGHT,
        identity_weight: float = IDENTITY_WEIGHT,
        adversarial_weight: float = 1.0,
        objective: str | dict = OBJECTIVE,
        pool_size: int = POOL_SIZE,
        classifier: keras.Model | None = None,
        source: str = "a",
        semantics: str = "both",
        semantic_weight: float = 1.0,
        crop: Sequence[int] | None = None,
        size: Sequence[int] | None = None,
        export_size: Sequence[int] | None = None,
        domain_names: Sequence[str] | None = None,
        ema: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        same_shape = tuple(generator_ab.input_shape[1:]) == tuple(generator_ba.input_shape[1:])
        self._has_identity_loss = bool(identity_weight) and same_shape
        # the base's constructor creates the trackers
        self.tracked = _tracked(self._has_identity_loss, classifier is not None)
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.generator_ab, self.generator_ba = generator_ab, generator_ba
        self.discriminator_a, self.discriminator_b = discriminator_a, discriminator_b
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.adversarial_weight, self.objective, self.pool_size = adversarial_weight, objective, pool_size
        self.classifier, self.source = classifier, source
        self.semantics, self.semantic_weight = semantics, semantic_weight
        self.crop, self.size, self.export_size = map(_as_tuple, (crop, size, export_size))
        self.domain_names = None if domain_names is None else tuple(map(str, domain_names))
        self._objective = adversarial.get(objective)
        check(self)
        self.image_shape = self.shape_of("a")
        if classifier is not None:
            classifier.trainable = False
        self.pools = {domain: ImagePool(pool_size, self.trained_shape(domain)) for domain in "ab" if pool_size}
        self.create_ema_networks()

    # training

    def players(self) -> list[Player]:
        return [
            Player("generators", (self.generator_ab, self.generator_ba), self.generators_loss),
            Player("discriminator_a", (self.discriminator_a,), functools.partial(self.discriminator_loss, "a")),
            Player("discriminator_b", (self.discriminator_b,), functools.partial(self.discriminator_loss, "b")),
        ]

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        """Returns real images, translations, cycle reconstructions and identity mappings, in few generator passes."""
        a, b = (self._real_images(batch, domain, batch_noise, training) for domain in "ab")
        inputs_ab = {"to_b": a} | ({"identity_b": b} if self._has_identity_loss else {})
        inputs_ba = {"to_a": b} | ({"identity_a": a} if self._has_identity_loss else {})
        shared = {"real_a": a, "real_b": b} | _apply_once(self.generator_ab, inputs_ab, training)
        if self.cycle_weight:
            inputs_ba["cycle_a"] = shared["to_b"]
        shared |= _apply_once(self.generator_ba, inputs_ba, training)
        if self.cycle_weight:
            shared |= _apply_once(self.generator_ab, {"cycle_b": shared["to_a"]}, training)
        return shared

    def generators_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the adversarial, cycle consistency, identity and semantic losses of both generators."""
        real = {domain: tf.stop_gradient(shared[f"real_{domain}"]) for domain in "ab"}
        logs = {"adversarial_loss": _mean([self._adversarial_loss(shared, domain, training) for domain in "ab"])}
        losses = 2.0 * self.adversarial_weight * logs["adversarial_loss"]
        for name, weight in (("cycle", self.cycle_weight), ("identity", self.identity_weight)):
            if f"{name}_a" in shared:
                error = _mean([absolute_error(shared[f"{name}_{domain}"], real[domain]) for domain in "ab"])
                losses += 2.0 * weight * error
                logs[f"{name}_error"] = error
        if not self.cycle_weight:
            # no part of the loss, but the metric that shows whether the translations are reversible
            logs["cycle_error"] = _mean([self._cycle_error(shared, real, domain) for domain in "ab"])
        if self.classifier is not None:
            semantic, logs["semantic_agreement"] = self._semantic_loss(self.classifier, shared, real)
            losses += self.semantic_weight * semantic
        return losses, logs

    def discriminator_loss(
        self,
        domain: str,
        batch: dict,
        shared: dict,
        batch_noise: BatchNoise,
        global_batch: GlobalBatch,
        training: bool,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the loss of a domain's real images against current and earlier translations, a mean over patches."""
        real, generated = shared[f"real_{domain}"], tf.stop_gradient(shared[f"to_{domain}"])
        if training and self.pools:
            coins = batch_noise.global_uniform([global_batch.total])
            slots = batch_noise.global_uniform([self.pool_size])
            generated = global_batch.local_slice(self.pools[domain](global_batch.gather(generated), coins, slots))
            generated = tf.ensure_shape(generated, real.shape)
        discriminator = getattr(self, f"discriminator_{domain}")
        logits = _apply_once(discriminator, {"real": real, "generated": generated}, training).values()
        accuracy = over_patches(self._objective.accuracy, *logits)
        return over_patches(self._objective.discriminator, *logits), {f"discriminator_{domain}_accuracy": accuracy}

    def _real_images(self, batch: dict, domain: str, batch_noise: BatchNoise, training: bool) -> tf.Tensor:
        images = tf.cast(batch[f"domain_{domain}"], tf.float32)
        if self.crop is None:
            return images
        channels = self.shape_of(domain)[-1]
        images = crop_images(images, self.crop, batch_noise.uniform([2]) if training else None)
        return tf.ensure_shape(images, [None, *self.crop, channels])

    def _adversarial_loss(self, shared: dict, domain: str, training: bool) -> tf.Tensor:
        logits = getattr(self, f"discriminator_{domain}")(shared[f"to_{domain}"], training=training)
        return over_patches(self._objective.generator, logits)

    def _cycle_error(self, shared: dict, real: dict, domain: str) -> tf.Tensor:
        """Returns the error of the cycle reconstruction, without a gradient."""
        other = OTHER[domain]
        generator = getattr(self, f"generator_{other}{domain}")
        reconstructed = generator(tf.stop_gradient(shared[f"to_{other}"]), training=False)
        return tf.stop_gradient(absolute_error(tf.cast(reconstructed, tf.float32), real[domain]))

    def _semantic_loss(self, classifier: keras.Model, shared: dict, real: dict) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the cross-entropy, summed over directions, and the fraction of equal predictions: [rows] each."""
        domains = (self.source, OTHER[self.source]) if self.semantics == "both" else (self.source,)
        losses, agreement = [], []
        for domain in domains:
            before = tf.cast(classifier(real[domain], training=False), tf.float32)
            after = tf.cast(classifier(shared[f"to_{OTHER[domain]}"], training=False), tf.float32)
            losses.append(semantic_consistency(before, after))
            agreement.append(tf.cast(tf.argmax(before, axis=1) == tf.argmax(after, axis=1), tf.float32))
        return tf.add_n(losses), _mean(agreement)

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]:
        accuracy = min(logs.get(f"discriminator_{domain}_accuracy", 0.5) for domain in "ab")
        if not self.adversarial_weight or accuracy <= WINNING_ACCURACY:
            return {}
        return {
            "the discriminators win": (
                f"they are right on {accuracy:.1%} of the patches and leave the generators little to learn from. "
                "Smaller discriminators, a smaller learning rate for them, or a smaller cycle_weight may help"
            )
        }


def _apply_once(network: keras.Model, inputs: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
    """Returns float32 outputs for several batches in a single pass, which costs less than a pass for each."""
    outputs = tf.cast(network(tf.concat(list(inputs.values()), axis=0), training=training), tf.float32)
    return dict(zip(inputs, tf.split(outputs, len(inputs)), strict=True))


def _as_tuple(size: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if size is None else tuple(size)


def _mean(values: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(values) / len(values)


def _tracked(has_identity_loss: bool, has_semantic_loss: bool) -> tuple[str, ...]:
    names = ["generators_loss", "discriminator_a_loss", "discriminator_b_loss", "adversarial_loss", "cycle_error"]
    names += ["identity_error"] if has_identity_loss else []
    names += ["discriminator_a_accuracy", "discriminator_b_accuracy"]
    return (*names, "semantic_agreement") if has_semantic_loss else tuple(names)
