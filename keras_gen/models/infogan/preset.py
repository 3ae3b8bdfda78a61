"""Default networks and settings of InfoGAN."""

from typing import TYPE_CHECKING

from ..core.default_networks import discriminator_normalization
from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models


def infogan(
    image_shape,
    seed,
    *,
    noise_size: int = 62,
    num_categories: int = 10,
    num_codes: int = 2,
    base_filters: int = 64,
    dense_units: int = 1024,
    normalization: str | None = None,
    category_weight: float = 1.0,
    code_weight: float = 0.1,
    objective: str | dict = "non_saturating",
    penalty: str | dict | None = None,
    ema: float | None = 0.999,
) -> "models.InfoGAN":
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
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"generator": 5.0},  # as in the paper: 1e-3
        drop_remainder=True,
    ),
)
