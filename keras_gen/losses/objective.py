"""Objectives of adversarial training: the losses of discriminator and generator as functions of logits."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Logits(NamedTuple):
    """The discriminator's logits in one pass, float32.

    A field that the objective does not declare to read (`needs_means`, `generator_needs_real`,
    `accuracy_needs_means`) may be None. `Objective` checks the others, so formulas do not.

    Attributes:
        real: logits of real examples, [batch], unbounded.
        generated: logits of generated examples, [batch], unbounded.
        real_mean: scalar, the mean of the real logits over all replicas.
        generated_mean: scalar, the mean of the generated logits over all replicas.
    """

    real: tf.Tensor
    generated: tf.Tensor
    real_mean: tf.Tensor
    generated_mean: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Objective:
    """The losses of discriminator and generator, one value per example, both to be MINIMIZED.

    Attributes:
        name: name in the registry.
        discriminator_formula: `Logits` -> losses [batch]; call it as `discriminator`, which checks shapes.
        generator_formula: `Logits` -> losses [batch]; call it as `generator`, which checks shapes.
        boundaries: `Logits` -> (boundary for real logits, boundary for generated logits): a logit above its boundary
            is classified as real.
        needs_means: whether both losses read `real_mean` and `generated_mean`, with a gradient through them.
        generator_needs_real: whether the generator's loss reads the real logits.
        accuracy_needs_means: whether `accuracy` and `real_signs` read the means (without a gradient).
    """

    name: str
    discriminator_formula: Callable[[Logits], tf.Tensor]
    generator_formula: Callable[[Logits], tf.Tensor]
    boundaries: Callable[[Logits], tuple]
    needs_means: bool = False
    generator_needs_real: bool = False
    accuracy_needs_means: bool = False

    def discriminator(
        self,
        real_logits: tf.Tensor,
        generated_logits: tf.Tensor,
        *,
        real_mean: tf.Tensor | None = None,
        generated_mean: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns the discriminator's loss: the sum, not the mean, of the terms of a real and a generated example.

        Args:
            real_logits: [batch], unbounded.
            generated_logits: [batch], unbounded.
            real_mean: scalar, the mean of the real logits over all replicas, with its gradient; required if
                `needs_means`, else not read.
            generated_mean: scalar, the mean of the generated logits, under the same conditions.

        Returns:
            float32 [batch].

        Raises:
            ValueError: for logits of another rank or of different lengths, or missing means.
        """
        logits = self._check_logits(real_logits, generated_logits, real_mean, generated_mean, self.needs_means)
        return self.discriminator_formula(logits)

    def generator(
        self,
        generated_logits: tf.Tensor,
        *,
        real_logits: tf.Tensor | None = None,
        real_mean: tf.Tensor | None = None,
        generated_mean: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns the generator's loss.

        Args:
            generated_logits: [batch], unbounded.
            real_logits: [batch]; required if `generator_needs_real`, else not read.
            real_mean: as in `discriminator`.
            generated_mean: as in `discriminator`.

        Returns:
            float32 [batch].

        Raises:
            ValueError: as in `discriminator`, or for missing real logits.
        """
        if self.generator_needs_real and real_logits is None:
            raise ValueError(f"Expected real_logits [batch] for the objective {self.name!r}; received None")
        if not self.generator_needs_real:
            real_logits = None
        logits = self._check_logits(real_logits, generated_logits, real_mean, generated_mean, self.needs_means)
        return self.generator_formula(logits)

    def accuracy(
        self,
        real_logits: tf.Tensor,
        generated_logits: tf.Tensor,
        *,
        real_mean: tf.Tensor | None = None,
        generated_mean: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns the discriminator's accuracy on each pair of a real and a generated example: 0, 1/2 or 1.

        A logit above its boundary is classified as real, any other as generated. A constant discriminator has the
        accuracy 1/2.

        Args:
            real_logits: [batch].
            generated_logits: [batch].
            real_mean: scalar, the mean over all replicas; required if `accuracy_needs_means`.
            generated_mean: scalar, the mean over all replicas; required if `accuracy_needs_means`.

        Returns:
            float32 [batch], without a gradient.

        Raises:
            ValueError: as in `discriminator`.
        """
        needs_means = self.accuracy_needs_means
        logits = self._check_logits(real_logits, generated_logits, real_mean, generated_mean, needs_means)
        real_boundary, generated_boundary = self.boundaries(logits)
        correct = tf.cast(logits.real > real_boundary, tf.float32)
        return (correct + tf.cast(logits.generated <= generated_boundary, tf.float32)) / 2

    def real_signs(
        self,
        real_logits: tf.Tensor,
        generated_logits: tf.Tensor,
        *,
        real_mean: tf.Tensor | None = None,
        generated_mean: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns 1 for each real example that is classified as real, -1 for the others, and 0 on the boundary.

        Their mean over training examples measures how much the discriminator overfits: r_t of Karras et al. 2020,
        arXiv:2006.06676, eq. 1, where the boundary is 0.

        Args:
            real_logits: as in `accuracy`.
            generated_logits: as in `accuracy`.
            real_mean: as in `accuracy`.
            generated_mean: as in `accuracy`.

        Returns:
            float32 [batch], without a gradient.

        Raises:
            ValueError: as in `discriminator`.
        """
        needs_means = self.accuracy_needs_means
        logits = self._check_logits(real_logits, generated_logits, real_mean, generated_mean, needs_means)
        return tf.sign(logits.real - self.boundaries(logits)[0])

    def _check_logits(
        self,
        real: tf.Tensor | None,
        generated: tf.Tensor,
        real_mean: tf.Tensor | None,
        generated_mean: tf.Tensor | None,
        needs_means: bool,
    ) -> Logits:
        real = None if real is None else self._cast("real_logits", real, rank=1)
        generated = self._cast("generated_logits", generated, rank=1)
        if real is not None:
            if not real.shape.is_compatible_with(generated.shape):
                raise ValueError(
                    f"Expected as many real as generated logits for the objective {self.name!r}; received "
                    f"{real.shape[0]} and {generated.shape[0]}"
                )
            if not (real.shape.is_fully_defined() and generated.shape.is_fully_defined()):
                # one logit against many would broadcast
                message = f"Expected as many real as generated logits for the objective {self.name!r}"
                tf.debugging.assert_equal(tf.size(real), tf.size(generated), message)
        if not needs_means:
            return Logits(real, generated, None, None)
        if real_mean is None or generated_mean is None:
            raise ValueError(
                f"Expected real_mean and generated_mean for the objective {self.name!r}, the scalar means of the "
                "logits over all replicas; received None"
            )
        means = self._cast("real_mean", real_mean, rank=0), self._cast("generated_mean", generated_mean, rank=0)
        return Logits(real, generated, *means)

    def _cast(self, argument: str, value: tf.Tensor, rank: int) -> tf.Tensor:
        value = tf.cast(value, tf.float32)
        if value.shape.rank != rank:
            # (batch, 1) against (batch,) would silently broadcast to (batch, batch)
            expected = "a vector [batch] (of [batch, 1] take logits[:, 0])" if rank else "a scalar"
            raise ValueError(
                f"Expected {argument} as {expected} for the objective {self.name!r}; received the shape {value.shape}"
            )
        return value
