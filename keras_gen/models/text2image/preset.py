"""Default networks and settings of Text2Image, and of the embedding that is trained before it."""

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.system import System

if TYPE_CHECKING:
    from keras_gen import models

EMBEDDING_SIZE, LENGTH, EPOCHS = 128, 24, 10
SCALE = 0.2  # of the VAE's pixels: the wider it is, the less the code of an image says, and the more the caption


def text2image(
    image_shape,
    seed,
    *,
    vocabulary: Sequence[str] = (),
    length: int = LENGTH,
    embedding_size: int = EMBEDDING_SIZE,
    text_filters: int = 128,
    embedding_loss: str = "contrastive",
    latent_size: int = 64,
    base_filters: int = 32,
    dense_units: int | None = None,
    modulated: bool = False,
    trunk_filters: int = 32,
    normalization: str = "none",
    matching_aware: bool = True,
    interpolate: bool = True,
    objective: str | dict = "non_saturating",
    penalty: str | dict | None = None,
    matching_weight: float = 0.0,
    matching_noise: float = 0.0,
    style_weight: float = 0.0,
    ema: float | None = 0.999,
    embedding: Mapping | None = None,
    vae: Mapping | None = None,
) -> "models.Text2Image":
    from keras_gen import models
    from keras_gen.losses import joint_embedding as joint_embedding_losses

    from .networks import text2image_generator, text2image_head, text2image_trunk

    # embedding_loss is that of the `joint_embedding` which is trained first; `vae`, if it is given, is trained next
    vocabulary = _required(vocabulary)
    check_first("embedding", embedding, ("temperature", "learning_rate"))
    check_first("vae", vae, ("scale", "learning_rate"))
    if embedding_loss not in joint_embedding_losses.LOSSES:
        known = ", ".join(joint_embedding_losses.LOSSES)
        raise ValueError(f"Unknown embedding_loss {embedding_loss!r}: expected one of {known}")
    trunk = text2image_trunk(image_shape, base_filters=trunk_filters, normalization=normalization)
    image_encoder = (
        _image_encoder(image_shape, embedding_size, trunk_filters, normalization) if matching_weight else None
    )
    return models.Text2Image(
        text2image_generator(
            latent_size,
            embedding_size,
            image_shape,
            base_filters=base_filters,
            dense_units=dense_units,
            modulated=modulated,
        ),
        trunk,
        text2image_head(trunk.output_shape[1:], embedding_size),
        _text_encoder(vocabulary, length, embedding_size, text_filters),
        vocabulary=vocabulary,
        matching_aware=matching_aware,
        interpolate=interpolate,
        objective=objective,
        penalty=penalty,
        image_encoder=image_encoder,
        projection=_projection(embedding_size) if matching_weight else None,
        matching_weight=matching_weight,
        matching_noise=matching_noise,
        style_encoder=_style_encoder(image_shape, latent_size, embedding_size) if style_weight else None,
        style_weight=style_weight,
        style_scale=(vae or {}).get("scale", SCALE),
        ema=ema,
        seed=seed,
    )


def joint_embedding(
    image_shape,
    seed,
    *,
    vocabulary: Sequence[str] = (),
    length: int = LENGTH,
    embedding_size: int = EMBEDDING_SIZE,
    text_filters: int = 128,
    trunk_filters: int = 32,
    normalization: str = "none",
    embedding_loss: str = "contrastive",
    temperature: float = 0.1,
    image_noise: float = 0.0,
    learning_rate: float = 1e-3,
) -> "models.JointEmbedding":
    """The model that trains the text encoder of a `text2image` of the same settings, compiled and ready for `fit`.

    Afterwards, `text2image.load_pretrained(joint)`.

    Args:
        image_shape: (height, width, channels).
        seed: of the initial weights; None draws one.
        vocabulary, length, embedding_size, text_filters, trunk_filters, normalization: as of `text2image`, whose
            discriminator starts from the image encoder's trunk.
        embedding_loss, temperature, image_noise: `loss`, `temperature` and `image_noise` of
            `keras_gen.models.JointEmbedding`.
        learning_rate: Adam's.
    """
    import keras

    from keras_gen import models

    vocabulary = _required(vocabulary)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = models.JointEmbedding(
        _text_encoder(vocabulary, length, embedding_size, text_filters),
        _image_encoder(image_shape, embedding_size, trunk_filters, normalization),
        _projection(embedding_size),
        vocabulary=vocabulary,
        loss=embedding_loss,
        temperature=temperature,
        image_noise=image_noise,
        seed=seed,
    )
    model.compile(keras.optimizers.Adam(learning_rate))
    return model


def pretraining_epochs(settings: Mapping) -> dict[str, int]:
    """Stage of the pretraining -> its epochs, in their order, from the settings of a `text2image`."""
    epochs = {"embedding": (settings["embedding"] or {}).get("epochs", EPOCHS)}
    if settings["vae"]:
        epochs["vae"] = settings["vae"].get("epochs", EPOCHS)
    return epochs


def embedding_of(image_shape, seed, settings: Mapping) -> "models.JointEmbedding":
    """The embedding that a `text2image` of these settings is trained after.

    Args:
        image_shape, seed: as of `joint_embedding`.
        settings: of `text2image`, complete; `embedding` may hold `epochs`, `temperature` and `learning_rate`.
    """
    asked = {name: value for name, value in (settings["embedding"] or {}).items() if name != "epochs"}
    names = (
        *("vocabulary", "length", "embedding_size", "text_filters"),
        *("trunk_filters", "normalization", "embedding_loss"),
    )
    asked["image_noise"] = settings["matching_noise"]
    return joint_embedding(image_shape, seed, **{name: settings[name] for name in names}, **asked)


def vae_of(
    model: "models.Text2Image", seed: int | None, *, scale: float = SCALE, learning_rate: float = 1e-3
) -> "models.CaptionedVAE":
    """The VAE whose decoder is the generator of a `text2image`, compiled and ready for `fit`.

    Afterwards, `text2image.load_pretrained(vae)`. It begins with copies of the model's generator and text encoder.

    Args:
        model: after it has adopted its joint embedding.
        seed: of the encoder's initial weights and of the noise; None draws one.
        scale: see `keras_gen.models.CaptionedVAE`.
        learning_rate: Adam's.
    """
    import keras

    from keras_gen import models, networks

    from ..core.ema import clone_for_ema

    if seed is not None:
        keras.utils.set_random_seed(seed)
    size, copies = model.latent_size, [clone_for_ema(each) for each in (model.generator, model.text_encoder)]
    copies[0].trainable = True
    encoder = networks.conv_encoder(
        model.image_shape, 2 * size, activation="leaky_relu", num_classes=model.embedding_size
    )
    vae = models.CaptionedVAE(encoder, *copies, vocabulary=model.vocabulary, scale=scale, seed=seed)
    vae.compile(keras.optimizers.Adam(learning_rate))
    return vae


def check_first(name: str, given: Mapping | None, known: tuple[str, ...]) -> None:
    """Raise a ValueError unless the setting of a model that is trained first holds `epochs` and what is known."""
    known = ("epochs", *known)
    if unknown := sorted(set(given or ()) - set(known)):
        raise ValueError(f"{name} has no {', '.join(unknown)}: it takes {', '.join(known)}")
    epochs = (given or {}).get("epochs", EPOCHS)
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 0:
        raise ValueError(f"{name}: epochs must be an integer >= 0; received {epochs!r}")


def _text_encoder(vocabulary, length: int, size: int, base_filters: int):
    from keras_gen import networks

    return networks.text_encoder(len(vocabulary), length, size, base_filters=base_filters)


def _image_encoder(image_shape, size: int, base_filters: int, normalization: str):
    from .networks import text2image_image_encoder, text2image_trunk

    trunk = text2image_trunk(image_shape, base_filters=base_filters, normalization=normalization)
    return text2image_image_encoder(trunk, size)


def _projection(size: int):
    import keras

    embedding = keras.Input((size,), name="embedding")
    return keras.Model(embedding, keras.layers.Dense(size, dtype="float32")(embedding), name="projection")


def _style_encoder(image_shape, latent_size: int, embedding_size: int):
    from keras_gen import networks

    return networks.conv_encoder(image_shape, 2 * latent_size, activation="leaky_relu", num_classes=embedding_size)


def _required(vocabulary) -> tuple[str, ...]:
    from keras_gen.data.tokenizer import check_vocabulary

    if not vocabulary:
        raise ValueError(
            "text2image needs the setting vocabulary, the words of its captions; received none. Make it of the "
            "training captions: keras_gen.data.build_vocabulary(captions)"
        )
    return check_vocabulary(vocabulary)


SYSTEMS = (
    System(
        "text2image",
        "Text to Image",
        "Reed et al. 2016, arXiv:1605.05396",
        # begun as the decoder of a VAE: a game alone has no outlines after half an hour (RESULTS.md); GAN-INT
        # lowers every score there
        functools.partial(
            text2image,
            penalty={"name": "r1", "gamma": 4.0},
            interpolate=False,
            modulated=True,
            vae={"epochs": 40},
            style_weight=0.04,
        ),
        data=("shapes",),
        endpoints=("embed", "generate"),
        batch_size=64,
        # the paper has 2e-4 for both; here a discriminator slower than the generator stays at chance (RESULTS.md)
        learning_rate=1e-3,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"generator": 0.2},
        decay=0.5,
        drop_remainder=True,
        view="captions",
        pretraining=pretraining_epochs,
    ),
)
