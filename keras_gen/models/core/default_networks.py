"""Default networks that several systems build."""


def encoder_decoder(
    network: str, image_shape, outputs, latent_size: int, channels: int, base_filters, hidden_units, num_classes
):
    """Builds an encoder and a decoder, convolutional (`network="conv"`) or of dense layers (`network="mlp"`)."""
    from keras_gen import networks

    decoded_shape = (*image_shape[:2], channels)
    if network == "conv":
        options = {"base_filters": base_filters or 32, "num_classes": num_classes}
        encoder = networks.conv_encoder(image_shape, outputs, **options)
        return encoder, networks.conv_decoder(latent_size, decoded_shape, **options)
    if network == "mlp":
        options = {"hidden": (hidden_units or 200,) * 2, "num_classes": num_classes}
        encoder = networks.mlp_encoder(image_shape, outputs, **options)
        return encoder, networks.mlp_decoder(latent_size, decoded_shape, **options)
    raise ValueError(f"Unknown network {network!r}: expected 'conv' or 'mlp'")


def discriminator_normalization(name: str | None, penalty) -> str:
    """What is asked for; by default the papers' batch normalization, or layer normalization beside a penalty."""
    return name or ("layer" if penalty else "batch")
