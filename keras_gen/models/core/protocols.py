"""What shared code may ask of a model: typed protocols, checked with `isinstance`.

Evaluation, training and export depend on these and on `GenerativeModel`, never on a system's class.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import tensorflow as tf


@runtime_checkable
class HasPrior(Protocol):
    """A model whose latent codes have a prior."""

    @property
    def prior(self) -> Any: ...


@runtime_checkable
class HasPosterior(Protocol):
    """A model that encodes an image as a distribution over latent codes."""

    def posterior_draws(self, batch: dict, batch_noise: Any) -> tuple[tf.Tensor, ...]: ...


@runtime_checkable
class HasLikelihood(Protocol):
    """A model that gives the likelihood of an image under a latent code."""

    @property
    def likelihood(self) -> Any: ...

    def log_likelihood(self, batch: dict, codes: tf.Tensor) -> tf.Tensor: ...


@runtime_checkable
class HasCategories(Protocol):
    """A model with a categorical latent code."""

    @property
    def num_categories(self) -> int | None: ...


@runtime_checkable
class SemiSupervised(Protocol):
    """A model that can also learn from the labels of some images."""

    @property
    def supervised(self) -> bool: ...


@runtime_checkable
class HasAttributes(Protocol):
    """A model that edits the attributes of an image."""

    @property
    def attribute_schema(self) -> Any: ...


@runtime_checkable
class Grows(Protocol):
    """A model that is trained at one resolution after another."""

    @property
    def stable_stage(self) -> int: ...


@runtime_checkable
class Diagnoses(Protocol):
    """A model that recognizes from an epoch's metrics that its training goes wrong."""

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]: ...
