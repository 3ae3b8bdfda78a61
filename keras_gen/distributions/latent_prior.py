"""The interface of a prior of latent codes, which models require of their argument `prior`."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import tensorflow as tf

from .noise import Noise


@runtime_checkable
class LatentPrior(Protocol):
    """A distribution p(z) over codes that transforms base noise into samples, so that exported models can sample it.

    `Prior`, `PetalPrior`, `SwissRollPrior` and the layers `MixturePrior`, `FlowPrior` and `VampPrior` are such priors.
    """

    @property
    def size(self) -> int:
        """Dimensions of a code, >= 1."""
        ...

    @property
    def full_support(self) -> bool:
        """Whether every code has a density > 0; otherwise KL(q || p) of a normal q is infinite."""
        ...

    @property
    def noise(self) -> Mapping[str, Noise]:
        """The base noise of one code, {input: Noise}."""
        ...

    def distribution(self, encode: Callable[[tf.Tensor], Any]) -> Any:
        """Returns the TFP distribution of codes, with batch shape [] and event shape [size].

        Args:
            encode: Images -> the distribution of their codes, for a prior that consists of posteriors.

        Raises:
            ValueError: For a prior without a density in closed form.
        """
        ...

    def transform(self, noise: dict[str, tf.Tensor], encode: Callable[[tf.Tensor], Any]) -> tf.Tensor:
        """Returns samples, float32 [num, size].

        Args:
            noise: Base noise, {input: [num, ...]}.
            encode: As in `distribution`.
        """
        ...

    def sampler(self, encode: Callable[[tf.Tensor], Any]) -> Callable[..., tf.Tensor]:
        """Returns `transform` as a function of the noise alone; what does not depend on the noise is computed once.

        Args:
            encode: As in `distribution`.
        """
        ...


def check_prior(prior: Any, size: int, codes: str = "codes") -> LatentPrior:
    """Returns a prior if it has the interface of `LatentPrior` and the size of a model's codes.

    Args:
        prior: The prior.
        size: Dimensions of the model's codes.
        codes: What has this size, for the message.

    Raises:
        ValueError: For another object, or a prior of another size.
    """
    if not isinstance(prior, LatentPrior):
        raise ValueError(
            f"Expected prior as a keras_gen.Prior, or an object with its interface; received {prior!r}. A distribution "
            f"of TensorFlow Probability is given by its name and arguments, such as Prior('Laplace', size={size}, "
            "loc=0.0, scale=1.0)"
        )
    if prior.size != size:
        raise ValueError(f"Expected a prior of size {size}, the size of the {codes}; received {prior.size}")
    return prior
