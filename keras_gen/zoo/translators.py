"""Default networks and settings of the systems that turn an image into another: CycleGAN, StarGAN."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_gen.archives import load_keras

if TYPE_CHECKING:
    import keras

    from keras_gen import models


def stargan(
    image_shape,
    seed,
    *,
    groups: Sequence[int] = (8,),
    datasets: Sequence[int] | None = None,
    attribute_names: Sequence[str] | None = None,
    width: int = 32,
    blocks: int = 3,
    halvings: int = 2,
    conditioning: str = "normalization",
    residual: bool = True,
    discriminator_width: int = 32,
    n_critic: int = 1,
    classification_weight: float = 1.0,
    reconstruction_weight: float = 10.0,
    penalty_weight: float = 10.0,
    ema: float | None = 0.999,
) -> "models.StarGAN":
    from keras_gen import models, networks

    size, sets = sum(groups), max(datasets) + 1 if datasets else 0
    return models.StarGAN(
        networks.residual_translator(
            image_shape,
            width=width,
            blocks=blocks,
            halvings=halvings,
            padding="zero",
            num_attributes=size + sets,
            conditioning=conditioning,
            residual=residual,
            name="generator",
        ),
        networks.stargan_discriminator(image_shape, size, width=discriminator_width),
        groups=groups,
        datasets=datasets,
        attribute_names=attribute_names,
        n_critic=n_critic,
        classification_weight=classification_weight,
        reconstruction_weight=reconstruction_weight,
        penalty_weight=penalty_weight,
        ema=ema,
        seed=seed,
    )


def cyclegan(
    image_shape,
    seed,
    *,
    domain_b: Sequence[int] | None = None,
    network: str | None = None,
    width: int = 32,
    blocks: int | None = None,
    halvings: int | None = None,
    padding: str = "reflect",
    masked: bool | None = None,
    discriminator_width: int | None = None,
    patch_halvings: int | None = None,
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

    shapes = {"a": tuple(image_shape), "b": tuple(domain_b or image_shape)}
    size = None
    if crop is not None:
        if shapes["a"][:2] != shapes["b"][:2]:
            raise ValueError(f"crop: the domains must share a size; theirs are {shapes['a']} and {shapes['b']}")
        crop, size = (crop, crop) if isinstance(crop, int) else tuple(crop), shapes["a"][:2]
    if isinstance(classifier, str):
        classifier = load_keras(classifier)
    # the paper's translator is for 128 pixels and more: small objects lose their colours and outlines in it
    small = min(crop or (*shapes["a"][:2], *shapes["b"][:2])) < 64
    network = network or ("unet" if small and blocks is None else "residual")
    if masked is None:
        masked = small and network == "unet" and shapes["a"][-1] == shapes["b"][-1]
    if masked:
        # a mask that the cycle and the identity loss close stays closed
        cycle_weight = 2.0 if cycle_weight is None else cycle_weight
        identity_weight = 0.0 if identity_weight is None else identity_weight
        # patches as large as objects
        patch_halvings = 2 if small and patch_halvings is None else patch_halvings

    def generator(given: str, made: str) -> "keras.Model":
        name, channels = f"generator_{given}{made}", shapes[made][-1]
        # at the size of what is made: the loss of a domain is seen at its own size
        sides = crop or shapes[made][:2]
        shape = ((None, None) if crop else sides) + shapes[given][-1:]
        if network == "unet":
            options = {"width": width, "halvings": halvings or _halvings(sides, 5), "masked": masked, "name": name}
            built = networks.unet(shape, channels, **options)
        elif network == "residual" and not masked:
            # the paper has 6 up to 128 pixels and 9 from 256 on; a small image is crossed by three
            count = (9 if min(sides) >= 256 else 6 if min(sides) >= 64 else 3) if blocks is None else blocks
            halved = _halvings(sides, 2) if halvings is None else halvings
            options = {"width": width, "blocks": count, "halvings": halved, "padding": padding, "name": name}
            built = networks.residual_translator(shape, channels, **options)
        else:
            raise ValueError(f"Unknown network {network!r}: expected 'residual' or 'unet' (masked=True: 'unet')")
        return built if crop else networks.resized(built, shapes[given][:2], name)

    def discriminator(domain: str) -> "keras.Model":
        shape = (*(crop or shapes[domain][:2]), shapes[domain][-1])
        return networks.patch_discriminator(shape, width=discriminator_width or width, halvings=patch_halvings)

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
