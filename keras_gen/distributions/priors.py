"""Priors without weights: a TFP distribution by name and arguments."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from .noise import Noise

tfd = tfp.distributions

# a quantile is infinite at 0 and 1, and float32 noise reaches 0 once in 2**24 draws
TAIL = 1e-7


@keras.saving.register_keras_serializable("keras_gen")
class Prior:
    """A fixed prior p(z) over codes: any distribution of TensorFlow Probability, by name and arguments.

    A scalar distribution is repeated over `size` independent dimensions; a vector distribution (such as
    `MultivariateNormalTriL`) must have events of that size.

    Args:
        name: name in `tfp.distributions`; default the isotropic standard normal.
        size: dimensions of a code, >= 1.
        **arguments: the distribution's own arguments, numbers or nested lists.

    Raises:
        ValueError: for an unknown name, arguments that do not fit or are out of range, a wrong event size, or a
            distribution that base noise cannot be turned into (it has no quantile function and is no normal).

    Example:
        >>> Prior("Laplace", size=8, loc=0.0, scale=1.0).distribution().event_shape
        TensorShape([8])
    """

    def __init__(self, name: str = "Normal", *, size: int, **arguments):
        if size < 1:
            raise ValueError(f"size must be >= 1; received {size}")
        if name == "Normal" and not arguments:
            arguments = {"loc": 0.0, "scale": 1.0}
        arguments = {key: value.tolist() if hasattr(value, "tolist") else value for key, value in arguments.items()}
        self.name, self.size, self.arguments = name, int(size), arguments
        distribution = self._distribution(validate_args=True)
        factorizes = isinstance(distribution, tfd.Independent)
        normal = isinstance(distribution.distribution, tfd.Normal) if factorizes else True
        self.noise = {"noise": Noise("normal" if normal else "uniform", (self.size,))}
        # other vector distributions may have a bijector, but its base is not the standard normal
        drawable = factorizes or isinstance(distribution, tfd.MultivariateNormalLinearOperator)
        try:
            probe = self.draw({"noise": np.full((2, self.size), 0.25, np.float32)}) if drawable else None
        except NotImplementedError:  # TFP has no quantile function for it
            probe = None
        if probe is None:
            raise ValueError(
                f"Prior {name!r} has no quantile function, so base noise cannot be turned into its draws; "
                "use a scalar distribution that has one (Laplace, Logistic, Uniform, StudentT, ...), a multivariate "
                "normal, or the layers MixturePrior and VampPrior"
            )
        if not np.all(np.isfinite(probe)):
            raise ValueError(f"Prior {name!r} with {arguments} gives draws that are not finite")

    def distribution(self, encode=None) -> tfd.Distribution:
        """The distribution, with batch shape [] and event shape [size]. `encode` is not used."""
        return self._distribution()

    @property
    def full_support(self) -> bool:
        """Whether every code has a density > 0; if not, KL(q || p) of a normal q is infinite."""
        distribution = self.distribution()
        if not isinstance(distribution, tfd.Independent):
            return True  # a multivariate normal
        # TFP's map from all numbers onto the support: where that has an end, the map flattens out towards it
        onto = distribution.distribution.experimental_default_event_space_bijector()
        ends = np.array(onto.forward(tf.constant([[-20.0], [-10.0], [10.0], [20.0]]) * tf.ones([self.size])))
        below, middle, above = np.diff(ends, axis=0)
        return bool(np.all((below > 1e-3 * middle) & (above > 1e-3 * middle)))

    def _distribution(self, validate_args: bool = False) -> tfd.Distribution:
        family = getattr(tfd, self.name, None)
        if not (isinstance(family, type) and issubclass(family, tfd.Distribution)):
            raise ValueError(f"Unknown prior {self.name!r}: expected the name of a distribution in tfp.distributions")
        arguments = {key: _tensor(value) for key, value in self.arguments.items()}
        if validate_args:
            arguments = {"validate_args": True, **arguments}
        try:
            base = family(**arguments)
            if base.event_shape == [] and base.batch_shape == []:
                repeat = {key: tf.fill([self.size], a) if _is_scalar(a) else a for key, a in arguments.items()}
                base = family(**repeat)
        except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
            raise ValueError(f"Prior {self.name!r} does not take {self.arguments}: {error}") from error
        if base.event_shape == [] and base.batch_shape == [self.size]:
            return tfd.Independent(base, 1)
        if base.event_shape == [self.size] and base.batch_shape == []:
            return base
        raise ValueError(
            f"Prior {self.name!r} has batch shape {base.batch_shape} and event shape {base.event_shape}; "
            f"expected scalars, {self.size} scalars, or one vector of size {self.size}"
        )

    def draw(self, noise: dict, encode=None) -> tf.Tensor:
        """Turn base noise {"noise": [num, size]} into draws of the prior, float32 [num, size]."""
        distribution, noise = self.distribution(), noise["noise"]
        if not isinstance(distribution, tfd.Independent):
            return distribution.bijector.forward(noise)
        if isinstance(distribution.distribution, tfd.Normal):
            return distribution.distribution.loc + distribution.distribution.scale * noise
        return distribution.distribution.quantile(tf.clip_by_value(noise, TAIL, 1.0 - TAIL))

    def sampler(self, encode=None) -> Callable[[dict], tf.Tensor]:
        """`draw` as a function of the noise alone. `encode` is not used."""
        return self.draw

    def get_config(self) -> dict:
        return {"name": self.name, "size": self.size, **self.arguments}

    @classmethod
    def from_config(cls, config: dict) -> "Prior":
        return cls(**config)

    def __repr__(self) -> str:
        arguments = "".join(f", {key}={value!r}" for key, value in self.arguments.items())
        return f"Prior({self.name!r}, size={self.size}{arguments})"


def _tensor(value):
    """Numbers and lists as float32 tensors; everything else (flags, names) as it is."""
    return value if isinstance(value, (bool, str, type(None))) else tf.convert_to_tensor(value, tf.float32)


def _is_scalar(value) -> bool:
    return isinstance(value, tf.Tensor) and value.shape.rank == 0
