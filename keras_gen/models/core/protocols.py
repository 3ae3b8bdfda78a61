"""Typed protocols: the interfaces of a model that shared code may require, checked with `isinstance`.

Evaluation, training and export depend on these and on `GenerativeModel`, never on a system's class. `isinstance` checks
that the members exist, not their signatures; a property of which a model may have none (such as `num_categories`) is
checked for its value as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from keras_gen.distributions.latent_prior import LatentPrior
    from keras_gen.distributions.noise import Noise
    from keras_gen.distributions.posteriors import Posterior

    from .global_batch import BatchNoise
    from .player import Player


@runtime_checkable
class HasPrior(Protocol):
    """A model whose latent codes have a prior.

    Attributes:
        prior: The prior.
    """

    prior: "LatentPrior"


@runtime_checkable
class HasPosterior(Protocol):
    """A model that encodes an image as a distribution over latent codes."""

    def sample_posterior(
        self, image: Any, label: Any, batch_noise: "BatchNoise", num: int, training: bool = False
    ) -> tuple[Any, tf.Tensor]:
        """Returns the posterior of images and samples of it.

        Args:
            image: [batch, height, width, channels] in [0, 1].
            label: One-hot [batch, num_classes], or None for a model without classes.
            batch_noise: The noise of the samples.
            num: Samples of each posterior, >= 1.
            training: Whether the encoder runs in training mode.

        Returns:
            A distribution with batch shape [batch], and codes [num, batch, size].
        """
        ...


@runtime_checkable
class HasLikelihood(Protocol):
    """A model that gives the likelihood of an image under a latent code.

    Attributes:
        likelihood: The distribution of images given the decoder's output; its `support` is the values that pixels may
            take. See `keras_gen.distributions.heads`.
    """

    likelihood: Any

    def log_likelihood(self, image: Any, z: tf.Tensor, label: Any = None, training: bool = False) -> tf.Tensor:
        """Returns log p(image | z) in nats, [num, batch].

        Args:
            image: [batch, height, width, channels] in [0, 1].
            z: Codes, [num, batch, size].
            label: One-hot [batch, num_classes], or None for a model without classes.
            training: Whether the decoder runs in training mode.
        """
        ...


@runtime_checkable
class HasCategories(Protocol):
    """A model with a categorical latent code.

    Attributes:
        num_categories: Number of categories; None for a model that was built without them.
    """

    num_categories: int | None


@runtime_checkable
class SemiSupervised(Protocol):
    """A model that can also learn from the labels of some images.

    Attributes:
        supervised: Whether it does; its batches then have `labeled_image` and `labeled_label`.
    """

    supervised: bool


@runtime_checkable
class HasAttributes(Protocol):
    """A model that edits the attributes of an image.

    Attributes:
        attribute_schema: The attributes, in groups of exclusive ones; see `Attributes`.
    """

    attribute_schema: Any

    def translate(
        self, images: Any, attributes: Any, *, dataset: int | None = None, batch_size: int = 64
    ) -> np.ndarray:
        """Returns images with other attributes, float32 [num, height, width, channels] in [0, 1].

        Args:
            images: Float [num, height, width, channels] in [0, 1].
            attributes: Names or vectors, see `Attributes.vectors`.
            dataset: The dataset whose attributes the vectors are, if there are several.
            batch_size: Images that are computed at a time.
        """
        ...

    def classify(self, image: Any) -> tf.Tensor:
        """Returns probabilities of the attributes, float32 [batch, n].

        Args:
            image: [batch, height, width, channels] in [0, 1].
        """
        ...


@runtime_checkable
class HasText(Protocol):
    """A model that is conditioned on text.

    Attributes:
        vocabulary: The words of the text encoder, in the order of their tokens.
        length: Number of tokens in a caption.
    """

    vocabulary: tuple[str, ...]
    length: int

    def embed_captions(self, captions: str | bytes | Sequence[str | bytes]) -> np.ndarray:
        """Returns embeddings, float32 [num, size].

        Args:
            captions: One caption, or a list of them.
        """
        ...


@runtime_checkable
class HasClasses(Protocol):
    """A model that may be conditioned on a class.

    Attributes:
        num_classes: Number of classes; None for a model that was built without them.
        label_names: Names of the classes 0, 1, ..., or None.
    """

    num_classes: int | None
    label_names: tuple[str, ...] | None

    def names_of(self, labels: Iterable[int]) -> list[str] | None:
        """Returns the name of each label, or its number if it has none; None if no class has a name.

        Args:
            labels: Classes, integers >= 0.
        """
        ...


@runtime_checkable
class HasPreviewConditions(Protocol):
    """A model that chooses the conditions of the samples in preview pictures."""

    def preview_conditions(self, num: int, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the conditions of samples, {condition: [num, ...]}.

        Args:
            num: Number of samples.
            batch: A batch of the data.
        """
        ...


@runtime_checkable
class LoadsPretrained(Protocol):
    """A model that starts from the weights of models that were trained before it."""

    def load_pretrained(self, pretrained: Any, /) -> None:
        """Loads the weights of a trained model.

        Args:
            pretrained: The model of a `PretrainingStage`.
        """
        ...


@runtime_checkable
class Grows(Protocol):
    """A model that is trained at one resolution after another."""

    @property
    def stable_stage(self) -> int:
        """The last stage that has finished fading in; `generate` and exports use it."""
        ...

    def size_of(self, stage: int) -> tuple[int, int]:
        """Returns (height, width) of a stage's images.

        Args:
            stage: 0, 1, ...; the resolution doubles from stage to stage.
        """
        ...


@runtime_checkable
class TrainsInPhases(Protocol):
    """A model whose training has phases, with steps of different speed.

    Attributes:
        phases: The phases in order. An epoch never spans two of them.
    """

    phases: Sequence[Any]

    def enter_phase(self, number: int) -> None:
        """Begins a phase.

        Args:
            number: Index in `phases`.
        """
        ...

    def phase_shares(self, updates: int, batch_size: int) -> dict[int, float]:
        """Returns phases of different speed, in order -> the share of the updates that are as fast, with a sum of 1.

        Args:
            updates: Updates of the training, >= 1.
            batch_size: Examples in a step of the last phase.
        """
        ...


@runtime_checkable
class SamplesIteratively(Protocol):
    """A model that calls a network many times for each image; see `IterativeSampling`.

    Attributes:
        sampling_steps: Number of steps, >= 1.
    """

    sampling_steps: int

    def step_noise(self) -> dict[str, "Noise"]:
        """Returns the base noise of one image in one step, {input: Noise}."""
        ...

    def sampling_step(
        self, state: tf.Tensor, step: tf.Tensor, noise: dict[str, tf.Tensor], *args: Any, **conditions: Any
    ) -> tf.Tensor:
        """Returns the states after a step; see `IterativeSampling.sampling_step`."""
        ...


@runtime_checkable
class HasPlayers(Protocol):
    """A model that several players train; see `AdversarialModel`."""

    def players(self) -> list["Player"]:
        """Returns the players, in the order of their updates."""
        ...


@runtime_checkable
class Diagnoses(Protocol):
    """A model that recognizes problems of its training from an epoch's metrics."""

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]:
        """Returns the problems, {problem: description and remedies}.

        Args:
            logs: {metric: mean over an epoch}.
        """
        ...


@runtime_checkable
class HasReconstructionLoss(Protocol):
    """A model with a reconstruction loss."""

    @property
    def reconstruction_loss(self) -> str:
        """The name of the loss, `"mse"` or `"bernoulli"`."""
        ...


@runtime_checkable
class HasPosteriorFamily(Protocol):
    """A model with a family of posteriors."""

    @property
    def family(self) -> "Posterior":
        """The family; see `keras_gen.distributions.posteriors`."""
        ...


@runtime_checkable
class HasTextImageScorer(Protocol):
    """A text-conditional model that declares the joint embedding by which its images and texts are compared."""

    def new_text_image_scorer(self, seed: int) -> Any:
        """Returns an untrained joint embedding of images and captions for the model's data.

        Args:
            seed: Seed of its initial weights, >= 0.
        """
        ...


@runtime_checkable
class RestoresFromPatches(Protocol):
    """A model that restores images from patches with unknown positions."""

    @property
    def num_patches(self) -> int:
        """Number of key patches of an image, >= 1."""
        ...

    @property
    def use_mask(self) -> bool:
        """Whether the model predicts the mask of the patches."""
        ...

    def endpoint_columns(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Returns the inputs of the endpoint `restore` for a batch, without noise.

        Args:
            columns: A batch of the data, {field: array [num, ...]}.
        """
        ...

    def patch_masks(self, batch: dict[str, Any]) -> Any:
        """Returns the true masks of the patches of a batch, float32 [num, height, width, 1] in [0, 1].

        Args:
            batch: A batch of the data, {field: array [num, ...]}.
        """
        ...


@runtime_checkable
class RestoresFromTiles(Protocol):
    """A model that restores images from shuffled tiles. Positions are counted row by row from the top left."""

    @property
    def max_missing(self) -> int:
        """Largest number of missing tiles in training, >= 0."""
        ...

    def cut_tiles(self, images: Any) -> Any:
        """Returns the tiles of images in the order of their positions, [num, count, height, width, channels].

        Args:
            images: [num, height, width, channels] in [0, 1].
        """
        ...

    def shuffled(self, images: Any, missing: int, seed: int) -> tuple[Any, Any, Any]:
        """Returns the tiles of images in random order, their presence and their true positions, both [num, count].

        Args:
            images: [num, height, width, channels] in [0, 1].
            missing: Number of tiles of each image that are left out, and are zeros.
            seed: Seed of the order.
        """
        ...

    def positions(self, scores: Any) -> Any:
        """Returns the best assignment of tiles to positions, int64 [num, count].

        Args:
            scores: Score of each tile at each position, [num, count, count].
        """
        ...

    def assemble(self, tiles: Any, presence: Any, positions: Any, images: Any) -> Any:
        """Returns images with the present tiles at their positions.

        Args:
            tiles: [num, count, height, width, channels] in [0, 1].
            presence: 1 for a present tile, 0 for a missing one, [num, count].
            positions: Position of each tile, integers [num, count].
            images: The pixels of the remaining positions, [num, height, width, channels] in [0, 1].
        """
        ...
