"""CycleGAN: two domains without pairs, and a translator each way that must find the way back."""

import functools
from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_gen.layers import ImagePool
from keras_gen.losses import absolute_error, adversarial, over_patches, semantic_consistency

from ..core.adversarial import AdversarialModel
from ..core.player import Player
from .inference import OTHER, TwoDomains
from .random_crop import cropped
from .validation import check

# patches of a discriminator that is right this often have nothing more to say to the generator
WINNING = 0.995


@keras.saving.register_keras_serializable("keras_gen")
class CycleGAN(TwoDomains, AdversarialModel):
    """Two generators translate between domains A and B; a discriminator of patches judges each domain.

    Batches hold `domain_a` and `domain_b`, sets without pairs. With G: A -> B, F: B -> A and the discriminators' logits
    C_a, C_b, averaged over patches, the generators' one loss is, with the least-squares objective,

        w (C_b(G(a)) - 1)^2 / 2 + w (C_a(F(b)) - 1)^2 / 2               adversarial, w = adversarial_weight
        + cycle_weight (|F(G(a)) - a| + |G(F(b)) - b|)                  cycle consistency, mean over pixels
        + identity_weight (|G(b) - b| + |F(a) - a|)                     only where the domains share a shape

    On images in [0, 1] the absolute differences are half of those in the paper's range [-1, 1], and this objective's
    terms are half of its, too: the loss is half of the paper's, with the same weights. (The paper halves the
    discriminators' loss as well.) Both generators are one player with one loss; three players move in a step: the
    generators, then each discriminator on the same translations, or on earlier ones out of a pool.

    Semantic consistency (off without a `classifier`): a frozen classifier f of the source domain, trained beforehand
    on its labels, must decide after a translation as before. With `semantics="both"`, as CyCADA has it, in both
    directions: source -> target, f(G(s)) as f(s), and target -> source, f(F(t)) as f(t); with `"source"` only the
    first, since f's decisions on images of the target are less sure.

    Reported: the players' losses; `adversarial_loss`, `cycle_error` and `identity_error` (unweighted means of the two
    directions; the errors in units of the range [0, 1]); each discriminator's accuracy over patches;
    `semantic_agreement`, the share of decisions that stay.

    Args:
        generator_ab, generator_ba: images [batch, height, width, channels] in [0, 1] -> images of the other domain.
            The domains may differ in size and channels. Networks must treat every image alone (instance
            normalization): passes are joined.
        discriminator_a, discriminator_b: images of that domain -> logits [batch, rows, columns, 1] or [batch, 1].
        cycle_weight: lambda, >= 0; 0 leaves the way back out.
        identity_weight: >= 0; half of lambda in the paper. Domains of different shapes have none.
        adversarial_weight: >= 0; 0 leaves the discriminators' opinion out (they still learn).
        objective: see `keras_gen.losses.adversarial`; one without means over the batch.
        pool_size: past translations of each direction that are kept, at least the global batch; 0 keeps none.
        classifier: images of the source domain -> logits [batch, classes], or None; it is frozen.
        source: `"a"` or `"b"`, the classifier's domain.
        semantics: `"source"` or `"both"`.
        semantic_weight: of its cross-entropy, in nats.
        crop: (height, width) of the crops that are trained on, at random places; None trains on whole images. The
            generators must take images of any size.
        size: (height, width) of whole images, due where the generators take any size; a batch holds images of it.
        export_size: (height, width) that the endpoints take, where it is not `size`. It may be assigned later.
        domain_names: names of domain A and domain B, or None; `keras_gen.train` sets those of the data.
        ema: decay of the generators' moving averages, or None.
        seed: of all noise.

    Raises:
        ValueError: for networks that do not fit each other, or numbers out of range.

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
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
        adversarial_weight: float = 1.0,
        objective: str | dict = "least_squares",
        pool_size: int = 50,
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
        **kwargs,
    ):
        shapes = {"a": tuple(generator_ab.input_shape[1:]), "b": tuple(generator_ba.input_shape[1:])}
        self._identity = bool(identity_weight) and shapes["a"] == shapes["b"]
        self.tracked = _tracked(self._identity, classifier is not None)  # before the base makes the trackers
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.generator_ab, self.generator_ba = generator_ab, generator_ba
        self.discriminator_a, self.discriminator_b = discriminator_a, discriminator_b
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.adversarial_weight, self.objective, self.pool_size = adversarial_weight, objective, pool_size
        self.classifier, self.source = classifier, source
        self.semantics, self.semantic_weight = semantics, semantic_weight
        pairs = (None if each is None else tuple(each) for each in (crop, size, export_size))
        self.crop, self.size, self.export_size = pairs
        self.domain_names = None if domain_names is None else tuple(map(str, domain_names))
        self._objective = adversarial.get(objective)
        check(self)
        self.image_shape = self.shape_of("a")
        if classifier is not None:
            classifier.trainable = False
        self.pools = {domain: ImagePool(pool_size, self.trained_shape(domain)) for domain in "ab" if pool_size}
        self.average()

    # training

    def players(self):
        return [
            Player("generators", (self.generator_ab, self.generator_ba), self.generators_loss),
            Player("discriminator_a", (self.discriminator_a,), functools.partial(self.discriminator_loss, "a")),
            Player("discriminator_b", (self.discriminator_b,), functools.partial(self.discriminator_loss, "b")),
        ]

    def shared_forward(self, batch, batch_noise, training):
        """Translations, ways back and identities, in as few passes of the generators as can be (joined: see Args)."""
        a, b = (self._real(batch, domain, batch_noise, training) for domain in "ab")
        given_a = {"to_b": a} | ({"same_b": b} if self._identity else {})
        given_b = {"to_a": b} | ({"same_a": a} if self._identity else {})
        shared = {"real_a": a, "real_b": b} | _joined(self.generator_ab, given_a, training)
        if self.cycle_weight:
            given_b["back_a"] = shared["to_b"]
        shared |= _joined(self.generator_ba, given_b, training)
        if self.cycle_weight:
            shared |= _joined(self.generator_ab, {"back_b": shared["to_a"]}, training)
        return shared

    def generators_loss(self, batch, shared, batch_noise, global_batch, training):
        """What both generators owe: to the discriminators, to the ways back, to the other domain, to the classifier."""
        real = {domain: tf.stop_gradient(shared[f"real_{domain}"]) for domain in "ab"}
        logs = {"adversarial_loss": _mean([self._adversarial_loss(shared, domain, training) for domain in "ab"])}
        losses = 2.0 * self.adversarial_weight * logs["adversarial_loss"]
        for name, key, weight in (("cycle", "back", self.cycle_weight), ("identity", "same", self.identity_weight)):
            if f"{key}_a" in shared:
                error = _mean([absolute_error(shared[f"{key}_{domain}"], real[domain]) for domain in "ab"])
                losses += 2.0 * weight * error
                logs[f"{name}_error"] = error
        if not self.cycle_weight:
            # not of the loss, and still what tells whether the way back is found
            logs["cycle_error"] = _mean([self._cycle_reconstruction(shared, real, domain) for domain in "ab"])
        if self.classifier is not None:
            semantic, logs["semantic_agreement"] = self._semantic(shared, real)
            losses += self.semantic_weight * semantic
        return losses, logs

    def discriminator_loss(self, domain, batch, shared, batch_noise, global_batch, training):
        """Real images of a domain against translations into it, now and earlier: the mean over patches."""
        real, generated = shared[f"real_{domain}"], tf.stop_gradient(shared[f"to_{domain}"])
        if training and self.pools:
            coins, places = (
                batch_noise.global_uniform([global_batch.total]),
                batch_noise.global_uniform([self.pool_size]),
            )
            generated = global_batch.local_slice(
                self.pools[domain](global_batch.gather(tf.stop_gradient(generated)), coins, places)
            )
            generated = tf.ensure_shape(generated, real.shape)
        discriminator = getattr(self, f"discriminator_{domain}")
        logits = _joined(discriminator, {"real": real, "generated": generated}, training).values()
        accuracy = over_patches(self._objective.accuracy, *logits)
        return over_patches(self._objective.discriminator, *logits), {f"discriminator_{domain}_accuracy": accuracy}

    def _real(self, batch, domain: str, batch_noise, training: bool) -> tf.Tensor:
        images = tf.cast(batch[f"domain_{domain}"], tf.float32)
        if self.crop is None:
            return images
        channels = self.shape_of(domain)[-1]
        images = cropped(images, self.crop, batch_noise.uniform([2]) if training else None)
        return tf.ensure_shape(images, [None, *self.crop, channels])

    def _adversarial_loss(self, shared, domain: str, training: bool) -> tf.Tensor:
        logits = getattr(self, f"discriminator_{domain}")(shared[f"to_{domain}"], training=training)
        return over_patches(self._objective.generator, logits)

    def _cycle_reconstruction(self, shared, real, domain: str) -> tf.Tensor:
        other = OTHER[domain]
        back = getattr(self, f"generator_{other}{domain}")(tf.stop_gradient(shared[f"to_{other}"]), training=False)
        return tf.stop_gradient(absolute_error(tf.cast(back, tf.float32), real[domain]))

    def _semantic(self, shared, real) -> tuple[tf.Tensor, tf.Tensor]:
        """The sum of the directions' cross-entropies, and the mean share of decisions that stay: [rows] each."""
        sides = (self.source, OTHER[self.source]) if self.semantics == "both" else (self.source,)
        losses, agreement = [], []
        for domain in sides:
            before = tf.cast(self.classifier(real[domain], training=False), tf.float32)
            after = tf.cast(self.classifier(shared[f"to_{OTHER[domain]}"], training=False), tf.float32)
            losses.append(semantic_consistency(before, after))
            agreement.append(tf.cast(tf.argmax(before, axis=1) == tf.argmax(after, axis=1), tf.float32))
        return tf.add_n(losses), _mean(agreement)

    def diagnose(self, logs):
        accuracies = [logs.get(f"discriminator_{domain}_accuracy", 0.5) for domain in "ab"]
        if self.adversarial_weight and min(accuracies) > WINNING:
            return {
                "the discriminators win": (
                    f"they are right on {min(accuracies):.1%} of the patches and leave the generators little to learn "
                    "from. Smaller discriminators, a smaller learning rate for them, or a smaller cycle_weight may help"
                )
            }
        return {}

    def get_config(self) -> dict:
        own = (
            *("cycle_weight", "identity_weight", "adversarial_weight", "objective", "pool_size", "source", "semantics"),
            *("semantic_weight", "crop", "size", "export_size", "domain_names", "ema"),
        )
        networks = ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b", "classifier")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in networks},
        }


def _joined(network: keras.Model, given: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
    """A network of several sets of images in one pass, which costs less than one for each: float32 by their names."""
    shared = tf.cast(network(tf.concat(list(given.values()), axis=0), training=training), tf.float32)
    return dict(zip(given, tf.split(shared, len(given)), strict=True))


def _mean(values: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(values) / len(values)


def _tracked(identity: bool, semantic: bool) -> tuple[str, ...]:
    names = ["generators_loss", "discriminator_a_loss", "discriminator_b_loss", "adversarial_loss", "cycle_error"]
    names += ["identity_error"] if identity else []
    names += ["discriminator_a_accuracy", "discriminator_b_accuracy"]
    return (*names, "semantic_agreement") if semantic else tuple(names)
