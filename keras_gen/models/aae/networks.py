"""Networks of the adversarial autoencoder besides `mlp_encoder` and `mlp_decoder`.

The paper's encoder and decoder are `mlp_encoder(image_shape, size, **HIDDEN)` and `mlp_decoder(size, image_shape,
**HIDDEN)`, with a Bernoulli head's sigmoid after the decoder; for semi-supervised learning and clustering the encoder
has two last layers, and the decoder takes the category y and the style z joined to one code.
"""

from collections.abc import Sequence

import keras

from keras_gen.networks.gan import mlp_discriminator

HIDDEN = {"hidden": (1000, 1000), "activation": "relu"}


def code_discriminator(
    size: int,
    *,
    hidden: Sequence[int] = HIDDEN["hidden"],
    activation: str = HIDDEN["activation"],
    num_classes: int | None = None,
) -> keras.Model:
    """Codes [batch, size] -> logits [batch, 1]: log-odds of being a draw of the prior.

    Args:
        size: dimensions of a code; for the categorical discriminator, the number of categories.
        hidden: units of the hidden layers, first to last.
        activation: a Keras activation's name.
        num_classes: with a number, the model takes [codes, one-hot labels [batch, num_classes]]: the label tells which
            part of the prior the code should come from. The paper has one class more than the data, for images
            without a label.

    Reference:
        Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, sections 2 and 2.3, appendix A.
    """
    return mlp_discriminator((size,), hidden=hidden, activation=activation, num_classes=num_classes)
