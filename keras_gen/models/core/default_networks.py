"""Default networks that several systems build, and checks of the settings that choose them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

BASE_FILTERS = 32
UPSAMPLING = "transposed"
HIDDEN_UNITS = 200


def encoder_decoder(
    network: str,
    image_shape: tuple[int, int, int],
    outputs: int | Sequence[int],
    latent_size: int,
    channels: int,
    *,
    base_filters: int | None = None,
    hidden_units: int | Sequence[int] | None = None,
    activation: str | None = None,
    upsampling: str | None = None,
    encoder_normalization: str = "none",
    num_classes: int | None = None,
) -> "tuple[keras.Model, keras.Model]":
    """Builds an encoder and a decoder of convolutions or of dense layers.

    Args:
        network: "conv" (convolutions) or "mlp" (hidden dense layers).
        image_shape: (height, width, channels) of the images.
        outputs: outputs of the encoder; several numbers make several output layers.
        latent_size: dimensions of the code that the decoder reads.
        channels: channels of the decoder's output: the number of parameters per pixel.
        base_filters: for "conv", channels of the layers at the image's size; None is 32.
        hidden_units: for "mlp", units of each of two hidden layers, or a list with the units of all hidden layers, from
            the image to the code; None is 200.
        activation: name of the Keras activation of the hidden layers; None is "silu" for "conv" and "tanh" for "mlp".
        upsampling: for "conv", how the decoder's convolutions double the size, see
            `keras_gen.networks.upsampling.upsample`; None is "transposed".
        encoder_normalization: normalization of the encoder's hidden layers: "batch", "layer" or "none".
        num_classes: number of classes that both networks are conditioned on, or None.

    Returns:
        the encoder and the decoder.

    Raises:
        ValueError: for an unknown network, or a setting that has no effect on the chosen one.
    """
    from keras_gen import networks

    decoded_shape = (*image_shape[:2], channels)
    options: dict[str, Any] = {"num_classes": num_classes} | ({"activation": activation} if activation else {})
    if network == "conv":
        refuse_setting("network='conv'", "hidden_units", hidden_units, "set base_filters instead")
        filters = BASE_FILTERS if base_filters is None else base_filters
        return (
            networks.conv_encoder(
                image_shape, outputs, base_filters=filters, normalization=encoder_normalization, **options
            ),
            networks.conv_decoder(
                latent_size,
                decoded_shape,
                base_filters=filters,
                upsampling=UPSAMPLING if upsampling is None else upsampling,
                **options,
            ),
        )
    if network == "mlp":
        refuse_setting("network='mlp'", "base_filters", base_filters, "set hidden_units instead")
        refuse_setting("network='mlp'", "upsampling", upsampling, "leave it out, or set network='conv'")
        units = HIDDEN_UNITS if hidden_units is None else hidden_units
        hidden = (units, units) if isinstance(units, int) else tuple(units)
        return (
            networks.mlp_encoder(
                image_shape, outputs, hidden_units=hidden, normalization=encoder_normalization, **options
            ),
            networks.mlp_decoder(latent_size, decoded_shape, hidden_units=hidden[::-1], **options),
        )
    raise ValueError(f"Expected network='conv' or 'mlp'; received {network!r}")


def dcgan_filters(image_shape: tuple[int, int, int]) -> int:
    """Returns the default number of channels of a DCGAN's or InfoGAN's convolutions at the largest resolution.

    32 for images of up to 32 pixels, with which the results on digits were measured (RESULTS.md), otherwise 64.

    Args:
        image_shape: (height, width, channels) of the images.
    """
    return 32 if max(image_shape[:2]) <= 32 else 64


def refuse_setting(choice: str, name: str, value: object, remedy: str) -> None:
    """Raises a ValueError if a setting has a value but, with the value of another setting, no effect.

    Args:
        choice: the other setting with its value, such as `network='mlp'`.
        name: the setting.
        value: its value; None means that it is not set.
        remedy: what to do, such as `set hidden_units instead`.
    """
    if value is not None:
        raise ValueError(
            f"Expected no {name} with {choice}, where it has no effect; received {name}={value!r}: {remedy}"
        )


def discriminator_normalization(name: str | None, penalty: str | dict | None) -> str:
    """Returns the name of a discriminator's normalization.

    Args:
        name: a normalization, which is returned; None means batch normalization as in the papers, or layer
            normalization with a gradient penalty, which is defined for each example alone.
        penalty: the gradient penalty, or None.
    """
    return name or ("layer" if penalty else "batch")
