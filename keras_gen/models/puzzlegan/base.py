"""What both forms of Puzzle-GAN share: the discriminator's four terms, decaying weights, and the noise z."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.distributions import Noise, draw_noise
from keras_gen.losses import adversarial

from ..core.adversarial import AdversarialModel
from ..core.global_batch import GlobalBatch
from ..core.inputs import check_range
from ..core.player import Player

WINNING = 0.98


class Puzzle(AdversarialModel):
    """A generator puts pieces of an image together; a discriminator tells the whole from real images.

    A subclass gives `shared_networks`, whose networks the generator is, and makes `generated` and `inside`: the mask of what
    was given, [batch, height, width, 1].

    Args:
        image_shape: (height, width, channels).
        discriminator: images -> logits [batch, 1].
        latent_size: of the noise z.
        objective: see `keras_gen.losses.adversarial`; one that needs no means over the batch.
        adversarial_weight: of the generator's adversarial loss, >= 0.
        place_weight, appearance_weight: of the losses that tell where the pieces belong and what is to be seen there,
            at the start of training.
        half_life: steps in which what can fall of these two weights, the share 1 - `min_weight`, halves; None keeps them.
            After so many steps they are (1 + `min_weight`) / 2 of what they were: half only where `min_weight` is 0.
        min_weight: the share of them that stays, in [0, 1].
    """

    system = "puzzlegan"
    config_attributes = {"image_shape": None}

    def __init__(
        self,
        image_shape,
        discriminator,
        latent_size,
        *,
        objective="non_saturating",
        adversarial_weight: float = 1.0,
        place_weight: float = 10.0,
        appearance_weight: float = 50.0,
        half_life: int | None = 5000,
        min_weight: float = 0.1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape, self.discriminator, self.latent_size = tuple(image_shape), discriminator, latent_size
        self.objective, self._objective = objective, adversarial.get(objective)
        self.adversarial_weight = adversarial_weight
        self.place_weight, self.appearance_weight = place_weight, appearance_weight
        self.half_life, self.min_weight = half_life, min_weight
        self._check_game()
        self.average()

    # training

    def players(self):
        return [
            Player("discriminator", (self.discriminator,), self.discriminator_loss),
            Player("generator", tuple(getattr(self, name) for name in self.shared_networks), self.generator_loss),
        ]

    def composites(self, image, inside, global_batch) -> dict[str, tf.Tensor]:
        """Images whose parts do not belong together: each with the next image of the batch.

        Args:
            image: real ones, [batch, height, width, channels].
            inside: the mask of each image's given part, [batch, height, width, 1].
            global_batch: of the batch.

        Returns:
            `swapped_part`: the image's context with the other's pixels in the place of its part;
            `swapped_context`: the image's part in the other's context.
        """
        other = roll_batch(image, global_batch)
        return {
            "swapped_part": (1.0 - inside) * image + inside * other,
            "swapped_context": inside * image + (1.0 - inside) * other,
        }

    def discriminator_loss(self, batch, shared, batch_noise, global_batch, training):
        """Real against generated and against both composites, each pair with the same weight.

        In a batch of one there is no other image, and generated ones are all there is to tell.
        """
        real, generated = self.judged(batch["image"], training), self.judged(shared["generated"], training)
        losses = self._objective.discriminator(real, generated)
        enough = tf.cast(global_batch.total > 1, tf.float32)
        for name in ("swapped_part", "swapped_context"):
            losses += enough * self._objective.discriminator(real, self.judged(shared[name], training))
        accuracy = self._objective.accuracy(real, generated)
        return losses / (1.0 + 2.0 * enough), {"discriminator_accuracy": accuracy}

    def judged(self, images, training: bool) -> tf.Tensor:
        """The discriminator's logits, float32 [batch]."""
        return tf.cast(self.discriminator(images, training=training), tf.float32)[:, 0]

    def decay_factor(self) -> tf.Tensor:
        """The share of their first weight that the place's and the appearance's losses have now: in [min_weight, 1].

        w(t) = min_weight + (1 - min_weight) * 2 ** (-t / half_life) after t steps: w - min_weight halves in every half-life.
        """
        if self.half_life is None:
            return tf.constant(1.0)
        steps = tf.cast(tf.convert_to_tensor(self.train_steps), tf.float32)
        return self.min_weight + (1.0 - self.min_weight) * tf.pow(2.0, -steps / self.half_life)

    def total_loss(self, generated_logits, place_loss, appearance_loss) -> tf.Tensor:
        """The generator's whole loss [batch]."""
        guided = self.place_weight * place_loss + self.appearance_weight * appearance_loss
        return self.adversarial_weight * self._objective.generator(generated_logits) + self.decay_factor() * guided

    def diagnose(self, logs):
        accuracy = logs.get("discriminator_accuracy", 0.5)
        if accuracy <= WINNING or not self.adversarial_weight:
            return {}
        return {
            "the discriminator wins": f"it is right on {accuracy:.1%} of the images and leaves the generator little to "
            "learn from. A smaller learning rate for it, or a smaller width, may help"
        }

    # use

    def noise(self):
        return {"z": Noise("normal", (self.latent_size,))}

    def noise_of(self, num: int, seed: int | None) -> np.ndarray:
        """The noise z of a seed, float32 [num, latent_size]: that of the runtime. None draws a seed."""
        seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        return draw_noise(self.noise(), num, seed)["z"]

    def restored(self, pieces, presence, z) -> dict[str, tf.Tensor]:
        """What the endpoint `restore` gives: `image`, and where the pieces belong."""
        raise NotImplementedError

    def pad_pieces(self, what: str, pieces, presence, most: int, shape) -> tuple[np.ndarray, np.ndarray]:
        """Pieces [num, count, *shape] and which of them are there [num, count], with `most` of them, the rest absent.

        Raises:
            ValueError: for other shapes, or pieces outside [0, 1]; `what` names them.
        """
        pieces = np.asarray(pieces, np.float32)
        if pieces.ndim != 5 or pieces.shape[2:] != tuple(shape) or not 1 <= pieces.shape[1] <= most:
            raise ValueError(
                f"Expected {what} [num, 1 to {most}, {', '.join(map(str, shape))}]; received the shape {pieces.shape}"
            )
        check_range(what, pieces)
        num, count = pieces.shape[:2]
        presence = np.ones((num, count), np.float32) if presence is None else np.asarray(presence, np.float32)
        if presence.shape != (num, count):
            raise ValueError(f"Expected presence {(num, count)}; received the shape {presence.shape}")
        missing = (0, most - count)
        return np.pad(pieces, [(0, 0), missing, *[(0, 0)] * 3]), np.pad(presence, [(0, 0), missing])

    def get_config(self) -> dict:
        own = (
            *("latent_size", "objective", "adversarial_weight", "place_weight", "appearance_weight"),
            *("half_life", "min_weight", "ema"),
        )
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            **{
                name: keras.saving.serialize_keras_object(getattr(self, name))
                for name in (*self.shared_networks, "discriminator")
            },
        }

    def _check_game(self):
        for name in ("adversarial_weight", "place_weight", "appearance_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a number >= 0; received {getattr(self, name)!r}")
        if self.half_life is not None and not self.half_life > 0:
            raise ValueError(f"half_life must be a number of steps > 0, or None; received {self.half_life!r}")
        if not 0 <= self.min_weight <= 1:
            raise ValueError(f"min_weight must be a share in [0, 1]; received {self.min_weight!r}")
        if self._objective.needs_means or self._objective.accuracy_needs_means:
            raise ValueError(f"objective {self._objective.name!r} needs means over the batch: choose one without")
        if tuple(self.discriminator.input_shape[1:]) != self.image_shape:
            raise ValueError(
                f"The discriminator takes images {tuple(self.discriminator.input_shape[1:])}; the generator makes "
                f"{self.image_shape}"
            )


def roll_batch(values: tf.Tensor, global_batch: GlobalBatch) -> tf.Tensor:
    """For each example the next one of the global batch; the first one follows the last.

    Args:
        values: [rows, ...], taken without a gradient.
        global_batch: where the rows lie in the global batch.

    Returns:
        [rows, ...]. In a batch of one, the example itself.
    """
    return global_batch.local_slice(tf.roll(global_batch.gather(tf.stop_gradient(values)), -1, axis=0))
