"""Default networks and settings of CycleGAN."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_gen.archives import load_keras

from ..core.system import DefaultView, System

if TYPE_CHECKING:
    import keras

    from keras_gen import models


def cyclegan(
    image_shape,
    seed,
    *,
    domain_b: Sequence[int] | None = None,
    network: str | None = None,
    base_filters: int = 32,
    blocks: int | None = None,
    num_downsamples: int | None = None,
    padding: str = "reflect",
    masked: bool | None = None,
    discriminator_filters: int | None = None,
    discriminator_downsamples: int | None = None,
    cycle_weight: float | None = None,
    identity_weight: float | None = None,
    adversarial_weight: float = 1.0,
    objective: str | dict = "least_squares",
    pool_size: int = 50,
    classifier: "keras.Model | str | None" = None,
    source: str = "a",
    semantics: str = "both",
    semantic_weight: float = 1.0,
    crop: int | Sequence[int] | None = None,
    export_size: Sequence[int] | None = None,
    ema: float | None = None,
) -> "models.CycleGAN":
    from keras_gen import models, networks

    from .networks import patch_discriminator, resized

    shapes = {"a": tuple(image_shape), "b": tuple(domain_b or image_shape)}
    size = None
    if crop is not None:
        if shapes["a"][:2] != shapes["b"][:2]:
            raise ValueError(f"crop: the domains must share a size; theirs are {shapes['a']} and {shapes['b']}")
        crop, size = (crop, crop) if isinstance(crop, int) else tuple(crop), shapes["a"][:2]
    if isinstance(classifier, str):
        classifier = load_keras(classifier)
    # the paper's translator is for 128 pixels and more: small objects lose their colors and outlines in it
    small = min(crop or (*shapes["a"][:2], *shapes["b"][:2])) < 64
    network = network or ("unet" if small and blocks is None else "residual")
    if masked is None:
        masked = small and network == "unet" and shapes["a"][-1] == shapes["b"][-1]
    if masked:
        # a mask that the cycle and the identity loss close stays closed
        cycle_weight = 2.0 if cycle_weight is None else cycle_weight
        identity_weight = 0.0 if identity_weight is None else identity_weight
        # patches as large as objects
        discriminator_downsamples = 2 if small and discriminator_downsamples is None else discriminator_downsamples

    def generator(given: str, made: str) -> "keras.Model":
        name, channels = f"generator_{given}{made}", shapes[made][-1]
        # at the size of what is made: the loss of a domain is seen at its own size
        sides = crop or shapes[made][:2]
        shape = ((None, None) if crop else sides) + shapes[given][-1:]
        if network == "unet":
            options = {
                "base_filters": base_filters,
                "num_downsamples": num_downsamples or _halvings(sides, 5),
                "masked": masked,
                "name": name,
            }
            built = networks.unet(shape, channels, **options)
        elif network == "residual" and not masked:
            # the paper has 6 up to 128 pixels and 9 from 256 on; a small image is crossed by three
            count = (9 if min(sides) >= 256 else 6 if min(sides) >= 64 else 3) if blocks is None else blocks
            halved = _halvings(sides, 2) if num_downsamples is None else num_downsamples
            options = {
                "base_filters": base_filters,
                "blocks": count,
                "num_downsamples": halved,
                "padding": padding,
                "name": name,
            }
            built = networks.residual_translator(shape, channels, **options)
        else:
            raise ValueError(f"Unknown network {network!r}: expected 'residual' or 'unet' (masked=True: 'unet')")
        return built if crop else resized(built, shapes[given][:2], name)

    def discriminator(domain: str) -> "keras.Model":
        shape = (*(crop or shapes[domain][:2]), shapes[domain][-1])
        return patch_discriminator(
            shape, base_filters=discriminator_filters or base_filters, num_downsamples=discriminator_downsamples
        )

    return models.CycleGAN(
        generator("a", "b"),
        generator("b", "a"),
        discriminator("a"),
        discriminator("b"),
        cycle_weight=10.0 if cycle_weight is None else cycle_weight,
        identity_weight=5.0 if identity_weight is None else identity_weight,
        adversarial_weight=adversarial_weight,
        objective=objective,
        pool_size=pool_size,
        classifier=classifier,
        source=source,
        semantics=semantics,
        semantic_weight=semantic_weight,
        crop=crop,
        size=size,
        export_size=export_size,
        ema=ema,
        seed=seed,
    )


def _halvings(sides: Sequence[int], most: int) -> int:
    """How often both sides halve to whole numbers and leave 4 pixels or more."""
    return next(n for n in range(most, -1, -1) if all(side % 2**n == 0 and side >> n >= 4 for side in sides))


SYSTEMS = (
    System(
        "cyclegan",
        "CycleGAN",
        "Zhu et al. 2017, arXiv:1703.10593",
        cyclegan,
        data=("shapes",),
        endpoints=("a_to_b", "b_to_a"),
        # the paper has batches of 1 and a rate of 2e-4
        batch_size=8,
        epochs=30,
        steps=250,
        learning_rate=5e-4,
        betas=(0.5, 0.999),
        view="domains",
        default_views=(DefaultView({"domains": ["plain", "striped"], "domain_field": "texture"}, dataset="shapes"),),
        decay=0.5,
    ),
)
