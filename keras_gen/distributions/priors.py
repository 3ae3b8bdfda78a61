"""Priors without trainable weights: a TFP distribution by name and arguments."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from .noise import Noise

tfd = tfp.distributions

# a quantile is infinite at 0 and 1, and float32 noise is 0 once in 2**24 samples
TAIL = 1e-7


@keras.saving.register_keras_serializable("keras_gen")
class Prior:
    """A fixed prior p(z) over codes: any distribution of TensorFlow Probability, by name and arguments.

    A scalar distribution is repeated over `size` independent dimensions; a vector distribution (such as
    `MultivariateNormalTriL`) must have events of that size.

    Args:
        name: name in `tfp.distributions`; the default is the isotropic standard normal.
        size: dimensions of a code, >= 1.
        **arguments: the distribution's arguments, numbers or nested lists.

    Raises:
        ValueError: for an unknown name, invalid arguments, a wrong event size, or a distribution that is not a
            transformation of base noise (it has no quantile function and is not a normal).

    Example:
        >>> Prior("Laplace", size=8, loc=0.0, scale=1.0).distribution().event_shape
        TensorShape([8])
    """

    def __init__(self, name: str = "Normal", *, size: int, **arguments: Any):
        if size < 1:
            raise ValueError(f"Expected size >= 1; received {size}")
        if name == "Normal" and not arguments:
            arguments = {"loc": 0.0, "scale": 1.0}
        arguments = {
            key: value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
            for key, value in arguments.items()
        }
        self.name, self.size, self.arguments = name, int(size), arguments
        distribution = self._distribution(validate_args=True)
        factorizes = isinstance(distribution, tfd.Independent)
        normal = isinstance(distribution.distribution, tfd.Normal) if factorizes else True
        self.noise = {"noise": Noise("normal" if normal else "uniform", (self.size,))}
        # other vector distributions may have a bijector, but its base is not the standard normal
        transformable = factorizes or isinstance(distribution, tfd.MultivariateNormalLinearOperator)
        try:
            probe = self.transform({"noise": np.full((2, self.size), 0.25, np.float32)}) if transformable else None
        except NotImplementedError:  # TFP has no quantile function for it
            probe = None
        if probe is None:
            raise ValueError(
                f"Expected a prior with a quantile function, which transforms base noise into samples; received "
                f"{name!r}: use a scalar distribution that has one (Laplace, Logistic, Uniform, StudentT, ...), a "
                "multivariate normal, or the layers MixturePrior and VampPrior"
            )
        if not np.all(np.isfinite(probe)):
            raise ValueError(f"Expected a prior with finite samples; received {name!r} with {arguments}")

    def distribution(self, encode: Callable | None = None) -> tfd.Distribution:
        """Returns the distribution, with batch shape [] and event shape [size]. `encode` is not used."""
        return self._distribution()

    @property
    def full_support(self) -> bool:
        """Whether every code has a density > 0; otherwise KL(q || p) of a normal q is infinite."""
        distribution = self.distribution()
        if not isinstance(distribution, tfd.Independent):
            return True  # a multivariate normal
        # TFP's bijector from all numbers to the support flattens towards an end of the support
        bijector = distribution.distribution.experimental_default_event_space_bijector()
        values = np.array(bijector.forward(tf.constant([[-20.0], [-10.0], [10.0], [20.0]]) * tf.ones([self.size])))
        below, middle, above = np.diff(values, axis=0)
        return bool(np.all((below > 1e-3 * middle) & (above > 1e-3 * middle)))

    def _distribution(self, validate_args: bool = False) -> tfd.Distribution:
        family = getattr(tfd, self.name, None)
        if not (isinstance(family, type) and issubclass(family, tfd.Distribution)):
            raise ValueError(
                f"Expected prior as the name of a distribution in tfp.distributions; received {self.name!r}"
            )
        arguments = {key: _tensor(value) for key, value in self.arguments.items()}
        if validate_args:
            arguments = {"validate_args": True, **arguments}
        try:
            base = family(**arguments)
            if base.event_shape == [] and base.batch_shape == []:
                repeat = {key: tf.fill([self.size], a) if _is_scalar(a) else a for key, a in arguments.items()}
                base = family(**repeat)
        except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
            raise ValueError(
                f"Expected arguments of the prior {self.name!r}; received {self.arguments}: {error}"
            ) from error
        if base.event_shape == [] and base.batch_shape == [self.size]:
            return tfd.Independent(base, 1)
        if base.event_shape == [self.size] and base.batch_shape == []:
            return base
        raise ValueError(
            f"Expected a prior over a scalar, {self.size} scalars, or one vector of size {self.size}; received "
            f"{self.name!r} with batch shape {base.batch_shape} and event shape {base.event_shape}"
        )

    def transform(self, noise: dict, encode: Callable | None = None) -> tf.Tensor:
        """Returns samples, float32 [num, size], for the base noise {"noise": [num, size]}. `encode` is not used."""
        distribution, noise = self.distribution(), noise["noise"]
        if not isinstance(distribution, tfd.Independent):
            return distribution.bijector.forward(noise)
        if isinstance(distribution.distribution, tfd.Normal):
            return distribution.distribution.loc + distribution.distribution.scale * noise
        return distribution.distribution.quantile(tf.clip_by_value(noise, TAIL, 1.0 - TAIL))

    def sampler(self, encode: Callable | None = None) -> Callable[[dict], tf.Tensor]:
        """Returns `transform` as a function of the noise alone. `encode` is not used."""
        return self.transform

    def get_config(self) -> dict:
        return {"name": self.name, "size": self.size, **self.arguments}

    @classmethod
    def from_config(cls, config: dict) -> "Prior":
        return cls(**config)

    def __repr__(self) -> str:
        arguments = "".join(f", {key}={value!r}" for key, value in self.arguments.items())
        return f"Prior({self.name!r}, size={self.size}{arguments})"


def _tensor(value: Any) -> Any:
    """Returns numbers and lists as float32 tensors, and everything else (flags, names) unchanged."""
    return value if isinstance(value, (bool, str, type(None))) else tf.convert_to_tensor(value, tf.float32)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, tf.Tensor) and value.shape.rank == 0
