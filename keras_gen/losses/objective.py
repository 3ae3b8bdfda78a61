"""What an adversarial game asks of its two players: an objective on the discriminator's logits."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Logits(NamedTuple):
    """The discriminator's outputs in one pass, float32; what a formula does not read may be None.

    Attributes:
        real, generated: [batch], unbounded.
        real_mean, generated_mean: scalars, means over the examples of all replicas.
    """

    real: tf.Tensor | None
    generated: tf.Tensor
    real_mean: tf.Tensor | None
    generated_mean: tf.Tensor | None


@dataclasses.dataclass(frozen=True)
class Objective:
    """The two losses of an adversarial game, one value per example, both to be MINIMIZED.

    Attributes:
        name: its name in the registry.
        discriminator_formula, generator_formula: `Logits` -> losses [batch]; called through `discriminator` and
            `generator`, which check shapes.
        boundaries: `Logits` -> (boundary for real logits, boundary for generated logits): above it a logit says real.
        needs_means: both losses read `real_mean` and `generated_mean`, and their gradient goes through them.
        generator_needs_real: the generator's loss reads the real logits.
        accuracy_needs_means: `accuracy` reads the means (without a gradient).
        lipschitz: the objective is meant for a Lipschitz critic: use a gradient penalty or spectral normalization.
    """

    name: str
    discriminator_formula: Callable[[Logits], tf.Tensor]
    generator_formula: Callable[[Logits], tf.Tensor]
    boundaries: Callable[[Logits], tuple]
    needs_means: bool = False
    generator_needs_real: bool = False
    accuracy_needs_means: bool = False
    lipschitz: bool = False

    def discriminator(
        self,
        real_logits: tf.Tensor,
        generated_logits: tf.Tensor,
        *,
        real_mean: tf.Tensor | None = None,
        generated_mean: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """The discriminator's loss: the term of a real plus the term of a generated example, not halved.

        Args:
            real_logits, generated_logits: [batch], unbounded, of one length.
            real_mean, generated_mean: scalars, the means of the logits over all replicas with their gradient; due
                where `needs_means`, else not read.

        Returns:
            float32 [batch].

        Raises:
            ValueError: for logits of another rank or of different lengths, or missing means.
        """
        logits = self._checked(real_logits, generated_logits, real_mean, generated_mean, self.needs_means)
        return self.discriminator_formula(logits)

    def generator(
        self,
        generated_logits: tf.Tensor,
        *,
        real_logits: tf.Tensor | None = None,
        real_mean: tf.Tensor | None = None,
        generated_mean: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """The generator's loss.

        Args:
            generated_logits: [batch], unbounded.
            real_logits: [batch]; due where `generator_needs_real`, else not read.
            real_mean, generated_mean: as in `discriminator`.

        Returns:
            float32 [batch].

        Raises:
            ValueError: as in `discriminator`, or for missing real logits.
        """
        if self.generator_needs_real and real_logits is None:
            raise ValueError(f"objective {self.name!r}: the generator's loss needs real_logits [batch]; received None")
        if not self.generator_needs_real:
            real_logits = None
        logits = self._checked(real_logits, generated_logits, real_mean, generated_mean, self.needs_means)
        return self.generator_formula(logits)

    def accuracy(
        self,
        real_logits: tf.Tensor,
        generated_logits: tf.Tensor,
        *,
        real_mean: tf.Tensor | None = None,
        generated_mean: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """How many of a real and a generated example the discriminator calls right: 0, 1/2 or 1 for each pair.

        A logit above its boundary says real, any other generated: a constant discriminator is right half the time.

        Args:
            real_logits, generated_logits: [batch], of one length.
            real_mean, generated_mean: scalars, the means over all replicas; due where `accuracy_needs_means`.

        Returns:
            float32 [batch], without a gradient.
        """
        needed = self.accuracy_needs_means
        logits = self._checked(real_logits, generated_logits, real_mean, generated_mean, needed)
        real_boundary, generated_boundary = self.boundaries(logits)
        right = tf.cast(logits.real > real_boundary, tf.float32)
        return (right + tf.cast(logits.generated <= generated_boundary, tf.float32)) / 2

    def _checked(self, real, generated, real_mean, generated_mean, needs_means: bool) -> Logits:
        real = None if real is None else self._cast("real_logits", real, rank=1)
        generated = self._cast("generated_logits", generated, rank=1)
        if real is not None:
            if not real.shape.is_compatible_with(generated.shape):
                raise ValueError(
                    f"objective {self.name!r}: expected as many real as generated logits; received "
                    f"{real.shape[0]} and {generated.shape[0]}"
                )
            if not (real.shape.is_fully_defined() and generated.shape.is_fully_defined()):
                # one logit against many would broadcast
                tf.debugging.assert_equal(
                    tf.size(real), tf.size(generated), f"objective {self.name!r}: as many real as generated logits"
                )
        if not needs_means:
            return Logits(real, generated, None, None)
        if real_mean is None or generated_mean is None:
            raise ValueError(
                f"objective {self.name!r} needs real_mean and generated_mean, the scalar means of the logits over all "
                "replicas"
            )
        means = self._cast("real_mean", real_mean, rank=0), self._cast("generated_mean", generated_mean, rank=0)
        return Logits(real, generated, *means)

    def _cast(self, argument: str, value: tf.Tensor, rank: int) -> tf.Tensor:
        value = tf.cast(value, tf.float32)
        if value.shape.rank != rank:
            # (batch, 1) against (batch,) would broadcast to (batch, batch) in silence
            expected = "a vector [batch] (of [batch, 1] take logits[:, 0])" if rank else "a scalar"
            raise ValueError(
                f"objective {self.name!r}: {argument} must be {expected}; received the shape {value.shape}"
            )
        return value
