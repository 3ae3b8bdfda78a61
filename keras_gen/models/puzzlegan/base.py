"""The common base of both forms of Puzzle-GAN: the discriminator's loss, decaying weights, and the noise z."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.distributions import Noise, draw_noise
from keras_gen.losses import adversarial
from keras_gen.runtime.noise import random_seed

from ..core.adversarial import AdversarialModel
from ..core.defaults import EMA, OBJECTIVE
from ..core.diagnostics import diagnose_discriminator
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.inputs import check_range
from ..core.logit_means import refuse_logit_means
from ..core.player import Player
from .preset import ADVERSARIAL_WEIGHT, APPEARANCE_WEIGHT, HALF_LIFE, MIN_WEIGHT, SPATIAL_WEIGHT


class Puzzle(AdversarialModel):
    """A generator that restores an image from its pieces, and a discriminator of whole images.

    A subclass declares `shared_networks`, the networks of its generator, and its `shared_forward` returns `generated`
    and `inside`: the mask of the pixels that the pieces cover, [batch, height, width, 1]. It sets its networks and
    `latent_size` before it calls this constructor.

    Args:
        discriminator: network from images to logits [batch, 1].
        objective: adversarial objective, see `keras_gen.losses.adversarial`; one without means over the batch.
        adversarial_weight: weight of the generator's adversarial loss, >= 0.
        spatial_weight: initial weight of the spatial loss, which compares where the pieces belong, >= 0.
        appearance_weight: initial weight of the appearance loss, which compares pixels, >= 0.
        half_life: steps in which the difference between these two weights and their minimum halves, > 0; None keeps
            the weights constant. After so many steps they are (1 + `min_weight`) / 2 of their initial value: half only
            if `min_weight` is 0.
        min_weight: fraction of the two weights that remains at the end, in [0, 1].
        ema: decay of the moving averages of the generator in (0, 1), which inference uses; None turns them off.
        seed: seed of all noise; None draws one.

    Attributes:
        latent_size: dimensions of the noise z.

    Raises:
        ValueError: for options out of range, or a generator of images of another shape than the discriminator's.
    """

    system = "puzzlegan"
    latent_size: int
    image_shape: tuple[int, int, int]

    def __init__(
        self,
        discriminator: keras.Model,
        *,
        objective: str | dict = OBJECTIVE,
        adversarial_weight: float = ADVERSARIAL_WEIGHT,
        spatial_weight: float = SPATIAL_WEIGHT,
        appearance_weight: float = APPEARANCE_WEIGHT,
        half_life: int | None = HALF_LIFE,
        min_weight: float = MIN_WEIGHT,
        ema: float | None = EMA,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.image_shape = tuple(getattr(self, self.shared_networks[-1]).output_shape[1:])
        self.discriminator = discriminator
        self.objective, self._objective = objective, adversarial.get(objective)
        self.adversarial_weight = adversarial_weight
        self.spatial_weight, self.appearance_weight = spatial_weight, appearance_weight
        self.half_life, self.min_weight = half_life, min_weight
        self._check_losses()
        self.create_ema_networks()

    # training

    def players(self) -> list[Player]:
        return [
            Player("discriminator", (self.discriminator,), self.discriminator_loss),
            Player("generator", tuple(getattr(self, name) for name in self.shared_networks), self.generator_loss),
        ]

    def generator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the `total_loss` of the generator, and its terms."""
        raise NotImplementedError

    def composites(self, image: tf.Tensor, inside: tf.Tensor, global_batch: GlobalBatch) -> dict[str, tf.Tensor]:
        """Returns images whose parts do not belong together: each combined with the next image of the batch.

        Args:
            image: real images [batch, height, width, channels].
            inside: mask of the pixels that each image's pieces cover, [batch, height, width, 1].
            global_batch: position of the batch.

        Returns:
            `swapped_part`: the image's context with the pixels of the other image in its part;
            `swapped_context`: the image's part in the context of the other image.
        """
        other = roll_batch(image, global_batch)
        return {
            "swapped_part": (1.0 - inside) * image + inside * other,
            "swapped_context": inside * image + (1.0 - inside) * other,
        }

    def discriminator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the loss of real images against generated ones and both composites, each pair with the same weight.

        A batch of one image has no composites, and only the generated image counts.
        """
        real, generated = self.discriminate(batch["image"], training), self.discriminate(shared["generated"], training)
        losses = self._objective.discriminator(real, generated)
        has_composites = tf.cast(global_batch.total > 1, tf.float32)
        for name in ("swapped_part", "swapped_context"):
            logits = self.discriminate(shared[name], training)
            losses += has_composites * self._objective.discriminator(real, logits)
        accuracy = self._objective.accuracy(real, generated)
        return losses / (1.0 + 2.0 * has_composites), {"discriminator_accuracy": accuracy}

    def discriminate(self, images: Any, training: bool) -> tf.Tensor:
        """Returns the discriminator's logits, float32 [batch]."""
        return tf.cast(self.discriminator(images, training=training), tf.float32)[:, 0]

    def decay_factor(self) -> tf.Tensor:
        """Returns the current fraction of the spatial and the appearance weight, in [min_weight, 1].

        After t steps it is min_weight + (1 - min_weight) * 2 ** (-t / half_life).
        """
        if self.half_life is None:
            return tf.constant(1.0)
        steps = tf.cast(tf.convert_to_tensor(self.train_steps), tf.float32)
        return self.min_weight + (1.0 - self.min_weight) * tf.pow(2.0, -steps / self.half_life)

    def total_loss(self, generated_logits: Any, spatial_loss: Any, appearance_loss: Any) -> tf.Tensor:
        """Returns the generator's weighted loss [batch] from the logits [batch] and the two guided losses [batch]."""
        guided = self.spatial_weight * spatial_loss + self.appearance_weight * appearance_loss
        return self.adversarial_weight * self._objective.generator(generated_logits) + self.decay_factor() * guided

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]:
        if not self.adversarial_weight:
            return {}
        remedies = "A smaller learning rate for it, or smaller discriminator_filters,"
        return diagnose_discriminator(logs, remedies=remedies)

    # inference

    def noise(self) -> dict[str, Noise]:
        return {"z": Noise("normal", (self.latent_size,))}

    def noise_of(self, num: int, seed: int | None) -> np.ndarray:
        """Returns the noise z of a seed, float32 [num, latent_size], as the runtime draws it.

        Args:
            num: number of images.
            seed: 0 <= seed < 2**63; None draws one.
        """
        return draw_noise(self.noise(), num, random_seed() if seed is None else seed)["z"]

    def restore_from(self, pieces: Any, presence: Any, z: Any) -> dict[str, tf.Tensor]:
        """Returns the outputs of the endpoint `restore`: `image`, and where the pieces belong.

        Args:
            pieces: [batch, count, height, width, channels] in [0, 1].
            presence: 1 for a present piece, 0 for a missing one, [batch, count].
            z: noise [batch, latent_size].
        """
        raise NotImplementedError

    def pad_pieces(
        self, field: str, pieces: Any, presence: Any, count: int, shape: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pads pieces with missing ones to a fixed number.

        Args:
            field: name of the pieces in errors.
            pieces: [num, 1 to `count`, *shape] in [0, 1].
            presence: 1 for a present piece, 0 for a missing one, [num, pieces]; None means that all are present.
            count: number of pieces to pad to.
            shape: (height, width, channels) of a piece.

        Returns:
            pieces float32 [num, count, *shape] and presence float32 [num, count].

        Raises:
            ValueError: for other shapes, or pieces outside [0, 1].
        """
        pieces = np.asarray(pieces, np.float32)
        if pieces.ndim != 5 or pieces.shape[2:] != tuple(shape) or not 1 <= pieces.shape[1] <= count:
            raise ValueError(
                f"Expected {field} [num, 1 to {count}, {', '.join(map(str, shape))}]; received the shape {pieces.shape}"
            )
        check_range(field, pieces)
        num, present = pieces.shape[:2]
        presence = np.ones((num, present), np.float32) if presence is None else np.asarray(presence, np.float32)
        if presence.shape != (num, present):
            raise ValueError(f"Expected presence {(num, present)}; received the shape {presence.shape}")
        missing = (0, count - present)
        return np.pad(pieces, [(0, 0), missing, *[(0, 0)] * 3]), np.pad(presence, [(0, 0), missing])

    def _check_losses(self) -> None:
        for name in ("adversarial_weight", "spatial_weight", "appearance_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"Expected {name} as a number >= 0; received {getattr(self, name)!r}")
        if self.half_life is not None and not self.half_life > 0:
            raise ValueError(f"Expected half_life as a number of steps > 0, or None; received {self.half_life!r}")
        if not 0 <= self.min_weight <= 1:
            raise ValueError(f"Expected min_weight as a fraction in [0, 1]; received {self.min_weight!r}")
        refuse_logit_means(self._objective)
        shape = tuple(self.discriminator.input_shape[1:])
        if shape != self.image_shape:
            raise ValueError(f"Expected a discriminator of the generator's images {self.image_shape}; received {shape}")


def roll_batch(values: tf.Tensor, global_batch: GlobalBatch) -> tf.Tensor:
    """Returns the next example of the global batch for each example; the first one follows the last.

    Args:
        values: [rows, ...], used without a gradient.
        global_batch: position of the rows in the global batch.

    Returns:
        [rows, ...]. In a batch of one, the example itself.
    """
    return global_batch.local_slice(tf.roll(global_batch.gather(tf.stop_gradient(values)), -1, axis=0))
