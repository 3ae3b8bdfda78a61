"""Default networks and settings of Text2Image and of the models that pretrain it."""

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.default_networks import refuse_setting
from ..core.defaults import EMA, OBJECTIVE
from ..core.system import Preset, PretrainingStage, System

if TYPE_CHECKING:
    from keras_gen import models

EMBEDDING_SIZE, LENGTH = 128, 24
# default updates of the joint embedding and of the VAE
EMBEDDING_UPDATES, VAE_UPDATES = 2_800, 11_200
TEXT_FILTERS, TRUNK_FILTERS, NORMALIZATION = 128, 32, "none"
LOSS, TEMPERATURE = "contrastive", 0.1  # of the joint embedding
SCALE = 0.2  # standard deviation of the VAE's pixels: the larger it is, the more of an image the caption must explain


def text2image(
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    vocabulary: Sequence[str] = (),
    length: int = LENGTH,
    embedding_size: int = EMBEDDING_SIZE,
    text_filters: int = TEXT_FILTERS,
    embedding_loss: str = LOSS,
    latent_size: int = 64,
    base_filters: int = 32,
    dense_units: int | None = None,
    modulated: bool = False,
    upsampling: str = "transposed",
    trunk_filters: int = TRUNK_FILTERS,
    normalization: str = NORMALIZATION,
    matching_aware: bool = True,
    interpolate: bool = True,
    objective: str | dict = OBJECTIVE,
    penalty: str | dict | None = None,
    matching_weight: float = 0.0,
    matching_noise: float = 0.0,
    style_weight: float = 0.0,
    ema: float | None = EMA,
    embedding: Mapping | None = None,
    vae: Mapping | None = None,
) -> "models.Text2Image":
    """Builds a Text2Image with the default networks, not yet compiled.

    Sections refer to Reed et al. 2016, arXiv:1605.05396.

    Args:
        image_shape: (height, width, channels) of the images.
        seed: Seed of the model's noise; None draws one.
        vocabulary: Words that the text encoder distinguishes, in the order of their tokens; required. Training reads
            it from the captions, see `keras_gen.data.build_vocabulary`.
        length: Words of a caption that are read, >= 1.
        embedding_size: Dimensions of a text's embedding, >= 1; 1024 in the paper, section 4.1.
        text_filters: Channels of the text encoder's convolutions, >= 1.
        embedding_loss: Loss of the joint embedding that pretrains the text encoder: `"contrastive"` (InfoNCE) or
            `"structured"` (Reed et al. 2016, arXiv:1605.05395), which the paper uses.
        latent_size: Dimensions of the noise, >= 1; 100 in the paper, section 4.1.
        base_filters: Channels of the generator's convolutions at the largest resolution, >= 1; they double with each
            halving, up to eight times as many.
        dense_units: Units of a hidden dense layer of the generator, >= 1, or None for none; only without modulated.
        modulated: Whether noise and text scale and shift the generator's batch normalization at every resolution (De
            Vries et al. 2017, arXiv:1707.00683), instead of being its input only, as in the paper.
        upsampling: How the generator doubles the size of its features: `"transposed"` convolutions, as in the paper,
            `"resize"`, `"blur"` or `"subpixel"`; see `keras_gen.networks.upsampling`.
        trunk_filters: Channels of the first convolution of the discriminator and of the image encoder, >= 1.
        normalization: Normalization of the discriminator and the image encoder: `"none"`, `"layer"`, or `"batch"` as in
            the paper, which a gradient penalty cannot be combined with.
        matching_aware: Whether the discriminator is also trained with real images and mismatched captions (GAN-CLS,
            section 4.2).
        interpolate: Whether the generator is also trained with means of two captions' embeddings (GAN-INT, section
            4.3).
        objective: `"non_saturating"`, the paper's, `"minimax"`, `"least_squares"`, `"hinge"`, `"wasserstein"`,
            `"relativistic_average"`, or a dict with `name` and arguments; see `keras_gen.losses.adversarial`.
        penalty: Gradient penalty of the discriminator: `"wgan_gp"`, `"r1"`, `"r2"`, `"dragan"`, a dict with `name` and
            arguments such as `weight` or `gamma`, or None, as in the paper; see `keras_gen.losses.penalties`.
        matching_weight: Weight, >= 0, of a contrastive loss for the generator, of the pretrained image encoder
            (AttnGAN, Xu et al. 2018, arXiv:1711.10485); 0 in the paper.
        matching_noise: Standard deviation, >= 0, of normal noise on the images that this encoder is trained with and
            encodes, in units of their range [0, 1].
        style_weight: Weight, >= 0, of a VAE's negative ELBO in nats, with a style encoder (section 4.4), during
            adversarial training; 0 builds no style encoder. The paper trains one afterwards.
        ema: Decay of the moving average of the generator's weights, in (0, 1), that generates images; None generates
            with the trained weights.
        embedding: Pretraining of the text encoder in a joint embedding: a dict with any of `updates` (>= 0, default
            2800), `temperature` (> 0) and `learning_rate`; None has the defaults.
        vae: Pretraining of the generator as the decoder of a VAE: a dict with any of `updates` (>= 0, default
            11200), `scale` (standard deviation of the pixels, > 0, default 0.2) and `learning_rate`; None leaves it
            out, as in the paper.

    Raises:
        ValueError: for a missing vocabulary, a setting that has no effect, and as `keras_gen.models.Text2Image`.
    """
    from keras_gen import models
    from keras_gen.losses import joint_embedding as joint_embedding_losses

    from .networks import text2image_generator, text2image_head, text2image_trunk

    vocabulary = _required(vocabulary)
    check_pretraining("embedding", embedding, ("temperature", "learning_rate"))
    check_pretraining("vae", vae, ("scale", "learning_rate"))
    if embedding_loss not in joint_embedding_losses.LOSSES:
        raise ValueError(
            f"Expected embedding_loss as one of {', '.join(joint_embedding_losses.LOSSES)}; received {embedding_loss!r}"
        )
    if modulated:
        refuse_setting("modulated=True", "dense_units", dense_units, "set base_filters instead, or modulated=False")
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
            upsampling=upsampling,
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
    image_shape: tuple[int, int, int],
    seed: int | None,
    *,
    vocabulary: Sequence[str] = (),
    length: int = LENGTH,
    embedding_size: int = EMBEDDING_SIZE,
    text_filters: int = TEXT_FILTERS,
    trunk_filters: int = TRUNK_FILTERS,
    normalization: str = NORMALIZATION,
    embedding_loss: str = LOSS,
    temperature: float = TEMPERATURE,
    image_noise: float = 0.0,
    learning_rate: float = 1e-3,
) -> "models.JointEmbedding":
    """Builds the model that pretrains the text encoder of a `text2image` of the same settings, compiled.

    After `fit`, `text2image.load_pretrained(joint)` copies its weights.

    Args:
        image_shape: (height, width, channels) of the images.
        seed: Seed of the initial weights and of the noise; None draws one.
        vocabulary: See `text2image`.
        length: See `text2image`.
        embedding_size: See `text2image`.
        text_filters: See `text2image`.
        trunk_filters: See `text2image`, whose discriminator begins with the trunk of the image encoder.
        normalization: See `text2image`.
        embedding_loss: `"contrastive"` or `"structured"`; `loss` of `keras_gen.models.JointEmbedding`.
        temperature: Temperature of the contrastive loss, > 0.
        image_noise: Standard deviation, >= 0, of normal noise on the images, in units of their range [0, 1].
        learning_rate: Learning rate of Adam, > 0.

    Raises:
        ValueError: for a missing vocabulary, and as `keras_gen.models.JointEmbedding`.
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


def embedding_of(image_shape: tuple[int, int, int], seed: int | None, settings: Mapping) -> "models.JointEmbedding":
    """Builds the joint embedding that pretrains the text encoder of a `text2image`.

    Args:
        image_shape: (height, width, channels) of the images.
        seed: Seed of the initial weights and of the noise; None draws one.
        settings: The complete settings of the `text2image`; `embedding` may have `updates`, `temperature` and
            `learning_rate`.
    """
    options = {name: value for name, value in (settings["embedding"] or {}).items() if name != "updates"}
    names = (
        *("vocabulary", "length", "embedding_size", "text_filters"),
        *("trunk_filters", "normalization", "embedding_loss"),
    )
    options["image_noise"] = settings["matching_noise"]
    return joint_embedding(image_shape, seed, **{name: settings[name] for name in names}, **options)


def vae_of(
    model: "models.Text2Image", seed: int | None, *, scale: float = SCALE, learning_rate: float = 1e-3
) -> "models.CaptionedVAE":
    """Builds the VAE whose decoder pretrains the generator of a `text2image`, compiled.

    It begins with copies of the model's generator and text encoder. After `fit`, `text2image.load_pretrained(vae)`
    copies its weights.

    Args:
        model: The model, with the weights of its joint embedding.
        seed: Seed of the encoder's initial weights and of the noise; None draws one.
        scale: Standard deviation of the pixels, > 0, see `keras_gen.models.CaptionedVAE`.
        learning_rate: Learning rate of Adam, > 0.
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


def check_pretraining(name: str, options: Mapping | None, known: tuple[str, ...]) -> None:
    """Validates the setting of a pretraining stage.

    Args:
        name: Name of the setting.
        options: Its value.
        known: Options that it may have besides `updates`.

    Raises:
        ValueError: for an unknown option, or updates out of range.
    """
    known = ("updates", *known)
    if unknown := sorted(set(options or ()) - set(known)):
        raise ValueError(f"Expected {name} with any of {', '.join(known)}; received {', '.join(unknown)}")
    updates = (options or {}).get("updates", 0)
    if isinstance(updates, bool) or not isinstance(updates, int) or updates < 0:
        raise ValueError(f"Expected updates of {name} as an integer >= 0; received {updates!r}")


def _text_encoder(vocabulary: Sequence[str], length: int, size: int, base_filters: int):
    from keras_gen import networks

    return networks.text_encoder(len(vocabulary), length, size, base_filters=base_filters)


def _image_encoder(image_shape: tuple[int, int, int], size: int, base_filters: int, normalization: str):
    from .networks import text2image_image_encoder, text2image_trunk

    trunk = text2image_trunk(image_shape, base_filters=base_filters, normalization=normalization)
    return text2image_image_encoder(trunk, size)


def _projection(size: int):
    import keras

    embedding = keras.Input((size,), name="embedding")
    return keras.Model(embedding, keras.layers.Dense(size, dtype="float32")(embedding), name="projection")


def _style_encoder(image_shape: tuple[int, int, int], latent_size: int, embedding_size: int):
    from keras_gen import networks

    return networks.conv_encoder(image_shape, 2 * latent_size, activation="leaky_relu", num_classes=embedding_size)


def _required(vocabulary: Sequence[str]) -> tuple[str, ...]:
    from keras_gen.data.tokenizer import check_vocabulary

    if not vocabulary:
        raise ValueError(
            "Expected the setting vocabulary of text2image, the words of its captions; received none. Build it from "
            "the training captions: keras_gen.data.build_vocabulary(captions)"
        )
    return check_vocabulary(vocabulary)


def _embedding_updates(settings: Mapping) -> int:
    return (settings["embedding"] or {}).get("updates", EMBEDDING_UPDATES)


def _vae_updates(settings: Mapping) -> int | None:
    return settings["vae"].get("updates", VAE_UPDATES) if settings["vae"] else None


def _build_embedding(
    model: "models.GenerativeModel", image_shape: tuple[int, int, int], seed: int | None, settings: Mapping
) -> "models.JointEmbedding":
    return embedding_of(image_shape, seed, settings)


def _build_vae(
    model: "models.Text2Image", image_shape: tuple[int, int, int], seed: int | None, settings: Mapping
) -> "models.CaptionedVAE":
    options = {name: value for name, value in settings["vae"].items() if name != "updates"}
    return vae_of(model, seed, **options)


PRESETS = {
    "paper": Preset(
        "GAN-INT-CLS at 64x64 pixels with embeddings of 1024 dimensions.",
        {
            "embedding_size": 1024,
            "text_filters": 256,
            "embedding_loss": "structured",
            "latent_size": 100,
            "base_filters": 128,
            "modulated": False,
            "upsampling": "transposed",
            "trunk_filters": 64,
            "normalization": "batch",
            "matching_aware": True,
            "interpolate": True,
            "objective": "non_saturating",
            "penalty": None,
            "style_weight": 0.0,
            "ema": None,
            "vae": None,
        },
        {
            "image_size": 64,
            "batch_size": 64,
            "epochs": 600,
            "learning_rate": 2e-4,
            "learning_rate_multipliers": {},
            "betas": (0.5, 0.999),
            "decay": 0.0,
            "augment": ("flip", "crop"),
        },
        image_shape=(64, 64, 3),
        sources=(
            "arXiv:1605.05396, section 4.1 and figure 2 (networks), section 5 (Adam, rate, batches, 600 epochs)",
            "the authors' code (128 and 64 channels, kernels of 4, crops and flips)",
        ),
        departures=(
            "The text encoder reads words, and is trained together with a small image encoder on the run's own data; "
            "the paper's is a character-level CNN-RNN trained against GoogLeNet features.",
            "Without the residual blocks at 4x4 and 8x8 pixels, which only the code has.",
            "The rate falls linearly to 0; the code halves it every 100 epochs.",
            "An image has one caption in a step; the code averages the embeddings of four.",
        ),
    ),
    "small": Preset(
        "32 pixels and narrow networks for a few minutes on a CPU.",
        {
            "embedding_size": 64,
            "text_filters": 64,
            "base_filters": 16,
            "trunk_filters": 16,
            "embedding": {"updates": 1400},
            "vae": {"updates": 2800},
        },
        {"image_size": 32, "updates": 2000},
        image_shape=(32, 32, 3),
        departures=(
            "The generator is pretrained as the decoder of a VAE: adversarial training alone has no outlines after "
            "half an hour. Narrow networks and few updates.",
        ),
    ),
    "gpu": Preset(
        "A modulated generator, R1 and a moving average at 64 pixels in bfloat16.",
        {
            "embedding_size": 256,
            "text_filters": 256,
            "latent_size": 100,
            "base_filters": 64,
            "trunk_filters": 64,
            "modulated": True,
            "interpolate": False,
            "penalty": {"name": "r1", "gamma": 4.0},
            "ema": 0.999,
        },
        {"image_size": 64, "updates": 100_000, "precision": "mixed_bfloat16"},
        image_shape=(64, 64, 3),
        departures=(
            "The text modulates every normalization (De Vries et al. 2017, arXiv:1707.00683), so that it can change "
            "what is drawn independently of its position; the paper's generator reads it once.",
            "The R1 penalty keeps the discriminator from winning (Mescheder et al. 2018, arXiv:1801.04406); it "
            "excludes batch normalization. The generator is pretrained as a VAE's decoder.",
            "No interpolated captions, which lowered every score in RESULTS.md. A moving average generates images, and "
            "bfloat16 halves memory and time.",
        ),
    ),
}

SYSTEMS = (
    System(
        "text2image",
        "Text to Image",
        "Reed et al. 2016, arXiv:1605.05396",
        # pretrained as the decoder of a VAE: adversarial training alone has no outlines after half an hour
        # (RESULTS.md), where GAN-INT also lowers every score
        functools.partial(
            text2image,
            penalty={"name": "r1", "gamma": 4.0},
            interpolate=False,
            modulated=True,
            vae={"updates": VAE_UPDATES},
            style_weight=0.04,
        ),
        data=("shapes",),
        endpoints=("embed", "generate"),
        demo="text2image",
        batch_size=64,
        # the paper has 2e-4 for both; here a discriminator that learns more slowly than the generator has an accuracy
        # of 1/2 (RESULTS.md)
        learning_rate=1e-3,
        betas=(0.5, 0.999),
        learning_rate_multipliers={"generator": 0.2},
        decay=0.5,
        drop_remainder=True,
        view="captions",
        presets=PRESETS,
        example_settings={"vocabulary": ("red", "circle")},
        pretraining=(
            PretrainingStage(
                "embedding", "the text encoder, jointly with an image encoder", _embedding_updates, _build_embedding
            ),
            PretrainingStage(
                "vae",
                "the generator, as a VAE's decoder (adversarial training alone takes far longer to learn outlines)",
                _vae_updates,
                _build_vae,
            ),
        ),
    ),
)
