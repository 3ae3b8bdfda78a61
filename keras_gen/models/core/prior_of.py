"""Priors by name: what `prior` of a system's settings may be."""


def prior_of(prior: str | dict, size: int, image_shape: tuple[int, int, int], seed: int = 0):
    """A prior from a setting: a name of this package's, a name in tfp.distributions, or a dict with `name`.

    `normal`, `mixture`, `flow` and `vamp` have any size; `petals` (2-D Gaussians, one for each class) and `swiss_roll`
    lie in the plane.

    Args:
        prior: e.g. `"normal"`, `{"name": "mixture", "components": 20}`, `{"name": "Laplace", "loc": 0, "scale": 1}`.
        size: dimensions of a code.
        image_shape: shape of the VampPrior's pseudo-inputs.
        seed: seed of initial weights.

    Raises:
        ValueError: for an unknown name or arguments, or a prior of the plane with another size.
    """
    from keras_gen import layers
    from keras_gen.distributions import PetalPrior, Prior, SwissRollPrior

    arguments = dict(prior) if isinstance(prior, dict) else {"name": prior}
    name = arguments.pop("name", "normal")
    if name == "normal":
        return Prior(size=size, **arguments)
    if name == "mixture":
        return layers.MixturePrior(size, **{"components": 10, "seed": seed, **arguments})
    if name == "flow":
        return layers.FlowPrior(size, **{"seed": seed, **arguments})
    if name == "vamp":
        options = {"components": 100, "seed": seed, **arguments}
        return layers.VampPrior(size, image_shape=image_shape, **options)
    plane = {"petals": PetalPrior, "swiss_roll": SwissRollPrior}
    if name in plane:
        if size != 2:
            raise ValueError(f"prior {name!r} lies in the plane: it needs latent_size=2; received {size}")
        return plane[name](**arguments)
    return Prior(name, size=size, **arguments)
