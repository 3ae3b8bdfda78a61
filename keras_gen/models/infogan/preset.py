"""Default networks and settings of InfoGAN."""

from typing import TYPE_CHECKING

from ..core.default_networks import discriminator_normalization
from ..core.defaults import EMA, OBJECTIVE
from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models


def infogan(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    noise_size: int = 62,
    num_categories: int = 10,
    num_codes: int = 2,
    base_filters: int = 64,
    dense_units: int = 1024,
    normalization: str | None = None,
    category_weight: float = 1.0,
    code_weight: float = 0.1,
    objective: str | dict = OBJECTIVE,
    penalty: str | dict | None = None,
    ema: float | None = EMA,
) -> "models.InfoGAN":
    """Builds an InfoGAN with the default networks, not yet compiled.

    Args:
        image_shape: (height, width, channels) of the images.
        seed: Seed of the model's noise; None draws one.
        noise_size: Dimensions of the incompressible noise, >= 1; 62 in Chen et al. 2016, appendix C.1 (MNIST).
        num_categories: Number of categories of the categorical code, >= 2; 10 in the paper (MNIST).
        num_codes: Number of continuous codes, uniform on [-1, 1], >= 0; 2 in the paper (MNIST).
        base_filters: Channels of the convolutions at the largest resolution, >= 1; they double with each halving. 64 in
            the paper, table 1.
        dense_units: Units of the dense layer next to the generator's input and of the one that returns the
            discriminator's features, >= 1; 1024 in the paper, table 1.
        normalization: Normalization of the discriminator: `"batch"`, `"layer"`, `"spectral"` (of the weights) or
            `"none"`. None is `"batch"`, as in the paper, or `"layer"` with a penalty.
        category_weight: Weight lambda of the mutual information with the category, >= 0; 1 in the paper, section 6.
        code_weight: Weight lambda of the mutual information with the continuous codes, >= 0; smaller in
            the paper (section 6), as differential entropies would otherwise outweigh the GAN's losses.
        objective: `"non_saturating"`, `"minimax"`, `"least_squares"`, `"hinge"`, `"wasserstein"`,
            `"relativistic_average"`, or a dict with `name` and arguments; see `keras_gen.losses.adversarial`.
        penalty: Gradient penalty of the discriminator: `"wgan_gp"`, `"r1"`, `"r2"`, `"dragan"`, a dict with `name` and
            arguments such as `weight` or `gamma`, or None, as in the paper; see `keras_gen.losses.penalties`.
        ema: Decay of the moving average of the generator's weights, in (0, 1), that generates images; None generates
            with the trained weights.

    Raises:
        ValueError: as `keras_gen.models.InfoGAN`.
    """
    from keras_gen import models, networks

    from .networks import infogan_discriminator_head, infogan_q_head, infogan_trunk

    size, normalization = noise_size + num_categories + num_codes, discriminator_normalization(normalization, penalty)
    return models.InfoGAN(
        networks.dcgan_generator(size, image_shape, base_filters=base_filters, dense_units=dense_units),
        infogan_trunk(image_shape, base_filters=base_filters, dense_units=dense_units, normalization=normalization),
        infogan_discriminator_head(dense_units),
        infogan_q_head(dense_units, num_categories + 2 * num_codes, normalization=normalization),
        num_categories=num_categories,
        num_codes=num_codes,
        category_weight=category_weight,
        code_weight=code_weight,
        objective=objective,
        penalty=penalty,
        ema=ema,
        seed=seed,
    )


SYSTEMS = (
    System(
        "infogan",
        "InfoGAN",
        "Chen et al. 2016, arXiv:1606.03657",
        infogan,
        data=("mnist", "shapes"),
        endpoints=("generate", "infer"),
        demo="infogan",
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"generator": 5.0},  # as in the paper: 1e-3
        drop_remainder=True,
    ),
)
