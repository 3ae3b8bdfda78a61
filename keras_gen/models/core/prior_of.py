"""Priors of latent codes by name: the values of the setting `prior`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_gen.distributions import LatentPrior

NUM_COMPONENTS = {"mixture": 10, "vamp": 100}


def prior_of(prior: str | dict, size: int, image_shape: tuple[int, int, int], seed: int = 0) -> "LatentPrior":
    """Builds the prior that a setting describes.

    Args:
        prior: a name or a dict with `name` and arguments: "normal", "mixture" (of normals), "flow" or "vamp" of any
            size; "petals" (one 2-D normal per class) or "swiss_roll" of size 2; or a distribution of
            tfp.distributions, such as {"name": "Laplace", "loc": 0, "scale": 1}.
        size: dimensions of a code.
        image_shape: shape of a VampPrior's pseudo-inputs.
        seed: seed of the initial weights.

    Raises:
        ValueError: for an unknown name or unknown arguments, or a two-dimensional prior with another size.

    Example:
        >>> prior_of({"name": "Laplace", "loc": 0.0, "scale": 1.0}, size=2, image_shape=(28, 28, 1)).size
        2
    """
    from keras_gen import layers
    from keras_gen.distributions import PetalPrior, Prior, SwissRollPrior

    arguments = dict(prior) if isinstance(prior, dict) else {"name": prior}
    name = arguments.pop("name", "normal")
    if name == "normal":
        return Prior(size=size, **arguments)
    if name == "mixture":
        return layers.MixturePrior(size, **{"components": NUM_COMPONENTS[name], "seed": seed, **arguments})
    if name == "flow":
        return layers.FlowPrior(size, **{"seed": seed, **arguments})
    if name == "vamp":
        options = {"components": NUM_COMPONENTS[name], "seed": seed, **arguments}
        return layers.VampPrior(size, image_shape=image_shape, **options)
    two_dimensional = {"petals": PetalPrior, "swiss_roll": SwissRollPrior}
    if name in two_dimensional:
        if size != 2:
            raise ValueError(f"Expected latent_size=2 for the two-dimensional prior {name!r}; received {size}")
        return two_dimensional[name](**arguments)
    return Prior(name, size=size, **arguments)
