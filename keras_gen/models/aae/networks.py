"""The networks that are specific to the adversarial autoencoder: discriminators of codes and logits of categories.

The paper's encoder and decoder are `mlp_encoder(image_shape, size, hidden_units=HIDDEN, activation=ACTIVATION)` and
`mlp_decoder` with the same arguments, followed by a sigmoid. For semi-supervised learning and clustering the encoder
has two output layers, and the decoder takes the category y and the style z, concatenated to one code.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks.gan import mlp_discriminator

from .preset import HIDDEN_UNITS

HIDDEN = (HIDDEN_UNITS, HIDDEN_UNITS)
ACTIVATION = "relu"


def code_discriminator(
    size: int,
    *,
    hidden_units: Sequence[int] = HIDDEN,
    activation: str = ACTIVATION,
    num_classes: int | None = None,
) -> keras.Model:
    """Builds a network from codes [batch, size] to logits [batch, 1]: log-odds of being a sample of the prior.

    Args:
        size: dimensions of a code; for the category discriminator, the number of categories.
        hidden_units: units of the hidden layers, first to last.
        activation: name of a Keras activation.
        num_classes: a number makes the model take [codes, one-hot labels [batch, num_classes]]: the label determines
            the part of the prior that the code should come from. The paper has one class more than the data, for images
            without a label.

    Reference:
        Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, sections 2 and 2.3, appendix A.
    """
    return mlp_discriminator((size,), hidden_units=hidden_units, activation=activation, num_classes=num_classes)


def normalize_logits(encoder: keras.Model, scale: float) -> keras.Model:
    """Returns an encoder whose logits of the categories are batch-normalized.

    At first, every logit has mean 0 and the standard deviation `scale` in a batch, so that each category is the most
    probable one for some images. Without it, a category that is improbable for all images at the start stays so: the
    gradient of its softmax is close to 0. Mean and standard deviation of each logit are learned from there.

    Args:
        encoder: network from images to [logits [batch, categories], style [batch, size]].
        scale: initial standard deviation of the logits, > 0.

    Raises:
        ValueError: for a scale out of range.

    Reference:
        The paper has batch normalization in the encoder; that the logits are normalized, too, is our choice.
    """
    if not 0 < scale < float("inf"):
        raise ValueError(f"Expected logit_scale as a standard deviation > 0; received {scale!r}")
    logits, style = encoder.outputs
    normalization = layers.BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        gamma_initializer=keras.initializers.Constant(scale),
        synchronized=True,
        dtype="float32",
    )
    return keras.Model(encoder.inputs[0], [normalization(logits), style], name=encoder.name)
